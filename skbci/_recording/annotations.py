"""Stretches of a recording that no window may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["crosses_bad"]


def crosses_bad(raw: BaseRaw, first: np.ndarray, n_times: int) -> np.ndarray:
    """Return whether windows touch an annotation that starts with "bad" or "edge".

    MNE's rule for epochs (``reject_by_annotation``), and its boundaries between recordings that
    were joined: a boundary between two samples belongs to a window with samples on both sides.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        The recording.
    first : array-like of int, shape (n_windows,)
        First samples, counted from the start of the data.
    n_times : int
        Samples of a window.

    Returns
    -------
    ndarray of bool, shape (n_windows,)
    """
    first = np.asarray(first, dtype=float)
    crosses = np.zeros(len(first), dtype=bool)
    marks, sfreq = raw.annotations, float(raw.info["sfreq"])
    for onset, duration, text in zip(marks.onset, marks.duration, marks.description):
        if text.lower().startswith(("bad", "edge")):
            # Onsets count from the first sample that was recorded, which need not be there.
            begin = round((onset - raw.first_time) * sfreq, 6)
            end = round((onset + duration - raw.first_time) * sfreq, 6)
            crosses |= (begin < first + n_times) & (end > first)
    return crosses
