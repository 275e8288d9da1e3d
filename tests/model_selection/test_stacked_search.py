"""A search that trains its networks at once gives what the ordinary search gives."""

from __future__ import annotations

import inspect
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.parallel import delayed
from skorch.callbacks import EpochScoring
from torch.nn.utils import parameters_to_vector

from skbci._training.stack import engine
from skbci.eegarray import EEGArray
from skbci.estimators import MLPClassifier, MLPRegressor, NeuralClassifier
from skbci.model_selection import (
    LeaveSubjectsOut,
    StackedGridSearchCV,
    StackedRandomizedSearchCV,
    largest_stable_step,
)
from skbci.model_selection._search_loop import _StackingParallel
from skbci.nets import MLP
from skbci.optim import HJBUnder

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 6))
Y = np.array(["no", "yes"])[(X[:, 0] * X[:, 1] + 0.5 * X[:, 2] > 0).astype(int)]
LOSS = "neg_log_loss"
LRS = {"lr": [0.01, 0.1]}


def network(**settings):
    return MLPClassifier(**{
        "hidden_layer_sizes": (9, 5),
        "max_epochs": 4, "batch_size": 16, "random_state": 3, "optimizer": "adam", **settings
    })


def both(estimator, grid, X=X, y=Y, fit=None, **settings):
    """Run the ordinary and the stacked search on the same folds."""
    settings = {"cv": 3, "scoring": LOSS, "refit": False, "return_train_score": True, **settings}
    plain = GridSearchCV(estimator, grid, **settings).fit(X, y, **(fit or {}))
    stacked = StackedGridSearchCV(estimator, grid, **settings).fit(X, y, **(fit or {}))
    return plain, stacked


def assert_same(plain, stacked, n_stacked=None):
    """All results but the times agree, and so many fits came from stacks."""
    a, b = plain.cv_results_, stacked.cv_results_
    assert list(a) == list(b)
    assert a["params"] == b["params"]
    for key, values in a.items():
        if re.match("(mean|std|split[0-9]+)_(test|train)_", key):
            np.testing.assert_allclose(b[key], values, rtol=0, atol=1e-6, err_msg=key)
    if n_stacked is None:
        n_stacked = len(a["params"]) * plain.n_splits_
    assert stacked.n_stacked_fits_ == n_stacked


# -- one search like the other ------------------------------------------------------------


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "elu", "identity"])
def test_scores_are_those_of_the_ordinary_search(dropout, activation):
    grid = {"optimizer": ["hjb", "hjb-ad", "adam", "adamw", "sgd", "adagrad", "rmsprop"]}
    assert_same(*both(network(dropout=dropout, activation=activation, lr=0.1), grid, cv=2))


