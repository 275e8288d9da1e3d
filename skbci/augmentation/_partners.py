"""Rows that may be mixed with each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from skbci._eegarray.groups import check_columns, group_rows
from skbci._typing import Signals

__all__ = ["check_by", "pools"]


def check_by(by: str | Sequence[str] | None, who: str) -> None:
    """Check which columns of the rows' table mixed rows have to share; None: they share none."""
    if by is not None:
        check_columns(by, who)


def pools(
    X: Signals, n_rows: int, by: str | Sequence[str] | None, who: str
) -> Iterator[np.ndarray]:
    """Return the rows that share what ``by`` names; all of them with None or without a table."""
    if by is None:
        yield np.arange(n_rows)
        return
    yield from group_rows(X, n_rows, by, who).values()
