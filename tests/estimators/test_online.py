"""OnlineClassifier: which rows are the calibration, in which order and how they are learned."""

from __future__ import annotations

import itertools
import pickle
import warnings

import numpy as np
import pytest
from mne.decoding import CSP
from pyriemann.estimation import Covariances
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbci import EEGArray
from skbci._row_needs import looks_back
from skbci.estimators import (
    CascadeClassifier,
    DecoderPipeline,
    EvidenceAccumulator,
    MLPClassifier,
    OnlineClassifier,
)
from skbci.estimators._meta import looking_back
from skbci.features import (
    BandEnergy,
    CausalCentering,
    ChannelScaling,
    EuclideanAlignment,
    GroupScaler,
    KeepRows,
    RiemannianRecentering,
)
from skbci.model_selection import SessionSplit

RATE = 4


def make(n=80, sessions=(1, 2, 3), subjects=(1,), block=8, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    table = {"subject": [], "session": [], "onset": []}
    parts, labels = [], []
    for subject in subjects:
        for session in sessions:
            y = np.arange(n) // block % 2
            moved = shift * session if shift else 0.0
            parts.append(rng.normal(size=(n, 3)) + 1.5 * y[:, None] + moved)
            labels.append(np.array(["l", "r"])[y])
            table["subject"] += [subject] * n
            table["session"] += [session] * n
            table["onset"] += list(np.arange(n) / RATE)
    return EEGArray(np.concatenate(parts), table), np.concatenate(labels)


class Diary(ClassifierMixin, BaseEstimator):
    """Writes down what it is given."""

    def __init__(self, log=None):
        self.log = log

    def __sklearn_clone__(self):
        return Diary(self.log)  # the same list

    def fit(self, X, y, sample_weight=None):
        self.classes_, self.n_features_in_ = np.unique(y), X.shape[1]
        self.log.append(("fit", np.asarray(X), np.asarray(y), sample_weight))
        return self

    def partial_fit(self, X, y):
        self.log.append(("partial_fit", np.asarray(X), np.asarray(y)))
        return self

    def predict(self, X):
        self.log.append(("predict", np.asarray(X)))
        return np.full(len(X), self.classes_[0])


def kinds(log):
    return [entry[0] for entry in log]


def rows_of(X, session):
    return np.flatnonzero((X.metadata["session"] == session).to_numpy())


def test_earlier_sessions_offline_then_the_last_one_in_mini_batches():
    X, y = make()
    log = []
    clf = OnlineClassifier(Diary(log), batch_size=30).fit(X, y)
    assert kinds(log) == ["fit"] + 3 * ["partial_fit"]
    np.testing.assert_array_equal(log[0][1], np.asarray(X)[:160])
    assert [len(entry[1]) for entry in log[1:]] == [30, 30, 20]
    np.testing.assert_array_equal(np.concatenate([e[1] for e in log[1:]]), np.asarray(X)[160:])
    np.testing.assert_array_equal(np.concatenate([e[2] for e in log[1:]]), y[160:])
    assert clf.n_calibration_ == 80


def test_the_online_protocol_is_one_cross_validation():
    X, y = make()
    log = []
    cv = SessionSplit(pairs=[((1, 2), 3)], calibration=10, window=1.0)
    cross_val_score(OnlineClassifier(Diary(log), batch_size=16), X, y, cv=cv)
    fit, *batches, predict = log
    assert len(fit[1]) == 160
    minute = np.concatenate([entry[1] for entry in batches])
    # Rows that end within ten seconds, in order; the ones that straddle the border are left out.
    np.testing.assert_array_equal(minute, np.asarray(X)[160 : 160 + 9 * RATE + 1])
    # The rest is asked for after what was heard of the session before.
    np.testing.assert_array_equal(predict[1][: len(minute)], minute)
    np.testing.assert_array_equal(predict[1][len(minute) :], np.asarray(X)[160 + 10 * RATE :])


def test_each_subject_has_its_own_last_session():
    X, y = make(subjects=("a", "b"), sessions=(1, 2))
    log = []
    OnlineClassifier(Diary(log), batch_size=80).fit(X, y)
    np.testing.assert_array_equal(log[0][1], np.asarray(X)[[*range(80), *range(160, 240)]])
    np.testing.assert_array_equal(log[1][1], np.asarray(X)[80:160])
    np.testing.assert_array_equal(log[2][1], np.asarray(X)[240:])


def test_the_last_session_is_the_one_that_comes_last_not_the_largest_label():
    X, y = make(sessions=("post", "later"))
    log = []
    OnlineClassifier(Diary(log), batch_size=80).fit(X, y)
    np.testing.assert_array_equal(log[1][1], np.asarray(X)[80:])


@pytest.mark.parametrize("plain", [True, False])
def test_one_session_is_offline_and_partial_fit_goes_on(plain):
    X, y = make(sessions=(1, 2))
    if plain:
        X = np.asarray(X)
    log = []
    clf = OnlineClassifier(Diary(log), batch_size=50).fit(X[:80], y[:80])
    assert kinds(log) == ["fit"]
    clf.partial_fit(X[80:], y[80:])
    assert [len(entry[1]) for entry in log] == [80, 50, 30]


def test_without_passes_it_is_the_offline_classifier():
    X, y = make(shift=0.5)
    offline = SGDClassifier("log_loss", random_state=0).fit(X[:160], y[:160])
    clf = OnlineClassifier(SGDClassifier("log_loss", random_state=0), n_passes=0).fit(X, y)
    np.testing.assert_array_equal(clf.estimator_.coef_, offline.coef_)


def test_passes_repeat_the_rows_in_order():
    X, y = make()
    log = []
    OnlineClassifier(Diary(log), batch_size=40, n_passes=3).fit(X, y)
    np.testing.assert_array_equal(
        np.concatenate([entry[1] for entry in log[1:]]), np.tile(np.asarray(X)[160:], (3, 1))
    )


def test_equals_partial_fit_by_hand():
    X, y = make()
    by_hand = SGDClassifier("log_loss", random_state=0).fit(X[:160], y[:160])
    for start in range(160, 240, 16):
        by_hand.partial_fit(X[start : start + 16], y[start : start + 16])
    clf = OnlineClassifier(SGDClassifier("log_loss", random_state=0)).fit(X, y)
    np.testing.assert_array_equal(clf.estimator_.coef_, by_hand.coef_)
    np.testing.assert_array_equal(clf.predict_proba(X), by_hand.predict_proba(X))


def test_transformers_are_fitted_offline():
    X, y = make(shift=3.0)
    clf = OnlineClassifier(make_pipeline(StandardScaler(), GaussianNB())).fit(X, y)
    np.testing.assert_allclose(clf.estimator_[0].mean_, np.asarray(X)[:160].mean(axis=0))
    assert clf.estimator_[1].class_count_.sum() == 240


def test_steps_that_look_back_know_how_the_session_began():
    X, y = make(shift=3.0)
    pipeline = make_pipeline(CausalCentering(), GaussianNB())
    clf = OnlineClassifier(pipeline).fit(X[:200], y[:200])
    centred = np.asarray(CausalCentering().fit_transform(X))
    by_hand = GaussianNB().fit(centred[:160], y[:160]).partial_fit(centred[160:200], y[160:200])
    np.testing.assert_allclose(clf.estimator_[1].theta_, by_hand.theta_)
    np.testing.assert_allclose(clf.predict_proba(X[200:]), by_hand.predict_proba(centred[200:]),
                               atol=1e-9)
    # Other sessions, and the same session from its beginning, are not continued.
    np.testing.assert_allclose(clf.predict_proba(X[:80]), by_hand.predict_proba(centred[:80]),
                               atol=1e-9)
    np.testing.assert_allclose(clf.predict_proba(X[160:]), by_hand.predict_proba(centred[160:]),
                               atol=1e-9)


def test_partial_fit_continues_what_came_before():
    X, y = make(shift=3.0)
    pipeline = make_pipeline(CausalCentering(), GaussianNB())
    once = OnlineClassifier(pipeline).fit(X[:220], y[:220])
    twice = OnlineClassifier(pipeline).fit(X[:200], y[:200]).partial_fit(X[200:220], y[200:220])
    assert twice.n_calibration_ == 60
    np.testing.assert_allclose(twice.predict_proba(X[220:]), once.predict_proba(X[220:]))


def test_evidence_goes_on_across_the_border():
    X, y = make()
    clf = OnlineClassifier(EvidenceAccumulator(GaussianNB(), 12)).fit(X[:200], y[:200])
    whole = clf.estimator_.predict_proba(X[160:])
    np.testing.assert_allclose(clf.predict_proba(X[200:]), whole[40:])


def test_a_cascade_learns_online():
    X, y = make(shift=1.0, n=160)
    net = MLPClassifier((8,), max_epochs=8, random_state=0)
    offline, online = (
        OnlineClassifier(make_pipeline(CausalCentering(), CascadeClassifier(net, net, 4)),
                         n_passes=n).fit(X[:400], y[:400])
        for n in (0, 3)
    )
    for part in ("initial_", "terminal_"):
        before, after = (
            _first_weights(getattr(clf.estimator_[-1], part)) for clf in (offline, online)
        )
        assert np.abs(after - before).max() > 0
    assert online.score(X[400:], y[400:]) > 0.8


def _first_weights(network):
    return next(network.net_.module_.parameters()).detach().numpy().copy()


def test_step_size_is_scaled_while_learning_online_only():
    X, y = make()
    net = MLPClassifier((8,), lr=0.01, max_epochs=2, random_state=0)
    start = _first_weights(clone(net).fit(X[:160], y[:160]))
    moves = {}
    for factor in (1.0, 0.1):
        clf = OnlineClassifier(net, lr_factor=factor, batch_size=80).fit(X, y)
        moves[factor] = np.linalg.norm(_first_weights(clf.estimator_) - start)
        assert clf.estimator_.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.01)
    assert moves[0.1] == pytest.approx(moves[1.0] / 10, rel=1e-3)


