"""Units of stored signals: understood, or refused; amplitudes that cannot be EEG are doubted."""

from __future__ import annotations

import json
import warnings

import mne
import numpy as np
import pytest

from skbci.datasets import load_recording, read_epochs, save_recording
from skbci.datasets._units import doubt_amplitude, in_volts


@pytest.mark.parametrize(("text", "volts"), [
    ("V", 1), ("volts", 1), ("mV", 1e-3), ("millivolt", 1e-3), ("uV", 1e-6), ("UV", 1e-6),
    ("µV", 1e-6), ("\u03bcV", 1e-6), ("Microvolts", 1e-6), ("micro-volt", 1e-6), ("nV", 1e-9),
    ("microvolt, int16, lossless (1 uV per count)", 1e-6),
    ("microvolt = X * scale (int16); rounded to 0.04 uV", 1e-6), ("EEG in uV", 1e-6),
    ("", None), ("unknown", None), (None, None),
])
def test_units_that_are_understood(text, volts):
    assert in_volts(text, "units") == volts


@pytest.mark.parametrize("text", [
    "counts", "a.u.", "T", "fT", "kV", "pV", "1e-6 V", "10^-6 V", "0.1 uV", "V*1e-6", "uV^2/Hz",
    "µV²", "uV/count", "V/m", "mV or uV", "V (once uV)", "ADC units", 5,
])
def test_units_that_are_not_understood(text):
    with pytest.raises(ValueError, match="units=.* must be 'V', 'mV', 'uV' or 'nV'"):
        in_volts(text, "units")


def write(path, size=20.0, **arrays):
    X = np.random.default_rng(0).normal(0, size, (4, 2, 50))
    np.savez(path, **{"X": X, "y": [1, 2] * 2, "sfreq": 100.0, **arrays})
    return path


def meta(**entries):
    return {"meta": json.dumps(entries)}


def test_a_file_with_another_unit_is_refused_and_the_argument_wins(tmp_path):
    path = write(tmp_path / "S01.npz", **meta(units="counts"))
    with pytest.raises(ValueError, match=r"S01\.npz: units='counts' must be 'V', 'mV'"):
        load_recording(path)
    assert np.asarray(load_recording(path, unit="uV").X).std() == pytest.approx(20e-6, rel=0.1)


def test_units_may_be_an_array_of_one_or_one_a_channel(tmp_path):
    one = load_recording(write(tmp_path / "S01.npz", units="uV"))
    np.testing.assert_allclose(one.X, np.load(tmp_path / "S01.npz")["X"] * 1e-6)
    each = load_recording(write(tmp_path / "S02.npz", unit=np.array([b"uV", b"nV"])))
    np.testing.assert_allclose(
        each.X, np.load(tmp_path / "S02.npz")["X"] * np.array([[1e-6], [1e-9]]))
    with pytest.raises(ValueError, match=r"S03\.npz: units has shape \(3,\)"):
        load_recording(write(tmp_path / "S03.npz", unit=["uV", "nV", "uV"]))


@pytest.mark.parametrize(("stated", "size", "what"), [
    ({}, 20.0, "large"), (meta(units="V"), 20.0, "large"), (meta(units="mV"), 20.0, "large"),
    (meta(units="nV"), 20.0, "small"), (meta(units="uV"), 20e-6, "small"),
    ({**meta(units="uV"), "scale": 1e4}, 20.0, "large"),
])
def test_implausible_amplitudes_are_doubted(tmp_path, stated, size, what):
    with pytest.warns(UserWarning, match=f"S01.npz: the signals are too {what} for EEG in volts"):
        load_recording(write(tmp_path / "S01.npz", size, **stated))


@pytest.mark.parametrize("offset", [0.0, 4300.0])  # Emotiv's amplifier stands at 4.3 mV
@pytest.mark.parametrize("size", [0.5, 20.0, 300.0])
def test_plausible_amplitudes_are_not(tmp_path, size, offset):
    X = offset + np.random.default_rng(0).normal(0, size, (4, 2, 50))
    X[0, 0, :20] = 1e6  # an artifact
    path = write(tmp_path / "S01.npz", X=X, units="uV")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_recording(path)


def test_other_layouts_and_saved_files_are_doubted_too(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "S01.npz", run01=rng.normal(0, 20, (2, 300)), sfreq=100.0, units="V")
    np.savez(tmp_path / "S02.npz", X=rng.normal(0, 20, (300, 2)), y=np.zeros(300), sfreq=100.0,
             ch_names=["C3", "C4"])
    save_recording(tmp_path / "S03.npz", {"X": rng.normal(0, 20, (4, 2, 50)), "sfreq": 100.0})
    for name in ("S01.npz", "S02.npz", "S03.npz"):
        with pytest.warns(UserWarning, match=f"{name}: the signals are too large"):
            load_recording(tmp_path / name)


def make_raw(size):
    raw = mne.io.RawArray(np.random.default_rng(0).normal(0, size, (2, 1000)),
                          mne.create_info(["C3", "C4"], 100.0, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations([1, 4, 7], 0, ["left", "right", "left"]))


def test_microvolts_in_a_raw_that_should_hold_volts():
    with pytest.warns(UserWarning, match="too large for EEG in volts.*MNE holds volts"):
        read_epochs(make_raw(20.0), tmax=1, subject=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_epochs(make_raw(20e-6), tmax=1, subject=1)


@pytest.mark.parametrize(("size", "doubted"), [
    (1e-8, "too small"), (1e-7, None), (9e-4, None), (2e-3, "too large"),
])
def test_amplitudes_of_no_eeg_are_doubted(size, doubted):
    rows = np.tile([-size, size], (2, 500))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        doubt_amplitude(rows, "here", "")
    assert [doubted in str(one.message) for one in said] == [True] * (doubted is not None)
