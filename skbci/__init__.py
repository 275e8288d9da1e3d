"""A scikit-learn compatible estimator toolkit for EEG brain-computer interfaces."""

from typing import TYPE_CHECKING, Any

from skbci._version import __version__
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from skbci._eegarray.lost_table import LostTableWarning
    from skbci._version_record import VersionWarning
    from skbci.pipeline import Pipeline, make_pipeline

__all__ = [
    "EEGArray", "LostTableWarning", "Pipeline", "VersionWarning", "__version__", "make_pipeline",
]


def __getattr__(name: str) -> Any:
    """Load what needs scikit-learn when it is asked for."""
    if name in ("Pipeline", "make_pipeline"):
        from skbci import pipeline

        return getattr(pipeline, name)
    if name == "LostTableWarning":
        from skbci._eegarray.lost_table import LostTableWarning

        return LostTableWarning
    if name == "VersionWarning":
        from skbci._version_record import VersionWarning

        return VersionWarning
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
