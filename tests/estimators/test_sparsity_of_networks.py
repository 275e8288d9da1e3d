"""Sparsity as a hyperparameter of the neural estimators."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skbci.estimators import (
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    NeuralClassifier,
    SparseMultitaskClassifier,
    compact_estimator,
)
from skbci.estimators._neural.sparse import sample_rows
from skbci.sparsity import (
    LotteryTicket,
    MagnitudePruning,
    NonFiniteSaliencyError,
    Snip,
    SparsityWarning,
    prunable,
)

METHODS = ["snip", "lottery", "magnitude"]
OPTIMIZERS = {
    "hjb": {}, "hjb-ad": {}, "evdhjb": {}, "lm": {}, "lf": {}, "adagrad": {}, "rmsprop": {},
    "adam": {"optimizer__weight_decay": 0.1}, "adamw": {}, "sgd": {"optimizer__momentum": 0.9},
}


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def mlp(**settings):
    return MLPClassifier(**{"hidden_layer_sizes": (12, 8), "max_epochs": 3, "batch_size": 32,
                            "random_state": 0, **settings})


def weights(estimator):
    return {name: w.detach().numpy() for name, w in prunable(estimator.net_.module_).items()}


def state(estimator):
    return {name: v.numpy().copy() for name, v in estimator.net_.module_.state_dict().items()}


def assert_pruned(estimator, share=None):
    masks, dropped = estimator.masks_, 0
    for name, weight in weights(estimator).items():
        assert masks[name].dtype == bool
        assert masks[name].shape == weight.shape
        assert not weight[~masks[name]].any()
        dropped += int((~masks[name]).sum())
    assert dropped
    if share is not None:
        size = sum(mask.size for mask in masks.values())
        assert dropped == size - round((1 - share) * size)


# ---- sparsity 0 --------------------------------------------------------------------------------


def sample_of(clf, X, y, seed):
    return sample_rows(X, y, clf._standardizer_, seed)


@pytest.mark.parametrize("pruning", METHODS)
@pytest.mark.parametrize("optimizer", ["hjb", "adam"])
def test_sparsity_zero_is_dense_training_bit_for_bit(iris, pruning, optimizer):
    dense = mlp(optimizer=optimizer, dropout=0.2).fit(*iris)
    zero = mlp(optimizer=optimizer, dropout=0.2, sparsity=0, pruning=pruning).fit(*iris)
    for name, value in state(dense).items():
        assert np.array_equal(value, state(zero)[name])
    assert all(mask.all() for mask in zero.masks_.values())
    assert (zero.density_["density"] == 1).all()


def test_sparsity_zero_does_no_work(iris, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("masks were looked for")

    for method in (Snip, LotteryTicket, MagnitudePruning):
        monkeypatch.setattr(method, "find", refuse)
        mlp(sparsity=0.0, pruning=method).fit(*iris).partial_fit(*iris)


def test_masks_that_drop_nothing_change_nothing(iris):
    """Looking for masks leaves shuffling and dropout as they are."""
    dense = mlp(dropout=0.3).fit(*iris)
    nothing = mlp(dropout=0.3, sparsity=1e-9).fit(*iris)
    for name, value in state(dense).items():
        assert np.array_equal(value, state(nothing)[name])


# ---- enforcement -------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("pruning", METHODS)
def test_pruned_weights_stay_zero_with_every_optimizer(iris, pruning, optimizer):
    clf = mlp(optimizer=optimizer, sparsity=0.7, pruning=pruning, **OPTIMIZERS[optimizer])
    start = {name: mask.copy() for name, mask in clf.fit(*iris).masks_.items()}
    assert_pruned(clf, 0.7)
    before = state(clf)
    clf.partial_fit(*iris)
    assert_pruned(clf, 0.7)
    moved = [not np.array_equal(value, before[name]) for name, value in state(clf).items()]
    assert any(moved)
    again = pickle.loads(pickle.dumps(clf)).partial_fit(*iris)
    copied = copy.deepcopy(clf).partial_fit(*iris)
    for other in (again, copied):
        assert_pruned(other, 0.7)
        for name, mask in other.masks_.items():
            assert np.array_equal(mask, start[name])


@pytest.mark.parametrize("pruning", METHODS)
def test_partial_fit_may_come_first(iris, pruning):
    X, y = iris
    clf = mlp(sparsity=0.6, pruning=pruning).partial_fit(X[::2], y[::2], classes=[0, 1, 2])
    assert_pruned(clf, 0.6)
    masks = clf.masks_
    clf.partial_fit(X[1::2], y[1::2])
    assert_pruned(clf, 0.6)
    assert all(np.array_equal(mask, masks[name]) for name, mask in clf.masks_.items())


@pytest.mark.parametrize("pruning", METHODS)
def test_regressor_and_any_module(pruning):
    X, y = load_diabetes(return_X_y=True)
    reg = MLPRegressor((15,), sparsity=0.5, pruning=pruning, max_epochs=3, random_state=0)
    assert_pruned(reg.fit(X, y).partial_fit(X, y), 0.5)

    class Convolutions(nn.Module):
        def __init__(self, n_channels, n_outputs):
            super().__init__()
            self.filters = nn.Conv1d(n_channels, 4, 3)
            self.norm = nn.BatchNorm1d(4)
            self.dense = nn.Linear(4, n_outputs)

        def forward(self, X):
            return self.dense(self.norm(self.filters(X)).square().mean(-1))

    X = np.random.default_rng(0).normal(size=(30, 3, 20))
    clf = NeuralClassifier(Convolutions, sparsity=0.5, pruning=pruning, max_epochs=3,
                           random_state=0)
    clf.fit(X, np.arange(30) % 2)
    assert_pruned(clf, 0.5)
    assert list(clf.masks_) == ["filters.weight", "dense.weight"]


@pytest.mark.parametrize("pruning", METHODS)
def test_several_losses_and_max_norm(pruning):
    X = np.random.default_rng(0).normal(size=(24, 3, 60))
    y = np.arange(24) % 2
    clf = MIN2NetClassifier(sparsity=0.5, pruning=pruning, max_epochs=2, random_state=0,
                            loss_weighting="alphagrad").fit(X, y)
    assert_pruned(clf, 0.5)
    net = FBMSNetClassifier(sparsity=0.5, pruning=pruning, sfreq=100, depth=1, max_epochs=2,
                            random_state=0).fit(X, y)
    assert_pruned(net, 0.5)


def test_early_stopping_restores_masked_weights(iris):
    X, y = iris
    for pruning in METHODS:
        clf = mlp(sparsity=0.6, pruning=pruning, early_stopping=True, max_epochs=8, lr=0.1)
        assert_pruned(clf.fit(X, y, groups=np.arange(len(y)) % 5), 0.6)


# ---- which weights -----------------------------------------------------------------------------


def test_masks_do_not_depend_on_the_order_of_rows(iris):
    X, y = iris
    order = np.random.default_rng(1).permutation(len(y))
    one, other = (mlp(sparsity=0.7).fit(X[rows], y[rows]).masks_
                  for rows in (np.arange(len(y)), order))
    assert all(np.array_equal(mask, other[name]) for name, mask in one.items())


def many_rows(n=3000):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 20))
    return X, (X[:, 0] * X[:, 1] + 0.5 * rng.normal(size=n) > 0).astype(int)


@pytest.mark.parametrize("change", [
    lambda X: X * 2.0**20,
    lambda X: X * 2.0**-20,
    lambda X: X * 1e6,
    lambda X: X * np.geomspace(1e-6, 1e6, X.shape[1]) + np.arange(X.shape[1]),
], ids=["up", "down", "million", "each its own"])
@pytest.mark.parametrize("standardize", [True, False])
def test_the_sample_for_the_saliency_does_not_depend_on_the_unit(change, standardize):
    """There are more rows than the sample takes."""
    X, y = many_rows()
    clf = mlp(standardize=standardize, max_epochs=1).fit(X, y)
    same = mlp(standardize=standardize, max_epochs=1).fit(change(X), y)
    for seed in range(3):
        one, other = sample_of(clf, X, y, seed), sample_of(same, change(X), y, seed)
        assert len(one) == 1024
        assert np.array_equal(one, other)


def test_the_sample_for_the_saliency_does_not_depend_on_order_or_precision():
    X, y = many_rows()
    X[5:40] = X[4]  # some rows twice
    y[5:40:2] = 1
    order = np.random.default_rng(3).permutation(len(y))
    clf = mlp(max_epochs=1).fit(X, y)
    rows, back = sample_of(clf, X, y, 0), sample_of(clf, X[order], y[order], 0)
    assert len(set(rows.tolist())) == 1024
    assert np.array_equal(X[rows], X[order][back])
    assert np.array_equal(y[rows], y[order][back])
    assert np.bincount(y[rows]) == pytest.approx(np.bincount(y) * 1024 / len(y), abs=1)
    single = X.astype(np.float32)
    assert np.array_equal(sample_of(clf, single, y, 0),
                          sample_of(clf, single.astype(float), y, 0))
    assert set(sample_of(clf, X, y, 1).tolist()) != set(rows.tolist())


def test_masks_do_not_depend_on_the_unit_where_rows_are_many():
    X, y = many_rows()
    one, other = (mlp(sparsity=0.5).fit(X * unit, y).masks_ for unit in (1.0, 2.0**20))
    assert all(np.array_equal(mask, other[name]) for name, mask in one.items())
    epochs = np.random.default_rng(1).normal(size=(300, 4, 512)) * 1e-6
    labels = np.arange(300) % 2
    epochs[labels == 1, 0] *= 1.5
    volts, micro = (
        SparseMultitaskClassifier(max_epochs=1, random_state=0, module__n_filters=4)
        .fit(epochs * unit, labels).masks_ for unit in (1.0, 2.0**20)
    )
    assert all(np.array_equal(mask, micro[name]) for name, mask in volts.items())


def test_more_sparsity_keeps_nothing_that_less_dropped(iris):
    found = [mlp(sparsity=s).fit(*iris).masks_ for s in (0.2, 0.4, 0.8)]
    for less, more in zip(found, found[1:]):
        assert all((less[name] | ~mask).all() for name, mask in more.items())


def test_row_weights_count(iris):
    """Rows of weight zero say nothing about which weights matter; a class may count more."""
    X, y = iris
    weight = (y < 2).astype(float)
    some = mlp(sparsity=0.7).fit(X, y, sample_weight=weight).masks_
    only = mlp(sparsity=0.7).fit(X[y < 2], y[y < 2]).masks_
    assert all(np.array_equal(mask, only[name]) for name, mask in some.items())
    plain, heavy = (mlp(sparsity=0.7, class_weight=w).fit(X, y).masks_ for w in
                    (None, {2: 1000.0}))
    assert any(not np.array_equal(mask, heavy[name]) for name, mask in plain.items())


def test_the_ticket_starts_where_the_dense_network_does(iris):
    """Its kept weights, before the last training, are those of the same seed."""
    dense = mlp(max_epochs=1, lr=0.0).fit(*iris)
    ticket = mlp(max_epochs=1, lr=0.0, sparsity=0.5, pruning="lottery").fit(*iris)
    for name, weight in weights(dense).items():
        assert np.array_equal(weights(ticket)[name], weight * ticket.masks_[name])


def test_settings_classes_and_instances(iris):
    by_route = mlp(sparsity=0.5, pruning="lottery", pruning__n_rounds=1).fit(*iris)
    by_class = mlp(sparsity=0.5, pruning=LotteryTicket, pruning__n_rounds=1).fit(*iris)
    given = LotteryTicket(0.1, n_rounds=1)
    by_instance = mlp(sparsity=0.5, pruning=given).fit(*iris)
    for other in (by_class, by_instance):
        assert all(np.array_equal(m, other.masks_[n]) for n, m in by_route.masks_.items())
    assert given.sparsity == 0.1  # the estimator's own parameter is not touched
    changed = clone(by_route).set_params(pruning__n_rounds=2)
    assert changed.get_params()["pruning__n_rounds"] == 2


def test_grid_search(iris):
    grid = {"sparsity": [0.0, 0.5], "pruning": METHODS}
    found = GridSearchCV(mlp(), grid, cv=3).fit(*iris).cv_results_
    dense = {score for score, p in zip(found["mean_test_score"], found["params"])
             if not p["sparsity"]}
    assert len(dense) == 1


def test_warnings_name_layers(iris):
    with pytest.warns(SparsityWarning, match="The budget"):
        mlp(sparsity=0.97).fit(*iris)


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("settings", "error", "message"), [
    ({"sparsity": 1.0}, ValueError, r"MLPClassifier: sparsity=1.0 must be at least 0 and below 1"),
    ({"sparsity": -0.1}, ValueError, r"sparsity=-0.1 must be at least 0 and below 1"),
    ({"sparsity": np.nan}, ValueError, "sparsity=nan must be a finite number"),
    ({"sparsity": "much"}, TypeError, "sparsity='much' must be a number"),
    ({"pruning": "trim"}, ValueError, r"pruning='trim' is unknown; use one of \['lottery'"),
    ({"pruning": 3}, TypeError, "pruning=3 must be a name"),
    ({"pruning": "snip-multitask"}, ValueError, "is for several tasks"),
    ({"pruning__n_rounds": 2}, ValueError, "'snip' has no setting 'n_rounds'"),
    ({"prunning__floor": "unit"}, ValueError, "no parameter 'prunning__floor'"),
])
def test_bad_settings_are_named_even_where_nothing_is_pruned(iris, settings, error, message):
    for call in ("fit", "partial_fit"):
        with pytest.raises(error, match=message):
            getattr(mlp(**settings), call)(*iris)


def test_saliency_that_is_not_finite(iris):
    class Broken(nn.Linear):
        def __init__(self, n_features, n_outputs):
            super().__init__(n_features, n_outputs)
            nn.init.constant_(self.weight, torch.nan)

    with pytest.raises(NonFiniteSaliencyError, match="12 weights of 'weight' is not finite"):
        NeuralClassifier(Broken, sparsity=0.5, max_epochs=1).fit(*iris)


def test_a_failed_search_for_masks_leaves_no_network(iris):
    X, y = iris
    clf = mlp(sparsity=0.5, standardize=False, optimizer="adam")
    for call in (clf.fit, clf.partial_fit):
        with pytest.raises(NonFiniteSaliencyError):
            call(X * 1e200, y)
        with pytest.raises(NotFittedError):
            clf.predict(X)
        assert not hasattr(clf, "masks_")
    after = clf.partial_fit(X, y)
    assert_pruned(after, 0.5)
    fresh = mlp(sparsity=0.5, standardize=False, optimizer="adam").partial_fit(X, y)
    for name, value in state(fresh).items():
        assert np.array_equal(value, state(after)[name])


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError("out of memory")])
@pytest.mark.parametrize("pruning", METHODS)
def test_an_interrupted_search_for_masks_leaves_the_network_of_before(
    iris, monkeypatch, pruning, failure
):
    def stop(*args, **kwargs):
        raise failure

    clf = mlp(sparsity=0.5, pruning=pruning).fit(*iris)
    before = clf.predict_proba(iris[0])
    with monkeypatch.context() as patch:
        for method in (Snip, LotteryTicket, MagnitudePruning):
            patch.setattr(method, "find", stop)
        with pytest.raises((KeyboardInterrupt, RuntimeError)):
            clf.fit(*iris)
        new = mlp(sparsity=0.5, pruning=pruning)
        with pytest.raises((KeyboardInterrupt, RuntimeError)):
            new.fit(*iris)
    with pytest.raises(NotFittedError):
        new.predict(iris[0])
    np.testing.assert_array_equal(clf.predict_proba(iris[0]), before)
    assert_pruned(clf.partial_fit(*iris), 0.5)


def test_nothing_to_prune(iris):
    class Scale(nn.Module):
        def __init__(self, n_features, n_outputs):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(n_features, n_outputs))

        def forward(self, X):
            return X @ self.scale

    assert NeuralClassifier(Scale, max_epochs=1).fit(*iris).masks_ == {}
    with pytest.raises(ValueError, match="there is nothing to prune"):
        NeuralClassifier(Scale, sparsity=0.5, max_epochs=1).fit(*iris)


def test_masks_that_are_given_away_are_copies(iris):
    clf = mlp(sparsity=0.5).fit(*iris)
    for mask in clf.masks_.values():
        mask[...] = True
    assert_pruned(clf.partial_fit(*iris), 0.5)


def test_unfitted_estimators_have_no_masks():
    assert not hasattr(mlp(), "masks_")
    assert not hasattr(mlp(), "density_")


# ---- smaller estimators ------------------------------------------------------------------------


@pytest.mark.parametrize("floor", ["unit", "layer"])
@pytest.mark.parametrize("optimizer", ["hjb", "lf"])  # with and without hand-written gradients
def test_compact_estimators_predict_the_same(iris, floor, optimizer):
    X, y = iris
    clf = mlp(hidden_layer_sizes=(60, 30), sparsity=0.9, pruning__floor=floor,
              optimizer=optimizer).fit(X, y)
    smaller, report = compact_estimator(clf, X, n_repeats=3)
    np.testing.assert_allclose(smaller.predict_proba(X), clf.predict_proba(X), atol=1e-5)
    assert report.difference < 1e-5
    if floor == "layer":
        assert report.after.parameters < 0.6 * report.before.parameters
        assert len(pickle.dumps(smaller)) < len(pickle.dumps(clf))
    assert len(state(clf)["1.weight"]) == 60
    assert_pruned(smaller.partial_fit(X, y))
    again = pickle.loads(pickle.dumps(smaller))
    assert np.array_equal(again.predict(X), smaller.predict(X))
    full = clone(smaller).fit(X, y)
    assert len(state(full)["1.weight"]) == 60


def test_compact_regressors_pipelines_and_dense_networks(iris):
    X, y = load_diabetes(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), MLPRegressor(
        (40,), sparsity=0.9, pruning__floor="layer", max_epochs=3, random_state=0)).fit(X, y)
    smaller, report = compact_estimator(pipe, X, n_repeats=3)
    np.testing.assert_allclose(smaller.predict(X), pipe.predict(X), rtol=1e-5)
    assert report.after.multiply_adds < report.before.multiply_adds
    assert smaller[-1] is not pipe[-1]
    dense = mlp().fit(*iris)
    same, report = compact_estimator(dense, n_repeats=3)
    assert report.after.parameters == report.before.parameters
    assert all(mask.all() for mask in same.masks_.values())


def test_of_a_search_the_best_estimator_is_made_smaller(iris):
    grid = {"sparsity": [0.5, 0.9]}
    search = GridSearchCV(mlp(hidden_layer_sizes=(40,), pruning__floor="layer"), grid, cv=2)
    search.fit(*iris)
    smaller, report = compact_estimator(search, iris[0], n_repeats=1)
    assert type(smaller) is MLPClassifier
    np.testing.assert_allclose(smaller.predict_proba(iris[0]), search.predict_proba(iris[0]),
                               atol=1e-5)
    assert report.after.parameters < report.before.parameters


def test_compaction_refuses_what_it_does_not_know(iris):
    with pytest.raises(TypeError, match="LogisticRegression is none of skbci's neural"):
        compact_estimator(LogisticRegression(max_iter=500).fit(*iris))
    with pytest.raises(NotFittedError):
        compact_estimator(mlp())
    X = np.random.default_rng(0).normal(size=(24, 3, 60))
    net = MIN2NetClassifier(max_epochs=1, random_state=0).fit(X, np.arange(24) % 2)
    with pytest.raises(TypeError, match="units of MIN2Net"):
        compact_estimator(net)