@pytest.mark.parametrize("settings", [
    {"optimizer": ["sgd"], "optimizer__momentum": [0.0, 0.9], "optimizer__nesterov": [False]},
    {"optimizer": ["sgd"], "optimizer__momentum": [0.9], "optimizer__nesterov": [True]},
    {"optimizer": ["adam"], "optimizer__betas": [(0.9, 0.999), (0.5, 0.9)],
     "optimizer__weight_decay": [0.0, 0.1], "optimizer__amsgrad": [False, True]},
    {"optimizer": ["adamw"], "optimizer__weight_decay": [0.0, 0.3],
     "optimizer__amsgrad": [False, True]},
    {"optimizer": ["rmsprop"], "optimizer__centered": [False, True]},
    {"optimizer": ["adagrad"], "optimizer__initial_accumulator_value": [0.0, 0.5]},
    {"optimizer": [torch.optim.AdamW, torch.optim.NAdam, torch.optim.Adamax]},
    {"optimizer": ["hjb"], "optimizer__r": [1.0, 100.0], "optimizer__eps": [0.0, 1e-2]},
    {"optimizer": ["hjb-ad"], "optimizer__accumulate": ["norm", "parameter"],
     "optimizer__r": [1.0, 100.0], "optimizer__eps": [0.0, 1e-2]},
    {"optimizer": ["hjb", "hjb-ad"], "optimizer__lr_schedule": [None, "theorem-1"],
     "optimizer__averaging": [False, True]},
    {"optimizer": ["hjb"], "optimizer__lr_schedule": ["theorem-2"], "max_epochs": [2, 3],
     "optimizer__n_steps": [None, 5], "optimizer__averaging": [True]},
    {"optimizer": ["hjb-momentum", "hjb-nesterov", "hjb-rmsprop", "hjb-adam", "hjb-adamw"]},
    {"optimizer": ["hjb-adam"], "optimizer__inner__betas": [(0.9, 0.999), (0.5, 0.9)],
     "optimizer__averaging": [False, True], "optimizer__r": [1.0, 100.0]},
    {"optimizer": ["hjb-momentum"], "optimizer__inner__momentum": [0.0, 0.5],
     "optimizer__inner__weight_decay": [0.0, 0.1]},
    {"optimizer": [HJBUnder], "optimizer__inner": [torch.optim.Adagrad, torch.optim.NAdam]},
])
def test_every_network_has_its_own_optimizer_settings(settings):
    lr = {"lr": [1e-4, 1e-3]} if "optimizer__n_steps" in settings else LRS
    assert_same(*both(network(), {**settings, **lr}))


@pytest.mark.parametrize("settings", [
    {"optimizer": "hjb", "optimizer__lr_schedule": "theorem-1"},
    {"optimizer": "hjb", "optimizer__averaging": True},
    {"optimizer": "hjb-ad", "optimizer__averaging": True, "early_stopping": True},
    {"optimizer": "hjb-adam", "optimizer__averaging": True},
    {"optimizer": "hjb-rmsprop"},
])
@pytest.mark.parametrize("batch_size", [16, -1])
def test_training_goes_on_from_a_stacked_fit_as_from_any(settings, batch_size):
    def go_on(estimator, X, y):
        estimator.partial_fit(X, y)
        weights = parameters_to_vector(estimator.net_.module_.parameters()).detach()
        return {name: float(getattr(weights, name)()) for name in ("norm", "sum", "max")}

    plain, stacked = both(
        network(**settings, batch_size=batch_size, max_epochs=2), LRS, scoring=go_on, cv=2,
        return_train_score=False,
    )
    assert_same(plain, stacked)


def test_step_sizes_under_a_shared_optimizer_need_the_ordinary_way():
    grid = {"optimizer": ["hjb-adam"], "optimizer__lr_schedule": ["theorem-1"], **LRS}
    assert_same(*both(network(), grid), n_stacked=0)


@pytest.mark.parametrize("settings", [
    {"batch_size": -1}, {"batch_size": 1, "max_epochs": 1}, {"batch_size": 33}, {"batch_size": 99},
    {"standardize": False}, {"max_epochs": 1}, {"device": "cpu:0"},
    {"criterion": "binary-cross-entropy"}, {"hidden_layer_sizes": ()},
])
def test_settings_that_all_candidates_share(settings):
    plain, stacked = both(network(**settings), {"optimizer": ["hjb", "adam"], **LRS})
    assert_same(plain, stacked)


def test_folds_of_different_length_share_a_stack():
    # 149 rows in 3 folds: 99 or 100 rows to train on, 7 mini-batches each.
    assert_same(*both(network(dropout=0.2), LRS, X=X[:149], y=Y[:149], cv=KFold(3)))


def test_dropout_rates_and_epochs_may_differ_within_a_stack():
    grid = {"dropout": [0.0, 0.2, (0.5, 0.0)], "max_epochs": [2, 5], "optimizer": ["hjb", "sgd"]}
    assert_same(*both(network(), grid))


def test_weights_and_shuffling_may_differ_within_a_stack():
    assert_same(*both(network(dropout=0.2), {"random_state": [0, 1, 2], **LRS}))


