"""DecoderPipeline: rows without usable signal spoil nothing, and of them the prior is said."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skbci import EEGArray
from skbci.baselines import (
    csp_lda,
    erp_lda,
    erp_xdawn_riemann,
    fbcsp,
    riemann_fgmdm,
    riemann_mdm,
    ssvep_cca,
    tangent_space_lr,
)
from skbci.datasets import make_motor_imagery
from skbci.estimators import DecoderPipeline, EvidenceAccumulator
from skbci.features import SlidingWindows
from skbci.stream import OnlineDecoder

SFREQ, N, C, T = 100, 40, 4, 200
NAMES = ["C3", "Cz", "C4", "Pz"]
PIPELINES = {
    "csp_lda": lambda **k: csp_lda(2, **k),
    "csp_lda, aligned": lambda **k: csp_lda(2, alignment="euclidean", **k),
    "fbcsp": lambda **k: fbcsp(2, bands=((8, 12), (12, 30)), n_features=4, **k),
    "riemann_fgmdm": riemann_fgmdm,
    "riemann_mdm": riemann_mdm,
    "riemann_mdm, aligned": lambda **k: riemann_mdm(alignment="riemannian", **k),
    "tangent_space_lr": tangent_space_lr,
    "erp_lda": erp_lda,
    "erp_xdawn_riemann": lambda **k: erp_xdawn_riemann(2, **k),
    "ssvep_cca": lambda **k: ssvep_cca({"left": 10.0, "right": 13.0}, **k),
}


def make(seed=0, n=N):
    """Epochs of two classes; 3 of 4 are "left"."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 3, "right", "left")
    X = rng.standard_normal((n, C, T)) * 1e-5
    X[y == "left", 0] *= 2
    return EEGArray(X, {"subject": [1] * n}, sfreq=SFREQ, ch_names=NAMES), y


def with_faults(X, rows=(2, 7, 11)):
    """Zeros, one flat channel, and one far too large."""
    X = X.copy()
    X[rows[0]], X[rows[1], 2], X[rows[2], 1] = 0.0, 3e-4, 1e3 * X[rows[2], 1] * 1e3
    return X


@pytest.fixture(params=list(PIPELINES))
def baseline(request):
    return PIPELINES[request.param]()


def ask(pipe, X):
    method = "predict_proba" if hasattr(pipe, "predict_proba") else "decision_function"
    return getattr(pipe, method)(X)


# -- fit and predict -------------------------------------------------------------------------


def test_fit_is_the_fit_without_them(baseline):
    X, y = make()
    new, _ = make(1)
    rest = np.delete(np.arange(N), [2, 7, 11])
    wanted = clone(baseline).fit(X[rest], y[rest])
    with pytest.warns(UserWarning, match=(
        r"3 of 40 rows have no usable signal: row 2 \(flat in all channels\), row 7 \(flat in "
        r"channel 'C4'\), row 11 \(too large in channel 'Cz'\). Such rows are set aside."
    )):
        found = baseline.fit(with_faults(X), y)
    np.testing.assert_array_equal(ask(found, new), ask(wanted, new))
    left = np.mean(y[rest] == "left")
    np.testing.assert_allclose(found.prior_, [left, 1 - left], rtol=1e-15)


