"""Fits that are timed on the processor, so that what else the machine does is not counted."""

from __future__ import annotations

import time
import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

__all__ = ["fit_timed"]


def fit_timed(model: Any, X: Any, y: Any) -> Any:
    """Fit, and put the processor time of the fit in the place of a network's wall time.

    Each epoch gets an equal share of it as its ``dur``. That a step is too large to train with is
    no news in these studies: the warning is not shown.

    Parameters
    ----------
    model : estimator
        A network, a Pipeline that ends with one, or any other.
    X, y : array
        Training rows and labels.

    Returns
    -------
    estimator
        ``model``, fitted, with the seconds as ``fit_seconds_``.
    """
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    model.fit_seconds_ = time.process_time() - start
    last = model[-1] if isinstance(model, Pipeline) else model
    if hasattr(last, "net_"):
        epochs = last.net_.history
        for epoch in epochs:
            epoch["dur"] = model.fit_seconds_ / len(epochs)
    return model