def test_without_a_seed_every_fit_draws_its_own():
    estimator = network(random_state=None)
    search = StackedGridSearchCV(estimator, {"lr": [0.01] * 3}, cv=2, scoring=LOSS)
    scores = search.fit(X, Y).cv_results_["split0_test_score"]
    assert len(set(scores)) == 3


def test_dropout_is_statistically_that_of_the_ordinary_fit():
    """Seeded otherwise, the mean loss over many fits is the same within its error."""
    grid = {"random_state": list(range(20))}
    settings = {"dropout": 0.5, "max_epochs": 8, "lr": 0.02}
    plain = GridSearchCV(network(**settings), grid, cv=2, scoring=LOSS, refit=False).fit(X, Y)
    grid = {"random_state": list(range(100, 120))}
    stacked = StackedGridSearchCV(network(**settings), grid, cv=2, scoring=LOSS, refit=False)
    a = plain.cv_results_["mean_test_score"]
    b = stacked.fit(X, Y).cv_results_["mean_test_score"]
    error = np.hypot(a.std(ddof=1), b.std(ddof=1)) / np.sqrt(len(a))
    assert abs(a.mean() - b.mean()) < 3 * error
    assert 0.4 < a.std() / b.std() < 2.5


def test_regression_with_several_targets():
    y = np.column_stack([X[:, 0] * X[:, 1], X[:, 2]])
    reg = MLPRegressor((8,), max_epochs=5, batch_size=16, random_state=0)
    grid = {"optimizer": ["hjb", "adam"], **LRS}
    assert_same(*both(reg, grid, y=y, scoring="neg_mean_squared_error"))
    assert_same(*both(reg, grid, y=y[:, 0], scoring="r2"))


def test_randomized_twin():
    space = {"lr": loguniform(1e-3, 1), "dropout": [0.0, 0.2], "optimizer": ["hjb", "adam"]}
    settings = {"n_iter": 6, "cv": 2, "random_state": 0, "scoring": LOSS}
    plain = RandomizedSearchCV(network(), space, **settings).fit(X, Y)
    stacked = StackedRandomizedSearchCV(network(), space, **settings).fit(X, Y)
    assert_same(plain, stacked)
    assert stacked.best_params_ == plain.best_params_
    np.testing.assert_array_equal(stacked.predict_proba(X), plain.predict_proba(X))


def test_scorers_see_the_fitted_network():
    def look(estimator, X, y):
        weights = parameters_to_vector(estimator.net_.module_.parameters()).detach()
        return {
            "norm": float(weights.norm()),
            "epochs": estimator.n_iter_,
            "train_loss": estimator.history_["train_loss"].iloc[-1],
            "mean": estimator.predict_proba(X)[:, 0].mean(),
        }

    assert_same(*both(network(dropout=0.1), LRS, scoring=look))


# -- what belongs to a fit ----------------------------------------------------------------


def last_epoch(estimator, X, y):
    history = estimator.history_
    return {
        "epochs": estimator.n_iter_,
        "valid_loss": history["valid_loss"].iloc[-1],
        "loss": get_scorer(LOSS)(estimator, X, y),
    }


@pytest.mark.parametrize("batch_size", [16, -1])
def test_early_stopping_ends_every_fit_at_its_own_time(batch_size):
    estimator = network(
        early_stopping=True, max_epochs=25, n_iter_no_change=2, tol=1e-3, batch_size=batch_size
    )
    grid = {"optimizer": ["hjb", "adam"], "lr": [0.003, 0.03, 0.3], "n_iter_no_change": [2, 3]}
    plain, stacked = both(estimator, grid, scoring=last_epoch)
    assert_same(plain, stacked)
    epochs = stacked.cv_results_["split0_test_epochs"]
    assert len(set(epochs)) > 3
    assert min(epochs) < 25


