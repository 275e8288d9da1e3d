"""Columns of the rows' table, as what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from skbci._checks import refusal
from skbci._checks.parameters import no_order

__all__ = ["as_column", "plain_entries"]


def as_column(column: Any, name: object, n_rows: int) -> Any:
    """Return what pandas makes a column of ``n_rows`` entries of; one value stands for all rows.

    Raises
    ------
    TypeError
        If it is a set or the like, whose order means nothing.
    ValueError
        If it has several entries a row.
    """
    called = f"metadata[{name!r}]"
    if isinstance(column, (str, bytes)) or not (
        isinstance(column, Iterable) or hasattr(column, "__array__")
    ):
        return [column] * n_rows
    if no_order(column):
        because = "must have one entry for each row, in their order"
        raise TypeError(refusal(column, called, "EEGArray", because))
    if not hasattr(column, "__array__") and not isinstance(column, (list, tuple)):
        column = list(column)  # a generator, or a dict's values
    shape = np.shape(column) if hasattr(column, "__array__") else ()
    if len(shape) > 1:
        because = f"has shape {shape}; it must have one entry for each of the {n_rows} rows"
        raise ValueError(refusal(column, called, "EEGArray", because))
    if hasattr(column, "__array__") and not shape:
        return [np.asarray(column).item()] * n_rows
    # Row by row, whatever the columns were called before: pandas would put the entries of several
    # Series in the order of their indices.
    column = getattr(column, "array", column)
    known = isinstance(column, (list, tuple, np.ndarray, pd.api.extensions.ExtensionArray))
    return column if known else np.asarray(column)


def plain_entries(table: pd.DataFrame) -> pd.DataFrame:
    """Put numbers in the place of tensors and arrays that hold one: each is no other."""
    for at, dtype in enumerate(table.dtypes):
        if dtype.kind == "O":
            column = table.iloc[:, at]
            plain = [_plain(entry) for entry in column]
            if any(one is not entry for one, entry in zip(plain, column)):
                table.isetitem(at, pd.Series(plain, index=table.index).to_numpy())
    return table


def _plain(entry: Any) -> Any:
    if hasattr(entry, "as_py"):  # of pyarrow
        return entry.as_py()
    single = hasattr(entry, "__array__") and np.shape(entry) == ()
    return entry.item() if single and not isinstance(entry, np.generic) else entry
