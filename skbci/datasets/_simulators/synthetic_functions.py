"""Small functions to learn: parity, modulo two, a Gabor patch."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from sklearn.utils import Bunch

from skbci._checks import check_count, check_number, check_positive
from skbci._typing import Seed
from skbci.datasets._bunch import make_bunch
from skbci.datasets._docs import fill_doc
from skbci.datasets._simulators.options import draw_seed

__all__ = ["make_gabor_2d", "make_modulo2", "make_parity"]

_MOST_ROWS = 1 << 20


def make_parity(n_bits: int = 8) -> Bunch:
    """All words of n bits and whether the number of ones in each is odd.

    Neighbours always differ in their label, so that a part of the words says nothing about the
    rest to a learner that relies on distance.

    Parameters
    ----------
    n_bits : int, default=8
        Length of a word, from 1 to 20.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (2**n_bits, n_bits)
            The words, 0.0 and 1.0, counting up.
        ``y`` : ndarray of int, shape (2**n_bits,)
            1 where the number of ones is odd.
        ``feature_names``, ``DESCR``
            Names, text.

    Raises
    ------
    ValueError, TypeError
        If ``n_bits`` is not an integer from 1 to 20.

    See Also
    --------
    make_modulo2 : The same question about larger digits.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning internal representations by
       error propagation", in Parallel Distributed Processing, vol. 1, MIT Press, 1986.

    Examples
    --------
    >>> from skbci.datasets import make_parity
    >>> data = make_parity(2)
    >>> data.X.tolist(), data.y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    n_bits = check_count(n_bits, "n_bits", "make_parity")
    _check_rows(2, n_bits, f"n_bits={n_bits}")
    X, y = _digit_sums(2, n_bits)
    return make_bunch(
        X, y, feature_names=np.array([f"bit{k}" for k in range(n_bits)]),
        description=f"Parity of {n_bits} bits: all {len(y)} words; 1 where the number of ones is "
        "odd. Made by skbci.datasets.make_parity.",
    )


@fill_doc
def make_modulo2(n_values: int = 3, n_features: int = 2) -> Bunch:
    """All words of small digits and whether the sum of the digits in each is odd.

    Parameters
    ----------
    n_values : int, default=3
        A digit is one of 0, 1, ..., ``n_values - 1``; at least two values.
    n_features : int, default=2
        Digits in a word. There are at most 2**20 words.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_values**n_features, n_features)
            The words, counting up.
        ``y`` : ndarray of int, shape (n_values**n_features,)
            The sum of the digits modulo 2.
        ``feature_names``, ``DESCR``
            Names, text.

    Raises
    ------
    ValueError, TypeError
        If a number is out of its range.

    See Also
    --------
    make_parity : The same with bits.

    Notes
    -----
    The HJB paper [1]_ lists a "modulo-2 function" of nine rows and two features without a
    definition. The 3 x 3 grid of the default has this size; four of its nine labels are odd.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> from skbci.datasets import make_modulo2
    >>> make_modulo2().y.reshape(3, 3)
    array([[0, 1, 0],
           [1, 0, 1],
           [0, 1, 0]])
    """
    n_values = check_count(n_values, "n_values", "make_modulo2", low=2)
    n_features = check_count(n_features, "n_features", "make_modulo2")
    _check_rows(n_values, n_features, f"n_values={n_values}, n_features={n_features}")
    X, y = _digit_sums(n_values, n_features)
    return make_bunch(
        X, y, feature_names=np.array([f"digit{k}" for k in range(n_features)]),
        description=f"Sum modulo 2 of {n_features} digits from 0 to {n_values - 1}: all {len(y)} "
        "words. Made by skbci.datasets.make_modulo2.",
    )


def make_gabor_2d(
    n_samples: int = 100,
    *,
    sigma: float = 0.5,
    frequency: float = 1.0,
    low: float = 0.0,
    high: float = 1.0,
    noise: float = 0.0,
    random_state: Seed = None,
) -> Bunch:
    r"""Values of a two-dimensional Gabor function at random points.

    Parameters
    ----------
    n_samples : int, default=100
        Points.
    sigma : float, default=0.5
        Width of the Gaussian envelope.
    frequency : float, default=1.0
        Cycles of the carrier per unit of :math:`x_1 + x_2`.
    low, high : float, default=0.0, 1.0
        The points are drawn uniformly from the square [low, high) x [low, high).
    noise : float, default=0.0
        Standard deviation of Gaussian noise added to the values.
    random_state : None, int, RandomState or Generator, default=None
        The same integer gives the same points.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_samples, 2)
            The points.
        ``y`` : ndarray of float, shape (n_samples,)
            The values.
        ``feature_names``, ``DESCR``
            Names, text.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range.

    Notes
    -----
    .. math:: g(x_1, x_2) = \frac{1}{2\pi\sigma^2}
              \exp\Bigl(-\frac{x_1^2 + x_2^2}{2\sigma^2}\Bigr) \cos(2\pi f (x_1 + x_2))

    With the defaults the values lie between -0.50 and 0.64, with a variance of 0.038.

    References
    ----------
    .. [1] L. Behera, S. Kumar and A. Patnaik, "On adaptive learning rate that guarantees
       convergence in feedforward networks", IEEE Transactions on Neural Networks 17(5), 2006.

    Examples
    --------
    >>> from skbci.datasets import make_gabor_2d
    >>> data = make_gabor_2d(random_state=0)
    >>> data.X.shape, data.y.dtype
    ((100, 2), dtype('float64'))
    """
    who = "make_gabor_2d"
    n_samples = check_count(n_samples, "n_samples", who)
    sigma = check_positive(sigma, "sigma", who)
    frequency = check_number(frequency, "frequency", who, low=0)
    noise = check_number(noise, "noise", who, low=0)
    low, high = (check_number(v, n, who) for v, n in ((low, "low"), (high, "high")))
    if high <= low:
        raise ValueError(f"high={high:g} must be above low={low:g}.")
    rng = np.random.default_rng(draw_seed(random_state))
    X = rng.uniform(low, high, (n_samples, 2))
    envelope = np.exp(-np.sum(X**2, axis=1) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    y = envelope * np.cos(2 * np.pi * frequency * X.sum(axis=1))
    return make_bunch(
        X, y + noise * rng.standard_normal(n_samples), feature_names=np.array(["x1", "x2"]),
        description=f"Gabor function at {n_samples} random points of [{low:g}, {high:g})^2, "
        f"sigma {sigma:g}, frequency {frequency:g}, noise {noise:g}. Made by "
        "skbci.datasets.make_gabor_2d.",
    )


def _check_rows(base: int, digits: int, given: str) -> None:
    if digits * math.log2(base) > math.log2(_MOST_ROWS):
        raise ValueError(f"{given} makes {base}**{digits} rows; at most {_MOST_ROWS} are allowed.")


def _digit_sums(base: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    words = np.array(list(product(range(base), repeat=digits)))
    return words.astype(float), words.sum(axis=1) % 2
