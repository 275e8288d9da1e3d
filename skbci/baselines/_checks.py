"""Checks of what a baseline hands on to other packages' steps, in the toolkit's words."""

from __future__ import annotations

from collections.abc import Mapping

from sklearn.base import BaseEstimator

from skbci._checks import check_choice, check_number

__all__ = ["check_band", "check_estimator", "check_metric"]

# Of pyRiemann, from version 0.8 on.
_ESTIMATORS = ("corr", "cov", "hub", "lwf", "mcd", "oas", "sch", "scm", "stu", "tyl")


def check_band(fmin: object, fmax: object, who: str) -> tuple[float, float]:
    """Check a pass band in Hz.

    Raises
    ------
    TypeError, ValueError
        If the edges are not numbers with 0 <= fmin < fmax.
    """
    low = check_number(fmin, "fmin", who, low=0, unit="Hz")
    return low, check_number(fmax, "fmax", who, low=low, closed="neither", unit="Hz")


def check_estimator(estimator: BaseEstimator, who: str) -> BaseEstimator:
    """Check a covariance estimator: a name of pyRiemann's, or a function.

    Raises
    ------
    ValueError
        Listing the names.
    """
    if callable(estimator) and not isinstance(estimator, type):
        return estimator
    return check_choice(estimator, "estimator", who, _ESTIMATORS)


def check_metric(
    metric: str | Mapping[str, str], who: str, parts: tuple[str, ...], names: tuple[str, ...]
) -> BaseEstimator:
    """Check a metric: a name, or a dict of names by what they are for.

    Raises
    ------
    ValueError
        Listing the names.
    """
    if not isinstance(metric, dict) or set(metric) != set(parts):
        return check_choice(metric, "metric", who, names)
    return metric
