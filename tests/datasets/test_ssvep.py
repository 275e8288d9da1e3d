"""The SSVEP simulator: what it promises about flicker and about EEG."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from skbci import EEGArray
from skbci.baselines import ssvep_cca
from skbci.datasets import make_ssvep

QUIET = {"line_freq": None, "blinks": False, "reference": None}


def accuracy(data, y=None):
    y = data.y if y is None else y
    return ssvep_cca(data.frequencies).fit(data.X, y).score(data.X, y)


@pytest.fixture(scope="module")
def data():
    return make_ssvep(random_state=0)


def test_bunch_has_the_documented_form(data):
    assert isinstance(data.X, EEGArray)
    assert data.X.shape == (160, 8, 1000)
    assert data.sfreq == data.X.sfreq == 250
    assert data.ch_names == data.X.ch_names
    assert list(data.metadata) == ["subject", "session", "run", "onset", "task"]
    assert data.metadata is data.X.metadata
    assert set(data.metadata["task"]) == {"ssvep"}
    assert data.frequencies == {"9 Hz": 9.0, "10 Hz": 10.0, "12 Hz": 12.0, "15 Hz": 15.0}
    assert np.unique(data.y, return_counts=True)[1].tolist() == [40] * 4
    assert "volt" in data.DESCR
    assert data.subjects["latency"].between(0.10, 0.16).all()


def test_accuracy_grows_with_snr():
    scores = [accuracy(make_ssvep(4, 1, 40, snr=snr, random_state=1)) for snr in (0, 0.3, 3)]
    # 160 decisions among four: the standard deviation of chance is 3.4 %.
    assert abs(scores[0] - 0.25) < 0.11
    assert scores[1] > scores[0] + 0.15
    assert scores[2] > scores[1] + 0.1
    assert scores[2] > 0.9


def test_shuffled_labels_give_chance(data):
    shuffled = np.random.default_rng(0).permutation(data.y)
    assert abs(accuracy(data, shuffled) - 0.25) < 0.11


def test_no_information_before_the_onset():
    before = make_ssvep(4, 1, 40, snr=3, tmin=-2, duration=2, random_state=1)
    assert abs(accuracy(before) - 0.25) < 0.11


def test_longer_windows_tell_more():
    whole = make_ssvep(4, 1, 40, random_state=2)
    short = make_ssvep(4, 1, 40, duration=1, random_state=2)
    assert accuracy(whole) > accuracy(short) + 0.1


def test_the_response_has_the_stimulus_frequency_and_its_harmonics():
    options = {"n_subjects": 3, "n_sessions": 1, "random_state": 0, "n_harmonics": 2, **QUIET}
    with_, without = (np.asarray(make_ssvep(snr=snr, **options).X) for snr in (1, 0))
    y = make_ssvep(snr=1, **options).y
    f, power = welch(with_ - without, 250, nperseg=1000)
    power = power.mean(axis=1)
    for label, hertz in (("9 Hz", 9), ("15 Hz", 15)):
        spectrum = power[y == label].mean(axis=0)
        near = (np.abs(f - hertz) <= 1) | (np.abs(f - 2 * hertz) <= 1)
        assert spectrum[near].sum() > 0.97 * spectrum.sum()
        assert f[spectrum.argmax()] == hertz
        # The third harmonic was not asked for.
        assert spectrum[f == 3 * hertz] < 1e-3 * spectrum[f == 2 * hertz]


def test_snr_is_what_it_says():
    options = {"n_subjects": 3, "n_sessions": 2, "tmin": 0.6, "duration": 3, "random_state": 5,
               "ch_names": ["O1", "O2", "Cz"], **QUIET}
    full, none = (make_ssvep(snr=snr, **options) for snr in (2.0, 0.0))
    flicker = np.asarray(full.X - none.X)[:, :2]
    background = make_ssvep(snr=0, **{**options, "ch_names": ["O1", "O2", "Cz"]}).X
    f, power = welch(np.asarray(background)[:, :2], 250, nperseg=750)
    # Alpha lies in the same band: its neighbours on both sides tell the background's level.
    outside = ((f >= 5) & (f <= 7)) | ((f >= 14) & (f <= 18))
    inside = (f >= 8) & (f <= 13)
    for row in full.subjects.itertuples():
        rows = (full.metadata["subject"] == row.subject).to_numpy()
        mean = power[rows].mean(axis=(0, 1))
        level = (mean * f**row.exponent)[outside].mean()
        wanted = (level * f[inside] ** -row.exponent).sum() * f[1]
        ratio = (flicker[rows] ** 2).mean() / wanted
        assert ratio == pytest.approx(row.snr, rel=0.3)


def test_snr_changes_nothing_but_the_response():
    one, four, zero = (make_ssvep(1, 1, 4, snr=s, random_state=5, **QUIET) for s in (1, 4, 0))
    np.testing.assert_allclose(four.X - zero.X, 2 * (one.X - zero.X), rtol=1e-6, atol=1e-12)


def test_flicker_is_occipital_and_locked_to_its_onset():
    options = {"n_subjects": 2, "n_sessions": 1, "n_trials": 20, "random_state": 0, **QUIET}
    names = ["Fz", "Cz", "Oz"]
    response = np.asarray(make_ssvep(ch_names=names, **options).X) - np.asarray(
        make_ssvep(ch_names=names, snr=0, **options).X)
    rms = response.std(axis=(0, 2))
    assert rms[2] > 3 * rms[1] > 0
    y = make_ssvep(ch_names=names, **options).y
    for subject in (slice(0, 20), slice(20, 40)):
        twelve = response[subject][y[subject] == "12 Hz"][:, 2, 125:]
        assert twelve.mean(axis=0).std() > 0.8 * twelve.std()  # alike in every trial


def test_phases_shift_the_response():
    options = {"n_subjects": 1, "n_sessions": 1, "n_trials": 6, "frequencies": (10, 12),
               "n_harmonics": 1, "random_state": 0, **QUIET}
    none = make_ssvep(snr=0, **options).X
    zero = np.asarray(make_ssvep(**options).X - none)
    half = np.asarray(make_ssvep(phases=(np.pi, np.pi), **options).X - none)
    np.testing.assert_allclose(half, -zero, atol=1e-12)


def test_same_seed_same_data_and_more_leave_the_first_as_they_were():
    one, again, other = (make_ssvep(1, 1, 4, random_state=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(one.X, again.X)
    assert not np.allclose(one.X, other.X)
    np.testing.assert_array_equal(make_ssvep(2, 2, 4, random_state=7).X[:4], one.X)


def test_runs_frequencies_and_rates():
    data = make_ssvep(1, 2, 7, frequencies=(7.5, 20), n_runs=2, sfreq=128, duration=6,
                      random_state=0)
    assert data.X.shape == (14, 8, 768)
    assert data.metadata.groupby(["session", "run"]).size().tolist() == [4, 3, 4, 3]
    assert set(data.y) == {"7.5 Hz", "20 Hz"}
    assert (data.metadata.groupby(["session", "run"])["onset"].diff().dropna() >= 8).all()
    assert np.abs(np.asarray(data.X).sum(axis=1)).max() < 1e-15


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"frequencies": (10,)}, ValueError, "at least two different"),
    ({"frequencies": (10, 10)}, ValueError, "each once"),
    ({"frequencies": "10 Hz"}, TypeError, "list of numbers in Hz"),
    ({"frequencies": (10, -1)}, ValueError, "frequencies=-1 must be"),
    ({"frequencies": (10, 130)}, ValueError, "130 Hz is not below half"),
    ({"phases": (0, 1)}, ValueError, "phases has 2 entries, but there are 4"),
    ({"n_harmonics": 17}, ValueError, "n_harmonics=17 must be at least 1 and at most 16"),
    ({"n_trials": 1, "n_runs": 2}, ValueError, "n_trials=1 must be at least 2"),
    ({"snr": -1}, ValueError, "snr=-1"),
    ({"sfreq": 50}, ValueError, "sfreq=50 Hz is too low"),
])
def test_bad_input_is_named(options, error, match):
    with pytest.raises(error, match=match):
        make_ssvep(**{"n_subjects": 1, "n_sessions": 1, "n_trials": 4, **options})