def test_replay_mixes_offline_rows_evenly_from_the_classes():
    X, y = make()
    log = []
    OnlineClassifier(Diary(log), batch_size=20, replay=7, random_state=0).fit(X, y)
    offline = {row.tobytes() for row in np.asarray(X)[:160]}
    for start, entry in zip(range(160, 240, 20), log[1:]):
        assert len(entry[1]) == 27
        assert {row.tobytes() for row in entry[1][:7]} <= offline
        assert abs(int(np.sum(entry[2][:7] == "l")) - 3.5) == 0.5
        np.testing.assert_array_equal(entry[1][7:], np.asarray(X)[start : start + 20])
    again = []
    OnlineClassifier(Diary(again), batch_size=20, replay=7, random_state=0).fit(X, y)
    np.testing.assert_array_equal(log[2][1], again[2][1])


def test_weights_reach_the_offline_fit():
    X, y = make()
    log, weight = [], np.arange(1.0, 241.0)
    OnlineClassifier(Diary(log)).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(log[0][3], weight[:160])
    wanted = SGDClassifier(random_state=0).fit(X[:160], y[:160], sample_weight=weight[:160])
    with config_context(enable_metadata_routing=True):
        linear = SGDClassifier(random_state=0).set_fit_request(sample_weight=True)
        clf = OnlineClassifier(linear, n_passes=0).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(clf.estimator_.coef_, wanted.coef_)


