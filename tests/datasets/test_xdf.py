"""XDF files: streams, clocks, units and damage."""

from __future__ import annotations

import re
import struct
import sys
import warnings

import numpy as np
import pytest

from skbci.datasets import read_epochs
from tests.xdf_files import (
    CHANNELS,
    EVENTS,
    RATE,
    chunk,
    footer,
    header,
    marker_samples,
    signal,
    signal_samples,
    varlen,
    write,
)


@pytest.fixture
def xdf():
    return pytest.importorskip("pyxdf", reason="pyxdf is not installed")


def test_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyxdf", None)
    with pytest.raises(ImportError, match=r'pip install "skbci\[xdf\]"'):
        read_epochs(write(tmp_path / "S01.xdf"))


def test_its_parameters_are_for_no_other_format(tmp_path):
    with pytest.raises(ValueError, match="marker_stream='cues' is for XDF files"):
        read_epochs(tmp_path / "S01.edf", marker_stream="cues")


@pytest.mark.extras
def test_samples_around_markers_in_volts(tmp_path, xdf):
    name = "sub-P003_ses-S002_task-Default_run-004_eeg.xdf"  # of the Lab Recorder
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = read_epochs(write(tmp_path / name), tmin=-0.5, tmax=1.5)
    assert data.y.tolist() == list(EVENTS.values())
    assert (data.X.shape, data.ch_names, data.sfreq) == ((4, 2, 200), ["C3", "C4"], RATE)
    for row, onset in zip(data.X, (5.0, 9.0, 13.0, 17.0)):  # at the nearest sample
        at = round(onset * RATE)
        right = np.float32(signal()[at - 50 : at + 150, :2].T) * 1e-6
        np.testing.assert_allclose(np.asarray(row), right, rtol=1e-6)
    table = data.metadata
    assert (table["subject"][0], table["session"][0], table["run"][0]) == ("P003", 2, 4)
    np.testing.assert_allclose(table["onset"], [5, 9, 13, 17])


@pytest.mark.extras
def test_missing_samples_are_crossed_by_no_window(tmp_path, xdf):
    data = signal()
    stamps = 1000 + np.arange(len(data)) / RATE
    stamps[1000:] += 2.0  # the marker at 13 s is recorded at sample 1100
    path = write(tmp_path / "S01.xdf", stamps=stamps,
                 events={5.0: "left", 9.5: "right", 11.0: "lost", 13.0: "left"})
    with pytest.warns(UserWarning, match="left out") as said:
        found = read_epochs(path, tmin=0.0, tmax=1.0)
    text = " ".join(str(one.message) for one in said)
    assert "1 of 4 markers were left out" in text
    assert "1 of 3 events were left out, 1 because of annotations" in text
    assert found.y.tolist() == ["left", "left"]
    np.testing.assert_allclose(np.asarray(found.X)[1], np.float32(data[1100:1200, :2].T) * 1e-6,
                               rtol=1e-6)


@pytest.mark.extras
def test_units_and_recordings_that_did_not_end(tmp_path, xdf):
    bare = [{"label": name} for name in ("C3", "C4", "Cz")]
    path = write(tmp_path / "S01.xdf", channels=bare, footers=False)
    with pytest.warns(UserWarning, match="cut short|microvolts") as said:
        found = read_epochs(path)
    text = " ".join(str(one.message) for one in said)
    assert "unit of 3 channels; they are taken for microvolts" in text
    assert "is cut short, or its recorder did not end: 2400 samples" in text
    assert found.ch_names == ["C3", "C4", "Cz"]
    stated = read_epochs(write(path, channels=bare), unit="mV")
    np.testing.assert_allclose(np.asarray(stated.X), np.asarray(found.X) * 1000)
    unnamed = read_epochs(write(path, channels=()), unit="uV")
    assert unnamed.ch_names == ["EEG000", "EEG001", "EEG002"]


SECOND = header(3, "second", "EEG", "float32", 1, RATE) + signal_samples(
    3, 1000 + np.arange(10) / RATE, np.zeros((10, 1)))
MORE_MARKERS = header(4, "keyboard", "Markers", "string", 1, 0) + marker_samples(
    4, [1003.0], ["space"])


@pytest.mark.extras
@pytest.mark.parametrize(("change", "message"), [
    ({"kind": "Audio"}, "no EEG stream: choose one with stream=...; it has 'amplifier' (Audio, "
                        "2400 samples), 'cues' (Markers, 4 samples)"),
    ({"more": SECOND}, "has 2 EEG streams: choose one with stream="),
    ({"events": None}, "no marker stream: choose one with marker_stream="),
    ({"more": MORE_MARKERS}, "has 2 marker streams"),
    ({"rate": 0}, "'amplifier' has no regular sampling rate"),
    ({"rate": 250}, "states 250 Hz, but its samples come at an irregular rate, or another one "
                    "(100 Hz)"),
    ({"channels": CHANNELS[:2]}, "describes 2 channels and holds 3"),
    ({"channels": [CHANNELS[0]] * 3}, "channel labels has ['C3'] more than once"),
    ({"channels": [{**one, "unit": "furlong"} for one in CHANNELS]}, "unit='furlong' must be"),
])
def test_what_cannot_be_read_is_said(tmp_path, xdf, change, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=rf"S01\.xdf.*{re.escape(message)}"):
            read_epochs(write(tmp_path / "S01.xdf", **change))


