"""The one rule about which samples lie in a window, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import mne
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci._recording.times import first_sample
from skbci.baselines import erp_lda
from skbci.datasets import (
    load_recording,
    make_erp,
    make_eye_state,
    make_motor_imagery,
    read_epochs,
    save_recording,
)
from skbci.features import BaselineCorrection, Crop, SlidingWindows, WelchPSD
from skbci.stream import OnlineDecoder

RATES = ["127.99", "128", "160", "200", "250", "256", "300.3", "499.907", "500", "512", "1000",
         "1024", "2048", "5000"]
TIMES = ["-1.5", "-0.2", "-0.1", "0", "0.05", "0.1", "0.29", "0.3", "0.5", "0.57", "0.7", "0.8",
         "1", "1.1", "2.3", "3.5", "4", "4.1"]


def exact(time: str, sfreq: str) -> int:
    """The first k with k / sfreq >= time, in exact arithmetic."""
    product = Fraction(time) * Fraction(sfreq)
    return -(-product.numerator // product.denominator)


@pytest.mark.parametrize("sfreq", RATES)
def test_first_sample_is_exact(sfreq):
    for time in TIMES:
        assert first_sample(float(time), float(sfreq)) == exact(time, sfreq), time
    for n in (1, 7, 179, 100_003, 20_000_000):  # a sample's own time is that sample
        assert first_sample(n / float(sfreq), float(sfreq)) == n


WINDOWS = [("127.99", "-0.2", "0.7"), ("128", "-0.2", "0.8"), ("160", "0.1", "0.57"),
           ("256", "-0.2", "0.7"), ("512", "-0.1", "0.3"), ("100", "0", "0.29"),
           ("1000", "-0.5", "1.1")]


def ramp(sfreq, n_events=5):
    """A recording whose first channel is the sample's number, with an event each two seconds."""
    n_times = int(float(sfreq) * 2 * (n_events + 1))
    signal = np.stack([np.arange(n_times), np.arange(n_times) % 7]).astype(float)
    events = np.array([int((2 * k + 1.7) * float(sfreq)) for k in range(n_events)])
    return signal, events


