"""CrossValEnsemble: which classifiers are kept, what they have seen, and their mean."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skbci import EEGArray
from skbci.estimators import CrossValEnsemble, MLPClassifier
from skbci.model_selection import LeaveSubjectsOut


def rows(n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.tile(["left", "right"], n // 2)
    X = rng.normal(size=(n, 4)) + (y == "left")[:, None]
    table = {"subject": np.repeat(np.arange(6), n // 6), "session": 1, "onset": np.arange(n) * 2.0}
    return EEGArray(X, table), y


class Remembers(ClassifierMixin, BaseEstimator):
    """Notes what it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.seen_, self.weights_ = np.asarray(X)[:, 0], sample_weight
        self.subjects_ = set(X.metadata["subject"])
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_each_classifier_has_left_out_its_fold():
    X, y = rows()
    clf = CrossValEnsemble(Remembers(), LeaveSubjectsOut(3))
    weight = np.arange(1.0, 61)
    clf.fit(X, y, groups=X.metadata["subject"], sample_weight=weight)
    folds = LeaveSubjectsOut(3).split(X, y, X.metadata["subject"])
    for one, (train, _) in zip(clf.estimators_, folds, strict=True):
        np.testing.assert_array_equal(one.seen_, np.asarray(X)[train, 0])
        np.testing.assert_array_equal(one.weights_, weight[train])
    assert set.intersection(*(one.subjects_ for one in clf.estimators_)) == set()


def test_without_cv_whole_groups_or_sessions_are_left_out():
    X, y = rows()
    by_group = CrossValEnsemble(Remembers()).fit(X, y, groups=np.repeat([1, 2, 3], 20))
    assert [len(one.seen_) for one in by_group.estimators_] == [40, 40, 40]
    by_session = CrossValEnsemble(Remembers()).fit(X, y)
    # Six subjects of one session each, in five folds.
    assert sorted(len(one.subjects_) for one in by_session.estimators_) == [4, 5, 5, 5, 5]


def test_folds_may_be_masks_or_count_from_the_end():
    X, y = rows()
    first, last = np.arange(30), np.arange(30, 60)
    wanted = CrossValEnsemble(GaussianNB(), [(first, last)]).fit(X, y)
    for cv in ([(np.arange(60) < 30, np.arange(60) >= 30)], [(first - 60, last)]):
        clf = CrossValEnsemble(GaussianNB(), cv).fit(X, y)
        assert clf.oof_score_ == wanted.oof_score_
        np.testing.assert_array_equal(clf.predict_proba(X), wanted.predict_proba(X))
    with pytest.raises(ValueError, match="fold 0 of cv trains on rows that it tests"):
        CrossValEnsemble(GaussianNB(), [(first, np.arange(-40, 0))]).fit(X, y)


def test_the_mean_of_the_folds_classifiers():
    X, y = rows()
    X, new = np.asarray(X), np.asarray(rows(seed=1)[0])
    cv = KFold(4, shuffle=True, random_state=0)
    clf = CrossValEnsemble(LogisticRegression(), cv).fit(X, y)
    wanted = np.mean([LogisticRegression().fit(X[train], y[train]).predict_proba(new)
                      for train, _ in cv.split(X)], axis=0)
    np.testing.assert_allclose(clf.predict_proba(new), wanted)
    np.testing.assert_array_equal(clf.predict(new), clf.classes_[wanted.argmax(axis=1)])
    held_out = cross_val_predict(LogisticRegression(), X, y, cv=cv)
    assert clf.oof_score_ == accuracy_score(y, held_out)


def test_a_class_that_a_fold_has_not_seen_is_given_no_probability_by_it():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), np.repeat([0, 1, 2], 10)
    folds = [(np.arange(20), np.arange(20, 30)), (np.arange(10, 30), np.arange(10))]
    clf = CrossValEnsemble(GaussianNB(), folds).fit(X, y)
    proba = clf.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(
        proba[:, 2], GaussianNB().fit(X[10:], y[10:]).predict_proba(X)[:, 1] / 2)


def test_networks_are_searched_through_it_and_survive_a_pickle():
    X, y = rows()
    X = np.asarray(X)
    clf = CrossValEnsemble(MLPClassifier((4,), max_epochs=3, random_state=0), 2)
    search = GridSearchCV(clf, {"estimator__lr": [0.01, 0.1], "cv": [2, 3]}, cv=2).fit(X, y)
    best = search.best_estimator_
    assert len(best.estimators_) == search.best_params_["cv"]
    again = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(again.predict_proba(X), best.predict_proba(X))


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"estimator": LinearSVC()}, TypeError, "predict_proba"),
    ({"cv": "three"}, (TypeError, ValueError), "cv='three'"),
    ({"gap": -1}, ValueError, "gap=-1"),
    ({"cv": [(np.arange(60), np.arange(5))]}, ValueError, "fold 0 of cv trains on rows that it"),
    ({"cv": [(np.arange(0, 60, 2), np.arange(1, 60, 2))]}, ValueError, "leaves one class"),
])
def test_what_cannot_be_is_named(params, error, message):
    X, y = rows()
    with pytest.raises(error, match=message):
        CrossValEnsemble(**{"estimator": GaussianNB(), **params}).fit(X, y)


def test_fits_from_elsewhere_are_averaged_over_all_their_classes():
    X, y = rows()
    X, y = np.asarray(X), np.where(np.arange(60) < 20, "rest", y)
    few, many = GaussianNB().fit(X[20:], y[20:]), GaussianNB().fit(X, y)
    both = CrossValEnsemble.from_fits([few, many])
    assert both.classes_.tolist() == ["left", "rest", "right"]
    wanted = many.predict_proba(X) / 2
    wanted[:, [0, 2]] += few.predict_proba(X) / 2
    np.testing.assert_allclose(both.predict_proba(X), wanted)
    with pytest.raises(ValueError, match="5 features"):
        both.predict(np.ones((2, 5)))


def fitted_to(labels, kind=GaussianNB):
    return kind().fit([[0.0], [1.0]], labels)


def test_fits_whose_labels_are_kept_in_several_ways_are_averaged():
    strings = fitted_to(["a", "b"]), fitted_to(np.array(["b", "ccc"], dtype=object))
    assert CrossValEnsemble.from_fits(strings).classes_.tolist() == ["a", "b", "ccc"]
    numbers = fitted_to(np.array([0, 1], np.uint8)), fitted_to([1.0, 2.0])
    assert CrossValEnsemble.from_fits(numbers).classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("fits", "error", "words"), [
    ([], ValueError, "fits is empty"), ([GaussianNB()], ValueError, "not fitted"),
    ([LinearSVC().fit([[0.0], [1.0]], [0, 1])], TypeError, "no predict_proba"),
    ([fitted_to([0, 1]), fitted_to(["0", "1"])], ValueError, r"\[0, 1\] and \['0', '1'\]"),
    ([fitted_to([0, 1]), fitted_to([False, True])], ValueError, "labels of several kinds"),
    ([fitted_to([[0, 1], [1, 0]], DecisionTreeClassifier)], ValueError, "one target"),
])
def test_fits_that_cannot_be_averaged_are_refused(fits, error, words):
    with pytest.raises(error, match=words):
        CrossValEnsemble.from_fits(fits)
