"""Candidates compared on the rows that early stopping holds out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import ParameterGrid, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from skorch.callbacks import Callback, EpochScoring

from skbci.eegarray import EEGArray
from skbci.estimators import (
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    SparseMultitaskClassifier,
)
from skbci.model_selection import HeldOutSearch

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 6))
Y = np.array(["no", "yes"])[(X[:, 0] * X[:, 1] + 0.5 * X[:, 2] > 0).astype(int)]
GRID = {"optimizer": ["hjb", "adam"], "lr": [1e-4, 0.03]}


def network(**settings):
    return MLPClassifier(**{
        "hidden_layer_sizes": (9,), "max_epochs": 6, "batch_size": 16, "random_state": 3,
        "early_stopping": True, **settings,
    })


class Watch(Callback):
    """Shared by all copies: the held-out rows of each fit."""

    def __init__(self):
        self.rows = []

    def __deepcopy__(self, memo):
        return self

    def __sklearn_clone__(self):
        return self

    def on_epoch_end(self, net, dataset_valid=None, **kwargs):
        self.rows.append(np.asarray(dataset_valid.X).tobytes())


def fits_one_by_one(grid):
    return [network(**values).fit(X, Y) for values in ParameterGrid(grid)]


def test_it_keeps_what_the_lowest_held_out_loss_of_separate_fits_would():
    fits = fits_one_by_one(GRID)
    least = [fit.history_["valid_loss"].min() for fit in fits]
    search = HeldOutSearch(network(), GRID).fit(X, Y)
    best = fits[int(np.argmin(least))]
    assert search.best_index_ == int(np.argmin(least))
    assert search.best_params_ == list(ParameterGrid(GRID))[search.best_index_]
    np.testing.assert_array_equal(search.predict_proba(X), best.predict_proba(X))
    np.testing.assert_allclose(search.results_["value"], least, atol=network().tol)
    assert search.results_["rank"].tolist() == rankdata(least).tolist()
    assert search.score(X, Y) == best.score(X, Y)


def test_the_value_is_that_of_the_epoch_whose_weights_are_kept():
    search = HeldOutSearch(network(max_epochs=40, lr=0.05, optimizer="adam"),
                           {"hidden_layer_sizes": [(5,), (30,)]}).fit(X, Y)
    fit = search.best_estimator_
    row = search.results_.loc[search.best_index_]
    assert row["epoch"] < row["n_iter"] == fit.n_iter_  # it overfits, and goes back
    history = fit.history_.set_index("epoch")
    assert row["value"] == history.loc[row["epoch"], "valid_loss"]


def test_processes_change_nothing():
    one, two = (HeldOutSearch(network(), GRID, n_jobs=n).fit(X, Y) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one.results_["value"].tolist() == two.results_["value"].tolist()


@pytest.mark.parametrize("seed", [None, 0, np.random.RandomState(0)])
def test_all_candidates_hold_out_the_same_rows(seed):
    watch = Watch()
    table = {"subject": np.repeat(np.arange(10), 15)}
    rows = EEGArray(X, table, sfreq=1.0)
    net = network(random_state=seed, callbacks=[("watch", watch)])
    HeldOutSearch(net, GRID).fit(rows, Y)
    assert len(watch.rows) == 4 * 6
    assert len(set(watch.rows)) == 1


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].tolist()
    HeldOutSearch(network(random_state=None), GRID).fit(X, Y)
    assert np.random.get_state()[1].tolist() == before


def test_a_pipeline_is_searched_and_cross_validated():
    pipeline = Pipeline([("pca", PCA(random_state=0)), ("net", network())])
    grid = {"pca__n_components": [2, 6], "net__lr": [1e-4, 0.03]}
    search = HeldOutSearch(pipeline, grid).fit(X, Y)
    own = clone(pipeline).set_params(**search.best_params_).fit(X, Y)
    np.testing.assert_array_equal(search.predict(X), own.predict(X))
    assert list(search.classes_) == ["no", "yes"]
    assert len(cross_val_score(search, X, Y, cv=3, error_score="raise")) == 3
    assert set(cross_val_score(make_pipeline(PCA(3), HeldOutSearch(network(), GRID)), X, Y)) <= {
        k / 30 for k in range(31)}


def test_weightings_are_compared_by_the_classification_whatever_its_weight():
    data = np.random.default_rng(1).normal(size=(60, 3, 60))
    y = np.repeat([0, 1], 30)[np.random.default_rng(2).permutation(60)]
    data[y == 1] *= 1.5
    net = MIN2NetClassifier(max_epochs=3, batch_size=20, standardize=True, random_state=0)
    search = HeldOutSearch(net, {"loss_weighting": ["fixed", "alphagrad-lead", "adamt"]})
    search.fit(data, y)
    fits = [net.set_params(loss_weighting=name).fit(data, y).history_["valid_logits"].min()
            for name in ("fixed", "alphagrad-lead", "adamt")]
    np.testing.assert_allclose(search.results_["value"], fits, atol=net.tol)
    latent = search.transform(data)
    assert latent.shape == (60, 3)
    np.testing.assert_array_equal(
        search.inverse_transform(latent), search.best_estimator_.inverse_transform(latent))


def test_another_column_can_be_monitored():
    search = HeldOutSearch(network(), GRID, monitor="train_loss").fit(X, Y)
    for fit, (_, row) in zip(fits_one_by_one(GRID), search.results_.iterrows()):
        assert row["value"] == fit.history_.set_index("epoch").loc[row["epoch"], "train_loss"]


class Steps(Callback):
    """A score of two values only: many ties."""

    def on_epoch_end(self, net, dataset_valid=None, **kwargs):
        hit = (net.predict_tensor(dataset_valid.X).argmax(dim=1) == dataset_valid.y).float()
        net.history.record("good", float(hit.mean() > 0.5))


def test_a_score_can_be_monitored_and_the_first_of_equals_is_kept():
    grid = {"lr": [1e-6, 0.03, 0.01, 0.02]}
    net = network(callbacks=[("steps", Steps())], optimizer="adam")
    search = HeldOutSearch(net, grid, monitor="good", lower_is_better=False).fit(X, Y)
    assert search.results_["value"].tolist() == [0, 1, 1, 1]
    assert search.results_["rank"].tolist() == [4, 1, 1, 1]
    assert search.best_index_ == 1


def test_a_tolerance_prefers_what_stands_first():
    values = HeldOutSearch(network(), GRID).fit(X, Y).results_["value"]
    order = np.argsort(values.to_numpy())
    for tol in (0.0, 1e-12, 1.01 * (values[order[1]] - values[order[0]]), 10.0):
        search = HeldOutSearch(network(), GRID, tol=tol).fit(X, Y)
        near = [i for i, value in enumerate(values) if value <= values.min() + tol]
        assert search.best_index_ == near[0]
        assert search.results_["rank"].tolist() == rankdata(values).tolist()
    for tol, error in ((-1.0, ValueError), (np.nan, ValueError), ("much", TypeError)):
        with pytest.raises(error, match="tol="):
            HeldOutSearch(network(), GRID, tol=tol).fit(X, Y)


def test_a_candidate_that_fails_is_left_out_with_a_warning():
    grid = {"lr": [0.03, -1.0]}
    with pytest.warns(FitFailedWarning, match=r"'lr': -1.0.*left out.*at least 0"):
        search = HeldOutSearch(network(), grid).fit(X, Y)
    assert search.best_params_ == {"lr": 0.03}
    assert np.isnan(search.results_.loc[1, "value"])
    assert search.results_["rank"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="lr=-2.0"):
        HeldOutSearch(network(), {"lr": [-2.0, -1.0]}).fit(X, Y)


def test_a_step_size_that_diverges_at_once_is_left_out():
    net = MLPRegressor((30,), early_stopping=True, optimizer="sgd", batch_size=16, max_epochs=5,
                       random_state=0)
    target = 100 * X[:, 0]
    for monitor in (None, "train_loss"):
        with pytest.warns(FitFailedWarning, match=r"'lr': 10.*diverged in its first epoch"):
            search = HeldOutSearch(net, {"lr": [10, 1e-3]}, monitor=monitor).fit(X, target)
        assert search.best_params_ == {"lr": 1e-3}
    with pytest.raises(ValueError, match="diverged"):
        HeldOutSearch(net, {"lr": [10, 20]}).fit(X, target)


class Stubborn(MLPClassifier):
    """Raises what cannot be pickled."""

    def fit(self, X, y):
        class Local(Exception):
            pass

        if self.lr > 1:
            raise Local("too much")
        return super().fit(X, y)


def test_errors_come_back_from_other_processes():
    net = Stubborn((5,), max_epochs=2, early_stopping=True, random_state=0)
    with pytest.warns(FitFailedWarning, match="Local: too much"):
        HeldOutSearch(net, {"lr": [0.01, 2.0]}, n_jobs=2).fit(X, Y)


def test_early_stopping_that_maximizes_is_followed():
    score = EpochScoring("accuracy", name="valid_acc", lower_is_better=False)
    net = network(
        callbacks=[("score", score)], optimizer="adam", max_epochs=20,
        callbacks__early_stopping__monitor="valid_acc",
        callbacks__early_stopping__lower_is_better=False,
    )
    search = HeldOutSearch(net, {"lr": [1e-6, 0.05]}).fit(X, Y)
    assert search.results_["value"].is_monotonic_increasing
    assert search.best_params_ == {"lr": 0.05}
    last = HeldOutSearch(net.set_params(callbacks__early_stopping__load_best=False),
                         {"lr": [0.05]}).fit(X, Y)
    assert last.results_.loc[0, "epoch"] == last.best_estimator_.n_iter_


def test_networks_in_the_grid_hold_out_the_same_rows_too():
    watch = Watch()
    rows = EEGArray(X, {"subject": np.repeat(np.arange(10), 15)}, sfreq=1.0)
    nets = [network(random_state=None, lr=lr, callbacks=[("watch", watch)]) for lr in (0.1, 0.01)]
    pipeline = Pipeline([("nothing", "passthrough"), ("net", network())])
    HeldOutSearch(pipeline, {"net": nets}).fit(rows, Y)
    assert len(set(watch.rows)) == 1


def test_weights_reach_the_score_too():
    weight = np.linspace(0.1, 3, len(Y))
    search = HeldOutSearch(network(), GRID).fit(X, Y)
    own = search.best_estimator_.score(X, Y, sample_weight=weight)
    assert search.score(X, Y, sample_weight=weight) == own != search.score(X, Y)
    with config_context(enable_metadata_routing=True):
        net = network().set_score_request(sample_weight=True).set_fit_request(sample_weight=False)
        search = HeldOutSearch(net, GRID)
        scores = cross_val_score(search, X, Y, cv=2, params={"sample_weight": weight})
        plain = cross_val_score(search, X, Y, cv=2)
    assert (scores != plain).all()


def test_tasks_reach_predictions_and_scores():
    data = np.random.default_rng(1).normal(size=(80, 3, 50))
    y, task = np.tile([0, 1], 40), np.repeat(["a", "b"], 40)
    net = SparseMultitaskClassifier(max_epochs=2, early_stopping=True, random_state=0)
    search = HeldOutSearch(net, {"lr": [0.001, 0.01]}).fit(data, y, task=task)
    best = search.best_estimator_
    said = search.predict(data, task=task)
    np.testing.assert_array_equal(said, best.predict(data, task=task))
    weight = np.linspace(0.1, 1, 80)
    assert search.score(data, y, task=task, sample_weight=weight) == best.score(
        data, y, task=task, sample_weight=weight)


def test_weights_reach_the_fits_with_and_without_routing():
    weight = np.linspace(0.5, 2, len(Y))
    own = network(lr=0.03, optimizer="adam").fit(X, Y, sample_weight=weight)
    grid = {"lr": [0.03], "optimizer": ["adam"]}
    plain = HeldOutSearch(network(), grid).fit(X, Y, sample_weight=weight)
    np.testing.assert_array_equal(plain.predict_proba(X), own.predict_proba(X))
    with config_context(enable_metadata_routing=True):
        net = network().set_fit_request(sample_weight=True)
        routed = HeldOutSearch(net, grid).fit(X, Y, sample_weight=weight)
        np.testing.assert_array_equal(routed.predict_proba(X), own.predict_proba(X))


def test_regressors():
    target = X[:, 0] - X[:, 1]
    net = MLPRegressor((9,), early_stopping=True, optimizer="adam", random_state=0)
    search = HeldOutSearch(net, {"lr": [1e-5, 0.01]}).fit(X, target)
    assert search.best_params_ == {"lr": 0.01}
    assert search.score(X, target) > 0.5
    assert not hasattr(search, "predict_proba")


@pytest.mark.parametrize(("estimator", "settings", "error", "message"), [
    (network(early_stopping=False), {}, ValueError, "holds out none; set early_stopping=True"),
    (LogisticRegression(), {}, TypeError, "LogisticRegression holds out nothing"),
    (SGDClassifier(early_stopping=True), {}, TypeError, "SGDClassifier holds out nothing"),
    (network(), {"monitor": "valid_accuracy"}, ValueError, "columns are .*valid_loss"),
])
def test_what_cannot_be_compared_is_refused(estimator, settings, error, message):
    name = "lr" if "lr" in estimator.get_params() else "tol"
    with pytest.raises(error, match=message):
        HeldOutSearch(estimator, {name: [0.1, 0.2]}, **settings).fit(X, Y)


def test_an_empty_grid_is_refused():
    with pytest.raises(ValueError, match="param_grid=.* must be a dict of the values to try"):
        HeldOutSearch(network(), []).fit(X, Y)


def test_candidates_that_go_by_different_columns_are_refused():
    data = np.random.default_rng(1).normal(size=(40, 2, 60))
    net = MIN2NetClassifier(max_epochs=1, random_state=0)
    grid = {"monitor": ["valid_loss", "valid_logits"]}
    y = np.tile([0, 1], 20)
    with pytest.raises(ValueError, match=r"\['valid_logits', 'valid_loss'\]; name the one"):
        HeldOutSearch(net, grid).fit(data, y)
    assert HeldOutSearch(net, grid, monitor="valid_logits").fit(data, y).best_index_ in (0, 1)


def test_names_of_columns():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    assert list(HeldOutSearch(network(), GRID).fit(frame, Y).feature_names_in_) == list("abcdef")
    assert not hasattr(HeldOutSearch(network(), GRID).fit(X, Y), "feature_names_in_")


def test_splitters_are_imported_without_networks():
    code = "import sys, skbci.model_selection; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_before_the_fit():
    search = HeldOutSearch(network(), GRID)
    assert not hasattr(search, "classes_")
    assert hasattr(search, "predict_proba")
    with pytest.raises(ValueError, match="not fitted"):
        search.predict(X)
