"""Rows without signal: how probabilities show them, and what is answered instead."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline


def says_nothing(estimator: BaseEstimator, proba: np.ndarray) -> np.ndarray:
    """Whether rows have the very prior of a classifier that predicts it where there is no signal.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    proba : ndarray, shape (n_rows, n_classes)
        Its probabilities.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    while not hasattr(estimator, "prior_") and (inside := _inside(estimator)) is not None:
        estimator = inside
    prior = getattr(estimator, "prior_", None)
    if prior is None or np.shape(prior) != proba.shape[1:]:
        return np.zeros(len(proba), dtype=bool)
    return np.asarray((proba == np.asarray(prior, dtype=proba.dtype)).all(axis=1))


def _inside(estimator: BaseEstimator) -> BaseEstimator | None:
    """Return the fitted estimator inside that answers for another one, if there is one."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    for name in ("best_estimator_", "estimator_"):
        if hasattr(estimator, name):
            return getattr(estimator, name)
    return None


def prior_answer(method: str, prior: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return what a classifier's method gives for a row of which only the prior is known."""
    if method == "predict":
        return np.asarray(classes[prior.argmax()])
    if method == "predict_proba":
        return prior
    logs = np.log(prior)
    if method == "decision_function" and len(logs) == 2:
        return np.asarray(logs[1] - logs[0])
    return logs