@pytest.mark.extras
def test_streams_are_chosen_by_name(tmp_path, xdf):
    path = write(tmp_path / "S01.xdf", kind="Signal", more=SECOND + MORE_MARKERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_epochs(path, stream="amplifier", marker_stream="cues")
        assert found.y.tolist() == ["left", "right", "left", "right"]
        with pytest.raises(ValueError, match="stream='eeg': no streams have this name"):
            read_epochs(path, stream="eeg")


@pytest.mark.extras
@pytest.mark.parametrize("damage", [lambda b: b"EDF" + b[3:], lambda b: b"", lambda b: b[:40]])
def test_damaged_files_are_named(tmp_path, xdf, damage):
    path = write(tmp_path / "S01.xdf")
    path.write_bytes(damage(path.read_bytes()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"S01\.xdf"):
            read_epochs(path)


@pytest.mark.extras
def test_a_file_that_is_cut_in_the_middle_says_so(tmp_path, xdf):
    cues = header(2, "cues", "Markers", "string", 1, 0) + marker_samples(2, [1002.0], ["left"])
    path = write(tmp_path / "S01.xdf", events=None, first=cues)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.warns(UserWarning, match=r"is cut short.*: \d+ samples of the stream 'amplifier'"):
        found = read_epochs(path, tmax=1.0)
    assert found.y.tolist() == ["left"]


@pytest.mark.extras
@pytest.mark.parametrize("n_lost", [5, 20])
def test_few_missing_samples_shift_no_markers(tmp_path, xdf, n_lost):
    # Without jitter: straight lines through all stamps would put markers beside the gap elsewhere.
    kept = np.delete(np.arange(2400), np.arange(1100, 1100 + n_lost))
    data = signal()[kept]
    path = write(tmp_path / "S01.xdf", data=data, stamps=1000 + kept / RATE,
                 events={5.0: "left", 10.5: "right", 11.5: "left", 17.0: "right"})
    with pytest.warns(UserWarning, match="1 of 4 events were left out"):
        found = read_epochs(path, tmax=1.0)
    assert found.y.tolist() == ["left", "left", "right"]
    for row, second in zip(np.asarray(found.X), (5.0, 11.5, 17.0)):
        at = np.searchsorted(kept, round(second * RATE))
        np.testing.assert_allclose(row, data[at : at + 100, :2].T * 1e-6, rtol=1e-4, atol=1e-9)


def number_samples(number, stamps, rows, form):
    out = struct.pack("<I", number) + varlen(len(rows))
    for stamp, row in zip(stamps, rows):
        out += b"\x08" + struct.pack("<d", stamp) + np.asarray(row, form).tobytes()
    return chunk(3, out)


def trigger_stream(values, stamps, rate=100):
    return (header(5, "trigger", "Stim", "int32", values.shape[1], rate)
            + number_samples(5, stamps, values, "<i4") + footer(5, len(values)))


@pytest.mark.extras
def test_a_trigger_channel_is_an_event_where_it_rises(tmp_path, xdf):
    line = np.zeros((2400, 1), dtype=int)
    line[500:510], line[900:905], line[905:910], line[1300:1310] = 1, 2, 3, 1
    more = trigger_stream(line, 1000 + np.arange(2400) / RATE)
    found = read_epochs(write(tmp_path / "S01.xdf", events=None, more=more), tmax=1.0)
    assert found.y.tolist() == ["1", "2", "3", "1"]
    np.testing.assert_allclose(found.metadata["onset"], [5, 9, 9.05, 13])


@pytest.mark.extras
def test_markers_that_state_a_rate_and_come_seldom_are_markers(tmp_path, xdf):
    more = trigger_stream(np.array([[1], [1], [2]]), np.array([1005.0, 1009.0, 1013.0]))
    found = read_epochs(write(tmp_path / "S01.xdf", events=None, more=more), tmax=1.0)
    assert found.y.tolist() == ["1", "1", "2"]


@pytest.mark.extras
def test_a_signal_is_no_stream_of_markers(tmp_path, xdf):
    with pytest.raises(ValueError, match="'amplifier' holds 3 channels at 100 Hz, which are no m"):
        read_epochs(write(tmp_path / "S01.xdf"), marker_stream="amplifier")


@pytest.mark.extras
def test_stamps_that_run_back_are_refused(tmp_path, xdf):
    stamps = 1000 + np.tile(np.arange(1200), 2) / RATE
    with pytest.raises(ValueError, match="'amplifier' run back by 12 s at sample 1200"):
        read_epochs(write(tmp_path / "S01.xdf", stamps=stamps))


@pytest.mark.extras
def test_spaces_in_a_channels_type_lose_no_channel(tmp_path, xdf):
    channels = [CHANNELS[0], {**CHANNELS[1], "type": "EEG "}, CHANNELS[2]]
    assert read_epochs(write(tmp_path / "S01.xdf", channels=channels)).ch_names == ["C3", "C4"]
