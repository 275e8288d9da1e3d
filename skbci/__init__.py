"""A scikit-learn compatible estimator toolkit for EEG brain-computer interfaces."""

from skbci._version import __version__
from skbci.eegarray import EEGArray

__all__ = ["EEGArray", "__version__"]
