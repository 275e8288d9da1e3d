"""A fit that is prepared, run and finished by hand is the fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci._training import PreparedFit, prepare_only, train_stack
from skbci.estimators import MLPClassifier, MLPRegressor, NeuralClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
y = np.where(X[:, 0] > 0, "right", "left")


def make(**settings):
    defaults = {"max_epochs": 3, "batch_size": 16, "random_state": 0}
    return MLPClassifier((7,), **{**defaults, **settings})


def weights(estimator):
    return [value.clone() for value in estimator.net_.module_.state_dict().values()]


def same(a, b):
    return all(torch.equal(one, two) for one, two in zip(a, b))


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"dropout": 0.3}, {"batch_size": -1}, {"early_stopping": True},
        {"sparsity": 0.5}, {"sparsity": 0.5, "pruning": "lottery", "dropout": 0.2},
    ],
)
def test_prepare_run_finish_is_fit(settings):
    usual = make(**settings).fit(X, y).partial_fit(X[:20], y[:20])
    byhand = make(**settings)
    with prepare_only(byhand) as fits:
        byhand.fit(X, y)
    (fit,) = fits
    assert not hasattr(byhand, "n_iter_")
    assert not len(fit.net.history)
    fit.run()
    assert not hasattr(byhand, "n_iter_")
    fit.finish()
    assert byhand.n_iter_ == len(byhand.history_)
    byhand.partial_fit(X[:20], y[:20])  # goes on from the same random state
    assert same(weights(usual), weights(byhand))


def test_what_happens_between_preparing_and_running_does_not_matter():
    usual = make(dropout=0.5).fit(X, y)
    byhand = make(dropout=0.5)
    with prepare_only(byhand) as fits:
        byhand.fit(X, y)
    before = torch.get_rng_state()
    torch.rand(100)
    make(random_state=1).fit(X, y)
    fits[0].run()
    torch.set_rng_state(before)
    assert same(weights(usual), weights(byhand))


def test_only_the_named_estimator_waits():
    other, waits = make(), make()
    with prepare_only(waits) as fits:
        other.fit(X, y)
        assert other.n_iter_ == 3
        make_pipeline(StandardScaler(), waits).fit(X, y)
    assert len(fits) == 1
    assert fits[0].net is waits.net_
    waits.fit(X, y)  # the context is over
    assert waits.n_iter_ == 3


def test_a_fit_that_fails_leaves_nothing_waiting():
    wrong, later = make(lr=-1.0), make()
    with pytest.raises(ValueError, match="lr"), prepare_only(wrong):
        wrong.fit(X, y)
    assert later.fit(X, y).n_iter_ == 3


def test_masks_hold_while_a_prepared_fit_runs():
    estimator = make(sparsity=0.6, optimizer="adam")
    with prepare_only(estimator) as fits:
        estimator.fit(X, y)
    fits[0].run()
    fits[0].finish()
    for name, mask in estimator.masks_.items():
        assert not estimator.net_.module_.get_parameter(name).detach().numpy()[~mask].any()
    assert not fits[0].stackable


def test_a_stack_of_prepared_fits_is_each_ones_run():
    estimators = [make(lr=lr, optimizer=name) for lr in (0.01, 0.1) for name in ("hjb", "adam")]
    fits = []
    for estimator in estimators:
        with prepare_only(estimator) as prepared:
            estimator.fit(X, y)
        fits += prepared
    assert len({fit.shape() for fit in fits}) == 1
    train_stack(fits)
    for fit, estimator in zip(fits, estimators):
        fit.finish()
        usual = make(lr=estimator.lr, optimizer=estimator.optimizer).fit(X, y)
        assert same(weights(usual), weights(estimator))
        assert torch.equal(usual._rng_state_, estimator._rng_state_)


@pytest.mark.parametrize(
    ("estimator", "stackable"),
    [
        (make(), True),
        (make(criterion=torch.nn.CrossEntropyLoss), False),
        (make(optimizer="lm"), False),
        (NeuralClassifier(torch.nn.Linear, module__in_features=5, module__out_features=2), False),
        (MLPRegressor((4,)), True),
    ],
)
def test_what_a_stack_knows_how_to_train(estimator, stackable):
    with prepare_only(estimator) as fits:
        estimator.fit(X, X[:, 0] if isinstance(estimator, MLPRegressor) else y)
    assert fits[0].stackable is stackable


def test_sizes_are_those_of_the_mini_batches():
    estimator = make()
    with prepare_only(estimator) as fits:
        estimator.fit(X, y)
    assert isinstance(fits[0], PreparedFit)
    assert fits[0].sizes == (16, 16, 16, 12)