# -- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize(("estimator", "message"), [
    (LinearDiscriminantAnalysis(), "estimator is a LinearDiscriminantAnalysis, which has no"),
    (make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()),
     "the pipeline's last step is a LinearDiscriminantAnalysis, which has no partial_fit"),
])
def test_who_cannot_go_on_learning_is_named(estimator, message):
    with pytest.raises(TypeError, match=message):
        OnlineClassifier(estimator).fit(*make())


def test_labels_that_only_the_calibration_has_are_named():
    X, y = make()
    y = y.astype("U3")
    y[200:] = "new"
    with pytest.raises(ValueError, match=r"labels \['new'\] that the offline rows do not have"):
        OnlineClassifier(GaussianNB()).fit(X, y)


def test_onsets_that_run_backwards_are_named():
    X, y = make()
    order = [*range(160), *range(239, 159, -1)]
    with pytest.raises(ValueError, match="OnlineClassifier needs the rows of a run in order"):
        OnlineClassifier(GaussianNB()).fit(X[order], y[order])


def test_a_calibration_longer_than_the_session_is_named():
    X, y = make()
    cv = SessionSplit(pairs=[((1,), 2)], calibration=60, window=1.0)
    with pytest.raises(ValueError, match="calibration=60 seconds leaves no test rows in session"):
        cross_val_score(OnlineClassifier(GaussianNB()), X, y, cv=cv)


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"batch_size": 0}, ValueError, "batch_size=0 must be at least 1"),
    ({"n_passes": -1}, ValueError, "n_passes=-1 must be at least 0"),
    ({"replay": 0.5}, TypeError, "replay=0.5 must be an integer"),
    ({"lr_factor": 0.0}, ValueError, "lr_factor=0.0 must be above 0"),
    ({"lr_factor": "small"}, TypeError, "lr_factor='small' must be a number"),
    ({"lr_factor": 0.5}, ValueError, "lr_factor=0.5 changes the learning rate"),
])
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        OnlineClassifier(GaussianNB(), **params).fit(*make())


