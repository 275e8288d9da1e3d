"""Paired comparison of two pipelines' scores over the same units."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

# Scores are fractions of test rows; differences that agree to this many decimals are ties, which
# binary rounding would otherwise break.
_DECIMALS = 12


def differences(scores: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """Score minus reference for each unit where both are known."""
    pairs = np.subtract(np.asarray(scores, float), np.asarray(reference, float))
    return np.round(pairs[~np.isnan(pairs)], _DECIMALS)


def wilcoxon_p(difference: np.ndarray) -> float:
    """Two-sided Wilcoxon signed-rank p; zero differences are dropped, all zero gives 1."""
    if len(difference) == 0:
        return math.nan
    moved = difference[difference != 0]
    if len(moved) == 0:
        return 1.0
    return float(stats.wilcoxon(moved).pvalue)


def t_interval(
    difference: np.ndarray, test_share: float = 0.0, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Two-sided paired t-test p and confidence interval of the mean difference.

    Parameters
    ----------
    difference : ndarray, shape (n_units,)
        Paired differences.
    test_share : float, default=0.0
        For units that are folds: test rows over training rows. The training sets of folds
        overlap, so their scores are not independent; the variance of the mean is then taken as
        ``(1/n + test_share) * var`` (Nadeau and Bengio 2003). 0 is the ordinary test.
    confidence : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    p, low, high : float
        NaN with fewer than two units.
    """
    n = len(difference)
    if n < 2:
        return math.nan, math.nan, math.nan
    mean = float(np.mean(difference))
    error = float(np.std(difference, ddof=1)) * math.sqrt(1 / n + test_share)
    if error < 10.0**-_DECIMALS:
        return (1.0 if mean == 0 else 0.0), mean, mean
    p = 2 * float(stats.t.sf(abs(mean) / error, n - 1))
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * error
    return p, mean - reach, mean + reach


def cohen_dz(difference: np.ndarray) -> float:
    """Mean difference over the standard deviation of the differences."""
    if len(difference) < 2:
        return math.nan
    mean, sd = float(np.mean(difference)), float(np.std(difference, ddof=1))
    if sd < 10.0**-_DECIMALS:
        return math.copysign(math.inf, mean) if mean else 0.0
    return mean / sd


def rank_biserial(difference: np.ndarray) -> float:
    """Matched-pairs rank-biserial correlation: (W+ - W-) / (W+ + W-), from -1 to 1."""
    if len(difference) == 0:
        return math.nan
    moved = difference[difference != 0]
    if len(moved) == 0:
        return 0.0
    ranks = stats.rankdata(np.abs(moved))
    return float(np.sum(np.sign(moved) * ranks) / np.sum(ranks))


def holm(p_values: ArrayLike) -> np.ndarray:
    """Holm's step-down correction: valid whatever the dependence between the tests.

    The i-th smallest of m values is multiplied by m - i + 1, made monotone and cut at 1. NaN
    stays NaN and does not count.
    """
    p = np.asarray(p_values, dtype=float)
    corrected = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
