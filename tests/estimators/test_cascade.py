"""CascadeClassifier: out-of-fold labels, histories that end at the recording's border."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_pipeline_consistency

from skbci import EEGArray
from skbci.estimators import CascadeClassifier, MLPClassifier
from skbci.estimators._meta.lags import lagged
from skbci.model_selection import PurgedKFold, SessionSplit


def make(n=60, sessions=(1, 2, 3), block=10, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    y = np.tile(np.tile(np.repeat(["l", "r", "w"], block), n // (3 * block)), len(sessions))
    X = rng.normal(size=(len(y), 4)) + signal * np.searchsorted(["l", "r", "w"], y)[:, None]
    return EEGArray(X, {"session": np.repeat(sessions, n),
                        "onset": np.tile(np.arange(n) / 16, len(sessions))}), y


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on and asked for."""

    def fit(self, X, y):
        self.X_, self.y_, self.classes_ = np.array(X), np.array(y), np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Memory(ClassifierMixin, BaseEstimator):
    """Knows the rows that it was fitted on by heart, and nothing else."""

    def fit(self, X, y):
        self.known_ = {row.tobytes(): label for row, label in zip(np.asarray(X), y)}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.array([self.known_.get(row.tobytes(), self.classes_[0])
                         for row in np.asarray(X)])


# -- history --------------------------------------------------------------------------------


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4), n_lags=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_history_is_the_recordings_own_and_begins_with_its_first_row(lengths, n_lags):
    ends = np.cumsum(lengths)
    sessions = [np.arange(end - length, end) for end, length in zip(ends, lengths)]
    values = np.arange(ends[-1], dtype=float)[:, None]
    out = lagged(values, sessions, n_lags)
    for rows in sessions:
        for t in rows:
            assert out[t].tolist() == [max(t - lag, rows[0]) for lag in range(n_lags)]


@pytest.mark.parametrize(("stack", "width"), [("labels", 1), ("one-hot", 3),
                                               ("probabilities", 3)])
def test_what_the_terminal_classifier_sees(stack, width):
    X, y = make()
    clf = CascadeClassifier(GaussianNB(), Recorder(), 5, stack=stack).fit(X, y)
    seen = clf.terminal_.X_
    assert seen.shape == (len(X), 4 + 5 * width)
    np.testing.assert_array_equal(seen[:, :4], np.asarray(X))
    history = seen[:, 4:].reshape(len(X), 5, width)
    for start in (0, 60, 120):
        for t in range(60):
            for lag in range(5):
                np.testing.assert_array_equal(
                    history[start + t, lag], history[start + max(t - lag, 0), 0]
                )
    if width == 3:
        np.testing.assert_allclose(history.sum(axis=2), 1)
    else:
        assert set(np.unique(history)) <= {0, 1, 2}


def test_the_papers_sizes():
    X, y = make()
    X = EEGArray(np.tile(np.asarray(X), 24), X.metadata)
    net = MLPClassifier((50, 30), max_epochs=1, criterion="binary-cross-entropy", random_state=0)
    clf = CascadeClassifier(net, net).fit(X, y)
    assert (clf.initial_.n_features_in_, clf.terminal_.n_features_in_) == (96, 104)


# -- out of fold ----------------------------------------------------------------------------


def test_training_labels_come_from_classifiers_that_did_not_see_the_row():
    X, y = make()
    clf = CascadeClassifier(Memory(), Recorder(), 3).fit(X, y)
    # Who knows only what he has seen has seen none of these rows: always the first class.
    assert not clf.terminal_.X_[:, 4:].any()
    # The initial classifier itself knows them all.
    np.testing.assert_array_equal(clf.initial_.predict(np.asarray(X)), y)