def test_replay_and_cascades_do_not_go_together():
    cascade = CascadeClassifier(GaussianNB(), GaussianNB())
    for estimator in (cascade, make_pipeline(CausalCentering(), EvidenceAccumulator(cascade))):
        with pytest.raises(ValueError, match="replay=4 mixes rows of other times"):
            OnlineClassifier(estimator, replay=4).fit(*make())


def test_a_pipeline_needs_fit_first():
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        OnlineClassifier(make_pipeline(StandardScaler(), GaussianNB())).partial_fit(*make())


# -- how recordings began -------------------------------------------------------------------


def chunks(X, y, *, start=0, sizes=(1, 2, 7, 13)):
    """Rows in order, in chunks of odd sizes."""
    for size in itertools.cycle(sizes):
        if start >= len(y):
            return
        yield X[start : start + size], y[start : start + size]
        start += size


def in_runs(n_runs=3, n=40):
    """Two sessions of several runs, each counting its onsets from zero."""
    X, y = make(n=n_runs * n, sessions=(1, 2), shift=3.0)
    table = X.metadata.copy()
    table["run"] = np.tile(np.repeat(np.arange(n_runs), n), 2)
    table["onset"] = np.tile(np.arange(n) / RATE, 2 * n_runs)
    return EEGArray(np.asarray(X), table), y


def running_sum(rows):
    return np.cumsum(np.asarray(rows), axis=0)


def squared(rows):
    return np.asarray(rows) ** 2


LOOKING_BACK = {
    "centering": make_pipeline(CausalCentering(), GaussianNB()),
    "centering, all settings": make_pipeline(
        KeepRows(StandardScaler()),
        CausalCentering(scale=True, forgetting=0.9, prior_rows=5), GaussianNB()),
    "centering by subject": make_pipeline(CausalCentering(by="subject"), GaussianNB()),
    "evidence of rows": EvidenceAccumulator(GaussianNB(), 9),
    "evidence of seconds": EvidenceAccumulator(GaussianNB(), 2.6, unit="seconds"),
    "hidden Markov model": EvidenceAccumulator(GaussianNB(), 9, change_rate=0.1),
    "cascade": make_pipeline(CausalCentering(), CascadeClassifier(GaussianNB(), GaussianNB(), 5)),
    "evidence of a cascade": EvidenceAccumulator(
        CascadeClassifier(GaussianNB(), GaussianNB(), 5, stack="probabilities"), 4),
    "centering without a table": make_pipeline(StandardScaler(), CausalCentering(), GaussianNB()),
    "union of columns": make_pipeline(
        ColumnTransformer([("centred", CausalCentering(), [0, 1]), ("raw", StandardScaler(), [2]),
                           ("sums", FunctionTransformer(running_sum), [0])]), GaussianNB()),
    "union of functions": make_pipeline(
        FeatureUnion([("centred", CausalCentering()), ("sums", FunctionTransformer(running_sum)),
                      ("own", FunctionTransformer(squared)), ("no", "drop"),
                      ("same", "passthrough")]), GaussianNB()),
    "union": make_pipeline(
        FeatureUnion([("centred", CausalCentering()), ("raw", StandardScaler())]), GaussianNB()),
}


