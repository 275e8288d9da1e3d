"""What a stacked search shares among its fits is nothing that a fit or a scorer can see."""

from __future__ import annotations

import pickle
import re
import tracemalloc

import mne
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbci.eegarray import EEGArray
from skbci.estimators import MLPClassifier
from skbci.features import WelchPSD
from skbci.model_selection import StackedGridSearchCV
from skbci.model_selection._shared_transforms import PrefixMemory, call_on_copies, same_data

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 6)) * [1, 5, 0.2, 3, 1, 1] + 2
Y = np.array(["no", "yes"])[((X[:, 0] - 2) * (X[:, 2] - 2) > 0).astype(int)]
LOSS = "neg_log_loss"


def network(**settings):
    return MLPClassifier(**{
        "hidden_layer_sizes": (9, 5), "max_epochs": 4, "batch_size": 16, "random_state": 3,
        "optimizer": "adam", "lr": 0.03, **settings,
    })


LAST = [network(), LogisticRegression()]


def both(estimator, grid, X=X, y=Y, fit=None, **settings):
    """Run the ordinary and the stacked search on the same folds."""
    settings = {"cv": 3, "scoring": LOSS, "refit": False, "return_train_score": True, **settings}
    return [
        kind(estimator, grid, **settings).fit(X, y, **(fit or {}))
        for kind in (GridSearchCV, StackedGridSearchCV)
    ]


def assert_same(plain, stacked, tolerance=1e-6):
    a, b = plain.cv_results_, stacked.cv_results_
    assert list(a) == list(b)
    assert sum(key.startswith("mean_test_") for key in a)
    for key, values in a.items():
        if re.match("(mean|std|split[0-9]+)_(test|train)_", key):
            np.testing.assert_allclose(b[key], values, rtol=0, atol=tolerance, err_msg=key)


# -- folds --------------------------------------------------------------------------------


@pytest.mark.parametrize(("estimator", "grid"), [
    (network(), {"lr": [0.01, 0.1]}),
    (make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1]}),
])
def test_splits_may_share_their_rows(estimator, grid):
    """The same array of rows to train on, or to test on, does not make one fold of two."""
    a, b, c = np.split(np.arange(150), 3)
    folds = [(a, b), (a, c), (b, c), (c, c), (c, b)]
    plain, stacked = both(estimator, grid, cv=folds)
    assert_same(plain, stacked)
    scores = stacked.cv_results_
    assert (scores["split0_test_score"] != scores["split1_test_score"]).all()


# -- steps and scorers that write into what they are given --------------------------------


class InPlace(TransformerMixin, BaseEstimator):
    """Scales the very array it is given; in `transform` only, if so wished."""

    def __init__(self, factor=1.0, only_transform=False):
        self.factor = factor
        self.only_transform = only_transform

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def fit_transform(self, X, y=None):
        return X * self.factor if self.only_transform else self.fit(X).transform(X)

    def transform(self, X):
        X *= self.factor
        return X


class Torch(InPlace):
    """Does so through a tensor, past numpy's flags."""

    def transform(self, X):
        torch.from_numpy(X).mul_(self.factor)
        return X


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("scoring", [LOSS, [LOSS, "accuracy", "roc_auc"]])
@pytest.mark.parametrize(("steps", "grid"), [
    ([StandardScaler(copy=False)], {"standardscaler__with_std": [True, False]}),
    ([PCA(4), StandardScaler(copy=False)], {"standardscaler__with_std": [True, False]}),
    ([StandardScaler(copy=False), PCA(4)], {"pca__whiten": [True, False]}),
    ([InPlace()], {"inplace__factor": [1.0, 3.0], "inplace__only_transform": [False, True]}),
    ([Torch(), PCA(3)], {"torch__factor": [1.0, 3.0]}),
])
def test_steps_that_work_in_place(last, scoring, steps, grid):
    knob = {"lr": [0.01, 0.1]} if last is LAST[0] else {"C": [0.01, 1.0]}
    name = type(last).__name__.lower()
    grid = {**grid, **{f"{name}__{key}": values for key, values in knob.items()}}
    before = X.copy()
    plain, stacked = both(make_pipeline(*steps, last), grid, scoring=scoring)
    assert_same(plain, stacked)
    np.testing.assert_array_equal(X, before)


def test_a_last_step_that_works_in_place():
    y = X[:, 0] * X[:, 1]
    pipe = make_pipeline(PCA(3), LinearRegression(copy_X=False))
    grid = {"linearregression__fit_intercept": [True, False], "linearregression__positive": [True]}
    assert_same(*both(pipe, grid, y=y, scoring="r2"))
    assert_same(*both(pipe.set_params(pca="passthrough"), grid, y=y, scoring="r2"))


