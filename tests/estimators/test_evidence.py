"""EvidenceAccumulator: causal, within a recording, and the classifier itself for one row."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_pipeline_consistency

from skbci import EEGArray
from skbci.estimators import EvidenceAccumulator
from skbci.model_selection import SessionSplit


def make(n=60, sessions=(1, 2), seed=0, hop=0.25):
    rng = np.random.default_rng(seed)
    y = np.tile(np.repeat(["l", "r", "w"], n // 3), len(sessions))
    X = rng.normal(size=(len(y), 4)) + np.searchsorted(["l", "r", "w"], y)[:, None]
    return EEGArray(X, {"session": np.repeat(sessions, n),
                        "onset": np.tile(np.arange(n) * hop, len(sessions))}), y


def by_hand(proba, X, n):
    out = []
    session = X.metadata["session"].to_numpy()
    for t in range(len(X)):
        rows = [s for s in range(max(0, t - n + 1), t + 1) if session[s] == session[t]]
        out.append(softmax(np.log(np.maximum(proba[rows], 1e-7)).mean(axis=0)))
    return np.array(out)


@pytest.mark.parametrize("n", [2, 7, 500])
def test_mean_of_log_probabilities_within_the_session(n):
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), n).fit(X, y)
    wanted = by_hand(clf.estimator_.predict_proba(X), X, n)
    np.testing.assert_allclose(clf.predict_proba(X), wanted, atol=1e-6)
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[wanted.argmax(1)])


@pytest.mark.parametrize("window", [{"window": 1}, {"window": 0.25, "unit": "seconds"}])
def test_a_window_of_one_row_is_the_classifier_itself(window):
    X, y = make()
    clf, plain = EvidenceAccumulator(GaussianNB(), **window).fit(X, y), GaussianNB().fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(clf.predict(X), plain.predict(X))


def test_seconds_are_rows_at_a_steady_rate():
    X, y = make(hop=0.0625)
    rows = EvidenceAccumulator(GaussianNB(), 8).fit(X, y)
    seconds = EvidenceAccumulator(GaussianNB(), 0.5, unit="seconds").fit(X, y)
    np.testing.assert_array_equal(rows.predict_proba(X), seconds.predict_proba(X))


def test_seconds_leave_out_what_lies_before_a_gap():
    X, y = make(sessions=(1,))
    late = X.metadata.assign(onset=X.metadata["onset"] + 100 * (np.arange(60) >= 30))
    gap = EEGArray(np.asarray(X), late)
    clf = EvidenceAccumulator(GaussianNB(), 3.0, unit="seconds").fit(gap, y)
    np.testing.assert_allclose(
        clf.predict_proba(gap),
        np.vstack([clf.predict_proba(gap[:30]), clf.predict_proba(gap[30:])]), rtol=1e-12,
    )


@given(cut=st.integers(1, 59), n=st.integers(2, 30))
@settings(max_examples=25, deadline=None)
def test_later_rows_and_other_sessions_never_matter(cut, n):
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), n).fit(X, y)
    whole = clf.predict_proba(X)
    np.testing.assert_array_equal(whole[:cut], clf.predict_proba(X[:cut]))
    np.testing.assert_array_equal(whole[60:], clf.predict_proba(X[60:]))
    mixed = np.arange(120).reshape(2, 60).T.ravel()
    np.testing.assert_array_equal(whole[mixed], clf.predict_proba(X[mixed]))


def test_a_plain_array_is_one_recording():
    X, y = make(sessions=(1,))
    with_table = EvidenceAccumulator(GaussianNB(), 9).fit(X, y).predict_proba(X)
    bare = np.asarray(X)
    clf = EvidenceAccumulator(GaussianNB(), 9).fit(bare, y)
    np.testing.assert_array_equal(clf.predict_proba(bare), with_table)
    np.testing.assert_array_equal(clf.predict_proba(X), with_table)


def test_one_certain_row_does_not_outvote_the_others():
    class Certain(GaussianNB):
        def predict_proba(self, X):
            proba = np.tile([0.7, 0.3], (len(X), 1))
            proba[5] = [0.0, 1.0]
            return proba

    X = np.arange(30.0)[:, None]
    proba = EvidenceAccumulator(Certain(), 30).fit(X, np.arange(30) % 2).predict_proba(X)
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba[-1].argmax() == 0


def test_more_evidence_decides_better_in_cross_validation():
    X, y = make(n=240, sessions=(1, 2, 3), hop=0.0625)
    X = EEGArray(np.asarray(X) * 0.3 + np.random.default_rng(1).normal(size=X.shape), X.metadata)
    search = GridSearchCV(EvidenceAccumulator(LinearDiscriminantAnalysis()),
                          {"window": [1, 16]}, cv=SessionSplit()).fit(X, y)
    one, many = search.cv_results_["mean_test_score"]
    assert many > one + 0.1
    assert search.best_params_ == {"window": 16}


def test_cross_validation_carries_the_sessions_into_predict():
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), 5)
    folds = [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]
    said = cross_val_predict(clf, X, y, cv=folds, method="predict_proba")
    wanted = clone(clf).fit(X[:60], y[:60]).predict_proba(X[60:])
    np.testing.assert_array_equal(said[60:], wanted)


def test_partial_fit_reaches_the_classifier():
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), 4)
    for rows in (slice(0, 60), slice(60, 120)):
        clf.partial_fit(X[rows], y[rows], classes=["l", "r", "w"])
    whole = EvidenceAccumulator(GaussianNB(), 4).fit(X, y)
    np.testing.assert_allclose(clf.predict_proba(X), whole.predict_proba(X), atol=1e-6)
    assert not hasattr(EvidenceAccumulator(LinearDiscriminantAnalysis()), "partial_fit")


def test_weights_are_routed():
    X, y = make()
    weight = np.random.default_rng(0).uniform(size=len(y))
    plain = LogisticRegression().fit(X, y, sample_weight=weight)
    clf = EvidenceAccumulator(LogisticRegression(), 1).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
    with config_context(enable_metadata_routing=True):
        routed = EvidenceAccumulator(LogisticRegression().set_fit_request(sample_weight=True), 1)
        routed.fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(routed.predict_proba(X), plain.predict_proba(X))


def enumerated(likelihood, prior, change_rate):
    """Posterior of the last class, as the sum over all paths of classes."""
    n, k = likelihood.shape
    out = np.zeros(k)
    for path in itertools.product(range(k), repeat=n):
        p = prior[path[0]] * likelihood[0, path[0]]
        for t in range(1, n):
            a, b = path[t - 1], path[t]
            step = 1 - change_rate if a == b else change_rate * prior[b] / (1 - prior[a])
            p *= step * likelihood[t, b]
        out[path[-1]] += p
    return out / out.sum()


@pytest.mark.parametrize(("change_rate", "exponent"), [(0.1, 1.0), (0.02, 0.25), (0.7, 0.5)])
def test_a_class_that_changes_is_followed_by_the_sum_over_paths(change_rate, exponent):
    X, y = make()
    rows = np.r_[0:20, 25:40, 60:100]  # unequal classes
    X, y = X[rows], y[rows]
    clf = EvidenceAccumulator(GaussianNB(), 5, change_rate=change_rate, exponent=exponent)
    proba = clf.fit(X, y).predict_proba(X)
    prior = clf.class_prior_
    likelihood = (np.maximum(clf.estimator_.predict_proba(X), 1e-7) / prior) ** exponent
    session = X.metadata["session"].to_numpy()
    for t in (0, 2, 20, 34, 35, 36, 60):
        begin = max(t - 4, int(np.flatnonzero(session == session[t])[0]))
        wanted = enumerated(likelihood[begin : t + 1], prior, change_rate)
        np.testing.assert_allclose(proba[t], wanted, atol=1e-6)
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[proba.argmax(1)])


def test_change_rate_has_the_limits_of_all_evidence_and_none():
    X, y = make(30)
    shared = {"window": 12, "exponent": 0.1}
    never = EvidenceAccumulator(GaussianNB(), change_rate=1e-12, **shared).fit(X, y)
    logs = np.log(np.maximum(never.estimator_.predict_proba(X[:12]), 1e-7))
    np.testing.assert_allclose(
        never.predict_proba(X)[11], softmax(0.1 * logs.sum(axis=0)), atol=1e-6)
    # With three equal classes two changes out of three are chance.
    always = EvidenceAccumulator(GaussianNB(), change_rate=2 / 3, **shared).fit(X, y)
    np.testing.assert_allclose(
        always.predict_proba(X), softmax(0.1 * np.log(np.maximum(
            always.estimator_.predict_proba(X), 1e-7)), axis=1), atol=1e-6)


def test_change_rate_is_learned_from_the_labels_within_sessions():
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), 4, change_rate="learned").fit(X, y)
    assert clf.change_rate_ == pytest.approx(4.5 / 119)  # two changes in each of 60 rows
    np.testing.assert_allclose(clf.class_prior_, 1 / 3)
    parts = EvidenceAccumulator(GaussianNB(), 4, change_rate="learned")
    for rows in (slice(0, 60), slice(60, 120)):
        parts.partial_fit(X[rows], y[rows], classes=["l", "r", "w"])
    assert parts.change_rate_ == clf.change_rate_


def test_a_filter_follows_changes_sooner_than_an_average():
    X, y = make(90, seed=3)
    mean, markov = (
        EvidenceAccumulator(GaussianNB(), 30, **more).fit(X, y)
        for more in ({}, {"change_rate": "learned"})
    )
    soon = np.r_[30:40, 60:70, 120:130, 150:160]  # just after a change
    assert np.mean((markov.predict(X) == y)[soon]) > np.mean((mean.predict(X) == y)[soon]) + 0.1


@pytest.mark.parametrize("cut", [10, 45])
def test_the_filter_sees_no_later_rows(cut):
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), 6, change_rate=0.1).fit(X, y)
    np.testing.assert_allclose(clf.predict_proba(X[:cut]), clf.predict_proba(X)[:cut], atol=1e-6)


def test_a_change_rate_set_after_fit_waits_for_the_next_fit():
    rng = np.random.default_rng(0)
    y = np.repeat(["left", "right"], 30)
    X = rng.normal(size=(60, 1)) + (y == "left")[:, None]
    average, filtered = (
        EvidenceAccumulator(GaussianNB(), 5, change_rate=rate).fit(X, y) for rate in (None, 0.1)
    )
    expected = average.predict_proba(X), filtered.predict_proba(X)
    assert np.array_equal(average.set_params(change_rate=0.1).predict_proba(X), expected[0])
    assert np.array_equal(filtered.set_params(change_rate=None).predict_proba(X), expected[1])
    assert np.array_equal(average.fit(X, y).predict_proba(X), expected[1])
    filtered.fit(X, y)
    assert np.array_equal(filtered.predict_proba(X), expected[0])
    assert not hasattr(filtered, "change_rate_")


def test_common_check_that_the_tag_leaves_out():
    """The tag non_deterministic is about rows in another order only."""

    class Tagged(EvidenceAccumulator):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.non_deterministic = False
            return tags

    check_pipeline_consistency("EvidenceAccumulator", Tagged(LinearDiscriminantAnalysis()))


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"window": 0}, ValueError, "window=0 must be at least 1"),
    ({"window": 2.5}, TypeError, "window=2.5 must be an integer"),
    ({"window": 0.0, "unit": "seconds"}, ValueError, "window=0.0 must be above 0 seconds"),
    ({"window": "long", "unit": "seconds"}, TypeError, "window='long' must be a number"),
    ({"change_rate": "often"}, ValueError, "change_rate='often' is not one of 'learned', None"),
    ({"change_rate": 1.0}, ValueError, "change_rate=1.0 must be above 0 and below 1"),
    ({"change_rate": True}, TypeError, "change_rate=True must be a number"),
    ({"exponent": 0}, ValueError, "exponent=0 must be above 0 and at most 1"),
    ({"window": 5, "unit": "ms"}, ValueError, "unit='ms' is not one of 'rows', 'seconds'"),
])
def test_bad_settings_are_named(params, error, message):
    with pytest.raises(error, match=message):
        EvidenceAccumulator(GaussianNB(), **params).fit(*make())


def test_seconds_need_onsets():
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB(), 1.0, unit="seconds").fit(np.asarray(X), y)
    with pytest.raises(ValueError, match="unit='seconds' needs to know when the rows begin"):
        clf.predict(np.asarray(X))


def test_onsets_that_run_backwards_are_named():
    X, y = make()
    clf = EvidenceAccumulator(GaussianNB()).fit(X, y)
    with pytest.raises(ValueError, match="needs the rows of a run in order of time"):
        clf.predict(X[::-1])


def test_a_classifier_without_probabilities_is_named():
    with pytest.raises(TypeError, match="LinearSVC.* must be an estimator .*predict_proba"):
        EvidenceAccumulator(LinearSVC(random_state=0)).fit(*make())
