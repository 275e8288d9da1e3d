"""Decisions at markers: those that the pipeline makes about the epochs offline."""

from __future__ import annotations

import copy
import pickle
import warnings

import mne
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci import EEGArray
from skbci.datasets import read_epochs
from skbci.estimators import EvidenceAccumulator
from skbci.features import (
    BaselineCorrection,
    CausalCentering,
    Crop,
    FilterBank,
    WelchPSD,
    WindowMeans,
)
from skbci.stream import OnlineDecoder

RATE, TMIN, TMAX = 128.0, -0.2, 0.8
NAMES = ["Cz", "Pz"]


def session(seed, rate=RATE, filtered=None):
    """A recording with a wave after some of its markers, which come faster than epochs last."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((2, round(60 * rate))) * 1e-5
    onsets = np.cumsum(np.r_[1.0, rng.uniform(0.3, 1.9, 45)])
    labels = rng.choice(["target", "other"], len(onsets))
    for onset, label in zip(onsets, labels):
        at = round((onset + 0.3) * rate)
        data[:, at : at + round(0.1 * rate)] += 1.5e-5 * (label == "target")
    signal = EEGArray(data[np.newaxis], sfreq=rate, ch_names=NAMES)
    signal = signal if filtered is None else filtered.fit_transform(signal)
    info = mne.create_info(signal.ch_names, rate, "eeg")
    raw = mne.io.RawArray(np.asarray(signal)[0], info, verbose="error")
    raw.set_annotations(mne.Annotations(onsets, 0, labels))
    epochs = read_epochs(raw, tmin=TMIN, tmax=TMAX, subject=1)
    assert len(epochs.X) == len(onsets)
    return data, onsets, epochs


PIPELINES = {
    "means": lambda: (WindowMeans(0.1), LDA()),
    "baseline": lambda: (BaselineCorrection(-0.2, 0.0), WindowMeans(0.1), LDA()),
    "crop": lambda: (Crop(0.1, 0.5), WelchPSD(n_per_seg=32, log=True), LDA()),
    "spectra": lambda: (WelchPSD(n_per_seg=32, log=True), StandardScaler(), LDA()),
    "filters": lambda: (FilterBank([(1, 20)], phase="causal", output="channels"),
                        WindowMeans(0.1), LDA()),
    "past": lambda: (WindowMeans(0.1), CausalCentering(),
                     EvidenceAccumulator(LDA(), 3)),
    "past in seconds": lambda: (WindowMeans(0.1),
                                EvidenceAccumulator(LDA(), 2.5, unit="seconds")),
}


def fitted(name="means", rate=RATE):
    epochs = session(0, rate)[2]
    return make_pipeline(*PIPELINES[name]()).fit(epochs.X, epochs.y)


def decode(decoder, data, markers, size, early=0.0, rate=RATE, start=100.0):
    """Each marker comes with the first chunk that ends ``early`` seconds before it, or later."""
    times, found, left = [], [], list(markers)
    for at in range(0, data.shape[1], size):
        now = min(at + size, data.shape[1]) / rate + early
        own = [marker for marker in left if marker < now]
        left = left[len(own) :]
        part = decoder.update(data[:, at : at + size], start + at / rate, np.add(own, start))
        times.append(part[0])
        found.append(part[1])
    return np.concatenate(times), np.concatenate(found)


@pytest.mark.parametrize("name", PIPELINES)
def test_equal_to_the_offline_epochs(name):
    pipeline = fitted(name)
    data, onsets, epochs = session(1)
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX)
    times, found = decode(decoder, data, onsets, 50)
    np.testing.assert_allclose(times, 100.0 + onsets)
    np.testing.assert_allclose(found, pipeline.predict_proba(epochs.X), rtol=0, atol=1e-6)


def test_they_are_not_guesses():
    data, onsets, epochs = session(1)
    found = OnlineDecoder.at_markers(fitted(), TMIN, TMAX).update(data, 0.0, onsets)[1]
    assert np.mean(np.array(["other", "target"])[found.argmax(axis=1)] == epochs.y) > 0.9


@pytest.mark.parametrize("size", [9, 640, 10_000])
@pytest.mark.parametrize("early", [-3.0, 0.0, 5.0, 1e9])
def test_chunks_and_delays_change_nothing(size, early):
    pipeline = fitted("past")
    data, onsets, epochs = session(1)
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX)
    if early < 0:  # the last ones come when there are no samples any more
        data = np.pad(data, ((0, 0), (0, 640)))
    found = decode(decoder, data, onsets, size, early)[1]
    np.testing.assert_allclose(found, pipeline.predict_proba(epochs.X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", [127.99, 250.0])
@pytest.mark.parametrize("shift", [-0.4, 0.0, 0.4])
def test_a_marker_is_at_the_nearest_sample(rate, shift):
    """Of time stamps of each sample, too, that have a rate of their own."""
    pipeline = fitted(rate=rate)
    data, onsets, epochs = session(1, rate)
    stamps = 50 + np.arange(data.shape[1]) * 1.001 / rate
    samples = np.round(onsets * rate).astype(int)
    markers = stamps[samples] + shift / rate
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX)
    times, found = decoder.update(data, stamps, markers)
    np.testing.assert_array_equal(times, markers)
    np.testing.assert_allclose(found, pipeline.predict_proba(epochs.X), rtol=0, atol=1e-9)


def test_epochs_of_a_recording_that_was_filtered_as_one():
    bank = FilterBank([(1, 20)], sfreq=RATE, phase="causal", output="channels")
    _, _, epochs = session(0, filtered=bank)
    rest = make_pipeline(WindowMeans(0.1), LDA()).fit(epochs.X, epochs.y)
    data, onsets, epochs = session(1, filtered=bank)
    pipeline = make_pipeline(bank, *(step for _, step in rest.steps))
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX, filter_state="stream")
    found = decode(decoder, data, onsets, 50)[1]
    assert decoder.steps["filterbank"] == "carried"
    np.testing.assert_allclose(found, rest.predict_proba(epochs.X), rtol=0, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_goes_on_where_the_decoder_is(copied):
    pipeline = fitted("past")
    data, onsets, epochs = session(1)
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX)
    first = decoder.update(data[:, :3000], 0.0, onsets)[1]
    rest = copied(decoder).update(data[:, 3000:], 3000 / RATE)[1]
    found = np.concatenate([first, rest])
    np.testing.assert_allclose(found, pipeline.predict_proba(epochs.X), rtol=0, atol=1e-9)


def test_decode_takes_triples():
    data, onsets, _ = session(1)
    decoder = OnlineDecoder.at_markers(fitted(), TMIN, TMAX)
    whole = decoder.update(data, 0.0, onsets)[1]
    decoder.reset()
    end = round((onsets[-1] + 2) * RATE)
    chunks = [(data[:, :2000], 0.0, onsets[onsets < 10]), (data[:, 2000:end], 2000 / RATE),
              (data[:, :0], None, onsets[-1])]
    found = dict(decoder.decode(chunks))
    assert list(found) == pytest.approx([*onsets[onsets < 10], onsets[-1]])
    np.testing.assert_array_equal(found[onsets[-1]], whole[-1])


def test_what_cannot_be_decided_is_said():
    data = session(1)[0]
    decoder = OnlineDecoder.at_markers(fitted(), TMIN, TMAX, on_gap="restart", max_delay=2.0)
    with pytest.warns(UserWarning, match=r"1 marker\(s\) at 0.1 s: the window begins before"):
        assert not len(decoder.update(data[:, :1280], 0.0, [0.1])[0])
    with pytest.warns(UserWarning, match=r"at 5 s: it came more than max_delay=2 s late"):
        decoder.update(data[:, 1280:1290], 10.0, [5.0])
    with pytest.warns(UserWarning, match=r"at 9.9, 10 s: samples .* missing \(a gap"):
        decoder.update(data[:, 1290:2000], 20.0, [9.9, 10.0])
    with pytest.warns(UserWarning, match=r"at 15 s: the window begins before the first sample"):
        decoder.update(data[:, 2000:2010], 20 + 710 / RATE, [15.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(decoder.update(data[:, 2010:3000], 20 + 720 / RATE, [25.0])[0]) == 1
        decoder.update(data[:, 3000:3010], None, 99.0)
        decoder.reset()  # no warning: whoever ends a session knows
        assert not len(decoder.update(data[:, :3000], 98.0)[0])


def test_no_window_crosses_a_gap():
    pipeline = fitted()
    data, onsets, epochs = session(1)
    cut, lost = 3000, 640
    after = (cut + lost) / RATE
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX, on_gap="restart")
    with pytest.warns(UserWarning, match="no decision about"):
        parts = [decoder.update(data[:, :cut], 0.0, onsets),
                 decoder.update(data[:, cut + lost :], after)]
    times = np.concatenate([part[0] for part in parts])
    whole = (onsets + TMAX <= cut / RATE) | (onsets + TMIN >= after)
    np.testing.assert_allclose(times, onsets[whole])
    np.testing.assert_allclose(np.concatenate([part[1] for part in parts]),
                               pipeline.predict_proba(epochs.X)[whole], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("settings", "error", "message"), [
    ({}, ValueError, "hop=None and tmin=None: give hop .* or tmin"),
    ({"hop": 0.5, "tmin": 0.0}, ValueError, "hop=0.5 and tmin=0.0: give hop"),
    ({"tmin": "cue"}, TypeError, "tmin='cue' must be a number in seconds"),
    ({"tmin": 0.0, "max_delay": -1}, ValueError, "max_delay=-1 must be at least 0"),
    ({"tmin": 0.0, "jitter": 0}, ValueError, "jitter=0 must be above 0"),
])
def test_bad_settings(settings, error, message):
    with pytest.raises(error, match=message):
        OnlineDecoder(fitted(), 1.0, **settings)
    with pytest.raises(ValueError, match="tmax=0.1 must be after tmin=0.2"):
        OnlineDecoder.at_markers(fitted(), 0.2, 0.1)


def test_bad_markers_take_nothing():
    data, onsets, _ = session(1)
    decoder = OnlineDecoder.at_markers(fitted(), TMIN, TMAX)
    for markers in ("now", [np.nan], [[1.0], [2.0]], [1.0, None]):
        with pytest.raises(ValueError, match="markers"):
            decoder.update(data[:, :500], 0.0, markers)
    with pytest.raises(ValueError, match=r"partial_fit learns windows every hop; .*_windows"):
        decoder.partial_fit(data[:, :500], "other")
    assert len(decoder.update(data, 0.0, onsets)[0]) == len(onsets)


def test_windows_that_begin_when_those_of_fit_did_not():
    with pytest.raises(ValueError, match=r"begin 0 s after .* fitted with .* tmin=-0.1953125"):
        OnlineDecoder.at_markers(fitted("crop"), 0.0, 1.0)


def test_epochs_are_learned_as_windows():
    from sklearn.linear_model import SGDClassifier

    _, _, epochs = session(0)
    pipeline = make_pipeline(WindowMeans(0.1), StandardScaler(),
                             SGDClassifier("log_loss", random_state=0)).fit(epochs.X, epochs.y)
    data, onsets, epochs = session(1)
    decoder = OnlineDecoder.at_markers(pipeline, TMIN, TMAX)
    decoder.update(data[:, :1000], 0.0, onsets)
    before = pipeline[-1].coef_.copy()
    decoder.partial_fit_windows(epochs.X, epochs.y)
    assert not np.array_equal(pipeline[-1].coef_, before)
