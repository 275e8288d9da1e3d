"""`skbci fit` and `skbci decode`."""

from __future__ import annotations

import uuid
import warnings

import joblib
import mne
import numpy as np
import pandas as pd
import pytest

from skbci.baselines import csp_lda
from skbci.cli import main
from skbci.cli._decode import _table
from skbci.datasets import read_epochs
from skbci.features import SlidingWindows
from tests.cli.conftest import RATE


@pytest.fixture(scope="module")
def fitted(recordings):
    """The same decoder, by the library."""
    data = read_epochs(recordings / "sub-01_raw.fif", tmax=2)
    return csp_lda().fit(data.X, data.y)


def test_epochs_at_events(model, fitted, recordings, tmp_path, capsys):
    file = recordings / "sub-02_raw.fif"
    table = tmp_path / "decoded.csv"
    assert main(["decode", str(model), str(file), "--output", str(table)]) == 0
    data = read_epochs(file, tmax=2)
    found = pd.read_csv(table)
    np.testing.assert_allclose(found[["left", "right"]], fitted.predict_proba(data.X), atol=6e-4)
    assert found["decoded"].tolist() == fitted.predict(data.X).tolist()
    assert found["event"].tolist() == data.y.tolist()
    np.testing.assert_allclose(found["onset_s"], data.metadata["onset"], atol=6e-4)
    hits = int((fitted.predict(data.X) == data.y).sum())
    assert f"{hits} of 16 epochs as their events say" in capsys.readouterr().err


