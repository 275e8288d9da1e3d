"""A scikit-learn compatible estimator toolkit for EEG brain-computer interfaces."""

from typing import TYPE_CHECKING

from skbci._lazy import lazy_front_door
from skbci._version import __version__

if TYPE_CHECKING:
    from skbci._eegarray.lost_table import LostTableWarning
    from skbci._version_record import VersionWarning
    from skbci.eegarray import EEGArray
    from skbci.pipeline import Pipeline, make_pipeline

__all__ = [
    "EEGArray", "LostTableWarning", "Pipeline", "VersionWarning", "__version__", "make_pipeline",
]

if not TYPE_CHECKING:  # loaded when asked for, so that the command line speaks at once
    __getattr__, __dir__ = lazy_front_door(
        __name__,
        {
            "EEGArray": "eegarray",
            "LostTableWarning": "_eegarray.lost_table",
            "Pipeline": "pipeline",
            "VersionWarning": "_version_record",
            "make_pipeline": "pipeline",
        },
    )
