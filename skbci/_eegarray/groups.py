"""Groups of rows: a subject, a session of a subject, or any columns' labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skbci._sessions import LEVELS
from skbci._typing import Signals
from skbci.eegarray import EEGArray

__all__ = ["Key", "check_columns", "group_rows"]

Key = tuple[Any, ...]


def check_columns(by: str | Sequence[str], who: str) -> list[str]:
    """Columns that tell groups apart; a level of the house brings those above it along.

    Raises
    ------
    TypeError, ValueError
        If ``by`` is not a name or a sequence of different names.
    """
    names = [by] if isinstance(by, str) else by
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{who}: by={by!r} must be a column's name or a list of names.")
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{who}: by={by!r} must name at least one column, and none twice.")
    deepest = max((LEVELS.index(name) for name in names if name in LEVELS), default=-1)
    return [*LEVELS[: deepest + 1], *(name for name in names if name not in LEVELS)]


def group_rows(
    X: Signals, n_rows: int, by: str | Sequence[str], who: str
) -> dict[Key, np.ndarray]:
    """Row indices of each group.

    Parameters
    ----------
    X : EEGArray or anything
        Rows without a table are one group.
    n_rows : int
        Rows of X.
    by : str or sequence of str
        As for `check_columns`. The columns subject, session and run are read as far as they are
        there; any other has to be there.
    who : str
        Who asks, for the message.

    Returns
    -------
    dict of tuple to ndarray of int
        Rows of each combination of labels, in order of appearance.

    Raises
    ------
    ValueError
        If a column is not there or has missing entries.
    """
    columns = check_columns(by, who)
    if not isinstance(X, EEGArray) or not X.has_metadata:
        return {(): np.arange(n_rows)}
    table = X.metadata
    absent = [name for name in columns if name not in table and name not in LEVELS]
    if absent:
        raise ValueError(
            f"{who}: by={by!r} names columns that the rows' table does not have: {absent}; it "
            f"has {list(map(str, table.columns))}."
        )
    columns = [name for name in columns if name in table]
    missing = [name for name in columns if table[name].isna().any()]
    if missing:
        raise ValueError(
            f"{who}: the metadata column {missing[0]!r} has missing entries; every row needs a "
            "label to be put into a group."
        )
    if not columns:
        return {(): np.arange(n_rows)}
    codes = np.zeros(n_rows, dtype=np.int64)
    for name in columns:
        own = pd.factorize(table[name].to_numpy(dtype=object))[0]
        codes = pd.factorize(codes * (own.max(initial=0) + 1) + own)[0]
    labels = list(zip(*(table[name].tolist() for name in columns)))
    members = (np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1))
    return {labels[rows[0]]: rows for rows in members}
