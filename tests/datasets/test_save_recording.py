"""save_recording and load_recording give back what was saved."""

from __future__ import annotations

import os

import mne
import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skbci import EEGArray
from skbci.datasets import load_recording, make_eye_state, make_motor_imagery, save_recording


def assert_same(a, b):
    assert sorted(a) == sorted(b)
    for key, value in a.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, b[key])
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(np.asarray(value), np.asarray(b[key]))
            assert value.dtype == b[key].dtype
        else:
            assert value == b[key]
            assert type(value) is type(b[key])
    for name in ("sfreq", "ch_names", "tmin"):
        assert getattr(a.X, name) == getattr(b.X, name)


@pytest.mark.parametrize("make", [
    lambda: make_motor_imagery(1, 2, 4, tmin=-0.5, random_state=0),
    lambda: make_eye_state(2, 30, random_state=0),
    lambda: make_eye_state(2, 30, continuous=True, random_state=0),
])
def test_round_trip_of_simulated_data(tmp_path, make):
    data = make()
    assert_same(data, load_recording(save_recording(tmp_path / "a.npz", data)))


def test_round_trip_of_everything_else(tmp_path):
    X = EEGArray(
        np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32),
        {"subject": ["anna", "björn", "anna"], "age": [30.5, np.nan, 30.5], "ok": [True] * 3,
         "when": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])},
        sfreq=97.5, ch_names=["Fc5", "x y"], tmin=-0.25,
    )
    data = Bunch(
        X=X, y=np.array(["a", "b", "a"]), metadata=X.metadata, sfreq=97.5,
        ch_names=["Fc5", "x y"], DESCR="text with \"quotes\"\nand lines",
        label_names={1: "left", "b": [1, 2.5, None, {"c": True}]}, numbers=np.arange(3),
        events=pd.DataFrame({"onset": [0.5], "label": ["go"]}), empty=pd.DataFrame({"a": []}),
    )
    again = load_recording(save_recording(tmp_path / "a.npz", data))
    assert_same(data, again)


def test_round_trip_without_labels_or_table(tmp_path):
    data = Bunch(X=EEGArray(np.ones((3, 5))), y=None)
    again = load_recording(save_recording(tmp_path / "a.npz", data))
    assert again.y is None
    assert again.metadata.shape == (3, 0)
    np.testing.assert_array_equal(again.X, data.X)


def test_plain_arrays_and_lists_are_taken(tmp_path):
    again = load_recording(save_recording(tmp_path / "a.npz", {
        "X": np.zeros((2, 1, 3)), "y": ["l", "r"], "sfreq": 100, "ch_names": ["Cz"],
        "metadata": pd.DataFrame({"subject": [1, 2]}),
    }))
    assert again.y.tolist() == ["l", "r"]
    assert again.X.sfreq == 100
    assert again.X.ch_names == ["Cz"]
    assert again.metadata["subject"].tolist() == [1, 2]


def test_saved_files_are_selected_like_others(tmp_path):
    data = make_motor_imagery(2, 1, 4, random_state=0)
    file = save_recording(tmp_path / "a.npz", data)
    some = load_recording(file, subjects=2, picks=["c4"], tmin=1, tmax=2, dtype="float32")
    channel = data.ch_names.index("C4")
    np.testing.assert_allclose(some.X, np.asarray(data.X)[4:, [channel], 160:320], rtol=1e-6)
    assert some.X.dtype == np.float32
    assert some.X.tmin == 1


def test_real_layouts_survive_a_round_trip(tmp_path):
    np.savez(tmp_path / "S1.npz", X=np.ones((2, 300), np.int16), ev_onset=[10, 100],
             ev_code=[1, 2], sfreq=100.0, meta='{"units": "uV"}')
    data = load_recording(tmp_path / "S1.npz")
    assert_same(data, load_recording(save_recording(tmp_path / "again.npz", data)))


def test_ending_is_added(tmp_path):
    path = save_recording(tmp_path / "a", {"X": np.zeros((2, 3))})
    assert path == tmp_path / "a.npz"
    assert path.exists()


def test_nothing_is_pickled(tmp_path):
    path = save_recording(tmp_path / "a.npz", make_motor_imagery(1, 1, 2, random_state=0))
    with np.load(path, allow_pickle=False) as stored:
        assert all(stored[key].dtype.kind != "O" for key in stored.files)


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_recording(tmp_path / "a.npz", {"X": np.zeros((2, 3))})

    def fail(file, **arrays):
        file.write(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        save_recording(path, {"X": np.ones((5, 3))})
    monkeypatch.undo()
    np.testing.assert_array_equal(load_recording(path).X, np.zeros((2, 3)))
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_the_process_and_its_umask_are_left_alone(tmp_path, monkeypatch):
    """The umask belongs to all threads: even for a moment it must not change."""
    (tmp_path / "plain").write_bytes(b"")

    def refuse(mask):
        raise AssertionError("the umask was set")

    monkeypatch.setattr(os, "umask", refuse)
    path = save_recording(tmp_path / "a.npz", {"X": np.zeros((2, 3))})
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(("bunch", "error", "match"), [
    ({"y": [1]}, ValueError, "with an entry 'X'"),
    ([1, 2], ValueError, "got list"),
    ({"X": np.zeros((2, 3)), "y": [1]}, ValueError, "y has 1 entries, but X has 2 rows"),
    ({"X": np.zeros((2, 3)), "y": np.array([1, "a"], object)}, TypeError,
     "y holds Python objects of type int, str"),
    ({"X": np.zeros((2, 3)), "metadata": {"subject": ["a", None]}}, TypeError,
     r"metadata\['subject'\] holds Python objects"),
    ({"X": np.zeros((2, 3)), "thing": object()}, TypeError, "entry 'thing' .* object"),
    ({"X": np.array([[None], [1]])}, TypeError, "X holds Python objects"),
])
def test_what_cannot_be_stored_is_named(tmp_path, bunch, error, match):
    with pytest.raises(error, match=match):
        save_recording(tmp_path / "a.npz", bunch)
    assert not list(tmp_path.iterdir())


def test_bad_paths_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"a\.mat' must end in \.npz"):
        save_recording(tmp_path / "a.mat", {"X": np.zeros((2, 3))})
    with pytest.raises(FileNotFoundError, match="missing does not exist"):
        save_recording(tmp_path / "missing" / "a.npz", {"X": np.zeros((2, 3))})


def test_newer_formats_are_refused(tmp_path):
    path = save_recording(tmp_path / "a.npz", {"X": np.zeros((2, 3))})
    arrays = dict(np.load(path))
    arrays["skbci_recording"] = np.array(99)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="newer version of skbci"):
        load_recording(path)


def test_types_of_channels_and_bad_ones_come_back(tmp_path):
    info = mne.create_info(["C3", "C4", "EOG"], 100.0, ["eeg", "eeg", "eog"])
    info["bads"] = ["C4"]
    epochs = mne.EpochsArray(np.random.default_rng(0).normal(0, 1e-5, (4, 3, 50)), info,
                             verbose="error")
    X = EEGArray.from_epochs(epochs, picks="all")
    file = save_recording(tmp_path / "a.npz", {"X": X})
    again = load_recording(file)
    assert again.ch_names == ["C3", "C4", "EOG"]
    back = again.X.to_epochs()
    assert back.get_channel_types() == ["eeg", "eeg", "eog"]
    assert back.info["bads"] == ["C4"]
    assert EEGArray.from_epochs(back).ch_names == ["C3"]
    some = load_recording(file, picks=["eog", "C4"]).X
    assert some.info.get_channel_types() == ["eog", "eeg"]
