"""Pictures, as scikit-learn `Display` classes: built from results, redrawn with ``plot``."""

from skbci.display._comparison import ComparisonDisplay
from skbci.display._convergence import ConvergenceDisplay
from skbci.display._stability import StabilityDisplay

__all__ = ["ComparisonDisplay", "ConvergenceDisplay", "StabilityDisplay"]