def test_with_and_without_early_stopping_side_by_side():
    grid = {"early_stopping": [False, True], "validation_fraction": [0.2, 0.4], **LRS}
    assert_same(*both(network(max_epochs=20, n_iter_no_change=2), grid))


def test_class_weights_and_sample_weights():
    grid = {"class_weight": [None, "balanced", {"no": 1, "yes": 5}], **LRS}
    plain, stacked = both(network(), grid)
    assert_same(plain, stacked)
    weight = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
    plain, stacked = both(network(), grid, fit={"sample_weight": weight})
    assert_same(plain, stacked)


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_batches_in_which_no_row_weighs_anything():
    y = np.where(np.arange(len(X)) % 3, "seldom", Y)
    grid = {"class_weight": [{"seldom": 0.0}], **LRS}
    plain, stacked = both(network(batch_size=2, max_epochs=2), grid, y=y, cv=2)
    assert_same(plain, stacked)


def test_routed_metadata_reaches_fit_and_scorer():
    weight = np.random.default_rng(1).uniform(0.1, 2, len(X))
    groups = np.repeat(np.arange(6), 25)
    with config_context(enable_metadata_routing=True):
        estimator = network(early_stopping=True).set_fit_request(sample_weight=True, groups=True)
        scorer = get_scorer(LOSS).set_score_request(sample_weight=True)
        plain, stacked = both(
            estimator, LRS, cv=GroupKFold(3), scoring=scorer,
            fit={"sample_weight": weight, "groups": groups},
        )
        assert_same(plain, stacked)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), estimator)
        plain, stacked = both(
            pipe, {"mlpclassifier__lr": [0.01, 0.1]}, cv=GroupKFold(3), scoring=scorer,
            fit={"sample_weight": weight, "groups": groups},
        )
        assert_same(plain, stacked)


def test_groups_for_the_splitter():
    groups = np.repeat(np.arange(5), 30)
    assert_same(*both(network(), LRS, cv=GroupKFold(5), fit={"groups": groups}))


def test_row_table_reaches_splitter_and_early_stopping():
    table = {"subject": np.repeat(["a", "b", "c"], 50), "session": np.tile([0] * 25 + [1] * 25, 3)}
    estimator = network(early_stopping=True, max_epochs=10, n_iter_no_change=2)
    assert_same(*both(estimator, LRS, X=EEGArray(X, table), cv=LeaveSubjectsOut(3)))


def test_epochs_of_channels_and_times():
    data = np.random.default_rng(1).normal(size=(60, 3, 8))
    assert_same(*both(network(), LRS, X=EEGArray(data, sfreq=8.0), y=Y[:60], cv=2))


