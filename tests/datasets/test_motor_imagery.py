"""The motor imagery simulator: what it promises about class information and about EEG."""

from __future__ import annotations

import numpy as np
import pytest
from pyriemann.estimation import Covariances
from pyriemann.spatialfilters import CSP
from scipy.signal import butter, sosfiltfilt, welch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.datasets import make_motor_imagery

QUIET = {"line_freq": None, "blinks": False, "reference": None}


def band_pass(X, low, high, sfreq):
    return sosfiltfilt(butter(4, (low, high), "bandpass", fs=sfreq, output="sos"), np.asarray(X))


def csp_lda_accuracy(data, y=None):
    """Within-subject accuracy, mean over subjects and folds."""
    X = band_pass(data.X, 8, 30, data.sfreq)[..., 80:560] * 1e6
    y = data.y if y is None else y
    pipe = make_pipeline(Covariances("oas"), CSP(4), LinearDiscriminantAnalysis())
    subjects = data.metadata["subject"].to_numpy()
    return np.mean([
        cross_val_score(pipe, X[subjects == s], y[subjects == s], cv=4).mean()
        for s in np.unique(subjects)
    ])


def mu_power(data, channel):
    f, power = welch(np.asarray(data.X)[:, data.ch_names.index(channel)], data.sfreq, nperseg=320)
    return power[:, (f >= 8) & (f <= 13)].mean(axis=1)


@pytest.fixture(scope="module")
def data():
    return make_motor_imagery(random_state=0)


@pytest.fixture(scope="module")
def accuracies():
    return {
        snr: csp_lda_accuracy(make_motor_imagery(4, 1, 60, snr=snr, random_state=1))
        for snr in (0.0, 0.3, 3.0)
    }


def test_bunch_has_the_documented_form(data):
    assert isinstance(data.X, EEGArray)
    assert data.X.shape == (160, 22, 640)
    assert data.X.dtype == np.float64
    assert data.sfreq == data.X.sfreq == 160
    assert data.ch_names == data.X.ch_names
    assert len(data.ch_names) == 22
    assert list(data.metadata) == ["subject", "session", "run", "onset", "task"]
    assert data.metadata is data.X.metadata
    assert data.metadata.groupby(["subject", "session"]).size().tolist() == [40] * 4
    assert "volt" in data.DESCR


def test_accuracy_grows_with_snr(accuracies):
    assert accuracies[0.3] > accuracies[0.0] + 0.1
    assert accuracies[3.0] > accuracies[0.3] + 0.05
    assert accuracies[3.0] > 0.9


def test_no_information_without_rhythm(accuracies):
    # 240 decisions: the standard deviation of chance is 3.2 %.
    assert abs(accuracies[0.0] - 0.5) < 0.11


def test_no_information_before_the_cue():
    before = make_motor_imagery(4, 1, 60, snr=3, tmin=-4, random_state=1)
    assert abs(csp_lda_accuracy(before) - 0.5) < 0.11


def test_shuffled_labels_give_chance():
    data = make_motor_imagery(4, 1, 60, snr=3, random_state=2)
    shuffled = np.random.default_rng(0).permutation(data.y)
    assert abs(csp_lda_accuracy(data, shuffled) - 0.5) < 0.11


@pytest.mark.parametrize("reference", ["average", None])
def test_desynchronization_is_contralateral(reference):
    data = make_motor_imagery(4, 1, 60, reference=reference, random_state=3)
    right = data.y == "right_hand"
    c3, c4 = mu_power(data, "C3"), mu_power(data, "C4")
    assert c3[right].mean() < 0.9 * c3[~right].mean()
    assert c4[~right].mean() < 0.9 * c4[right].mean()


def test_desynchronization_follows_the_cue():
    data = make_motor_imagery(4, 1, 40, snr=5, tmin=-2, duration=8, random_state=3,
                              classes=("right_hand", "rest"))
    power = band_pass(data.X[:, data.ch_names.index("C3")], 8, 13, 160) ** 2
    time = data.X.tmin + np.arange(power.shape[1]) / 160
    before = (time > -1.5) & (time < -0.2)
    during = (time > 1) & (time < 3.5)
    right = data.y == "right_hand"
    drop = power[right][:, during].mean() / power[right][:, before].mean()
    still = power[~right][:, during].mean() / power[~right][:, before].mean()
    assert drop < 0.6
    assert 0.75 < still < 1.33


def test_feet_desynchronize_the_vertex():
    data = make_motor_imagery(6, 1, 40, classes=("feet", "rest"), snr=20, random_state=0, **QUIET)
    feet = data.y == "feet"
    cz, c3 = mu_power(data, "Cz"), mu_power(data, "C3")
    change_at_cz = cz[feet].mean() / cz[~feet].mean()
    assert change_at_cz < 0.9
    assert c3[feet].mean() / c3[~feet].mean() > change_at_cz + 0.1


