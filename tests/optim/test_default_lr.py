"""The learning rate that an optimizer gets where none is set."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_moons
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier as ScikitLearnMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.estimators import MLPClassifier, MLPRegressor
from skbci.model_selection import StackedGridSearchCV
from skbci.optim import HJB, LEARNING_RATES, OPTIMIZERS, default_lr


def data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    return X, (X[:, 0] + 0.5 * rng.normal(size=60) > 0).astype(int)


def test_every_name_has_one():
    assert set(LEARNING_RATES) == set(OPTIMIZERS)
    assert all(0 < lr <= 0.1 for lr in LEARNING_RATES.values())


@pytest.mark.parametrize(
    ("optimizer", "lr"),
    [
        ("hjb", 0.1), (HJB, 0.1), ("hjb-ad", 0.01), ("adam", 1e-3), (torch.optim.Adam, 1e-3),
        ("adamw", 1e-3), (torch.optim.Adagrad, 0.01), (torch.optim.Adadelta, 1.0),
        (lambda params, lr: torch.optim.SGD(params, lr), 0.01),
        (partial(torch.optim.SGD, momentum=0.5), 1e-3),
    ],
)
def test_of_names_classes_and_factories(optimizer, lr):
    assert default_lr(optimizer) == lr


@pytest.mark.parametrize("optimizer", ["adamm", 3])
def test_unknown(optimizer):
    with pytest.raises((TypeError, ValueError), match="optimizer="):
        default_lr(optimizer)


@pytest.mark.parametrize("optimizer", ["hjb", "adam", torch.optim.Adam])
def test_none_is_that_number(optimizer):
    X, y = data()
    net = MLPClassifier((5,), optimizer=optimizer, max_epochs=3, random_state=0)
    same = clone(net).set_params(lr=default_lr(optimizer))
    np.testing.assert_array_equal(net.fit(X, y).predict_proba(X), same.fit(X, y).predict_proba(X))
    assert net.get_params()["lr"] is None
    assert net.net_.optimizer_.param_groups[0]["lr"] == default_lr(optimizer)


def test_partial_fit_keeps_it():
    X, y = data()
    net, same = MLPRegressor((5,), random_state=0), MLPRegressor((5,), lr=0.1, random_state=0)
    for _ in range(3):
        net.partial_fit(X, y)
        same.partial_fit(X, y)
    np.testing.assert_array_equal(net.predict(X), same.predict(X))
    net.set_params(lr=0.5).partial_fit(X, y)
    assert net.net_.optimizer_.param_groups[0]["lr"] == 0.5


def test_each_candidate_of_a_search_has_its_optimizers():
    X, y = data()
    net = MLPClassifier((5,), max_epochs=4, random_state=0)
    by_default = StackedGridSearchCV(net, {"optimizer": ["hjb", "adam"]}, cv=3).fit(X, y)
    grid = [{"optimizer": [name], "lr": [default_lr(name)]} for name in ("hjb", "adam")]
    stated = StackedGridSearchCV(net, grid, cv=3).fit(X, y)
    np.testing.assert_array_equal(
        by_default.cv_results_["mean_test_score"], stated.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize(
    "rows",
    [
        load_iris(return_X_y=True),
        make_moons(300, noise=0.3, random_state=0),
        make_classification(500, 40, n_informative=10, n_classes=4, random_state=0),
    ],
    ids=["iris", "moons", "four classes"],
)
def test_defaults_are_no_worse_than_scikit_learns(rows):
    """Within 1.5 points, the standard error of such a difference."""
    X, y = rows
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    ours = cross_val_score(MLPClassifier(random_state=0), X, y, cv=folds).mean()
    peer = make_pipeline(StandardScaler(), ScikitLearnMLP(max_iter=100, random_state=0))
    assert ours > cross_val_score(peer, X, y, cv=folds).mean() - 0.015