def test_epochs_that_know_no_onset_show_none(model, recordings, tmp_path, capsys):
    data = read_epochs(recordings / "sub-02_raw.fif", tmax=2)
    path = tmp_path / "sub-02-epo.fif"
    codes = 1 + (data.y == "right")
    events = np.column_stack([np.arange(len(codes)), 0 * codes, codes])  # placeholders
    epochs = mne.EpochsArray(np.asarray(data.X), data.X.info, events,
                             event_id={"left": 1, "right": 2}, verbose="error")
    epochs.save(path, verbose="error")
    assert main(["decode", str(model), str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [["", event] for event in data.y]


def test_windows_one_after_another(model, fitted, recordings, capsys):
    file = recordings / "sub-03_raw.fif"
    assert main(["decode", str(model), str(file), "--hop", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "time_s,decoded,left,right"
    found = np.array([line.split(",")[2:] for line in lines[1:]], dtype=float)
    raw = mne.io.read_raw(file, verbose="error")
    windows, _ = SlidingWindows(2.0, 0.5, sfreq=RATE).explode(raw.get_data())
    np.testing.assert_allclose(found, fitted.predict_proba(windows), atol=6e-4)


def test_windows_have_the_reference_that_waits(model, fitted, recordings, tmp_path, capsys):
    raw = mne.io.read_raw(recordings / "sub-03_raw.fif", preload=True, verbose="error")
    data = raw.get_data()
    path = tmp_path / "sub-03_raw.fif"
    raw.set_eeg_reference(projection=True, verbose="error").save(path, verbose="error")
    assert main(["decode", str(model), str(path), "--hop", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    found = np.array([line.split(",")[2:] for line in lines], dtype=float)
    windows, _ = SlidingWindows(2.0, 0.5, sfreq=RATE).explode(data - data.mean(axis=0))
    wanted = fitted.predict_proba(windows)
    np.testing.assert_allclose(found, wanted, atol=6e-4)
    plain, _ = SlidingWindows(2.0, 0.5, sfreq=RATE).explode(data)
    assert np.abs(fitted.predict_proba(plain) - wanted).max() > 0.01


def test_no_window_crosses_a_boundary(model, fitted, recordings, tmp_path, capsys):
    parts = [mne.io.read_raw(recordings / f"sub-0{n}_raw.fif", preload=True, verbose="error")
             for n in (2, 3)]
    parts[0].crop(0, 9.7)
    joined = tmp_path / "sub-02_raw.fif"
    stop = parts[0].n_times / RATE
    every = [SlidingWindows(2.0, 0.5, sfreq=RATE).explode(part.get_data())[0] for part in parts]
    mne.concatenate_raws(parts, verbose="error").save(joined, verbose="error")
    assert main(["decode", str(model), str(joined), "--hop", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    found = np.array([line.split(",")[2:] for line in lines], dtype=float)
    np.testing.assert_allclose(found, fitted.predict_proba(np.concatenate(every)), atol=6e-4)
    times = np.array([float(line.split(",")[0]) for line in lines])
    first = len(every[0])
    assert times[first - 1] < stop
    assert times[first] == pytest.approx(stop + 2.0 - 1 / RATE, abs=1e-3)


class Amplifier:
    """What `LSLInput` gives, from a recording."""

    sfreq = float(RATE)

    def __init__(self, name, *, picks, markers=None, unit=None):
        assert name == "amplifier"
        assert unit in (None, "V")
        self.raw = mne.io.read_raw(self.file, verbose="error").pick(picks)
        self.markers = markers

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def __iter__(self):
        cues = self.raw.annotations.onset + 100.0
        for start in range(0, self.raw.n_times, 50):
            stop = min(start + 50, self.raw.n_times)
            stamps = 100.0 + np.arange(start, stop) / RATE
            chunk = self.raw.get_data(start=start, stop=stop), stamps
            due = cues[(cues >= stamps[0]) & (cues <= stamps[-1])]
            yield chunk if self.markers is None else (*chunk, due)


@pytest.mark.parametrize("wanted", [["--hop", "0.5"], ["--markers", "cues", "--unit", "V"]])
def test_a_stream(wanted, model, fitted, recordings, monkeypatch, capsys):
    file = recordings / "sub-02_raw.fif"
    monkeypatch.setattr(Amplifier, "file", file, raising=False)
    monkeypatch.setattr("skbci.cli._decode.LSLInput", Amplifier)
    assert main(["decode", str(model), "lsl:amplifier", *wanted]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    found = np.array([line.split(",")[2:] for line in lines], dtype=float)
    if wanted[0] == "--markers":
        rows = read_epochs(file, tmax=2).X
    else:
        raw = mne.io.read_raw(file, verbose="error")
        rows, _ = SlidingWindows(2.0, 0.5, sfreq=RATE).explode(raw.get_data())
    np.testing.assert_allclose(found, fitted.predict_proba(rows), atol=6e-4)


@pytest.mark.extras
def test_a_played_recording(model, recordings, capsys):
    """Through the Lab Streaming Layer: decided at the markers as the epochs of the file are."""
    player = pytest.importorskip("mne_lsl.player", reason="mne-lsl is not installed")
    file = recordings / "sub-02_raw.fif"
    raw = mne.io.read_raw(file, preload=True, verbose="error").crop(0, 14)
    quiet = mne.io.RawArray(np.random.default_rng(0).normal(0, 5e-6, (4, 4 * RATE)), raw.info,
                            verbose="error")
    raw = mne.concatenate_raws([quiet, raw], verbose="error")  # the inlet opens meanwhile
    raw.annotations.delete([i for i, name in enumerate(raw.annotations.description)
                            if name not in ("left", "right")])
    own = f"skbci test {uuid.uuid4().hex}"  # streams are heard all over the network
    playing = player.PlayerLSL(raw, chunk_size=8, n_repeat=1, name=own, source_id=own,
                               annotations_encoding="string")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        playing.start()
        assert main(["decode", str(model), f"lsl:{own}", "--markers",
                     f"{own}-annotations"]) == 0
        if playing.running:
            playing.stop()
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "time_s,decoded,left,right"
    decoded = [line.split(",")[1] for line in lines]
    expected = raw.annotations.description[raw.annotations.onset <= 15.9].tolist()
    assert len(decoded) >= len(expected) - 2  # the first, or one in a gap, may be missed
    left = iter(expected)
    assert all(name in left for name in decoded)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [(["--markers", "cues"], "--markers are for streams"),
     (["--hop", "1", "--events", "left"], "--events and --hop")],
)
def test_what_excludes_each_other_is_refused(wanted, said, model, recordings, capsys):
    assert main(["decode", str(model), str(recordings / "sub-02_raw.fif"), *wanted]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_decoder_is_refused(recordings, tmp_path, capsys):
    path = tmp_path / "other.joblib"
    for content in ("joblib", "text"):
        if content == "joblib":
            joblib.dump({"a": 1}, path)
        else:
            path.write_text("no decoder")
        assert main(["decode", str(path), str(recordings / "sub-01_raw.fif")]) == 1
        assert "is not a decoder that skbci fit has saved" in capsys.readouterr().err


@pytest.mark.extras
def test_a_decoder_in_a_file_that_runs_no_code(recordings, tmp_path, capsys):
    pytest.importorskip("skops")
    pytest.importorskip("safetensors")
    file, tables = str(recordings / "sub-01_raw.fif"), []
    for pipeline in ("csp-lda", "tangent-hjb"):
        for name in ("decoder.skbci", "decoder.joblib"):
            path = str(tmp_path / name)
            wanted = ["--tmax", "2", "--pipeline", pipeline, "--output", path]
            assert main(["fit", file, *wanted]) == 0
            capsys.readouterr()
            assert main(["decode", path, file]) == 0
            tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]
    assert tables[2] == tables[3] != tables[0]


def test_a_recording_at_another_rate_is_refused(model, recordings, tmp_path, capsys):
    raw = mne.io.read_raw(recordings / "sub-02_raw.fif", preload=True, verbose="error")
    path = tmp_path / "sub-02_raw.fif"
    raw.resample(32, verbose="error").save(path, verbose="error")
    for more in ([], ["--hop", "1"]):
        assert main(["decode", str(model), str(path), *more]) == 1
        assert "has 32 Hz, but the decoder was fitted at 64 Hz" in capsys.readouterr().err


def test_a_recording_without_its_channels_is_refused(model, recordings, tmp_path, capsys):
    raw = mne.io.read_raw(recordings / "sub-02_raw.fif", preload=True, verbose="error")
    path = tmp_path / "sub-02_raw.fif"
    raw.drop_channels(["C4"]).save(path, verbose="error")
    assert main(["decode", str(model), str(path), "--hop", "1"]) == 1
    assert "lacks the channels C4" in capsys.readouterr().err
    assert main(["decode", str(model), str(path)]) == 1


def test_what_is_read_is_not_written_over(model, recordings, tmp_path, capsys):
    file = tmp_path / "sub-09_raw.fif"
    file.write_bytes((recordings / "sub-01_raw.fif").read_bytes())
    decoder, content = model.read_bytes(), file.read_bytes()
    for wanted in (["decode", str(model), str(file), "--output", str(file)],
                   ["decode", str(model), str(file), "--output", str(model)],
                   ["fit", str(file), "--pipeline", "mdm", "--output", str(file)]):
        assert main(wanted) == 1
        assert "is the file that is read; give another name" in capsys.readouterr().err
    assert model.read_bytes() == decoder
    assert file.read_bytes() == content


@pytest.mark.parametrize("live", [False, True])
def test_an_interrupted_table_of_a_file_is_not_there_and_of_a_stream_is(live, tmp_path):
    target = tmp_path / "decoded.csv"
    target.write_text("before")

    def interrupted():
        with _table(str(target), ["time_s"], live) as write:
            write(["0.500"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == ("time_s\n0.500\n" if live else "before")
    assert list(tmp_path.iterdir()) == [target]
