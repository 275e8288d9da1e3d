"""The Lab Streaming Layer: units and messages; a loop back where mne-lsl is installed."""

from __future__ import annotations

import sys
import threading
import time
import types
import uuid
import warnings

import mne
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from skbci.datasets import read_epochs
from skbci.features import WindowMeans
from skbci.stream import LSLInput, LSLOutput, OnlineDecoder
from skbci.stream._lsl import _volts


@pytest.mark.parametrize(("unit", "factor"), [
    ("microvolts", 1e-6), ("uV", 1e-6), ("µV", 1e-6), ("V", 1.0), ("mV", 1e-3), ("nanovolt", 1e-9),
    ("-6", 1e-6), ("0", 1.0), (" volts ", 1.0),
])
def test_units_become_volts(unit, factor):
    assert _volts(unit, "C3") == pytest.approx(factor)


@pytest.mark.parametrize("unit", [None, "", "furlong", "n/a"])
def test_unknown_units_are_named(unit):
    with pytest.raises(ValueError, match=r"for channel 'C3', .* pass unit='uV'"):
        _volts(unit, "C3")


@pytest.mark.parametrize("make", [
    lambda: LSLInput("amplifier"), lambda: LSLOutput("decisions", ["left", "right"])])
def test_the_extra_is_named(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "mne_lsl", None)
    with pytest.raises(ImportError, match=r'pip install "skbci\[lsl\]"'):
        make()


class FakeLSL:
    """A stream of ten chunks of four samples at 100 Hz, on a clock of its own."""

    def __init__(self, monkeypatch, names=("C3", "C4")):
        self.now, self.n_pulled, self.names = 0.0, 0, list(names)
        package = types.ModuleType("mne_lsl")
        package.lsl = types.SimpleNamespace(
            resolve_streams=lambda timeout, **_: [types.SimpleNamespace(name="fake")],
            StreamInlet=lambda *_, **__: self)
        monkeypatch.setitem(sys.modules, "mne_lsl", package)
        clock = types.SimpleNamespace(monotonic=lambda: self.now, sleep=self.wait)
        monkeypatch.setattr("skbci.stream._lsl.time", clock)

    def wait(self, seconds):
        self.now += seconds

    def open_stream(self, timeout):
        pass

    def get_sinfo(self, timeout):
        return types.SimpleNamespace(
            name="fake", sfreq=100.0, n_channels=2, get_channel_names=lambda: self.names,
            get_channel_units=lambda: ["uV", "uV"])

    def pull_chunk(self, timeout):
        n = 4 if self.n_pulled < 10 else 0
        self.n_pulled += 1
        return np.ones((n, 2)), self.now + np.arange(n) / 100


@pytest.mark.parametrize(
    ("names", "said"),
    [(["ActiChamp"], "those that are there are \\['ActiChamp'\\]"), ([], "there is none at all")])
def test_a_stream_that_is_not_there_is_an_error_that_names_those_that_are(
        monkeypatch, names, said):
    FakeLSL(monkeypatch)
    there = [types.SimpleNamespace(name=name) for name in names]
    monkeypatch.setattr(sys.modules["mne_lsl"].lsl, "resolve_streams",
                        lambda timeout, **wanted: [] if wanted else there)
    with pytest.raises(RuntimeError, match=f"no streams match .*'BioSemi'.*{said}"):
        LSLInput("BioSemi", timeout=1.0)


@pytest.mark.parametrize(("names", "picks", "error", "said"), [
    (["C3", "C4"], ["C3", "C3"], ValueError, "picks has \\['C3'\\] more than once"),
    (["C3", "C4"], {"C3", "C4"}, TypeError, "picks=.* a set has no order"),
    (["C3", "C3"], ["C3"], ValueError, "several channels of the name 'C3'"),
])
def test_every_channel_is_one_of_the_streams(monkeypatch, names, picks, error, said):
    FakeLSL(monkeypatch, names)
    with pytest.raises(error, match=f"LSLInput: {said}|LSLInput: .*{said}"):
        LSLInput("fake", picks=picks)