@pytest.mark.parametrize("kind", [pd.DataFrame, csr_array, lambda X: EEGArray(X, {"subject": Y})])
@pytest.mark.parametrize("last", LAST)
def test_containers_written_into(kind, last):
    class Write(TransformerMixin, BaseEstimator):
        def __init__(self, factor=1.0):
            self.factor = factor

        def fit(self, X, y=None):
            return self

        def transform(self, X):
            X *= self.factor
            return np.asarray(X.todense() if hasattr(X, "todense") else X)

    pipe = make_pipeline(Write(), last)
    grid = {"write__factor": [1.0, 2.0]}
    assert_same(*both(pipe, grid, X=kind(X)), tolerance=1e-9)


class Relabel(TransformerMixin, BaseEstimator):
    """Overwrites the subjects in an array's table."""

    def __init__(self, factor=1):
        self.factor = factor

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X.metadata["subject"] += self.factor
        return np.c_[np.asarray(X), X.metadata["subject"]]


def test_tables_written_into():
    data = EEGArray(X, {"subject": np.arange(150) % 4})
    pipe = make_pipeline(Relabel(), network())
    assert_same(*both(pipe, {"relabel__factor": [1, 5], "mlpclassifier__lr": [0.01, 0.1]}, X=data))


def drop_a_channel(estimator, X, y):
    score = get_scorer(LOSS)
    clean = score(estimator, X, y)
    X[:, 1] = 0
    dropped = score(estimator, X, y)
    y[:] = "no"
    return {"clean": clean, "dropped": dropped, "wrong": estimator.score(X, y)}


def importance(estimator, X, y):
    found = permutation_importance(estimator, X, y, n_repeats=3, random_state=0, scoring=LOSS)
    return {"mean": found.importances_mean[1], "std": found.importances_std[1]}


def pickled(estimator, X, y):
    again = pickle.loads(pickle.dumps(estimator))
    # The length of an epoch is in it, and no two are equal; a whole stack would be far larger.
    return {"small": len(pickle.dumps(estimator)) < 20_000, "score": again.score(X, y)}


def refit(estimator, X, y):
    estimator.fit(X[::2], y[::2])
    return get_scorer(LOSS)(estimator, X[1::2], y[1::2])


