"""Bits a minute that an interface transfers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_count, check_positive, refusal
from skbci._checks.masked import check_unmasked

__all__ = ["information_transfer_rate"]

_WHO = "information_transfer_rate"


def information_transfer_rate(
    accuracy: ArrayLike, n_classes: int, seconds: float
) -> float | np.ndarray:
    r"""Compute Wolpaw's information transfer rate.

    .. math:: B = \log_2 N + P \log_2 P + (1 - P) \log_2 \frac{1 - P}{N - 1}

    bits a selection, of N equally probable classes, right with probability P, whose errors fall on
    all other classes alike. Below chance, where the formula rises again, it is zero.

    Parameters
    ----------
    accuracy : float or array-like
        Share of right selections, from 0 to 1.
    n_classes : int
        At least two.
    seconds : float
        For one selection, pauses and selections without an answer included.

    Returns
    -------
    float or ndarray
        Bits a minute.

    Raises
    ------
    TypeError, ValueError
        If an accuracy is not from 0 to 1, or another argument is out of range.

    References
    ----------
    .. [1] J. R. Wolpaw, H. Ramoser, D. J. McFarland, G. Pfurtscheller (1998). EEG-based
       communication: improved accuracy by response verification. IEEE Transactions on
       Rehabilitation Engineering 6(3), 326-333.

    Examples
    --------
    A letter among 36 every five seconds, three of four of them right:

    >>> from skbci.evaluation import information_transfer_rate
    >>> round(information_transfer_rate(0.75, 36, 5.0), 1)
    36.9
    """
    n = check_count(n_classes, "n_classes", _WHO, low=2)
    seconds = check_positive(seconds, "seconds", _WHO, unit="seconds")
    accuracy = check_unmasked(accuracy, "accuracy")
    try:
        p = np.asarray(accuracy, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        because = "must be a number, or an array of them"
        raise TypeError(refusal(accuracy, "accuracy", _WHO, because)) from None
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(refusal(accuracy, "accuracy", _WHO, "must be from 0 to 1"))
    with np.errstate(divide="ignore", invalid="ignore"):
        right = np.where(p > 0, p * np.log2(p), 0.0)
        wrong = np.where(p < 1, (1 - p) * np.log2((1 - p) / (n - 1)), 0.0)
    bits = np.where(p > 1 / n, np.log2(n) + right + wrong, 0.0)
    rate = np.maximum(bits, 0.0) * 60 / seconds
    return float(rate) if rate.ndim == 0 else rate
