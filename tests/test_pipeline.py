"""The pipeline: scikit-learn's results, and the table arrives at every step."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.pipeline
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbci import EEGArray, LostTableWarning, Pipeline, make_pipeline
from skbci.estimators import EvidenceAccumulator, MLPClassifier, OnlineClassifier
from skbci.features import CausalCentering, Crop, KeepRows, WelchPSD
from skbci.model_selection import LeaveSubjectsOut, StackedGridSearchCV
from skbci.stream import OnlineDecoder


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 30)
    table = {"subject": np.repeat([1, 2, 3], 20), "onset": np.tile(np.arange(20.0), 3)}
    return EEGArray(rng.normal(size=(60, 6)) + y[:, None], table), y


class Told(ClassifierMixin, BaseEstimator):
    """Remembers the table it is given."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.fitted_on_ = X.metadata["subject"].tolist()
        return self

    def predict(self, X):
        self.asked_about_ = X.metadata["subject"].tolist()
        return np.zeros(len(X), dtype=int)

    def predict_proba(self, X):
        self.predict(X)
        return np.full((len(X), 2), 0.5)


# As with scikit-learn's own: ``fit`` puts the fitted transformers into the parameter ``steps``.
AS_IN_SCIKIT_LEARN = dict.fromkeys(
    ["check_estimators_overwrite_params", "check_dont_overwrite_parameters"], "steps are fitted"
)


@parametrize_with_checks(
    [
        Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())]),
        Pipeline([("scale", StandardScaler()), ("pca", PCA(1))]),
    ],
    expected_failed_checks=lambda _: AS_IN_SCIKIT_LEARN,
)
def test_check_estimator(estimator, check):
    before = np.random.get_state()  # one of the checks draws
    try:
        check(estimator)
    finally:
        np.random.set_state(before)


CHAINS = {
    "scaler": [StandardScaler()],
    "scaler and pca": [StandardScaler(), PCA(3)],
    "union": [FeatureUnion([("a", PCA(2)), ("b", StandardScaler())])],
    "columns": [ColumnTransformer([("a", PCA(2), [0, 1, 2]), ("b", "passthrough", [3])])],
    "selection": [SelectKBest(k=3)],
    "function": [FunctionTransformer(lambda X: np.cumsum(X, axis=1))],
    "nothing": ["passthrough", None, StandardScaler()],
    "nested": [sklearn.pipeline.make_pipeline(StandardScaler(), PCA(2)), StandardScaler()],
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_every_step_gets_the_table_and_scikit_learns_numbers(data, chain):
    X, y = data
    chain = [step if step is None or isinstance(step, str) else clone(step) for step in chain]
    pipe = make_pipeline(*chain, Told()).fit(X, y)
    assert pipe[-1].fitted_on_ == X.metadata["subject"].tolist()
    for method in ("predict", "predict_proba"):
        getattr(pipe, method)(X[5:25])
        assert pipe[-1].asked_about_ == X[5:25].metadata["subject"].tolist()
    pipe.score(X[::2], y[::2])
    assert pipe[-1].asked_about_ == X[::2].metadata["subject"].tolist()
    ordinary = sklearn.pipeline.make_pipeline(*chain).fit(np.asarray(X), y)
    steps = make_pipeline(*chain)
    for out in (steps.fit_transform(X, y), steps.fit(X, y).transform(X), pipe[:-1].transform(X)):
        assert np.array_equal(out, ordinary.transform(np.asarray(X)))
        assert out.metadata.equals(X.metadata)
    assert type(steps.transform(np.asarray(X))) is np.ndarray


def test_another_number_of_rows_has_no_table(data):
    X, _ = data
    half = FunctionTransformer(lambda X: np.asarray(X)[::2])
    assert not isinstance(make_pipeline(half, StandardScaler()).fit_transform(X), EEGArray)


def test_data_frames_and_sparse_matrices_pass(data):
    X, _y = data
    pipe = make_pipeline(StandardScaler(), PCA(2)).set_output(transform="pandas")
    out = pipe.fit_transform(X)
    assert isinstance(out, pd.DataFrame)
    assert list(out) == ["pca0", "pca1"] == pipe.get_feature_names_out().tolist()


def test_inverse_transform(data):
    X, _ = data
    pipe = make_pipeline(StandardScaler(), PCA(6)).fit(X)
    back = pipe.inverse_transform(pipe.transform(X))
    assert np.allclose(back, X)
    assert back.metadata.equals(X.metadata)
    assert not hasattr(make_pipeline(CausalCentering()).fit(X), "inverse_transform")


def test_it_is_a_pipeline_like_any_other(data):
    X, y = data
    pipe = make_pipeline(StandardScaler(), PCA(2), MLPClassifier((4,), max_epochs=2,
                                                                 random_state=0))
    assert list(clone(pipe).set_params(pca__n_components=3).get_params(deep=False)) == list(
        sklearn.pipeline.make_pipeline(PCA()).get_params(deep=False))
    assert isinstance(pipe[:2], Pipeline)
    search = GridSearchCV(pipe, {"pca__n_components": [2, 3], "standardscaler": ["passthrough"]},
                          cv=LeaveSubjectsOut(n_splits=3)).fit(X, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert np.array_equal(again.predict_proba(X), search.predict_proba(X))
    assert type(pipe[0]) is StandardScaler


def test_parameters_and_metadata_reach_their_steps(data):
    X, y = data
    weight = np.linspace(1, 2, 60)
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    plain = pipe.fit(X, y, standardscaler__sample_weight=weight).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        routed = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=True),
            LogisticRegression().set_fit_request(sample_weight=False),
        ).fit(X, y, sample_weight=weight)
        assert np.array_equal(routed.predict_proba(X), plain)


