"""The context of a row beside its numbers: column names, sampling rate, channels, table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci.eegarray import EEGArray

__all__ = ["RowContext"]


class RowContext:
    """Add to a row what a step knows rows by: column names, or an `EEGArray`'s context.

    Parameters
    ----------
    step : estimator
    method : str
        What the step is asked by.
    rows : ndarray or EEGArray
        Rows such as the step gets offline.
    """

    def __init__(self, step: Any, method: str, rows: Any) -> None:
        self.names = getattr(step, "feature_names_in_", None)
        self.like = None
        if isinstance(rows, EEGArray) and _needs_context(step, method, rows[:1]):
            self.like = rows[:1]

    def __call__(self, row: np.ndarray, onset: float) -> Any:
        if self.names is not None and row.ndim == 2:
            return pd.DataFrame(row, columns=self.names)  # anything else would make it warn
        if self.like is None:
            return row
        out = self.like.with_data(row)
        out.metadata["onset"] = onset
        return out


# What an `EEGArray` knows beside its numbers.
_CONTEXT = {
    "_metadata", "_window", "ch_names", "has_metadata", "info", "metadata", "sfreq", "tmin",
    "window",
}


def _needs_context(step: Any, method: str, row: EEGArray) -> bool:
    """Return whether a step needs more of a row than its numbers, which are faster to give."""
    ask = getattr(step, method)
    asked = False

    class Watched(EEGArray):
        def __getattribute__(self, name: str) -> Any:
            nonlocal asked
            asked = asked or name in _CONTEXT
            return super().__getattribute__(name)

    copied = row.copy()
    watched = copied.view(Watched)
    for name in _CONTEXT & vars(copied).keys():
        setattr(watched, name, vars(copied)[name])
    within = ask(watched)
    # The house's steps that come here check the context and pass it on. Any other may do with it
    # what does not show in one row: onsets are all different.
    if asked and not type(step).__module__.startswith("skbci."):
        return True
    try:
        bare = ask(np.array(row))
    except Exception:
        return True  # it tells rows apart by their type
    return not np.array_equal(np.asarray(within), np.asarray(bare))