def test_a_row_that_says_nothing_gets_the_prior_and_changes_no_other(baseline):
    X, y = make()
    new, _ = make(1)
    rest = np.delete(np.arange(N), [2, 7, 11])
    baseline.fit(X, y)
    wanted = ask(baseline, new[rest])
    with pytest.warns(UserWarning, match="row 7 .*'C4'.*The prior is predicted there."):
        found = ask(baseline, with_faults(new))
    np.testing.assert_array_equal(found[rest], wanted)
    silent = [0.75, 0.25] if found.ndim == 2 else np.log(0.25 / 0.75)
    np.testing.assert_allclose(found[[2, 7, 11]], np.broadcast_to(silent, (3, *found.shape[1:])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = baseline.predict(with_faults(new))
        assert (labels[[2, 7, 11]] == "left").all()
        np.testing.assert_array_equal(labels[rest], baseline.predict(new[rest]))
        score = baseline.score(with_faults(new), y)
        assert score == accuracy_score(y, labels)
        if hasattr(baseline, "predict_log_proba"):
            logs = baseline.predict_log_proba(with_faults(new))
            np.testing.assert_allclose(np.exp(logs), found, rtol=1e-9, atol=1e-300)
        nothing = np.zeros_like(new[:3])
        assert (baseline.predict(nothing) == "left").all()


def test_sound_rows_are_predicted_as_by_an_ordinary_pipeline(baseline):
    X, y = make()
    new, _ = make(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ordinary = clone(Pipeline(baseline.steps)).fit(X, y)
        found = ask(baseline.fit(X, y), new)
    np.testing.assert_array_equal(found, ask(ordinary, new))


def test_an_error_where_one_is_wanted():
    X, y = make()
    strict = csp_lda(2, on_bad_rows="raise")
    with pytest.raises(ValueError, match=r"row 7 \(flat in channel 'C4'\).*on_bad_rows='prior'"):
        strict.fit(with_faults(X), y)
    strict.fit(X, y)
    with pytest.raises(ValueError, match=r"row 7 \(flat in channel 'C4'\)"):
        strict.predict(with_faults(X))
    with pytest.raises(ValueError, match="on_bad_rows='skip'"):
        csp_lda(2, on_bad_rows="skip").fit(X, y)


def test_ignoring_them_is_the_ordinary_pipeline():
    X, y = make()
    pipe = erp_lda(on_bad_rows="ignore").fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pipe.predict_proba(with_faults(X))
    ordinary = clone(Pipeline(pipe.steps)).fit(X, y)
    np.testing.assert_array_equal(found, ordinary.predict_proba(with_faults(X)))


@pytest.mark.parametrize("faulty", [False, True], ids=["sound", "faulty"])
@pytest.mark.filterwarnings("ignore:A column-vector", "ignore:DecoderPipeline")
def test_a_column_of_labels_is_labels(faulty):
    X, y = make()
    X = with_faults(X) if faulty else X
    column, row = (csp_lda(2).fit(X, labels) for labels in (y[:, np.newaxis], y))
    np.testing.assert_array_equal(column.prior_, row.prior_)
    np.testing.assert_array_equal(column.predict_proba(X), row.predict_proba(X))


def test_classes_without_a_row_left_are_an_error():
    X, y = make()
    X[y == "right"] = 0.0
    with pytest.raises(ValueError, match="30 of 40 rows have .* none of class 'right'"):
        csp_lda(2).fit(X, y)


def test_microvolts_after_volts_are_noticed():
    X, y = make()
    with pytest.warns(UserWarning, match="40 of 40 rows .*too large.*Is the unit that of fit?"):
        proba = csp_lda(2).fit(X, y).predict_proba(X * 1e6)
    np.testing.assert_array_equal(proba, np.tile([0.75, 0.25], (N, 1)))


def test_plain_arrays_and_weights_of_rows():
    X, y = make()
    weight = np.arange(1.0, N + 1)
    rest = np.delete(np.arange(N), [2, 7, 11])
    wanted = tangent_space_lr(sfreq=SFREQ).fit(
        np.asarray(X)[rest], y[rest], lr__sample_weight=weight[rest]
    )
    with pytest.warns(UserWarning, match="row 7 .flat in channel 2"):
        found = tangent_space_lr(sfreq=SFREQ).fit(
            np.asarray(with_faults(X)), y.tolist(), lr__sample_weight=weight
        )
    np.testing.assert_array_equal(found["lr"].coef_, wanted["lr"].coef_)


def test_it_is_an_ordinary_pipeline_otherwise():
    X, y = make()
    pipe = csp_lda(2)
    assert clone(pipe).get_params()["on_bad_rows"] == "prior"
    assert not isinstance(pipe[:-1], DecoderPipeline)
    assert list(pipe.named_steps) == ["filter", "crop", "align", "csp", "lda"]
    search = GridSearchCV(pipe, {"csp__n_components": [1, 2]}, cv=3).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_imagery_with_one_epoch_of_zeros_in_training():
    eeg = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=120, random_state=0, sfreq=100)
    X, y = eeg.X[:60].copy(), eeg.y[:60]
    without = csp_lda(4, tmin=0.5).fit(X[1:], y[1:])
    X[0] = 0.0
    with pytest.warns(UserWarning, match="row 0"):
        clf = csp_lda(4, tmin=0.5).fit(X, y)
    new = eeg.X[60:]
    np.testing.assert_array_equal(clf.predict_proba(new), without.predict_proba(new))


# -- evidence --------------------------------------------------------------------------------


class Says(ClassifierMixin, BaseEstimator):
    """A classifier that gives its input back, and has a prior."""

    prior_ = np.array([0.6, 0.4])
    classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.asarray(X)


def test_a_row_that_says_nothing_is_no_evidence():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([2, 2], 30)
    y = np.arange(30) % 2
    silent = [0, 1, 8, 9, 10, 11, 12, 13, 20]
    proba[silent] = Says.prior_
    out = EvidenceAccumulator(Says(), 4).fit(proba, y).predict_proba(proba)
    for t in range(30):
        heard = [s for s in range(max(0, t - 3), t + 1) if s not in silent]
        wanted = softmax(np.log(proba[heard]).mean(axis=0)) if heard else Says.prior_
        np.testing.assert_allclose(out[t], wanted, rtol=1e-9)


def test_in_a_hidden_markov_model_its_likelihoods_are_one():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([2, 2], 30)
    y = np.arange(30) // 10 % 2
    proba[[4, 5, 17]] = Says.prior_
    acc = EvidenceAccumulator(Says(), 30, change_rate=0.1).fit(proba, y)
    prior, belief = acc.class_prior_, None
    moves = np.array([[0.9, 0.1], [0.1, 0.9]])
    out = acc.predict_proba(proba)
    for t in range(30):
        belief = prior if belief is None else belief @ moves
        if t not in (4, 5, 17):
            belief = belief * proba[t] / prior
        belief = belief / belief.sum()
        np.testing.assert_allclose(out[t], belief, rtol=1e-9)


# -- streams ---------------------------------------------------------------------------------


def recording(seconds=30, seed=0):
    rng = np.random.default_rng(seed)
    n = seconds * SFREQ
    truth = np.where(np.arange(n) // (3 * SFREQ) % 2, "right", "left")
    signal = rng.standard_normal((C, n)) * 1e-5
    signal[0, truth == "left"] *= 2
    return signal, truth


@pytest.mark.parametrize("around", [
    lambda pipe: pipe,
    lambda pipe: EvidenceAccumulator(pipe, 4),
    lambda pipe: EvidenceAccumulator(pipe, 1.0, unit="seconds"),
    lambda pipe: EvidenceAccumulator(pipe, 6, change_rate=0.1),
    lambda pipe: VotingClassifier([("a", pipe), ("b", tangent_space_lr())], voting="soft"),
], ids=["alone", "evidence", "evidence in seconds", "hidden markov", "vote"])
@pytest.mark.parametrize("make_pipe", [lambda: csp_lda(2), riemann_mdm], ids=["csp", "mdm"])
def test_a_stream_equals_its_windows(around, make_pipe):
    signal, truth = recording()
    cut = SlidingWindows(1.0, 0.25, sfreq=SFREQ)
    windows, y = cut.explode(EEGArray(signal[None], sfreq=SFREQ, ch_names=NAMES), truth[None])
    pipeline = around(make_pipe()).fit(windows, y)
    decoder = OnlineDecoder(pipeline, 1.0, 0.25, sfreq=SFREQ, ch_names=NAMES)
    broken = signal.copy()
    broken[:, 800:1000] = 0.0
    broken[2, 1400:1500] = 0.1
    broken[1, 2200] = 10.0
    rows = cut.explode(EEGArray(broken[None], sfreq=SFREQ, ch_names=NAMES), truth[None])[0]
    with pytest.warns(UserWarning, match=r"window that begins at 8 s .* \(flat in all"):
        _, online = decoder.update(broken)
    with pytest.warns(UserWarning, match="no usable signal"):
        offline = decoder.pipeline.predict_proba(rows)
    assert np.isfinite(offline).all()
    np.testing.assert_allclose(online, offline, rtol=1e-5, atol=1e-7)


def test_a_missing_value_is_named_by_the_epoch_that_was_given():
    X, y = make()
    clf = csp_lda(2).fit(X, y)
    new = X.copy()
    new[[3, 5]] = 0.0
    new[7, 2, 10] = np.nan
    for call in (lambda: clf.predict_proba(new), lambda: csp_lda(2).fit(new, y)):
        with pytest.warns(UserWarning, match="2 of 40 rows"), pytest.raises(
                ValueError, match=r"DecoderPipeline: X has NaN in epoch 7, .*time sample 10\."):
            call()