def test_divergence_warns_and_keeps_the_last_good_weights():
    grid = {"optimizer": ["hjb", "sgd", "adam"], "lr": [0.01, 1e30]}
    estimator = network(max_epochs=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain, stacked = both(estimator, grid, scoring="accuracy")
    assert_same(plain, stacked)
    with pytest.warns(ConvergenceWarning, match="the loss is not finite"):
        StackedGridSearchCV(estimator, grid, cv=2, refit=False).fit(X, Y)


# -- pipelines ----------------------------------------------------------------------------


class Counting(TransformerMixin, BaseEstimator):
    """Scale, and count the fits and transforms."""

    counts = {"fit": 0, "transform": 0}

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.counts["fit"] += 1
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        self.counts["transform"] += 1
        return X * self.factor


@pytest.fixture
def counts():
    Counting.counts.update(fit=0, transform=0)
    return Counting.counts


@pytest.mark.parametrize("last", [network(), LogisticRegression(), NeuralClassifier(
    MLP, max_epochs=2, random_state=0)], ids=["stacked", "other", "network"])
def test_prefixes_are_computed_once_for_each_fold_and_setting(counts, last):
    pipe = make_pipeline(Counting(), StandardScaler(), PCA(3), last)
    step = type(last).__name__.lower()
    knob = "C" if step == "logisticregression" else "lr"
    grid = {
        "counting__factor": [1.0, 3.0], "pca__n_components": [2, 4],
        f"{step}__{knob}": [0.01, 0.1, 1.0],
    }
    plain = GridSearchCV(pipe, grid, cv=3, scoring=LOSS, refit=False).fit(X, Y)
    counts.update(fit=0, transform=0)
    stacked = StackedGridSearchCV(pipe, grid, cv=3, scoring=LOSS, refit=False).fit(X, Y)
    assert counts == {"fit": 3 * 2, "transform": 3 * 2 * 2}  # training rows and test rows
    assert_same(plain, stacked, n_stacked=12 * 3 if step == "mlpclassifier" else 0)


def test_prefixes_and_train_scores(counts):
    pipe = make_pipeline(Counting(), network())
    plain, stacked = both(pipe, {"mlpclassifier__lr": [0.01, 0.1, 0.3]})
    assert_same(plain, stacked)
    counts.update(fit=0, transform=0)
    StackedGridSearchCV(
        pipe, {"mlpclassifier__lr": [0.01, 0.1, 0.3]}, cv=3, refit=False, return_train_score=True,
        scoring=[LOSS, "accuracy"],
    ).fit(X, Y)
    assert counts == {"fit": 3, "transform": 3 * 3}


def test_searched_steps_may_be_estimators_and_passthrough():
    pipe = make_pipeline(StandardScaler(), network())
    grid = [
        {"standardscaler": ["passthrough", PCA(2)], "mlpclassifier__lr": [0.01, 0.1]},
        {"mlpclassifier": [LogisticRegression(), network(optimizer="hjb")]},
    ]
    assert_same(*both(pipe, grid), n_stacked=3 * 5)


def test_a_prefix_that_cannot_be_hashed_is_computed_every_time():
    pipe = make_pipeline(FunctionTransformer(lambda X: 2 * X), network())
    assert_same(*both(pipe, {"mlpclassifier__lr": [0.01, 0.1]}))


def test_a_pipeline_of_its_own_memory(tmp_path):
    pipe = make_pipeline(StandardScaler(), network(), memory=str(tmp_path))
    plain, stacked = both(pipe, {"mlpclassifier__lr": [0.01, 0.1]}, refit=True)
    assert_same(plain, stacked)
    assert stacked.best_estimator_.memory == str(tmp_path)


def test_the_best_pipeline_is_an_ordinary_one():
    pipe = make_pipeline(StandardScaler(), network())
    search = StackedGridSearchCV(pipe, {"mlpclassifier__lr": [0.01, 0.1]}, cv=2).fit(X, Y)
    assert search.best_estimator_.memory is None
    assert "transform" not in vars(search.best_estimator_[0])
    assert hasattr(search.best_estimator_[-1], "n_iter_")
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))


# -- what cannot be stacked ---------------------------------------------------------------


def test_shapes_form_groups():
    grid = {"hidden_layer_sizes": [(9, 5), (4,)], "batch_size": [16, 40], **LRS}
    assert_same(*both(network(), grid))


def test_what_stands_alone_is_not_stacked():
    grid = [{"hidden_layer_sizes": [(9, 5)]}, {"optimizer": ["hjb"], **LRS, "max_epochs": [3]},
            {"optimizer": ["lm"], "lr": [0.1], "max_epochs": [2]},
            {"criterion": [torch.nn.MultiMarginLoss], "max_epochs": [2]}]
    assert_same(*both(network(), grid, scoring="accuracy"), n_stacked=3 * 3)


def test_one_candidate_on_one_fold_is_an_ordinary_fit():
    folds = [(np.arange(100), np.arange(100, 150))]
    assert_same(*both(network(dropout=0.1), {"lr": [0.1]}, cv=folds), n_stacked=0)