@pytest.mark.filterwarnings("ignore:.*goes by the rows.*table")
@pytest.mark.parametrize("name", LOOKING_BACK)
def test_a_session_in_chunks_is_what_it_is_as_a_whole(name):
    X, y = in_runs()
    if name.startswith("union"):  # forgets which run a row is of; its rows go on within runs only
        X, y = X[:160], y[:160]
    clf = OnlineClassifier(LOOKING_BACK[name], n_passes=0).fit(X[:120], y[:120])
    whole = clf.estimator_.predict_proba(X if name == "centering by subject" else X[120:])
    said = []
    for start in (0, 120) if name == "centering by subject" else (120,):
        stop = min(start + 120, len(y))
        for rows, labels in chunks(X[:stop], y[:stop], start=start):
            said.append(clf.predict_proba(rows))
            clf.partial_fit(rows, labels)
    np.testing.assert_allclose(np.concatenate(said), whole, rtol=1e-9, atol=1e-12)


def test_the_classifier_is_asked_again_about_rows_of_the_window_once_it_has_learned():
    X, y = make()
    clf = OnlineClassifier(EvidenceAccumulator(GaussianNB(), 12)).fit(X[:160], y[:160])
    for rows, labels in chunks(X[:200], y[:200], start=160):
        clf.partial_fit(rows, labels)
    np.testing.assert_allclose(clf.predict_proba(X[200:]),
                               clf.estimator_.predict_proba(X[160:])[40:])


def test_a_first_partial_fit_is_gone_on_with():
    X, y = make(sessions=(1,))
    clf = OnlineClassifier(EvidenceAccumulator(GaussianNB(), 12))
    clf.partial_fit(X[:20], y[:20])
    np.testing.assert_allclose(clf.predict_proba(X[20:40]),
                               clf.estimator_.predict_proba(X[:40])[20:])


@pytest.mark.parametrize(
    "step", [EuclideanAlignment, RiemannianRecentering, ChannelScaling, GroupScaler])
def test_alignment_goes_by_the_rows_of_a_call_and_those_before_them(step, monkeypatch):
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 60)
    X = EEGArray(rng.normal(size=(120, 3, 64)) * np.linspace(1, 3, 120)[:, None, None],
                 {"session": np.repeat([1, 2], 60), "onset": np.tile(np.arange(60.0), 2)},
                 sfreq=128)
    pipeline = make_pipeline(step("session"), BandEnergy(log=True), GaussianNB())
    clf = OnlineClassifier(pipeline, n_passes=0).fit(X[:90], y[:90])
    np.testing.assert_allclose(clf.predict_proba(X[90:95]),
                               clf.estimator_.predict_proba(X[60:95])[30:])
    monkeypatch.setattr(looking_back, "ALIGNED_ROWS", 12)
    clf.partial_fit(X[90:95], y[90:95])
    np.testing.assert_allclose(clf.predict_proba(X[95:97]),
                               clf.estimator_.predict_proba(X[83:97])[12:])


