"""Pictures, as scikit-learn `Display` classes: built from results, redrawn with ``plot``."""

from skbci.display._comparison import ComparisonDisplay
from skbci.display._convergence import ConvergenceDisplay
from skbci.display._forest import ForestDisplay
from skbci.display._latent import LatentDisplay
from skbci.display._loss_weights import LossWeightDisplay
from skbci.display._patterns import PatternDisplay
from skbci.display._sparsity import SparsityDisplay
from skbci.display._stability import StabilityDisplay
from skbci.display._trajectory import TrajectoryDisplay

__all__ = [
    "ComparisonDisplay",
    "ConvergenceDisplay",
    "ForestDisplay",
    "LatentDisplay",
    "LossWeightDisplay",
    "PatternDisplay",
    "SparsityDisplay",
    "StabilityDisplay",
    "TrajectoryDisplay",
]