@pytest.mark.parametrize("settings", [
    {"callbacks": [("accuracy", EpochScoring("accuracy", on_train=True))]},
    {"criterion": torch.nn.CrossEntropyLoss}, {"optimizer": "evdhjb", "max_epochs": 2},
])
def test_fits_that_need_the_ordinary_way(settings):
    assert_same(*both(network(**settings), LRS), n_stacked=0)


def test_printed_epochs_need_the_ordinary_way(capsys):
    assert_same(*both(network(verbose=1), LRS, cv=2), n_stacked=0)
    assert "train_loss" in capsys.readouterr().out


def test_pruned_weights_need_the_ordinary_way():
    if "sparsity" not in inspect.signature(MLPClassifier).parameters:
        pytest.skip("MLPClassifier has no sparsity")
    grid = {"sparsity": [0.0, 0.5], **LRS}
    assert_same(*both(network(), grid), n_stacked=2 * 3)


def test_other_estimators_are_searched_as_ever():
    assert_same(*both(LogisticRegression(), {"C": [0.1, 1.0]}), n_stacked=0)


# -- scoring, refit, errors ---------------------------------------------------------------


def test_several_metrics_and_refit_by_name():
    plain, stacked = both(network(), LRS, scoring=["accuracy", LOSS], refit=LOSS)
    assert_same(plain, stacked)
    assert stacked.best_index_ == plain.best_index_
    assert stacked.best_score_ == pytest.approx(plain.best_score_, abs=1e-6)
    np.testing.assert_array_equal(stacked.predict(X), plain.predict(X))


def test_refit_by_a_rule():
    plain, stacked = both(network(), {"lr": [1e-4, 0.03, 0.1]}, refit=largest_stable_step(0.1))
    assert_same(plain, stacked)
    assert stacked.best_params_ == plain.best_params_


@pytest.mark.filterwarnings("ignore:One or more of the")
def test_a_failing_candidate_gets_the_error_score():
    grid = {"activation": ["relu", "swish"], **LRS}
    with pytest.warns(FitFailedWarning, match="6 fits failed out of a total of 12"):
        plain, stacked = both(network(), grid, error_score=-7.0)
    assert_same(plain, stacked, n_stacked=6)
    assert (stacked.cv_results_["mean_test_score"][2:] == -7.0).all()
    search = StackedGridSearchCV(network(), grid, cv=3, error_score="raise")
    with pytest.raises(ValueError, match="activation='swish' is not one of"):
        search.fit(X, Y)


@pytest.mark.filterwarnings("ignore:One or more of the")
def test_a_failing_prefix_gets_the_error_score():
    pipe = make_pipeline(PCA(), network())
    grid = {"pca__n_components": [2, 99], "mlpclassifier__lr": [0.01, 0.1]}
    with pytest.warns(FitFailedWarning, match="n_components=99"):
        plain, stacked = both(pipe, grid)
    assert_same(plain, stacked, n_stacked=6)


@pytest.mark.filterwarnings("ignore:One or more of the")
def test_a_failing_scorer_gets_the_error_score():
    def picky(estimator, X, y):
        if estimator.lr > 0.05:
            raise RuntimeError("too bold")
        return estimator.score(X, y)

    with pytest.warns(UserWarning, match="too bold"):
        plain, stacked = both(network(), LRS, scoring=picky)
    assert_same(plain, stacked)


def test_an_unknown_parameter_is_refused_as_ever():
    with pytest.raises(ValueError, match="Invalid parameter 'speed'"):
        StackedGridSearchCV(network(), {"speed": [1]}, cv=2).fit(X, Y)


@pytest.mark.parametrize("bad", [0, -1, "1 GB"])
def test_bad_memory(bad):
    with pytest.raises(ValueError, match="'max_memory' parameter of StackedGridSearchCV"):
        StackedGridSearchCV(network(), LRS, max_memory=bad).fit(X, Y)
    with pytest.raises(ValueError, match="'max_memory' parameter of StackedRandomizedSearchCV"):
        StackedRandomizedSearchCV(network(), LRS, max_memory=bad).fit(X, Y)


