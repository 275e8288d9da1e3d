"""``refit="folds"``: the best candidate's own fits, averaged in place of one more fit."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.estimators import CrossValEnsemble, MLPClassifier, MLPRegressor
from skbci.model_selection import StackedGridSearchCV, StackedRandomizedSearchCV
from skbci.persistence import load, save

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
Y = np.array(["left", "right"])[(X[:, 0] + 0.5 * rng.normal(size=60) > 0).astype(int)]
NEW = rng.normal(size=(9, 5))
CV = KFold(3, shuffle=True, random_state=0)
GRID = {"mlpclassifier__lr": [1e-5, 0.05]}


def pipe():
    return make_pipeline(StandardScaler(), MLPClassifier(
        (6,), max_epochs=2, batch_size=16, dropout=0.2, optimizer="adam", random_state=1))


def search(estimator=None, grid=GRID, **settings):
    return StackedGridSearchCV(estimator or pipe(), grid, **{
        "cv": CV, "refit": "folds", "scoring": "neg_log_loss", **settings})


@pytest.fixture(scope="module")
def fitted():
    return search().fit(X, Y)


def mean_of_fits(estimator):
    """The mean probability of ordinary fits, one a fold."""
    return np.mean([clone(estimator).fit(X[train], Y[train]).predict_proba(NEW)
                    for train, _ in CV.split(X)], axis=0)


def test_the_mean_of_as_many_single_fits(fitted):
    assert fitted.n_stacked_fits_ == 6
    wanted = mean_of_fits(pipe().set_params(**fitted.best_params_))
    np.testing.assert_array_equal(fitted.predict_proba(NEW), wanted)
    np.testing.assert_array_equal(fitted.predict(NEW), fitted.classes_[wanted.argmax(axis=1)])


def test_the_search_is_otherwise_the_one_that_fits_once_more(fitted):
    usual = search(refit=True).fit(X, Y)
    assert fitted.best_params_ == usual.best_params_
    assert fitted.best_score_ == usual.best_score_
    np.testing.assert_array_equal(fitted.cv_results_["mean_test_score"],
                                  usual.cv_results_["mean_test_score"])
    assert "estimator" not in fitted.cv_results_
    assert fitted.get_params()["refit"] == "folds"
    assert (fitted.n_features_in_, fitted.classes_.tolist()) == (5, ["left", "right"])
    proba = fitted.predict_proba(X)
    right = np.log(np.where(Y == "left", proba[:, 0], proba[:, 1])).mean()
    assert fitted.score(X, Y) == pytest.approx(right)


def test_a_row_is_decided_by_itself(fitted):
    one_by_one = np.concatenate([fitted.predict_proba(row[None]) for row in NEW])
    np.testing.assert_allclose(one_by_one, fitted.predict_proba(NEW), rtol=1e-13)
    np.testing.assert_allclose(fitted.predict_proba(NEW[::-1])[::-1], one_by_one, rtol=1e-13)


def test_clones_pickles_and_processes_give_the_same(fitted):
    before = np.random.get_state()[1].copy()
    again = clone(fitted).fit(X, Y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    with parallel_config("threading"):
        shared = search(n_jobs=2).fit(X, Y)
    for other in (again, shared, pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(other.predict_proba(NEW), fitted.predict_proba(NEW))


@pytest.mark.extras
def test_it_is_saved_and_loaded(fitted, tmp_path):
    pytest.importorskip("skops")
    save(fitted, tmp_path / "search.skbci")
    loaded = load(tmp_path / "search.skbci")
    np.testing.assert_array_equal(loaded.predict_proba(NEW), fitted.predict_proba(NEW))


def test_small_memory_and_fits_that_are_not_stacked(fitted):
    divided = search(max_memory=1).fit(X, Y)
    np.testing.assert_array_equal(divided.predict_proba(NEW), fitted.predict_proba(NEW))
    plain = search(LogisticRegression(), {"C": [1e-3, 1.0]}).fit(X, Y)
    assert plain.n_stacked_fits_ == 0
    np.testing.assert_array_equal(plain.predict_proba(NEW),
                                  mean_of_fits(LogisticRegression(**plain.best_params_)))


def test_candidates_that_are_drawn():
    drawn = StackedRandomizedSearchCV(
        pipe(), {"mlpclassifier__lr": uniform(0, 0.1)}, n_iter=2, cv=CV, refit="folds",
        random_state=0).fit(X, Y)
    np.testing.assert_array_equal(drawn.predict_proba(NEW),
                                  mean_of_fits(pipe().set_params(**drawn.best_params_)))


def test_it_is_the_ensemble_of_these_folds(fitted):
    kept = fitted.best_estimator_
    assert isinstance(kept, CrossValEnsemble)
    assert len(kept.estimators_) == fitted.n_splits_ == 3
    other = CrossValEnsemble(pipe().set_params(**fitted.best_params_), CV).fit(X, Y)
    np.testing.assert_array_equal(kept.predict_proba(NEW), other.predict_proba(NEW))


def test_columns_keep_their_names(recwarn):
    frame = pd.DataFrame(X, columns=list("abcde"))
    named = search(grid={"mlpclassifier__lr": [0.05]}).fit(frame, Y)
    assert named.feature_names_in_.tolist() == list("abcde")
    named.predict(frame)
    assert not [w for w in recwarn if "feature names" in str(w.message)]
    with pytest.raises(ValueError, match="feature names"):
        named.predict(frame[list("edcba")])


@pytest.mark.parametrize(("settings", "words"), [
    ({"estimator": MLPRegressor(), "grid": {"lr": [0.1]}, "scoring": None}, "predict_proba"),
    ({"scoring": ["accuracy", "roc_auc"]}, "one metric"),
    ({"scoring": lambda clf, X, y: {"a": 1.0, "b": 2.0}}, "one metric"),
])
def test_what_cannot_be_averaged_is_refused(settings, words):
    one = search(**{"grid": {"mlpclassifier__lr": [0.1]}, **settings})
    with pytest.raises(ValueError, match=f"refit='folds'.*{words}"):
        one.fit(X, Y)
    assert one.refit == "folds"
    assert not hasattr(one, "best_estimator_")


@pytest.mark.parametrize(("estimator", "grid"), [
    (None, {"mlpclassifier__lr": [0.1]}), (LogisticRegression(), {"C": [1.0]}),
])
@pytest.mark.parametrize("error_score", [np.nan, 0.0])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_fold_without_a_fit_is_named(estimator, grid, error_score):
    one_class = np.flatnonzero(Y == "left"), np.arange(5)
    one = search(estimator, grid, cv=[*CV.split(X), one_class], error_score=error_score)
    with pytest.raises(ValueError, match="refit='folds' .* fold 3 .* refit=True"):
        one.fit(X, Y)
    assert one.set_params(refit=True).fit(X, Y).predict(NEW).shape == (9,)


def test_a_word_that_is_no_metric_is_not_taken_for_true():
    one = search(grid={"mlpclassifier__lr": [0.05]}, refit="fold")
    with pytest.raises(ValueError, match="refit='fold' must be True, False, 'folds', a metric"):
        one.fit(X, Y)
    named = one.set_params(refit="neg_log_loss").fit(X, Y)
    assert not isinstance(named.best_estimator_, CrossValEnsemble)


def test_a_metric_of_that_name_is_a_metric():
    one = search(grid={"mlpclassifier__lr": [0.05]}, scoring={"folds": "accuracy"}).fit(X, Y)
    assert not isinstance(one.best_estimator_, CrossValEnsemble)
