"""BrainVision files, written here as the format's description says."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skbci.datasets import read_epochs

RATE, N = 100, 2000
NAMES = ("C3", "Cz", "C4")
CUES = {500: "S  1", 900: "S  2", 1300: "S  1"}  # numbers of samples, from 0


def counts(seed=0):
    return np.random.default_rng(seed).integers(-400, 400, (len(NAMES), N))


def write(folder, name, *, data=None, markers=None, cues=None, units=("µV",) * 3, seed=0,
          orientation="MULTIPLEXED", points=None, n_channels=3, segment=None):
    """Write the three files; ``data`` and ``markers`` are the names in the header."""
    samples = counts(seed)
    stored = samples.T if orientation == "MULTIPLEXED" else samples
    (folder / f"{name}.eeg").write_bytes(np.ascontiguousarray(stored, "<i2").tobytes())
    channels = "\n".join(f"Ch{at}={one},,0.1,{unit}" for at, (one, unit) in
                         enumerate(zip(NAMES, units), 1))
    segments = f"SegmentationType=MARKERBASED\nSegmentDataPoints={segment}" if segment else ""
    (folder / f"{name}.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={data or name + '.eeg'}\nMarkerFile={markers or name + '.vmrk'}\n"
        f"DataFormat=BINARY\nDataOrientation={orientation}\nNumberOfChannels={n_channels}\n"
        f"SamplingInterval={1e6 / RATE:g}\n{f'DataPoints={points}' if points else ''}\n"
        f"{segments}\n"
        f"[Binary Infos]\nBinaryFormat=INT_16\n\n[Channel Infos]\n{channels}\n", encoding="utf-8")
    marks = "\n".join(f"Mk{number}=Stimulus,{text},{at + 1},1,0" for number, (at, text) in
                      enumerate((cues or CUES).items(), 1))
    (folder / f"{name}.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\n"
        f"Codepage=UTF-8\nDataFile={data or name + '.eeg'}\n\n[Marker Infos]\n{marks}\n",
        encoding="utf-8")
    return folder / f"{name}.vhdr"


def quiet(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_epochs(path, **options)


def test_events_and_volts(tmp_path):
    data = quiet(write(tmp_path, "S01"), tmax=1)
    assert data.y.tolist() == ["Stimulus/S  1", "Stimulus/S  2", "Stimulus/S  1"]
    right = np.stack([counts()[:, at : at + 100] for at in CUES]) * 1e-7
    np.testing.assert_allclose(np.asarray(data.X), right, atol=1e-12)


@pytest.mark.parametrize(("entry", "ending", "what"), [
    ("data", "eeg", "data"), ("markers", "vmrk", "markers")])
def test_another_recordings_file_beside_its_own_is_refused(tmp_path, entry, ending, what):
    write(tmp_path, "S01", cues={500: "S  2", 900: "S  1"})
    path = write(tmp_path, "S02", seed=1, **{entry: f"S01.{ending}"})
    with pytest.raises(ValueError, match=rf"S02\.vhdr names S01\.{ending} as the file of its "
                                         rf"{what}, but S02\.{ending} is there"):
        read_epochs(path)
    # Copies of one file contradict nothing.
    (tmp_path / f"S02.{ending}").write_bytes((tmp_path / f"S01.{ending}").read_bytes())
    quiet(path, tmax=1)


def test_data_of_another_name_are_read_where_nothing_contradicts_them(tmp_path):
    path = write(tmp_path, "recording")
    (tmp_path / "S01.vhdr").write_bytes(path.read_bytes())
    path.unlink()
    data = quiet(tmp_path / "S01.vhdr", tmax=1)
    np.testing.assert_allclose(np.asarray(data.X)[0], counts()[:, 500:600] * 1e-7, atol=1e-12)


def test_a_copied_header_that_reads_anothers_data_is_said(tmp_path):
    path = write(tmp_path, "S01")
    (tmp_path / "S02.vhdr").write_bytes(path.read_bytes())
    with pytest.warns(UserWarning, match=r"S02\.vhdr names S01\.eeg .*that of S01\.vhdr, too"):
        read_epochs(tmp_path / "S02.vhdr", tmax=1)


def test_renamed_data_are_named(tmp_path):
    path = write(tmp_path, "S01", data="old.eeg")
    with pytest.raises(ValueError, match=r"names old\.eeg .*not there; S01\.eeg is"):
        read_epochs(path)


@pytest.mark.parametrize("unit", ["UV", "μV", "microvolt"])
def test_units_of_voltage_in_other_spellings(tmp_path, unit):
    data = quiet(write(tmp_path, "S01", units=("µV", unit, "µV")), tmax=1)
    assert data.ch_names == list(NAMES)
    np.testing.assert_allclose(np.asarray(data.X)[0], counts()[:, 500:600] * 1e-7, atol=1e-12)


def test_temperatures_are_no_eeg(tmp_path):
    assert quiet(write(tmp_path, "S01", units=("µV", "C", "µV")), tmax=1).ch_names == ["C3", "C4"]


def test_channels_after_one_another_that_are_cut_short_are_refused(tmp_path):
    path = write(tmp_path, "S01", orientation="VECTORIZED", points=N)
    np.testing.assert_allclose(np.asarray(quiet(path, tmax=1).X)[0],
                               counts()[:, 500:600] * 1e-7, atol=1e-12)
    whole = (tmp_path / "S01.eeg").read_bytes()
    (tmp_path / "S01.eeg").write_bytes(whole[:-1200])
    with pytest.raises(ValueError, match="cut short: .* cannot be told apart"):
        read_epochs(path)


def test_more_samples_than_are_stated_are_said(tmp_path):
    path = write(tmp_path, "S01", points=N // 2)
    with pytest.warns(UserWarning, match="holds 20 s, but its header states 10 s"):
        read_epochs(path, tmax=1)


def test_more_channels_than_are_stated_are_refused(tmp_path):
    path = write(tmp_path, "S01", n_channels=2)
    with pytest.raises(ValueError, match=r"states 2 channels .* and describes 3"):
        read_epochs(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_coordinates_and_comments_describe_no_channels(tmp_path, end):
    path = write(tmp_path, "S01", points=N)
    text = path.read_text(encoding="utf-8") + (
        "\n[Coordinates]\nCh1=1,-50,20\nCh2=1,0,0\nCh3=1,50,-20\n\n[Comment]\nCh4=Pz,,0.1,C\n")
    path.write_bytes(text.replace("\n", end).encode())
    data = quiet(path, tmax=1)
    assert data.ch_names == list(NAMES)
    np.testing.assert_allclose(np.asarray(data.X)[0], counts()[:, 500:600] * 1e-7, atol=1e-12)


def test_no_window_crosses_exported_segments(tmp_path):
    path = write(tmp_path, "S01", segment=550)  # at 550, 1100 and 1650
    with pytest.warns(UserWarning, match="1 of 3 events were left out"):
        data = read_epochs(path, tmax=1)
    assert data.metadata["onset"].tolist() == [9.0, 13.0]


def test_a_segment_that_begins_later_is_a_boundary_as_the_first_mark_too(tmp_path):
    path = write(tmp_path, "S01")
    marks = path.with_suffix(".vmrk")
    marks.write_text(marks.read_text().replace(
        "Mk1=", "Mk9=New Segment,,551,1,0,20200101120000000000\nMk1="))
    with pytest.warns(UserWarning, match="1 of 3 events were left out"):
        data = read_epochs(path, tmax=1)
    assert data.metadata["onset"].tolist() == [9.0, 13.0]
