"""The rows' table on its way through a step, and rows by their labels."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from skbci._checks.labels import doubt_spelling
from skbci._eegarray.table import onset_seconds
from skbci._typing import Label, Signals
from skbci.eegarray import EEGArray

__all__ = ["carry_rows", "row_values", "rows_by_label"]


def carry_rows(X: Signals, data: np.ndarray, **context: Any) -> np.ndarray:
    """Put ``data`` under the row table of ``X`` where X has one; else return it bare.

    ``context`` says what of ``sfreq``, ``ch_names`` and ``tmin`` differs from X's.
    """
    if isinstance(X, EEGArray):
        return X.with_data(data, **context)
    return data


def row_values(X: Signals, column: str) -> np.ndarray | None:
    """A column of the rows' table, or None where X has no such column."""
    if isinstance(X, EEGArray) and column in X.metadata:
        return X.metadata[column].to_numpy()
    return None


def row_seconds(X: Signals) -> np.ndarray | None:
    """Return when the rows begin, in seconds; NaN where missing, None where nothing tells.

    Raises
    ------
    ValueError
        If the column ``onset`` holds something other than numbers.
    """
    onsets = row_values(X, "onset")
    if onsets is None:
        return None
    return onset_seconds(onsets)


def rows_by_label(labels: np.ndarray, name: str) -> dict[Label, np.ndarray]:
    """Return the row indices of each distinct label, labels in order.

    Numbers inside strings count as numbers: S2 comes before S10.
    """
    codes, distinct = pd.factorize(np.asarray(labels, dtype=object))
    try:
        order = sorted(range(len(distinct)), key=lambda code: _natural_key(distinct[code]))
    except TypeError:
        raise ValueError(
            f"{name} mixes labels that have no common order: {list(distinct[:5])}. Use numbers "
            "only, or strings only."
        ) from None
    doubt_spelling(distinct, name)
    return {distinct[code]: np.flatnonzero(codes == code) for code in order}


def _natural_key(label: Any) -> Any:
    if isinstance(label, str):
        return [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", label)]
    if isinstance(label, tuple):
        return tuple(_natural_key(part) for part in label)
    return label
