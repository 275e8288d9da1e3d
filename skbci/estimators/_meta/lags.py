"""Another classifier's answers to the rows before, as features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["lagged"]


def lagged(values: np.ndarray, sessions: Sequence[np.ndarray], n_lags: int) -> np.ndarray:
    """Put each row's own values and those of the rows before it side by side.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_values)
        Values of each row.
    sessions : sequence of ndarray of int
        Rows of each session in order of time; a row's past does not reach beyond its session.
    n_lags : int
        How many rows to look at, the row itself included.

    Returns
    -------
    ndarray, shape (n_rows, n_lags * n_values)
        The row itself first, then one row back, and so on. Before its beginning, a session's
        first row stands in for the missing ones.
    """
    out = np.empty((len(values), n_lags, values.shape[1]), dtype=values.dtype)
    for rows in sessions:
        past = np.arange(len(rows))[:, None] - np.arange(n_lags)
        out[rows] = values[rows[np.maximum(past, 0)]]
    return out.reshape(len(values), -1)
