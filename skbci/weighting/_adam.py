"""Adam on a few numbers."""

from __future__ import annotations

import numpy as np

from skbci.weighting._evidence import Floats

_BETAS = (0.9, 0.999)
_EPS = 1e-8


def adam_step(values: Floats, gradient: Floats, moments: Floats, lr: float) -> Floats:
    """Take a step of Adam.

    Parameters
    ----------
    values, gradient : ndarray, shape (K,)
    moments : ndarray, shape (3, K)
        First and second moment and the number of steps, all zero at first; changed in place.
    lr : float

    Returns
    -------
    ndarray, shape (K,)
        The new values.
    """
    moments[0] += (1 - _BETAS[0]) * (gradient - moments[0])
    moments[1] += (1 - _BETAS[1]) * (gradient**2 - moments[1])
    moments[2] += 1
    first = moments[0] / (1 - _BETAS[0] ** moments[2])
    second = moments[1] / (1 - _BETAS[1] ** moments[2])
    return values - lr * first / (np.sqrt(second) + _EPS)