def test_rows_without_signal_do_not_move_the_running_mean():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 40)
    X = EEGArray(rng.normal(size=(80, 2, 64)) + 1.0,
                 {"session": np.repeat([1, 2], 40), "onset": np.tile(np.arange(40.0), 2)},
                 sfreq=128)
    X[50:53] = 0.0
    pipeline = DecoderPipeline([
        ("energies", BandEnergy(log=True)), ("centre", CausalCentering()), ("nb", GaussianNB())])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf = OnlineClassifier(pipeline, n_passes=0).fit(X[:60], y[:60])
        whole = clf.estimator_.predict_proba(X[40:])
    np.testing.assert_allclose(clf.predict_proba(X[60:]), whole[20:])


ROW_BY_ROW = {
    "a function of numpy": make_pipeline(FunctionTransformer(np.tanh), GaussianNB()),
    "a function": make_pipeline(FunctionTransformer(squared), GaussianNB()),
    "a union": make_pipeline(
        FeatureUnion([("centred", CausalCentering()), ("squared", FunctionTransformer(squared))]),
        GaussianNB()),
    "columns": make_pipeline(
        ColumnTransformer([("centred", CausalCentering(), [0]),
                           ("squared", FunctionTransformer(squared), [1, 2])]), GaussianNB()),
}


@pytest.mark.parametrize("name", ["centering, all settings", "evidence of seconds",
                                  "evidence of a cascade", *ROW_BY_ROW])
def test_what_is_kept_does_not_grow_with_the_calls(name):
    X, y = make(n=100, sessions=(1, 2), shift=3.0)
    model = (LOOKING_BACK | ROW_BY_ROW)[name]
    clf = OnlineClassifier(model).fit(X[:100], y[:100])
    sizes = []
    for row in range(100, 200):
        clf.partial_fit(X[row : row + 1], y[row : row + 1])
        sizes.append(len(pickle.dumps(clf)))
    # From the fortieth call to the last, 60 rows later: less than five rows.
    assert abs(sizes[-1] - sizes[39]) < 5 * X[0].nbytes


def test_all_rows_are_kept_for_a_step_of_which_nothing_is_known():
    X, y = make()
    steps = FunctionTransformer(lambda rows: np.cumsum(np.asarray(rows), axis=0)), GaussianNB()
    clf = OnlineClassifier(make_pipeline(*steps), n_passes=0).fit(X[:160], y[:160])
    clf.partial_fit(X[160:170], y[160:170]).partial_fit(X[170:175], y[170:175])
    np.testing.assert_allclose(clf.predict_proba(X[175:180]),
                               clf.estimator_.predict_proba(X[160:180])[15:])


@pytest.mark.parametrize("word", [True, False])
def test_a_function_is_taken_at_its_word(word):
    def function(rows):
        return np.asarray(rows) ** 2

    function.looks_back = word
    X, y = make()
    clf = OnlineClassifier(make_pipeline(FunctionTransformer(function), GaussianNB()))
    clf.fit(X[:160], y[:160]).partial_fit(X[160:200], y[160:200])
    kept = [end.state for past in clf._pasts_.values() for end in past._ends.values()]
    assert [len(rows) for rows in kept] == ([80, 40] if word else [])


@pytest.mark.parametrize("step", [CSP(2), Covariances("oas"), StandardScaler(), BandEnergy()])
def test_whoever_takes_rows_one_by_one_does_not_look_back(step):
    assert looks_back(make_pipeline(step, GaussianNB())) is False


@pytest.mark.parametrize("steps", [[], [StandardScaler()]], ids=["bare", "pipeline"])
def test_no_rows_are_kept_where_no_step_looks_back(steps):
    X, y = make()
    model = make_pipeline(*steps, GaussianNB()) if steps else GaussianNB()
    clf = OnlineClassifier(model).fit(X[:160], y[:160])
    sizes = []
    for start in range(160, 240, 20):
        clf.partial_fit(X[start : start + 20], y[start : start + 20])
        sizes.append(len(pickle.dumps(clf)))
    assert max(sizes) - min(sizes) < 20 * 8  # bytes: not one of a batch's columns