@pytest.mark.parametrize(("sfreq", "tmin", "tmax"), WINDOWS)
def test_every_reader_and_crop_cut_the_same_samples(sfreq, tmin, tmax, tmp_path):
    signal, events = ramp(sfreq)
    first, stop = exact(tmin, sfreq), exact(tmax, sfreq)
    right = np.stack([signal[:, e + first : e + stop] for e in events])
    rate, window = float(sfreq), {"tmin": float(tmin), "tmax": float(tmax)}

    raw = mne.io.RawArray(signal, mne.create_info(["Cz", "Pz"], rate, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(events / rate, 0, ["a"] * len(events)))
    np.savez(tmp_path / "runs.npz", X=signal, sfreq=rate, ch_names=["Cz", "Pz"],
             ev_onset=events, ev_code=np.ones(len(events), int), meta='{"units": "V"}')
    from_raw = read_epochs(raw, **window)
    from_npz = load_recording(tmp_path / "runs.npz", **window)

    wide = mne.Epochs(raw, mne.events_from_annotations(raw, verbose="error")[0], tmin=-1.6,
                      tmax=1.4, baseline=None, preload=True, verbose="error")
    wide.save(tmp_path / "wide-epo.fif", fmt="double", verbose="error")
    from_epochs = read_epochs(tmp_path / "wide-epo.fif", **window)
    array = EEGArray.from_epochs(wide)
    cropped = Crop(window["tmin"], window["tmax"]).fit_transform(array)
    np.savez(tmp_path / "epochs.npz", X=np.asarray(array), y=np.ones(len(array)), sfreq=rate,
             tmin=array.tmin, meta='{"units": "V"}')
    save_recording(tmp_path / "saved.npz", read_epochs(wide, tmin=-2, tmax=2))
    for X in (from_raw.X, from_npz.X, from_epochs.X, cropped,
              load_recording(tmp_path / "epochs.npz", **window).X,
              load_recording(tmp_path / "saved.npz", **window).X):
        np.testing.assert_allclose(X, right, rtol=1e-6)
        assert X.tmin == pytest.approx(first / rate, abs=1e-6)  # FIF holds float32 rates


@pytest.mark.parametrize(("sfreq", "tmin", "tmax"), WINDOWS)
def test_what_was_cut_to_a_time_can_be_decoded_to_it(sfreq, tmin, tmax):
    signal, events = ramp(sfreq, n_events=8)
    signal += np.random.default_rng(0).normal(size=signal.shape)
    raw = mne.io.RawArray(signal, mne.create_info(["Cz", "Pz"], float(sfreq), "eeg"),
                          verbose="error")
    raw.set_annotations(mne.Annotations(events / float(sfreq), 0, ["a", "b"] * 4))
    data = read_epochs(raw, tmin=float(tmin), tmax=float(tmax))
    erp_lda(tmin=float(tmin), tmax=float(tmax), baseline=None).fit(data.X, data.y)
    BaselineCorrection(float(tmin), float(tmax)).fit(data.X)


@pytest.mark.parametrize(("sfreq", "new", "tmin", "tmax"), [
    (1000, 128, 0, 0.3), (256, 128, 0, 0.3), (512, 100, -0.2, 0.7), (250, 256, -0.1, 0.57),
    (500, 64, 0.1, 2.3),
])
def test_resampled_epochs_end_at_the_last_sample_before_tmax(sfreq, new, tmin, tmax):
    signal, events = ramp(str(sfreq))
    raw = mne.io.RawArray(signal, mne.create_info(["Cz", "Pz"], sfreq, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(events / sfreq, 0, ["a"] * len(events)))
    X = read_epochs(raw, tmin=tmin, tmax=tmax, resample=new).X
    times = X.tmin + np.arange(X.shape[2]) / new
    assert times[0] == pytest.approx(exact(str(tmin), str(sfreq)) / sfreq)
    assert times[-1] < tmax - 1e-9 <= times[-1] + 1 / new
    Crop(tmax=tmax).fit(X)


@pytest.mark.parametrize(("sfreq", "window"), [(127.99, "1.5"), (256, "0.7"), (512, "0.3"),
                                               (100, "0.29")])
def test_windows_of_recordings_and_of_the_stream_are_of_one_length(sfreq, window):
    n_window = exact(window, str(sfreq))
    signal = np.random.default_rng(1).normal(size=(2, int(8 * sfreq)))
    cut = SlidingWindows(float(window), 0.25, sfreq=sfreq)
    X, _ = cut.explode(signal)
    assert X.shape[2] == n_window == cut.fit(signal[None]).n_window_
    pipeline = make_pipeline(WelchPSD(n_per_seg=16), LinearDiscriminantAnalysis())
    pipeline.fit(X, np.arange(len(X)) % 2)
    decoder = OnlineDecoder(pipeline, window=float(window), hop=0.25)
    assert decoder.n_window == n_window
    assert decoder.update(signal)[1] == pytest.approx(pipeline.predict_proba(X))


@pytest.mark.parametrize("sfreq", [128, 160, 250, 300])
def test_simulators_say_when_their_rows_begin(sfreq):
    erp = make_erp(1, 1, 12, sfreq=sfreq, tmin=-0.2, duration=0.9, random_state=0).X
    imagery = make_motor_imagery(1, 1, 2, sfreq=sfreq, tmin=0.3, duration=1.27, random_state=0).X
    for X, tmin, tmax in ((erp, "-0.2", "0.7"), (imagery, "0.3", "1.57")):
        first, stop = exact(tmin, str(sfreq)), exact(tmax, str(sfreq))
        assert X.shape[2] == stop - first
        assert X.tmin == pytest.approx(first / sfreq)
    eyes = make_eye_state(1, window=0.77, hop=0.5, sfreq=sfreq, duration=60, random_state=0).X
    assert eyes.shape[2] == exact("0.77", str(sfreq))


def test_a_window_without_a_sample_is_an_error(tmp_path):
    signal, events = ramp("100")
    np.savez(tmp_path / "runs.npz", X=signal, sfreq=100, ev_onset=events,
             ev_code=np.ones(len(events), int), meta='{"units": "V"}')
    with pytest.raises(ValueError, match=r"No sample .* lies between tmin=0\.001 and tmax=0\.009"):
        load_recording(tmp_path / "runs.npz", tmin=0.001, tmax=0.009)
    raw = mne.io.RawArray(signal, mne.create_info(2, 100, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(events / 100, 0, ["a"] * len(events)))
    with pytest.raises(ValueError, match=r"No sample .* lies between tmin=0\.001 and tmax=0\.009"):
        read_epochs(raw, tmin=0.001, tmax=0.009)
