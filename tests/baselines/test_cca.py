"""CCAClassifier and ssvep_cca: the correlations, and which label is which frequency."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA
from sklearn.model_selection import cross_val_score

from skbci import EEGArray
from skbci.baselines import CCAClassifier, ssvep_cca
from skbci.datasets import load_recording, make_ssvep

SFREQ = 128
HERTZ = np.tile([8.0, 10.0, 13.0], 8)


def flicker(seed=0, n_channels=4, n_times=256, strength=0.7, hertz=HERTZ):
    rng = np.random.default_rng(seed)
    time = np.arange(n_times) / SFREQ
    wave = np.sin(2 * np.pi * hertz[:, None] * time + rng.uniform(0, 6, (len(hertz), 1)))
    X = rng.standard_normal((len(hertz), n_channels, n_times))
    X[:, 1] += strength * wave
    return np.einsum("dc,nct->ndt", rng.standard_normal((n_channels, n_channels)), X) * 1e-5


def scores(X, **params):
    return CCAClassifier(sfreq=SFREQ, **params).fit(X, HERTZ).decision_function(X)


def references(f, n_harmonics, n_times):
    angles = 2 * np.pi * f * np.outer(np.arange(n_times) / SFREQ, np.arange(1, n_harmonics + 1))
    return np.hstack([np.sin(angles), np.cos(angles)])


@pytest.mark.parametrize("n_harmonics", [1, 3])
def test_equals_canonical_correlation_row_by_row(n_harmonics):
    X = flicker()
    ours = scores(X, n_harmonics=n_harmonics)
    for row in (0, 7):
        for column, f in enumerate((8, 10, 13)):
            reference = references(f, n_harmonics, X.shape[2])
            cca = CCA(1, max_iter=5000, tol=1e-12).fit(X[row].T * 1e5, reference)
            a, b = cca.transform(X[row].T * 1e5, reference)
            assert ours[row, column] == pytest.approx(np.corrcoef(a.T, b.T)[0, 1], abs=1e-5)


def test_scores_are_correlations_and_find_the_flicker():
    X = flicker()
    found = scores(X)
    assert ((found >= 0) & (found <= 1)).all()
    clf = CCAClassifier(sfreq=SFREQ).fit(X, HERTZ)
    assert clf.score(flicker(1), HERTZ) > 0.9
    pure = np.sin(2 * np.pi * 10 * np.arange(256) / SFREQ)[None, None] * np.ones((1, 1, 1))
    one = CCAClassifier((8, 10, 13), sfreq=SFREQ).fit(np.repeat(pure, 3, 0), [8, 10, 13])
    assert one.decision_function(pure)[0, 1] == pytest.approx(1)


def test_neither_unit_nor_mixture_nor_reference_nor_offset_matters():
    X = flicker()
    found = scores(X)
    rng = np.random.default_rng(1)
    mixed = np.einsum("dc,nct->ndt", rng.standard_normal((4, 4)) + 2 * np.eye(4), X)
    for other in (X * 1e6, mixed, X + 5e-3, np.concatenate([X, X[:, :2]], axis=1)):
        np.testing.assert_allclose(scores(other), found, atol=1e-5)
    average = X - X.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(scores(average), scores(average[:, :3]), atol=1e-5)
    np.testing.assert_allclose(
        scores(average.astype(np.float32)), scores(average), atol=1e-3
    )


def test_a_flat_row_or_channel_is_no_problem():
    X = flicker()
    X[0] = 0
    X[1, 2] = 1e-5
    assert np.isfinite(scores(X)).all()
    assert not scores(X)[0].any()


def test_nothing_is_learned_from_signals():
    test = flicker(3)
    one, other = (CCAClassifier(sfreq=SFREQ).fit(flicker(s), HERTZ) for s in (1, 2))
    np.testing.assert_array_equal(one.decision_function(test), other.decision_function(test))


def test_windows_may_be_shorter_than_in_fit_and_rows_are_independent():
    clf = CCAClassifier(sfreq=SFREQ).fit(flicker(), HERTZ)
    X = flicker(2)
    np.testing.assert_allclose(
        clf.decision_function(X[..., :200]), scores(X[..., :200]), atol=1e-12
    )
    np.testing.assert_allclose(
        clf.decision_function(X[5:6]), clf.decision_function(X)[5:6], atol=1e-9
    )


@pytest.mark.parametrize(("labels", "frequencies"), [
    ([8.0, 10.0, 13.0], None),
    ([8, 10, 13], None),
    (["8 Hz", "10Hz", "13.0 hz"], None),
    (["8", "10", "13"], (13, 10, 8)),
    (["down", "left", "right"], {"down": 8, "left": 10, "right": 13}),
    ([1, 2, 3], {1: 8.0, 2: 10.0, 3: 13.0}),
    (["down", "left", "right"], (13, 8, 10, 20)),
    ([0, 1, 2], [8, 10, 13]),
])
def test_labels_of_every_kind(labels, frequencies):
    y = np.array(labels)[np.tile([0, 1, 2], 8)]
    clf = CCAClassifier(frequencies, sfreq=SFREQ).fit(flicker(), y)
    found = dict(zip(clf.classes_.tolist(), clf.frequencies_))
    assert found == dict(zip(np.array(labels).tolist(), (8.0, 10.0, 13.0)))
    assert clf.score(flicker(1), y) > 0.9


def test_frequencies_with_fractions_may_be_labels():
    hertz = np.tile([7.5, 8.57, 10.0], 8)
    clf = CCAClassifier(sfreq=SFREQ).fit(flicker(hertz=hertz), hertz)
    assert (clf.predict(flicker(1, hertz=hertz)) == hertz).mean() > 0.9
    words = np.array([f"{f:g} Hz" for f in hertz])
    other = CCAClassifier(sfreq=SFREQ).fit(flicker(hertz=hertz), words)
    assert other.score(flicker(1, hertz=hertz), words) > 0.9


def test_a_dict_knows_classes_that_were_never_shown():
    y = np.where(HERTZ == 8, "a", "b")[HERTZ < 13]
    table = {"a": 8, "b": 10, "c": 13}
    clf = CCAClassifier(table, sfreq=SFREQ).fit(flicker()[HERTZ < 13], y)
    assert clf.classes_.tolist() == ["a", "b", "c"]
    assert (clf.predict(flicker(1)[HERTZ == 13]) == "c").mean() > 0.8


def test_two_classes_have_one_score_a_row():
    two = HERTZ < 13
    clf = CCAClassifier(sfreq=SFREQ).fit(flicker()[two], HERTZ[two])
    margin = clf.decision_function(flicker(1)[two])
    assert margin.shape == (two.sum(),)
    np.testing.assert_array_equal(clf.predict(flicker(1)[two]), np.where(margin > 0, 10.0, 8.0))


def test_filter_bank_adds_weighted_squares():
    X, other = flicker(), flicker(4)
    bands = np.stack([X, other], axis=1)
    wanted = 1.25 * scores(X) ** 2 + (2**-1.25 + 0.25) * scores(other) ** 2
    np.testing.assert_allclose(scores(bands), wanted)


def test_the_pipeline_on_simulated_flicker():
    data = make_ssvep(3, 1, 32, random_state=0)
    plain = cross_val_score(ssvep_cca(), data.X, data.y, cv=3)
    bank = ssvep_cca(data.frequencies, bands=((6, 60), (14, 60), (22, 60)), tmin=0.2)
    assert plain.mean() > 0.6
    assert cross_val_score(bank, data.X, data.y, cv=3).mean() > 0.6
    known = ssvep_cca(sfreq=250).fit(np.asarray(data.X), data.y).predict(np.asarray(data.X))
    np.testing.assert_array_equal(known, ssvep_cca().fit(data.X, data.y).predict(data.X))
    epochs = data.X.to_epochs()
    np.testing.assert_array_equal(ssvep_cca().fit(epochs, data.y).predict(epochs), known)


@pytest.mark.parametrize(("labels", "params", "error", "match"), [
    (["a", "b", "c"], {}, ValueError, r"labels \['a', 'b', 'c'\] are not frequencies"),
    ([0, 1, 2], {}, ValueError, "3 Hz or more. Give frequencies="),
    ([8, 10, 14], {"frequencies": (8, 10, 13)}, ValueError, r"labels \[14\] are not among"),
    (["a", "b", "c"], {"frequencies": (8, 10)}, ValueError, "3 classes, but .* 2 entries only"),
    (["a", "b", "c"], {"frequencies": {"a": 8}}, ValueError, r"no entry .* \['b', 'c'\]"),
    ([8, 10, 13], {"frequencies": (8, 10, 80)}, ValueError,
     r"frequencies=\[80.0\] Hz .* below half of the sampling rate"),
    ([8, 10, 13], {"frequencies": ()}, ValueError, "frequencies is empty; give at least one"),
    ([8, 10, 13], {"frequencies": (8, 8, 10)}, ValueError, "holds a frequency twice"),
    ([8, 10, 13], {"frequencies": "8 Hz"}, TypeError, "dict of label to Hz"),
    ([8, 10, 13], {"frequencies": ("x",)}, TypeError, "must hold numbers in Hz"),
    ([8, 10, 13], {"n_harmonics": 0}, ValueError, "n_harmonics=0 must be at least 1"),
    ([8, 10, 13], {"sfreq": None}, ValueError, "needs a sampling rate"),
])
def test_bad_input_is_named(labels, params, error, match):
    y = np.array(labels)[np.tile([0, 1, 2], 8)]
    with pytest.raises(error, match=match):
        CCAClassifier(**{"sfreq": SFREQ, **params}).fit(flicker(), y)


def test_another_rate_at_predict_is_named():
    clf = CCAClassifier().fit(EEGArray(flicker(), sfreq=SFREQ), HERTZ)
    with pytest.raises(ValueError, match="sampled at 250 Hz, but CCAClassifier was fitted at 128"):
        clf.predict(EEGArray(flicker(), sfreq=250))


@pytest.mark.real_data
def test_flicker_recordings(data_folder):
    """Whole trials and two-second windows of both recordings."""
    whole, short = [], []
    for session in (1, 2):
        file = data_folder / "ssvep_gtec_br41n" / f"subject1_session{session}.npz"
        data = load_recording(file, tmin=0.0, tmax=7.0)
        whole.append(ssvep_cca().fit(data.X, data.y).score(data.X, data.y))
        for start in (0.0, 2.0, 4.0):
            pipe = ssvep_cca(tmin=start, tmax=start + 2.0)
            short.append(pipe.fit(data.X, data.y).score(data.X, data.y))
    assert whole == [1.0, 1.0]
    assert np.mean(short[:3]) == pytest.approx(0.95, abs=0.04)
    assert np.mean(short[3:]) == pytest.approx(0.93, abs=0.04)
