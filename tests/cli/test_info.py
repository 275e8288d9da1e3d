"""`skbci info`."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from skbci.cli import main
from skbci.datasets import make_motor_imagery, save_recording
from tests.cli.conftest import CHANNELS, LENGTH, N_TRIALS, PAUSE, RATE, continuous


def lines(capsys) -> dict[str, list[str]]:
    """What was printed, by the word that a line begins with."""
    found: dict[str, list[str]] = {}
    for line in capsys.readouterr().out.splitlines()[1:]:
        word, _, text = line.strip().partition(" ")
        found.setdefault(word, []).append(text.strip())
    return found


def test_a_recording(recordings, capsys):
    assert main(["info", str(recordings / "sub-02_raw.fif"), "--tmax", "2"]) == 0
    found = lines(capsys)
    n = N_TRIALS * (LENGTH + PAUSE)
    assert found["length"] == [f"{n / RATE:g} s at {RATE} Hz ({n} samples)"]
    assert found["channels"] == [f"4 eeg: {' '.join(CHANNELS)}"]
    assert found["bad"] == ["none marked"]
    assert found["events"] == ["left x 8, right x 8 (annotations)"]
    assert found["epochs"] == [
        "left x 8, right x 8; 4 channels, 0 to 2 s; subject 2, session 1, run 1"]
    assert "warning" not in found


def test_what_is_wrong_is_said(tmp_path, capsys):
    raw = continuous(1)
    raw._data[CHANNELS.index("Cz"), : LENGTH // 2 + LENGTH] = 0.0  # flat in the first epoch
    raw.info["bads"] = ["Pz"]
    raw.annotations.append(3 * (LENGTH + PAUSE) / RATE, 0.5, "bad movement")
    path = tmp_path / "nobody_raw.fif"
    raw.save(path, verbose="error")
    assert main(["info", str(path), "--tmax", "2"]) == 0
    found = lines(capsys)
    assert found["bad"] == ["Pz"]
    assert [text for text in found["warning"] if "all its rows became subject 1" in text]
    assert [text for text in found["warning"] if "1 of 16 events were left out" in text]
    assert [text for text in found["warning"] if "usable signal (Cz)" in text]
    assert found["epochs"][0].split(";")[1] == " 3 channels, 0 to 2 s"


def test_trigger_channel(tmp_path, capsys):
    data = np.zeros((2, 640))
    data[0] = np.random.default_rng(0).normal(0, 1e-5, 640)
    data[1, 100:104] = 7
    data[1, 300:304] = 9
    info = mne.create_info(["C3", "STI"], 64, ["eeg", "stim"])
    raw = mne.io.RawArray(data, info, verbose="error")
    raw.save(tmp_path / "sub-1_raw.fif", verbose="error")
    assert main(["info", str(tmp_path), "--tmax", "2"]) == 0
    assert lines(capsys)["events"] == ["7 x 1, 9 x 1 (stimulus channel)"]


def test_no_events_is_no_error(tmp_path, capsys):
    raw = continuous(1).set_annotations(None)
    raw.save(tmp_path / "sub-1_raw.fif", verbose="error")
    assert main(["info", str(tmp_path)]) == 0
    found = lines(capsys)
    assert found["events"] == ["none"]
    assert "No events found" in found["no"][0]


@pytest.mark.extras
def test_a_bids_data_set(tmp_path, capsys):
    mne_bids = pytest.importorskip("mne_bids")
    root = tmp_path / "set"
    for subject in (1, 2):
        raw = continuous(subject)
        raw.info["line_freq"] = 50
        raw.info["bads"] = ["Pz"]
        file = tmp_path / f"{subject}_raw.fif"
        raw.save(file, verbose="error")
        where = mne_bids.BIDSPath(subject=f"{subject:02d}", session="a", task="imagery", root=root,
                                  datatype="eeg")
        raw = mne.io.read_raw(file, verbose="error")
        mne_bids.write_raw_bids(raw, where, format="BrainVision", verbose="error")
    (root / "derivatives").mkdir()
    continuous(3).save(root / "derivatives" / "sub-03_eeg_raw.fif", verbose="error")
    assert main(["info", str(root), "--tmax", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("left x 8, right x 8 (annotations)") == 2
    assert out.count("3 channels, 0 to 2 s; subject ") == 2
    assert "subject 2, session a" in out
    assert main(["compare", str(root), "--tmax", "2", "--pipelines", "mdm", "--split",
                 "leave-subjects-out", "--no-confounds"]) == 0
    assert "over 2 subjects" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["npz", "epochs"])
def test_epochs(kind, tmp_path, capsys):
    data = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=6, random_state=0)
    if kind == "npz":
        save_recording(tmp_path / "S01.npz", data)
    else:
        events = np.column_stack([np.arange(6) * 700, np.zeros(6, int), data.y == "right_hand"])
        info = mne.create_info(data.ch_names, data.sfreq, "eeg")
        codes = {"left_hand": 0, "right_hand": 1}
        epochs = mne.EpochsArray(np.asarray(data.X), info, events, event_id=codes, verbose="error")
        epochs.save(tmp_path / "sub-01-epo.fif", verbose="error")
    assert main(["info", str(tmp_path), "--tmax", "3"]) == 0
    found = lines(capsys)
    assert found["events"] == ["left_hand x 3, right_hand x 3"]
    assert "22 channels, 0 to 3 s" in found["epochs"][0]
