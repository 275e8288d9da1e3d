"""Checks for what no estimator can read: NaN, infinity, words, rows of different shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from skbci._typing import Signals

__all__ = ["refuse_unreadable"]

_ROWS_SHOWN = 5


def refuse_unreadable(
    X: Signals, who: str, ch_names: Sequence[str] | None = None, but: np.ndarray | None = None
) -> None:
    """Say where input is not of finite numbers, in the words of the field.

    Parameters
    ----------
    X : array-like
        Rows first; of three dimensions and more, the channels are the last axis but one.
    who : str
        Who asks.
    ch_names : sequence of str, optional
    but : ndarray of bool, shape (n_rows,), optional
        Rows that are not looked at.

    Raises
    ------
    TypeError
        If there are objects that are no numbers.
    ValueError
        Naming the rows and channels (or columns), where there is something to name.
    """
    if issparse(X):  # scikit-learn says what to do with it
        return
    try:
        if isinstance(X, pd.DataFrame):
            array = _table_numbers(X)
        else:
            array = np.asarray(X)
    except ValueError:
        raise ValueError(
            f"{who}: X is a {type(X).__name__} whose rows have different shapes; all rows need "
            "the same channels and the same number of time samples."
        ) from None
    if array.dtype.kind in "OUS":
        try:
            array = array.astype(np.float64)
        except (ValueError, OverflowError):
            raise ValueError(f"{who}: X must hold numbers, got dtype {array.dtype}.") from None
        except TypeError as error:
            raise TypeError(f"{who}: X must hold numbers: {error}") from None
    if array.ndim < 2 or array.dtype.kind != "f":
        return
    bad = ~np.isfinite(array)
    if but is not None:
        bad[but] = False
    if not bad.any():
        return
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    value = array[first]
    what = "NaN" if np.isnan(value) else "infinity"
    rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
    if array.ndim == 2:
        columns = list(X.columns) if isinstance(X, pd.DataFrame) else None
        place = f"column {first[1] if columns is None else repr(columns[first[1]])}"
        where = f"row {first[0]}, {place}"
    else:
        channel = first[-2]
        named = f"{ch_names[channel]!r}" if ch_names else f"{channel}"
        where = f"epoch {first[0]}, channel {named}, time sample {first[-1]}"
    more = ""
    if len(rows) > 1:
        shown = ", ".join(map(str, rows[:_ROWS_SHOWN]))
        rest = ", ..." if len(rows) > _ROWS_SHOWN else ""
        more = f" ({len(rows)} rows hold such values: {shown}{rest})"
    raise ValueError(
        f"{who}: X has {what} in {where}{more}. Leave these rows or channels out, or fill in "
        "values first."
    )


def _table_numbers(table: pd.DataFrame) -> np.ndarray:
    """Values of a table, those that pandas calls missing as NaN."""
    try:
        return table.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return np.asarray(table)