def test_bad_data_is_refused_as_ever():
    with pytest.raises(ValueError, match="NaN"):
        StackedGridSearchCV(network(), LRS, cv=2).fit(np.full_like(X, np.nan), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        StackedGridSearchCV(network(), LRS, cv=2).fit(X, Y[:-1])


# -- how the work is divided --------------------------------------------------------------


@pytest.mark.parametrize("max_memory", [1, 60_000])
def test_splitting_a_stack_changes_nothing(max_memory):
    grid = {"optimizer": ["hjb", "adam"], "dropout": [0.0, 0.2], **LRS}
    whole = StackedGridSearchCV(network(), grid, cv=3, scoring=LOSS, refit=False).fit(X, Y)
    parts = clone(whole).set_params(max_memory=max_memory).fit(X, Y)
    assert_same(whole, parts, n_stacked=parts.n_stacked_fits_)
    assert whole.n_stacked_fits_ == 24
    assert (parts.n_stacked_fits_ == 0) == (max_memory == 1)


def test_the_number_of_processes_changes_nothing():
    pipe = make_pipeline(StandardScaler(), network(dropout=0.2))
    grid = {"mlpclassifier__optimizer": ["hjb", "adam"], "mlpclassifier__lr": [0.01, 0.1]}
    one = StackedGridSearchCV(pipe, grid, cv=3, scoring=LOSS, refit=False).fit(X, Y)
    two = clone(one).set_params(n_jobs=2).fit(X, Y)
    assert_same(one, two)


@pytest.mark.parametrize("batch_size", [16, 33])
def test_the_way_of_other_devices_agrees_to_rounding(monkeypatch, batch_size):
    monkeypatch.setattr(engine, "place_matters", lambda values: False)
    grid = {"optimizer": ["hjb", "hjb-ad", "adam", "rmsprop"], "lr": [0.003, 0.03]}
    estimator = network(batch_size=batch_size, activation="tanh")
    plain, stacked = both(estimator, grid, X=X[:149], y=Y[:149], cv=KFold(3))
    for key in ("mean_test_score", "mean_train_score"):
        np.testing.assert_allclose(
            stacked.cv_results_[key], plain.cv_results_[key], rtol=0, atol=1e-5
        )


def test_times_are_shares_of_the_stack():
    search = StackedGridSearchCV(network(), LRS, cv=2, refit=False).fit(X, Y)
    assert (search.cv_results_["mean_fit_time"] > 0).all()
    assert (search.cv_results_["mean_score_time"] > 0).all()


def test_progress_is_printed(capsys):
    StackedGridSearchCV(network(), LRS, cv=2, refit=False, verbose=2).fit(X, Y)
    out = capsys.readouterr().out
    assert "Fitting 2 folds for each of 2 candidates, totalling 4 fits" in out
    assert out.count("[CV] END") == 4


def test_calls_of_another_kind_are_left_to_joblib():
    search = StackedGridSearchCV(network(), LRS)
    with _StackingParallel(search, n_jobs=1) as parallel:
        assert parallel(delayed(pow)(2, k) for k in range(4)) == [1, 2, 4, 8]
        assert parallel(iter(())) == []


def test_parameters_and_clone():
    search = StackedGridSearchCV(network(), LRS, max_memory=1e6, cv=StratifiedKFold(3))
    assert clone(search).get_params()["max_memory"] == 1e6
    own = set(inspect.signature(StackedGridSearchCV).parameters) - {"max_memory"}
    assert own == set(inspect.signature(GridSearchCV).parameters)
    own = set(inspect.signature(StackedRandomizedSearchCV).parameters) - {"max_memory"}
    assert own == set(inspect.signature(RandomizedSearchCV).parameters)