@pytest.mark.parametrize("kind", [make_pipeline, sklearn.pipeline.make_pipeline])
def test_the_cache_keeps_two_tables_apart(data, kind, tmp_path):
    X, _y = data
    other = EEGArray(np.asarray(X), X.metadata.assign(subject=np.tile([1, 2], 30), onset=np.arange(
        60.0)))
    for rows in (X, other, X):
        pipe = kind(CausalCentering(by="subject"), PCA(2), memory=str(tmp_path))
        right = make_pipeline(CausalCentering(by="subject"), PCA(2)).fit_transform(rows)
        assert np.array_equal(pipe.fit_transform(rows), right)


def test_a_failed_fit_leaves_the_cache_as_it_was(data):
    X, y = data
    pipe = make_pipeline(StandardScaler(), PCA(99), Told())
    with pytest.raises(ValueError, match="n_components"):
        pipe.fit(X, y)
    assert pipe.memory is None


def test_online_learning_has_its_sessions(data):
    X, y = data
    X = EEGArray(np.asarray(X), {"session": np.repeat([1, 2], 30), "onset": np.arange(60.0)})
    linear = SGDClassifier("log_loss", random_state=0)
    pipe = make_pipeline(StandardScaler(), OnlineClassifier(linear)).fit(X, y)
    assert pipe[-1].n_calibration_ == 30
    kept = sklearn.pipeline.make_pipeline(KeepRows(StandardScaler()), OnlineClassifier(linear))
    assert np.array_equal(pipe.predict_proba(X), kept.fit(X, y).predict_proba(X))


def test_the_stacked_search_is_the_ordinary_one(data):
    X, y = data
    pipe = make_pipeline(StandardScaler(), PCA(3), MLPClassifier(
        (4,), max_epochs=5, early_stopping=True, random_state=0))
    grid = {"mlpclassifier__lr": [0.01, 0.1], "pca__n_components": [2, 3]}
    cv = LeaveSubjectsOut(n_splits=3)
    kept = sklearn.pipeline.make_pipeline(KeepRows(StandardScaler()), KeepRows(PCA(3)), pipe[-1])
    kept_grid = {**grid, "keeprows-2__transformer__n_components": [2, 3]}
    del kept_grid["pca__n_components"]
    scores = [
        search.fit(X, y).cv_results_["mean_test_score"]
        for search in (GridSearchCV(pipe, grid, cv=cv), StackedGridSearchCV(pipe, grid, cv=cv),
                       GridSearchCV(kept, kept_grid, cv=cv))
    ]
    assert np.array_equal(scores[0], scores[1])
    assert sorted(scores[0]) == sorted(scores[2])


def test_the_stream_understands_it():
    rng = np.random.default_rng(0)
    X = EEGArray(rng.normal(size=(40, 2, 64)), {"session": np.repeat([1, 2], 20),
                                                "onset": np.tile(np.arange(20.0), 2)}, sfreq=64)
    y = np.tile([0, 1], 20)
    pipe = make_pipeline(WelchPSD(), StandardScaler(), CausalCentering(), PCA(3),
                         EvidenceAccumulator(LogisticRegression(), 3)).fit(X, y)
    signal = np.concatenate(np.asarray(X[20:]), axis=1)
    with warnings.catch_warnings():  # a stream is one session: nobody misses its table
        warnings.simplefilter("error", LostTableWarning)
        decoder = OnlineDecoder(pipe, sfreq=64, window=1.0, hop=1.0)
        _, said = decoder.update(signal)
    assert np.allclose(said, pipe.predict_proba(X[20:]), atol=1e-6)


def test_a_rate_without_a_table_gets_to_the_end():
    X = EEGArray(np.random.default_rng(0).standard_normal((8, 2, 200)), sfreq=100.0,
                 ch_names=["C3", "C4"])
    pipe = make_pipeline(Crop(0.5), Crop(0.5, 1.5), WelchPSD(n_per_seg=100))
    assert pipe.fit_transform(X).shape == (8, 2 * 51)
    assert make_pipeline(Crop(0.5), Crop()).fit_transform(X).sfreq == 100.0