def test_snr_is_what_it_says():
    options = {"tmin": -2, "duration": 1.9, "random_state": 5, **QUIET}
    options["ch_names"] = ["C3", "C4"]
    with_rhythm = make_motor_imagery(3, 2, 60, snr=2.0, **options)
    without = make_motor_imagery(3, 2, 60, snr=0.0, **options)
    channels = [with_rhythm.ch_names.index(name) for name in ("C3", "C4")]
    rhythm = np.asarray(with_rhythm.X - without.X)[:, channels]
    # What is left without rhythm is the 1/f background and occipital alpha, which is weak here.
    background = np.asarray(without.X)[:, channels]
    f, p_background = welch(background, 160, nperseg=304)
    _, p_rhythm = welch(rhythm, 160, nperseg=304)
    inside, mu = (f >= 8) & (f <= 13), (f >= 6) & (f <= 15)
    for subject, expected in with_rhythm.subjects[["subject", "snr"]].to_numpy():
        rows = (with_rhythm.metadata["subject"] == subject).to_numpy()
        ratio = p_rhythm[rows][..., mu].mean((0, 1)).sum()
        ratio /= p_background[rows][..., inside].mean((0, 1)).sum()
        assert ratio == pytest.approx(expected, rel=0.25)


def test_a_channel_is_the_same_whichever_others_are_recorded():
    options = {"n_subjects": 2, "n_sessions": 1, "n_trials": 10, "random_state": 0, **QUIET}
    many = make_motor_imagery(**options)
    few = make_motor_imagery(ch_names=["C4", "Oz", "C3"], **options)
    for name in ("C3", "C4"):
        a = band_pass(many.X[:, many.ch_names.index(name)], 4, 30, 160)
        b = band_pass(few.X[:, few.ch_names.index(name)], 4, 30, 160)
        # Sensor noise and the electrodes' own gains differ.
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.97
        assert a.std() == pytest.approx(b.std(), rel=0.15)


def test_snr_changes_nothing_but_the_rhythm():
    one = make_motor_imagery(1, 1, 4, snr=1.0, random_state=5, **QUIET)
    four = make_motor_imagery(1, 1, 4, snr=4.0, random_state=5, **QUIET)
    zero = make_motor_imagery(1, 1, 4, snr=0.0, random_state=5, **QUIET)
    np.testing.assert_allclose(four.X - zero.X, 2 * (one.X - zero.X), rtol=1e-6, atol=1e-12)


def test_background_falls_as_one_over_f():
    data = make_motor_imagery(4, 1, 40, snr=0, random_state=0, **QUIET)
    f, power = welch(np.asarray(data.X), 160, nperseg=640)
    fit = ((f >= 2) & (f <= 7)) | ((f >= 14) & (f <= 40))
    for subject, exponent in data.subjects[["subject", "exponent"]].to_numpy():
        rows = (data.metadata["subject"] == subject).to_numpy()
        slope = np.polyfit(np.log(f[fit]), np.log(power[rows].mean((0, 1))[fit]), 1)[0]
        assert -slope == pytest.approx(exponent, abs=0.15)


@pytest.mark.parametrize("line_freq", [50.0, 60.0])
def test_mains_hum_stands_out(line_freq):
    options = {"n_subjects": 1, "n_sessions": 1, "n_trials": 10, "random_state": 0}
    f, power = welch(np.asarray(make_motor_imagery(line_freq=line_freq, **options).X), 160,
                     nperseg=320)
    spectrum = power.mean((0, 1))
    at = np.argmin(np.abs(f - line_freq))
    assert spectrum[at] > 20 * np.median(spectrum[(f > 40) & (f < 70)])
    _, clean = welch(np.asarray(make_motor_imagery(line_freq=None, **options).X), 160, nperseg=320)
    assert clean.mean((0, 1))[at] < spectrum[at] / 20


def test_mains_above_nyquist_is_left_out():
    low = make_motor_imagery(1, 1, 4, sfreq=100, line_freq=50, random_state=0)
    none = make_motor_imagery(1, 1, 4, sfreq=100, line_freq=None, random_state=0)
    np.testing.assert_array_equal(low.X, none.X)


def test_amplitudes_are_those_of_eeg(data):
    rms = np.asarray(data.X).std(axis=(0, 2))
    assert (rms > 5e-6).all()
    assert (rms < 60e-6).all()
    assert 10e-6 < np.median(rms) < 30e-6


def test_blinks_are_frontal_and_large():
    options = {"n_subjects": 2, "n_sessions": 1, "n_trials": 20, "random_state": 0,
               "ch_names": ["Fp1", "Fp2", "Fz", "Cz", "O1"], "reference": None}
    blinks = make_motor_imagery(**options).X - make_motor_imagery(blinks=False, **options).X
    height = np.abs(np.asarray(blinks)).max(axis=(0, 2))
    assert 100e-6 < height[0] < 400e-6
    assert height[0] > height[2] > height[3] > height[4]


def test_average_reference_sums_to_zero(data):
    assert np.abs(np.asarray(data.X).sum(axis=1)).max() < 1e-15
    assert np.linalg.matrix_rank(np.asarray(data.X)[0], tol=1e-12) == 21


def test_average_reference_is_taken_from_the_free_potential():
    free = np.asarray(make_motor_imagery(1, 1, 4, reference=None, random_state=0).X)
    average = np.asarray(make_motor_imagery(1, 1, 4, random_state=0).X)
    np.testing.assert_allclose(average, free - free.mean(axis=1, keepdims=True), atol=1e-18)