@pytest.mark.parametrize("source", ["sessions", "groups", "blocks"])
def test_who_is_left_out(source):
    X, y = make()
    fits = []

    class Spy(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            fits.append(np.asarray(X))
            return super().fit(X, y)

    groups = None
    if source == "groups":
        groups = np.repeat(np.arange(9), 20)[np.random.default_rng(0).permutation(180)]
        X = EEGArray(np.asarray(X), X.metadata.assign(session=1, onset=np.arange(180.0)))
    if source == "blocks":
        X, y = make(n=180, sessions=(1,))
    CascadeClassifier(Spy(), GaussianNB(), 4).fit(X, y, groups=groups)
    whole = {row.tobytes() for row in np.asarray(X)}
    place = {row.tobytes(): n for n, row in enumerate(np.asarray(X))}
    left_out = [sorted(place[r] for r in whole - {row.tobytes() for row in f}) for f in fits[:-1]]
    assert len(fits[-1]) == len(X)
    if source == "sessions":
        assert left_out == [list(range(a, a + 60)) for a in (0, 60, 120)]
    elif source == "groups":
        assert [set(groups[rows]) for rows in left_out] == [{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8}]
        assert sorted(np.concatenate(left_out)) == list(range(180))
    else:
        assert len(left_out) == 5
        assert all(len(rows) > 36 for rows in left_out)  # a fifth, and the rows beside it
        assert set(np.concatenate(left_out)) == set(range(180))


def test_blocks_keep_their_distance_only_where_time_is_known():
    X, y = make(n=180, sessions=(1,))
    sizes = []

    class Spy(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            sizes.append(len(X))
            return super().fit(X, y)

    CascadeClassifier(Spy(), GaussianNB(), 4).fit(np.asarray(X), y)
    assert sizes == [144] * 5 + [180]
    sizes.clear()
    CascadeClassifier(Spy(), GaussianNB(), 4, gap=0.125).fit(X, y)
    # A block has a share of each class, so several edges; a row beyond each edge is too near.
    assert sizes[-1] == 180
    assert all(120 < size < 144 for size in sizes[:-1])


def test_any_cv_and_rows_that_it_never_tests():
    X, y = make()
    clf = CascadeClassifier(GaussianNB(), Recorder(), 4, cv=SessionSplit()).fit(X, y)
    np.testing.assert_array_equal(clf.terminal_.X_[:, :4], np.asarray(X)[60:])
    for cv in (3, KFold(3), PurgedKFold(4, window=0.25)):
        clf = CascadeClassifier(GaussianNB(), Recorder(), 4, cv=cv).fit(X, y)
        assert len(clf.terminal_.X_) == len(X)


# -- prediction -----------------------------------------------------------------------------


@given(cut=st.integers(1, 59))
@settings(max_examples=15, deadline=None)
def test_later_rows_and_other_sessions_never_matter(cut):
    X, y = make()
    clf = CascadeClassifier(GaussianNB(), GaussianNB(), stack="probabilities").fit(X, y)
    whole = clf.predict_proba(X)
    np.testing.assert_array_equal(whole[:cut], clf.predict_proba(X[:cut]))
    np.testing.assert_array_equal(whole[60:120], clf.predict_proba(X[60:120]))
    mixed = np.arange(180).reshape(3, 60).T.ravel()
    np.testing.assert_array_equal(whole[mixed], clf.predict_proba(X[mixed]))


def test_a_recording_shorter_than_the_history_is_padded():
    X, y = make()
    clf = CascadeClassifier(GaussianNB(), GaussianNB(), 20).fit(X, y)
    np.testing.assert_array_equal(clf.predict(X[:3]), clf.predict(X)[:3])
    assert len(clf.predict(X[:1])) == 1


def test_the_past_helps_where_classes_last():
    X, y = make(n=240, block=40, signal=0.5)
    cv = SessionSplit(test_sessions=[3])
    ((train, test),) = cv.split(X, y)
    for stack in ("labels", "one-hot", "probabilities"):
        clf = CascadeClassifier(GaussianNB(), LogisticRegression(max_iter=500), stack=stack)
        clf.fit(X[train], y[train])
        assert clf.score(X[test], y[test]) > clf.initial_.score(X[test], y[test]) + 0.05


def test_in_a_grid():
    X, y = make(n=360, block=30, signal=0.5)
    clf = CascadeClassifier(GaussianNB(), GaussianNB())
    search = GridSearchCV(clf, {"n_lags": [1, 8], "initial__var_smoothing": [1e-9, 1e3]},
                          cv=SessionSplit(), error_score="raise").fit(X, y)
    assert search.best_params_ == {"n_lags": 8, "initial__var_smoothing": 1e-9}


def test_signals_become_rows_for_the_terminal_classifier():
    X, y = make()
    noise = np.random.default_rng(0).normal(size=(*X.shape, 6))
    deep = np.asarray(X)[:, :, None] + noise
    net = MLPClassifier((5,), max_epochs=2, random_state=0)
    clf = CascadeClassifier(net, net, 3).fit(deep, y)
    assert clf.terminal_.n_features_in_ == 24 + 3
    assert clf.predict_proba(deep).shape == (len(y), 3)


def test_a_class_that_a_fold_lacks_keeps_its_column():
    X, y = make(sessions=(1, 2, 3))
    y[(X.metadata["session"] == 2).to_numpy() & (y == "w")] = "l"
    y[(X.metadata["session"] == 3).to_numpy() & (y == "w")] = "l"
    clf = CascadeClassifier(GaussianNB(), Recorder(), 1, stack="probabilities").fit(X, y)
    assert not clf.terminal_.X_[:60, -1].any()  # without session 1 nobody knows "w"
    assert clf.terminal_.X_[60:, -1].any()


# -- going on to learn ----------------------------------------------------------------------


def test_partial_fit_in_mini_batches_sees_the_history_across_them():
    X, y = make()
    seen = []

    class Learner(GaussianNB):
        def partial_fit(self, X, y, classes=None, sample_weight=None):
            seen.append(np.asarray(X))
            return super().partial_fit(X, y, classes)

    frozen = CascadeClassifier(GaussianNB(), Learner(), 6).fit(X[:120], y[:120])
    frozen.initial_.partial_fit = lambda X, y: None  # so that the labels stay those of the fit
    wanted = frozen._terminal_input(X[120:])
    for start in range(120, 180, 7):
        frozen.partial_fit(X[start : start + 7][: 180 - start], y[start : start + 7])
    np.testing.assert_array_equal(np.concatenate(seen), np.asarray(wanted))


def test_partial_fit_labels_rows_before_it_learns_from_them():
    X, y = make()
    clf = CascadeClassifier(GaussianNB(), GaussianNB(), 2, stack="probabilities")
    clf.fit(X[:120], y[:120])
    before = np.asarray(clf._terminal_input(X[120:]))
    terminal = clone(clf.terminal).fit(*_training(clf, X[:120], y[:120]))
    terminal.partial_fit(before, y[120:])
    clf.partial_fit(X[120:], y[120:])
    np.testing.assert_allclose(clf.terminal_.theta_, terminal.theta_)
    initial = GaussianNB().fit(X[:120], y[:120]).partial_fit(X[120:], y[120:])
    np.testing.assert_allclose(clf.initial_.theta_, initial.theta_)


def _training(clf, X, y):
    seen = CascadeClassifier(clf.initial, Recorder(), clf.n_lags, stack=clf.stack).fit(X, y)
    return seen.terminal_.X_, seen.terminal_.y_


def test_partial_fit_needs_both():
    assert not hasattr(CascadeClassifier(GaussianNB(), KNeighborsClassifier()), "partial_fit")
    X, y = make()
    clf = CascadeClassifier(GaussianNB(), GaussianNB())
    clf.partial_fit(X, y, classes=["l", "r", "w"])
    np.testing.assert_array_equal(
        clf.predict(X), CascadeClassifier(GaussianNB(), GaussianNB()).fit(X, y).predict(X)
    )
    with pytest.raises(ValueError, match=r"labels \['x'\] that are not among the classes"):
        clf.partial_fit(X, np.full(len(y), "x"))


# -- tags and bad input ---------------------------------------------------------------------


def test_common_check_that_the_tag_leaves_out():
    class Tagged(CascadeClassifier):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.non_deterministic = False
            return tags

    check_pipeline_consistency("CascadeClassifier", Tagged(GaussianNB(), GaussianNB(), 3))


def test_history_longer_than_every_recording_is_named():
    X, y = make()
    with pytest.raises(ValueError, match="n_lags=61 reaches further back than the longest "
                                         "training recording, which has 60 rows"):
        CascadeClassifier(GaussianNB(), GaussianNB(), 61).fit(X, y)


def test_onsets_that_run_backwards_are_named():
    X, y = make()
    with pytest.raises(ValueError, match="session 3 row 1 .* comes after row 0"):
        CascadeClassifier(GaussianNB(), GaussianNB()).fit(X[::-1], y[::-1])


def test_sessions_of_one_class_are_named():
    X, _ = make(sessions=(1, 2))
    y = np.repeat(["l", "r"], 60)
    with pytest.raises(ValueError, match=r"fold 0 leaves one class to train on, \['r'\]"):
        CascadeClassifier(GaussianNB(), GaussianNB()).fit(X, y)
    with pytest.raises(ValueError, match=r"y has one class only: \['l'\]"):
        CascadeClassifier(GaussianNB(), GaussianNB()).fit(X, np.full(120, "l"))


def test_blocks_too_short_for_the_distance_between_them_are_named():
    X, y = make(sessions=(1,))
    with pytest.raises(ValueError, match="fold 2 leaves no row to train on.* gap=1 seconds"):
        CascadeClassifier(GaussianNB(), GaussianNB()).fit(X, y)
    CascadeClassifier(GaussianNB(), GaussianNB(), gap=0.1).fit(X, y)


def test_too_few_rows_of_a_class_are_named():
    X, y = make(sessions=(1,), n=30)
    y[:] = "l"
    y[5] = "r"
    with pytest.raises(ValueError, match="1 row of the rarest class"):
        CascadeClassifier(GaussianNB(), GaussianNB()).fit(X, y)


def test_a_cv_that_tests_what_it_trains_on_is_named():
    X, y = make()
    rows = np.arange(len(y))
    with pytest.raises(ValueError, match="fold 0 of cv trains on rows that it tests"):
        CascadeClassifier(GaussianNB(), GaussianNB(), cv=[(rows, rows[:5])]).fit(X, y)


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"n_lags": 0}, ValueError, "n_lags=0 must be at least 1"),
    ({"n_lags": 1.5}, TypeError, "n_lags=1.5 must be an integer"),
    ({"gap": -1.0}, ValueError, "gap=-1.0 must be at least 0 seconds"),
    ({"gap": "long"}, TypeError, "gap='long' must be a number"),
    ({"stack": "logits"}, ValueError,
     "stack='logits' is not one of 'labels', 'one-hot', 'probabilities'"),
])
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        CascadeClassifier(GaussianNB(), GaussianNB(), **params).fit(*make())


def test_probabilities_that_are_not_there_are_named():
    with pytest.raises(TypeError, match="which LinearSVC lacks; use stack='labels'"):
        CascadeClassifier(
            LinearSVC(random_state=0), GaussianNB(), stack="probabilities"
        ).fit(*make())
