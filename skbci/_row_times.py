"""When rows begin, and how long they are: as the caller says, or as the rows know."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_number
from skbci._checks.labels import check_column
from skbci._checks.masked import check_unmasked
from skbci._eegarray.rows import row_seconds
from skbci._typing import Signals
from skbci.eegarray import EEGArray

__all__ = ["LOST_TABLE", "known_duration", "row_duration", "row_onsets"]

#: What to do where the rows have no table any more.
LOST_TABLE = " Where a transformer before dropped the table, skbci.make_pipeline passes it on."


def row_onsets(X: Signals, onsets: ArrayLike | None, n_rows: int, who: str) -> np.ndarray:
    """Return each row's start in seconds: as given, or from X's row table."""
    if onsets is None:
        onsets = row_seconds(X)
    if onsets is None:
        raise ValueError(
            f"{who} does not know when the rows begin. Either pass onsets=... (seconds from the "
            "start of the run, one for each row; with scikit-learn's metadata routing "
            "params={'onsets': ...}), or give it an EEGArray or mne.Epochs whose metadata has the "
            "column 'onset'." + ("" if isinstance(X, EEGArray) and X.has_metadata else LOST_TABLE)
        )
    onsets = check_unmasked(onsets, "onsets")
    try:
        if np.asarray(onsets).dtype.kind in "mMc":  # numpy would count nanoseconds, or drop parts
            raise TypeError
        array = np.asarray(onsets, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("onsets must be numbers: seconds from the start of the run.") from None
    check_column(array, n_rows, "onsets")
    if not np.isfinite(array).all():
        raise ValueError("onsets has infinite entries; seconds from the start of the run wanted.")
    return array


def row_duration(X: Signals | None, window: float | None, who: str) -> float:
    """Return the length of a row in seconds: as given, or samples over sampling rate."""
    if window is not None:
        return check_number(window, "window", who, low=0, unit="seconds")
    length = known_duration(X)
    if length is None:
        raise ValueError(
            f"{who} does not know how long a row's window is: pass window=... (seconds; the whole "
            "span of signal that one row was computed from), or give it an EEGArray with sfreq or "
            "mne.Epochs."
        )
    return length



def known_duration(X: Signals | None) -> float | None:
    """Return the length of a row in seconds, or None where X does not know it."""
    return X.window if isinstance(X, EEGArray) else None
