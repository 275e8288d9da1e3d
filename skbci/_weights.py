"""Row weights as numbers of rows."""

from __future__ import annotations

import numpy as np

__all__ = ["as_counts"]


def as_counts(weight: np.ndarray) -> np.ndarray:
    """Return weights whose sum is a number of rows.

    Parameters
    ----------
    weight : ndarray of float, shape (n_rows,)
        Not negative, not all zero.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        Whole numbers as they are, for they count rows; others scaled so that those that are not
        zero have the mean one, for only their ratios matter.
    """
    if (weight == np.round(weight)).all():
        return weight
    return weight * (np.count_nonzero(weight) / weight.sum())