def fine_tune(estimator, X, y):
    """Go on with the training on a half of the rows, from the optimizer's state."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    before = get_scorer(LOSS)(estimator, X, y)
    rows = estimator[:-1].transform(X) if last is not estimator else X
    if hasattr(last, "partial_fit"):
        for _ in range(3):
            last.partial_fit(rows[::2], y[::2])
    return {"before": before, "after": get_scorer(LOSS)(estimator, X[1::2], y[1::2])}


def look(estimator, X, y):
    own = [sorted(vars(step)) for _, step in getattr(estimator, "steps", [])]
    assert not any("transform" in names for names in own)
    assert getattr(estimator, "memory", None) is None
    return float(len(str(own)))


@pytest.mark.parametrize("scoring", [
    drop_a_channel, importance, pickled, refit, fine_tune, look,
])
@pytest.mark.parametrize(("estimator", "knob"), [
    (network(), "lr"),
    (make_pipeline(StandardScaler(), network()), "mlpclassifier__lr"),
    (make_pipeline(StandardScaler(), PCA(3), LogisticRegression()), "logisticregression__C"),
])
def test_scorers_may_do_what_they_like(estimator, knob, scoring):
    assert_same(*both(estimator, {knob: [0.03, 0.1]}, scoring=scoring, error_score="raise"))


@pytest.mark.parametrize("settings", [
    {}, {"batch_size": -1}, {"early_stopping": True, "max_epochs": 15, "n_iter_no_change": 2},
])
def test_training_goes_on_from_a_stacked_fit(settings):
    """Its optimizer is in the state that an ordinary fit leaves behind."""
    grid = [
        {"optimizer": ["hjb", "adam", "adagrad", "rmsprop", torch.optim.NAdam], "lr": [0.01, 0.1]},
        {"optimizer": ["hjb-ad"], "optimizer__accumulate": ["norm", "parameter"]},
        {"optimizer": ["sgd"], "optimizer__momentum": [0.0, 0.9]},
        {"optimizer": ["adam"], "optimizer__amsgrad": [True], "optimizer__fused": [True]},
    ]
    estimator = network(dropout=0.2, **settings)
    plain, stacked = both(estimator, grid, scoring=fine_tune, cv=2, error_score="raise")
    assert_same(plain, stacked)
    assert stacked.n_stacked_fits_ == 2 * len(stacked.cv_results_["params"])


def test_a_metric_that_overwrites_the_targets():
    def metric(y_true, y_pred):
        right = float((y_true == y_pred).mean())
        y_true[:] = "no"
        return right

    pipe = make_pipeline(StandardScaler(), network())
    grid = {"mlpclassifier__lr": [0.01, 0.1]}
    assert_same(*both(pipe, grid, scoring=make_scorer(metric)))


def test_a_network_that_overwrites_rows_in_predict():
    class Rude(LogisticRegression):
        def predict(self, X):
            X *= -1
            return super().predict(X)

    pipe = make_pipeline(StandardScaler(), Rude())
    scoring = {"a": make_scorer(lambda a, b: (a == b).mean()), "b": LOSS, "c": "accuracy"}
    assert_same(*both(pipe, {"rude__C": [0.1, 1.0]}, scoring=scoring))


# -- what is shared -----------------------------------------------------------------------


def test_rows_of_any_kind():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), (PCA(2), list("cdef")))
    grid = {"mlpclassifier__lr": [0.01, 0.1]}
    plain, stacked = both(make_pipeline(columns, network()), grid, X=frame, y=pd.Series(Y))
    assert_same(plain, stacked)
    assert stacked.n_stacked_fits_ == 6
    scaler = StandardScaler().set_output(transform="pandas")
    assert_same(*both(make_pipeline(scaler, network()), grid, X=frame))
    assert_same(*both(make_pipeline(PCA(2), network()), grid, X=X.tolist(), y=Y.tolist()))
    assert_same(*both(make_pipeline(StandardScaler(with_mean=False), LogisticRegression()),
                      {"logisticregression__C": [0.1, 1.0]}, X=csr_array(X)))


def test_epochs():
    info = mne.create_info(3, 32.0, "eeg")
    data = np.random.default_rng(1).normal(size=(30, 3, 32)) * 1e-5
    epochs = mne.EpochsArray(data, info, verbose="error")
    pipe = make_pipeline(WelchPSD(log=True), network())
    grid = {"mlpclassifier__lr": [0.01, 0.1], "welchpsd__log": [True, False]}
    plain, stacked = both(pipe, grid, X=epochs, y=Y[:30], cv=2)
    assert_same(plain, stacked)
    assert stacked.n_stacked_fits_ == 8


def test_weighted_scores_of_shared_prefixes():
    weight = np.random.default_rng(2).uniform(0.1, 2, len(X))
    with config_context(enable_metadata_routing=True):
        for scoring in (get_scorer(LOSS).set_score_request(sample_weight=True), None):
            last = LogisticRegression().set_score_request(sample_weight=True)
            scaler = StandardScaler().set_fit_request(sample_weight=True)
            pipe = make_pipeline(scaler, last.set_fit_request(sample_weight=True))
            assert_same(*both(
                pipe, {"logisticregression__C": [0.1, 1.0]}, scoring=scoring,
                fit={"sample_weight": weight},
            ))


class Wide(TransformerMixin, BaseEstimator):
    """Gives rows as large as it gets, as a bank of filters does."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X * np.float32(self.factor)


def some(X):
    return X[:, :, :8].reshape(len(X), -1).copy()


