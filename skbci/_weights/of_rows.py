"""Weights of rows: what they must be, and as numbers of rows."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight

from skbci._checks import refusal
from skbci._checks.foreign import check_foreign
from skbci._checks.labels import refuse_missing
from skbci._checks.masked import check_unmasked
from skbci._typing import Signals

__all__ = ["as_counts", "check_weights", "readable_weights"]


def check_weights(sample_weight: ArrayLike | None, X: Signals) -> np.ndarray | None:
    """Check weights of rows; None stays None.

    Parameters
    ----------
    sample_weight : array-like, shape (n_rows,), number or None
    X : array-like, shape (n_rows, ...)
        The rows.

    Returns
    -------
    ndarray of float64, shape (n_rows,), or None

    Raises
    ------
    ValueError
        If a weight is negative, missing or masked, all are zero, or there is not one for each row.
    """
    if sample_weight is None:
        return None
    given = readable_weights(sample_weight)
    if not isinstance(given, Real):
        refuse_missing(given, "sample_weight", "every row needs a number of at least 0")
    try:
        weight = _check_sample_weight(given, X, dtype=np.float64, ensure_non_negative=True)
    except (TypeError, ValueError) as error:
        its_own = "could not convert" not in str(error) and "inhomogeneous" not in str(error)
        if isinstance(error, ValueError) and its_own:
            raise
        because = "must hold a number of at least 0 for each row, or be None"
        raise ValueError(refusal(sample_weight, "sample_weight", "", because)) from None
    if not (weight > 0).any():  # newer versions of scikit-learn have refused it by now
        raise ValueError("sample_weight is zero for every row: nothing is left to fit.")
    return weight


def readable_weights(sample_weight: ArrayLike) -> ArrayLike:
    """Return weights for others to check, unless numpy would read them as what they are not.

    Raises
    ------
    ValueError
        If entries are masked, or they are dates or time spans.
    """
    given = check_unmasked(check_foreign(sample_weight, "sample_weight"), "sample_weight")
    if getattr(getattr(given, "dtype", None), "kind", None) in ("m", "M"):
        because = "must hold a number of at least 0 for each row, or be None"
        raise ValueError(refusal(sample_weight, "sample_weight", "", because))
    return given


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
