"""A fitted estimator's pickle holds what was learned, not the rows it was learned from."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skbci.baselines import KStar
from skbci.estimators import OnlineClassifier
from skbci.model_selection import HeldOutSearch
from tests.public_estimators import ESTIMATORS, PIPELINES
from tests.test_whole_fits import data_for

pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("ignore")]  # for their time


def keeps_rows(estimator):
    """An instance-based classifier is its rows, and replay repeats rows of fit."""
    return isinstance(estimator, KStar) or (
        isinstance(estimator, OnlineClassifier) and bool(estimator.replay))


LEARNED = [estimator for estimator in [*ESTIMATORS, *PIPELINES] if not keeps_rows(estimator)]


@pytest.mark.parametrize("estimator", LEARNED, ids=lambda e: str(e)[:60])
def test_pickles_do_not_grow_with_the_rows(estimator):
    estimator = clone(estimator)
    if isinstance(estimator, HeldOutSearch):
        estimator.estimator.set_params(max_epochs=2)
    elif "max_epochs" in estimator.get_params():
        estimator.set_params(max_epochs=2)
    X, y = data_for(estimator)
    if "CCA" in str(estimator):
        y = np.array([8, 13])[y]
    state = np.random.get_state()
    rng = np.random.default_rng(1)
    more = np.concatenate([X, *(X * rng.uniform(0.9, 1.1, X.shape) for _ in range(3))])
    few, many = (
        len(pickle.dumps(clone(estimator).fit(rows, np.tile(y, len(rows) // len(X)))))
        for rows in (X, more)
    )
    np.random.set_state(state)
    # Trees and texts of numbers vary; the rows would be four times as many.
    assert many < 1.1 * few + 500