def test_all_channels_are_taken_whatever_their_names(monkeypatch):
    fake = FakeLSL(monkeypatch, ["EEG", "EEG"])
    monkeypatch.setattr(fake, "pull_chunk", lambda timeout: (np.array([[3.0, 5.0]]), np.zeros(1)))
    samples, _ = next(iter(LSLInput("fake")))
    np.testing.assert_allclose(samples, [[3e-6], [5e-6]])


@pytest.mark.parametrize("seconds", [0.0, 0.9, 1.1, 20.0])
def test_slow_decisions_do_not_end_the_stream(monkeypatch, seconds):
    """Patience is for the sender, not for what is done with the samples."""
    fake = FakeLSL(monkeypatch)
    n = 0
    for samples, _ in LSLInput("fake", patience=1.0):
        np.testing.assert_allclose(samples, 1e-6)
        fake.now += seconds
        n += 1
    assert n == 10
    # After the last samples it is as patient as it says, and no more.
    assert fake.now == pytest.approx(10 * seconds + 1.0, abs=0.02)


class LostError(RuntimeError):
    """By this name mne-lsl says that a stream is gone for good."""


def lost(*_, **__):
    raise LostError("The stream connection has been lost.")


def test_a_lost_stream_ends_the_iteration(monkeypatch):
    fake = FakeLSL(monkeypatch)
    pull = fake.pull_chunk
    monkeypatch.setattr(fake, "pull_chunk", lambda timeout: lost() if fake.n_pulled == 3
                        else pull(timeout))
    assert len(list(LSLInput("fake", patience=100.0))) == 3
    assert fake.now < 1.0


def test_lost_markers_do_not_end_the_samples(monkeypatch):
    FakeLSL(monkeypatch)
    source = LSLInput("fake", markers="cues", patience=1.0)
    source._markers = types.SimpleNamespace(pull_chunk=lost)
    chunks = list(source)
    assert len(chunks) == 10
    assert all(len(times) == 0 for *_, times in chunks)


def test_other_errors_of_a_stream_are_raised(monkeypatch):
    def broken(timeout):
        raise RuntimeError("An internal error has occurred.")

    fake = FakeLSL(monkeypatch)
    source = LSLInput("fake")
    monkeypatch.setattr(fake, "pull_chunk", broken)
    with pytest.raises(RuntimeError, match="An internal error"):
        list(source)


@pytest.mark.parametrize("error", [TimeoutError, LostError])
@pytest.mark.parametrize("where", ["open_stream", "get_sinfo"])
def test_a_stream_that_does_not_answer_is_named(monkeypatch, where, error):
    def fail(timeout):
        raise error("The operation failed.")

    monkeypatch.setattr(FakeLSL, where, lambda self, timeout: fail(timeout))
    FakeLSL(monkeypatch)
    with pytest.raises(RuntimeError, match=r"stream 'fake' was found and does not answer within "
                                           r"2 s\. The program that sends it has ended"):
        LSLInput("fake", timeout=2.0)


@pytest.fixture
def own():
    """Return a name that no other process has: streams are heard all over the network."""
    return f"skbci test {uuid.uuid4().hex}"


@pytest.mark.extras
def test_samples_come_through_in_volts(own):
    lsl = pytest.importorskip("mne_lsl.lsl", reason="mne-lsl is not installed")
    info = lsl.StreamInfo(own, "EEG", 3, 100.0, "float64", own)
    info.set_channel_names(["C3", "Cz", "C4"])
    info.set_channel_units("microvolts")
    outlet = lsl.StreamOutlet(info)
    sent = np.random.default_rng(0).standard_normal((60, 3))
    with LSLInput(own, picks=["C4", "C3"], patience=1.0) as source:
        assert (source.sfreq, source.ch_names) == (100.0, ["C4", "C3"])

        def play():
            outlet.wait_for_consumers(5)
            for part in np.split(sent, 6):
                outlet.push_chunk(np.ascontiguousarray(part))
                time.sleep(0.1)

        player = threading.Thread(target=play)
        player.start()
        chunks = list(source)
        player.join()
    found = np.concatenate([samples for samples, _ in chunks], axis=1)
    np.testing.assert_allclose(found, sent[:, [2, 0]].T * 1e-6)
    stamps = np.concatenate([stamps for _, stamps in chunks])
    assert (np.diff(stamps) > 0).all()


