"""Estimators to be written, and what they are asked afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch


def answers(estimator, X):
    """All that an estimator gives."""
    found = {}
    for method in ("predict_proba", "decision_function", "predict", "transform"):
        if hasattr(estimator, method):
            try:
                found[method] = np.asarray(getattr(estimator, method)(X))
            except NotImplementedError:  # as of the linear discriminant's solvers
                continue
    assert found
    return found


def assert_same(estimator, other, X):
    """To the bit."""
    theirs = answers(other, X)
    for method, values in answers(estimator, X).items():
        np.testing.assert_array_equal(theirs[method], values)


@pytest.fixture(autouse=True)
def own_random_numbers():
    """What scikit-learn and torch draw without a seed is given back."""
    state = np.random.get_state()
    with torch.random.fork_rng():
        yield
    np.random.set_state(state)


@pytest.fixture
def epochs():
    """Sixty epochs of four channels, whose second class is louder at one of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(0, 1e-5, (60, 4, 64))
    y = np.tile(["left", "right"], 30)
    X[y == "right", 1] *= 1.5
    return X, y
