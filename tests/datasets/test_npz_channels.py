"""Which channels of an .npz recording are decoded from."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from skbci.datasets import load_recording, save_recording
from skbci.features import ChannelNormalizer

NAMES = ["C3", "Cz", "C4", "HEOG", "STI 014"]


def write(path, layout="epochs", **arrays):
    rng = np.random.default_rng(0)
    shape = {"epochs": (4, 5, 50), "continuous": (5, 300), "samples": (300, 5)}[layout]
    base = {"X": rng.normal(0, 1e-5, shape), "sfreq": 100.0, "ch_names": NAMES}
    if layout != "continuous":
        base["y"] = np.arange(shape[0]) % 2
    np.savez(path, **(base | arrays))
    return path


@pytest.mark.parametrize("layout", ["epochs", "continuous", "samples"])
def test_bad_channels_and_other_types_are_left_out(tmp_path, layout):
    kinds = ["eeg", "eeg", "eeg", "eog", "stim"]
    file = write(tmp_path / "S01.npz", layout, bads=["Cz"], ch_types=kinds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_recording(file)
    assert data.ch_names == ["C3", "C4"]
    stored = np.load(file)["X"]
    axis = {"epochs": 1, "continuous": 0, "samples": 1}[layout]
    np.testing.assert_array_equal(np.squeeze(np.asarray(data.X)),
                                  np.take(stored, [0, 2], axis=axis))
    assert load_recording(file, picks=["STI 014", "Cz"]).ch_names == ["STI 014", "Cz"]


def test_meta_may_state_them(tmp_path):
    meta = json.dumps({"bads": ["C4"], "ch_types": ["eeg", "eeg", "eeg", "eog", "stim"]})
    assert load_recording(write(tmp_path / "S01.npz", meta=meta)).ch_names == ["C3", "Cz"]


def test_names_tell_types_where_the_file_does_not(tmp_path):
    file = write(tmp_path / "S01.npz")
    with pytest.warns(UserWarning, match=r"'HEOG', 'STI 014'\] are not EEG by their names"):
        assert load_recording(file).ch_names == ["C3", "Cz", "C4"]


@pytest.mark.parametrize("layout", ["epochs", "continuous", "samples"])
def test_excluded_channels_are_left_out_of_what_is_picked(tmp_path, layout):
    file = write(tmp_path / "S01.npz", layout, bads=["Cz"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the excluded ones need no warning that they are left out
        data = load_recording(file, exclude=["c3", "HEOG", "STI 014"])
    assert data.ch_names == ["C4"]
    axis = {"epochs": 1, "continuous": 0, "samples": 1}[layout]
    np.testing.assert_array_equal(np.squeeze(np.asarray(data.X)),
                                  np.squeeze(np.take(np.load(file)["X"], [2], axis=axis)))
    assert load_recording(file, picks=["HEOG", "Cz"], exclude=["Cz"]).ch_names == ["HEOG"]


def test_saved_rows_lose_excluded_channels(tmp_path):
    data = load_recording(write(tmp_path / "S01.npz"), picks=["C3", "Cz", "C4"])
    save_recording(tmp_path / "S02.npz", data)
    again = load_recording(tmp_path / "S02.npz", exclude=["Cz"])
    assert again.ch_names == ["C3", "C4"]
    np.testing.assert_array_equal(again.X, data.X[:, [0, 2]])


def test_excluded_channels_that_are_not_there_are_named(tmp_path):
    file = write(tmp_path / "S01.npz", ch_types=["eeg"] * 5)
    with pytest.warns(UserWarning, match=r"exclude names \['Oz'\].*C3, Cz, C4, HEOG"):
        assert load_recording(file, exclude=["Oz"]).ch_names == NAMES


@pytest.mark.parametrize(("arrays", "error", "match"), [
    ({"exclude": "Cz"}, TypeError, "load_recording: exclude='Cz' must be a list of names"),
    ({"exclude": NAMES}, ValueError, r"exclude=\['C3'.* leaves none of the channels"),
])
def test_unfit_exclusions_are_refused(tmp_path, arrays, error, match):
    file = write(tmp_path / "S01.npz", ch_types=["eeg"] * 5)
    with pytest.raises(error, match=match):
        load_recording(file, **arrays)


def test_a_channel_that_is_bad_later_is_named(tmp_path):
    first = load_recording(write(tmp_path / "S01.npz"), picks=["C3", "Cz", "C4"])
    later = load_recording(write(tmp_path / "S02.npz", bads=["Cz"]))
    with pytest.raises(ValueError, match="without 'Cz'.*marked bad"):
        ChannelNormalizer().fit(first.X).transform(later.X)


@pytest.mark.parametrize(("arrays", "match"), [
    ({"bads": ["Oz"]}, r"bads has \['Oz'\]"),
    ({"bads": [1, 2]}, "bads=.* must be a list of texts"),
    ({"ch_types": ["eeg"]}, "ch_types has 1 entries for 5 channels"),
    ({"ch_names": ["C3", "C3", "C4", "Cz", "Pz"]}, r"ch_names has \['C3'\] more than once"),
    ({"ch_types": ["eog"] * 5}, "no good data channel"),
])
def test_what_does_not_fit_is_named(tmp_path, arrays, match):
    with pytest.raises(ValueError, match=rf"S01\.npz.*{match}"):
        load_recording(write(tmp_path / "S01.npz", **arrays))


@pytest.mark.parametrize("name", ["C3", "Fp1", "EEG Fz", "EEG-C3", "T7", "POz", "A1", "M2",
                                  "EEG001", "E12", "O1"])
def test_electrodes_are_electrodes(tmp_path, name):
    np.savez(tmp_path / "S01.npz", X=np.random.default_rng(0).normal(0, 1e-5, (4, 2, 50)),
             y=[0, 1, 0, 1], sfreq=100.0, ch_names=[name, "Cz"])
    assert load_recording(tmp_path / "S01.npz").ch_names == [name, "Cz"]