def test_same_seed_same_data_other_seed_other_data():
    one, again, other = (make_motor_imagery(1, 1, 4, random_state=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(one.X, again.X)
    assert (one.y == again.y).all()
    assert not np.allclose(one.X, other.X)


def test_random_states_of_every_kind():
    for make in (np.random.RandomState, np.random.default_rng):
        one, again = (make_motor_imagery(1, 1, 2, random_state=make(3)) for _ in range(2))
        np.testing.assert_array_equal(one.X, again.X)
    # Fresh entropy each time; the autouse fixture checks that no global seed was used for it.
    fresh = [make_motor_imagery(1, 1, 2).X for _ in range(2)]
    assert not np.allclose(*fresh)


def test_more_subjects_and_sessions_leave_the_first_as_they_were():
    small = make_motor_imagery(1, 1, 4, random_state=0)
    large = make_motor_imagery(2, 2, 4, random_state=0)
    np.testing.assert_array_equal(small.X, large.X[:4])


def test_subjects_and_sessions_differ(data):
    assert data.subjects["mu_peak"].nunique() == 2
    assert data.subjects["erd"].between(0.6, 0.9).all()
    X = np.asarray(data.X)
    sessions = [X[k : k + 40].transpose(1, 0, 2).reshape(22, -1) for k in range(0, 160, 40)]
    covariances = [s @ s.T / np.trace(s @ s.T) for s in sessions]
    between_sessions = np.linalg.norm(covariances[0] - covariances[1])
    between_subjects = np.linalg.norm(covariances[0] - covariances[2])
    assert 0 < between_sessions < between_subjects


def test_trials_are_balanced_and_in_random_order():
    classes = ("left_hand", "right_hand", "feet")
    data = make_motor_imagery(1, 1, 31, classes=classes, random_state=0)
    counts = np.unique(data.y, return_counts=True)[1]
    assert counts.tolist() in ([11, 10, 10], [10, 11, 10], [10, 10, 11])
    assert len(set(map(tuple, np.array_split(data.y[:30], 10)))) > 3


def test_runs_share_the_trials_and_onsets_grow():
    data = make_motor_imagery(1, 2, 11, n_runs=3, random_state=0)
    sizes = data.metadata.groupby(["session", "run"]).size().tolist()
    assert sizes == [4, 4, 3, 4, 4, 3]
    steps = data.metadata.groupby(["session", "run"])["onset"].diff().dropna()
    assert (steps >= 8.0).all()
    samples = data.metadata["onset"] * data.sfreq
    np.testing.assert_allclose(samples, samples.round(), atol=1e-6)


def test_epochs_are_cut_from_one_recording():
    short = make_motor_imagery(1, 1, 4, tmin=1, duration=2, random_state=0)
    full = make_motor_imagery(1, 1, 4, tmin=0, duration=4, random_state=0)
    assert short.X.tmin == 1
    np.testing.assert_array_equal(short.X, np.asarray(full.X)[..., 160:480])


def test_channels_of_any_spelling_and_order():
    data = make_motor_imagery(1, 1, 2, ch_names=["fp1", "CZ", "poz"], random_state=0)
    assert data.ch_names == ["Fp1", "Cz", "POz"]
    assert data.X.shape[1] == 3


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"n_subjects": 0}, ValueError, "n_subjects=0 must be at least 1"),
    ({"n_trials": 2.5}, TypeError, "n_trials=2.5 must be an integer"),
    ({"n_trials": 2, "n_runs": 3}, ValueError, "n_trials=2 must be at least 3"),
    ({"classes": ("left_hand", "third_hand")}, ValueError, "unknown names .*third_hand"),
    ({"classes": ("feet",)}, ValueError, "at least two different"),
    ({"classes": "feet"}, TypeError, "list of names"),
    ({"sfreq": 40}, ValueError, "sfreq=40 Hz is too low"),
    ({"sfreq": -1}, ValueError, "sfreq=-1"),
    ({"duration": 0}, ValueError, "duration=0 must be above 0"),
    ({"snr": -0.1}, ValueError, "snr=-0.1"),
    ({"snr": np.nan}, ValueError, "snr=nan"),
    ({"snr": "high"}, TypeError, "snr='high' must be a number"),
    ({"line_freq": 0}, ValueError, "line_freq=0"),
    ({"ch_names": ["C3", "X9"]}, ValueError, r"\['X9'\]"),
    ({"ch_names": ["C3", "c3"]}, ValueError, "twice"),
    ({"ch_names": "C3"}, TypeError, "must be a list of names"),
    ({"ch_names": ["C3"]}, ValueError, "at least two channels"),
    ({"reference": "mastoids"}, ValueError, "reference='mastoids'"),
    ({"random_state": "seed"}, ValueError, "random_state='seed'"),
])
def test_bad_input_is_named(options, error, match):
    with pytest.raises(error, match=match):
        make_motor_imagery(**{"n_subjects": 1, "n_sessions": 1, "n_trials": 2, **options})