@pytest.mark.parametrize("last", [
    network(hidden_layer_sizes=(3,), max_epochs=1, batch_size=64),
    LogisticRegression(max_iter=5, tol=1e3),
])
def test_memory_does_not_grow_with_the_settings(last):
    """One fold's rows and what one setting makes of them, however many there are."""
    data = np.random.default_rng(3).normal(size=(120, 4, 1000)).astype(np.float32)
    y = np.arange(120) % 2
    pipe = make_pipeline(Wide(), FunctionTransformer(some), last)
    name = type(last).__name__.lower()
    knob = {f"{name}__lr": [0.01, 0.1]} if "mlp" in name else {f"{name}__C": [0.1, 1.0]}
    for n in (1, 10):  # the first time is for imports
        grid = {"wide__factor": list(range(1, n + 1)), **knob}
        search = StackedGridSearchCV(pipe, grid, cv=4, refit=False, scoring="accuracy")
        tracemalloc.start()
        search.fit(data, y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # All settings' rows together have 30 times the size of the data.
    assert peak < 6 * data.nbytes


class Noting(Wide):
    fits: list = []

    def fit(self, X, y=None):
        self.fits.append(self.factor)
        return super().fit(X)


def test_equal_prefixes_are_computed_one_after_the_other():
    """Whether the grid's other parameters vary slower or faster than theirs."""
    pipe = make_pipeline(Noting(), PCA(2), LogisticRegression())
    factors, others = [3.0, 1.0, 2.0], [0.1, 1.0, 10.0]
    for grid in (
        {"logisticregression__C": others, "noting__factor": factors},
        {"noting__factor": factors, "pca__tol": others},
        {"logisticregression__C": others, "noting__factor": factors, "pca__tol": others},
    ):
        Noting.fits.clear()
        StackedGridSearchCV(pipe, grid, cv=2, refit=False).fit(X, Y)
        assert factors * 2 == Noting.fits


def test_memory_keeps_one_chain():
    memory = PrefixMemory()
    calls = []

    def fit(transformer, X, y, caller=None):
        calls.append(transformer)
        return X + transformer, transformer

    cached = memory.cache(fit, ignore=["caller"])
    data = np.zeros(3)
    for chain in ([1, 2], [1, 2], [1, 3], [2, 3], [3]):
        memory.start()
        out = data
        for number in chain:
            out, _ = cached(number, out, None, caller=object())
        np.testing.assert_array_equal(out, sum(chain))
    assert calls == [1, 2, 3, 2, 3, 3]


def test_calls_on_copies():
    data, y = np.asfortranarray(X), Y.copy()
    seen = []
    assert call_on_copies(lambda a, b: seen.append((a, b)) or "out", data, y) == "out"
    (a, b), = seen
    assert not np.shares_memory(a, data)
    assert not np.shares_memory(b, y)
    assert a.flags.f_contiguous
    for write in (lambda a, b: a.fill(0), lambda a, b: b.fill("no")):
        with pytest.raises(RuntimeError, match="writes into its input"):
            call_on_copies(write, data, y)


@pytest.mark.parametrize("data", [
    X, X[:, ::2], np.full((3, 2), np.nan), Y, np.array([1, None, "a"], dtype=object), [1, "a"],
    pd.DataFrame(X), csr_array(X), EEGArray(X, {"subject": Y}, sfreq=5.0), None,
])
def test_same_data(data):
    again = pickle.loads(pickle.dumps(data))
    assert same_data(data, again)
    other = clone(data, safe=False) if data is None else pickle.loads(pickle.dumps(data))
    if isinstance(other, np.ndarray):
        other.flat[-1] = "?" if other.dtype.kind == "U" else 7
    elif isinstance(other, list):
        other[1] = "b"
    elif isinstance(other, pd.DataFrame):
        other.iloc[0, 0] = 7
    elif data is None:
        return
    else:
        other.data[0] = 7
    assert not same_data(data, other)


# -- what is told -------------------------------------------------------------------------


@pytest.mark.filterwarnings(
    "ignore:One or more of the", "ignore:Scoring failed",
    "ignore::sklearn.exceptions.FitFailedWarning",
)
@pytest.mark.parametrize("verbose", [1, 2, 3, 10])
@pytest.mark.parametrize("settings", [
    {"return_train_score": False}, {}, {"scoring": ["accuracy", LOSS]},
    {"scoring": lambda *_: 1 / 0},
])
def test_progress_is_that_of_the_ordinary_search(capsys, verbose, settings):
    estimator = make_pipeline(StandardScaler(), network())
    grid = {
        "mlpclassifier__lr": [0.01, 0.1], "mlpclassifier__activation": ["relu", "swish"],
        "standardscaler": ["passthrough"],
    }
    lines = []
    for search in both(estimator, grid, cv=2, verbose=verbose, **settings):
        assert search.n_splits_ == 2
    out = re.sub(r"total time= *[\d.]+(s|min)", "total time", capsys.readouterr().out)
    out = re.sub(r"\.{3,}", "...", out).splitlines()
    starts = [k for k, line in enumerate(out) if line.startswith("Fitting")]
    assert len(starts) == 2
    lines = [sorted(out[:starts[1]]), sorted(out[starts[1]:])]
    assert lines[0] == lines[1]


@pytest.mark.parametrize("where", ["last", "grid", "nested"])
def test_callbacks_on_steps_are_told_of_the_search(where):
    def logs(kind):
        callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
        monitor = callback.ScoringMonitor(scoring="accuracy")
        last = LogisticRegression(max_iter=20)
        watched = clone(last).set_callbacks(monitor)
        grid = {"logisticregression__C": [0.1, 1.0]}
        if where == "grid":
            grid = {"logisticregression": [watched]}
        elif where == "nested":
            last = make_pipeline(PCA(2), watched)
            grid = {"pipeline__pca__n_components": [2, 3]}
        else:
            last = watched
        pipe = make_pipeline(StandardScaler(), last)
        search = kind(pipe, grid, cv=2, refit=False).fit(X, Y)
        log = monitor.get_logs()
        assert log.estimator_name == kind.__name__
        return search, len(log.data)

    (plain, a), (stacked, b) = logs(GridSearchCV), logs(StackedGridSearchCV)
    assert_same(plain, stacked)
    assert a == b