@pytest.mark.extras
def test_decisions_are_sent_on(own):
    lsl = pytest.importorskip("mne_lsl.lsl", reason="mne-lsl is not installed")
    output = LSLOutput(own, ["left", "right"], source_id=own)
    (info,) = lsl.resolve_streams(timeout=10, name=own)
    inlet = lsl.StreamInlet(info)
    inlet.open_stream(timeout=10)
    assert inlet.get_sinfo(timeout=10).get_channel_names() == ["left", "right"]
    output.send(12.5, [0.25, 0.75])
    values, stamp = inlet.pull_sample(timeout=10)
    np.testing.assert_allclose(values, [0.25, 0.75])
    assert stamp == 12.5
    with pytest.raises(ValueError, match=r"shape \(3,\); one for each of the 2 classes"):
        output.send(0.0, [0.2, 0.3, 0.5])
    inlet.close_stream()


@pytest.mark.extras
def test_a_program_that_ends_ends_the_iteration(own):
    """Without a source it cannot come back; with one, the iteration is patient."""
    lsl = pytest.importorskip("mne_lsl.lsl", reason="mne-lsl is not installed")
    for source_id in ("", own):
        info = lsl.StreamInfo(own, "EEG", 1, 100.0, "float64", source_id)
        info.set_channel_units("microvolts")
        outlet = lsl.StreamOutlet(info)
        with LSLInput(own, patience=1.0) as source:
            outlet.wait_for_consumers(5)
            outlet.push_chunk(np.ones((30, 1)))
            chunks = iter(source)
            n = len(next(chunks)[1])
            del outlet
            n += sum(len(stamps) for _, stamps in chunks)
        assert 0 < n <= 30


@pytest.mark.extras
def test_a_recording_is_played_and_decided_at_its_markers(own):
    """The player pushes samples and annotations; decisions are those of the epochs offline."""
    player = pytest.importorskip("mne_lsl.player", reason="mne-lsl is not installed")
    rng, rate, onsets = np.random.default_rng(0), 100.0, np.arange(3.5, 9.5, 0.5)
    labels = np.tile(["left", "right"], len(onsets) // 2)
    data = rng.standard_normal((2, round(10 * rate))) * 1e-6
    for onset, label in zip(onsets, labels):  # slow waves, as a sample more or less may be taken
        at = round((onset + 0.1) * rate)
        data[int(label == "right"), at : at + 30] += 4e-5 * np.hanning(30)
    raw = mne.io.RawArray(data, mne.create_info(["C3", "C4"], rate, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(onsets, 0.0, labels))
    epochs = read_epochs(raw, tmin=0.0, tmax=0.5, subject=1)
    pipeline = make_pipeline(WindowMeans(0.1), LinearDiscriminantAnalysis())
    decoder = OnlineDecoder.at_markers(pipeline.fit(epochs.X, epochs.y), 0.0, 0.5,
                                       jitter=0.1, on_gap="restart")
    playing = player.PlayerLSL(raw, chunk_size=5, n_repeat=1, name=own, source_id=own,
                               annotations_encoding="string")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        playing.start()
        with LSLInput(own, markers=f"{own}-annotations", patience=1.0) as source:
            decisions = list(decoder.decode(source))
        if playing.running:
            playing.stop()
    assert len(decisions) >= len(onsets) - 1  # if the inlet was open after three seconds
    found = [str(decoder.classes_[probabilities.argmax()]) for _, probabilities in decisions]
    assert set(zip(found, found[1:])) <= {("left", "right"), ("right", "left")}
    steps = np.diff([time for time, _ in decisions])
    np.testing.assert_allclose(steps, 0.5, atol=0.05)
