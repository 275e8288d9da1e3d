"""Arrays put one after another, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skbci._eegarray.mne_exchange import joined_table

__all__ = ["concatenate_rows"]


def concatenate_rows(cls: Any, arrays: Sequence[Any]) -> Any:
    """Join arrays along their rows.

    Parameters
    ----------
    cls : type
        `EEGArray`.
    arrays : sequence of EEGArray

    Returns
    -------
    EEGArray

    Raises
    ------
    ValueError
        If channels, shapes, sampling rates or times differ.
    """
    first = arrays[0]
    for other in arrays[1:]:
        if other.ch_names != first.ch_names:
            raise ValueError(
                f"Cannot join arrays with different channels: {first.ch_names} and "
                f"{other.ch_names}."
            )
        if other.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"Cannot join arrays with rows of shape {first.shape[1:]} and {other.shape[1:]}: "
                "cut them to one length first."
            )
        if other.sfreq != first.sfreq:
            raise ValueError(
                f"Cannot join arrays with different sampling rates: {first.sfreq} Hz and "
                f"{other.sfreq} Hz. Resample one of them first."
            )
        if not np.isclose(other.tmin, first.tmin):
            raise ValueError(
                f"Cannot join arrays whose rows begin at {first.tmin:g} s and {other.tmin:g} s "
                "relative to their events. Crop them alike first."
            )
    data = np.concatenate([np.asarray(a) for a in arrays])
    table = joined_table([a.metadata for a in arrays])
    windows = [a._window for a in arrays if a._window is not None]
    return cls(data, table, sfreq=first.sfreq, ch_names=first.ch_names, tmin=first.tmin,
               info=first.info, window=max(windows, default=None))
