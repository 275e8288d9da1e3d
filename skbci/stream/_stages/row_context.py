"""The context of a row beside its numbers: column names, sampling rate, channels, table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbci._plain import freeze, thaw
from skbci._row_needs import reads_context
from skbci.eegarray import EEGArray

__all__ = ["RowContext"]


class RowContext:
    """Add to a row what a step knows rows by: column names, or an `EEGArray`'s context.

    Parameters
    ----------
    step : estimator
        It, or what it holds, may declare that it reads no context; a bare row is faster to give.
    rows : ndarray or EEGArray
        Rows such as the step gets offline.
    """

    def __init__(self, step: BaseEstimator, rows: Any) -> None:
        self.names = getattr(step, "feature_names_in_", None)
        in_context = isinstance(rows, EEGArray) and reads_context(step)
        self.like: EEGArray | None = rows[:1] if in_context else None

    def __getstate__(self) -> dict[str, Any]:
        return freeze(vars(self))  # no pandas object, which another pandas might not read

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(thaw(state))

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray | pd.DataFrame:
        if self.names is not None and row.ndim == 2:
            return pd.DataFrame(row, columns=self.names)  # anything else would make it warn
        if self.like is None:
            return row
        out = self.like.with_data(row)
        out.metadata["onset"] = onset
        return out
