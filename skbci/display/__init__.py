"""Pictures, as scikit-learn `Display` classes: built from results, redrawn with ``plot``."""

from skbci.display._comparison import ComparisonDisplay

__all__ = ["ComparisonDisplay"]
