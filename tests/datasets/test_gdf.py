"""GDF files, written here byte by byte as the format's specification says."""

from __future__ import annotations

import struct
import warnings

import mne
import numpy as np
import pytest

from skbci.datasets import read_epochs
from skbci.features import SlidingWindows

RATE, SECONDS, STEP = 100, 20, 0.1
NAMES = ("C3", "Cz", "C4")
CUES = [(500, 769), (900, 770), (1300, 769)]  # numbers of samples, from 0, and codes
CODES = {"": 0, "V": 4256, "mV": 4274, "uV": 4275, "nV": 4276, "%": 544}

versions = pytest.mark.parametrize("version", [1.25, 1.99, 2.20])


def counts(rates=(RATE,) * 3):
    rng = np.random.default_rng(0)
    return [rng.integers(-400, 400, SECONDS * rate) for rate in rates]


def write(path, version=2.20, *, events=CUES, lengths=None, rate=RATE, units=("uV",) * 3,
          rates=(RATE,) * 3, signals=None):
    """Write records of one second; ``rate`` is that of the table of events."""
    n, low, high = len(NAMES), -32768, 32767
    signals = counts(rates) if signals is None else signals
    old = version < 1.9

    def each(form, *values):
        return struct.pack(f"<{n}{form}", *(values * n if len(values) == 1 else values))

    head = b"GDF %.2f" % version
    head += b"X X X".ljust(80) + b" " * 80 + b"2020010112000000" if old else (
        b"X X X".ljust(66) + bytes(14) + b" " * 64 + bytes(32) + struct.pack("<H", n + 1))
    head += struct.pack("<q", 256 * (n + 1)) + bytes(44) if old else bytes(50)
    head += struct.pack("<qII", SECONDS, 1, 1) + struct.pack("<I" if old else "<HH",
                                                              *((n,) if old else (n, 0)))
    assert len(head) == 256
    head += b"".join(name.encode().ljust(16) for name in NAMES) + b" " * 80 * n
    head += (b"".join(unit.encode().ljust(8) for unit in units) if old
             else bytes(6 * n) + each("H", *(CODES[unit] for unit in units)))
    head += each("d", low * STEP) + each("d", high * STEP)
    head += each("q" if old else "d", low) + each("q" if old else "d", high)
    head += bytes(80 * n) + each("i", *rates) + each("i", 3) + bytes(32 * n)
    assert len(head) == 256 * (n + 1)
    body = b""
    for second in range(SECONDS):
        for signal, own in zip(signals, rates):
            body += np.asarray(signal[second * own : (second + 1) * own], "<i2").tobytes()
    mode, m = (1 if lengths is None else 3), len(events)
    table = struct.pack("<B", mode)
    table += (struct.pack("<I", rate)[:3] + struct.pack("<I", m) if version < 1.94
              else struct.pack("<I", m)[:3] + struct.pack("<f", rate))
    table += struct.pack(f"<{m}I", *(at + 1 for at, _ in events))
    table += struct.pack(f"<{m}H", *(code for _, code in events))
    if lengths is not None:
        table += bytes(2 * m) + struct.pack(f"<{m}I", *lengths)
    path.write_bytes(head + body + table)
    return path


def quiet(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # MNE's 1.10, of numpy
        return read_epochs(path, **options)


@versions
def test_events_and_volts(tmp_path, version):
    data = quiet(write(tmp_path / "A01T.gdf", version), tmax=1)
    assert data.y.tolist() == ["769", "770", "769"]
    right = np.stack([np.stack([one[at : at + 100] for one in counts()]) for at, _ in CUES])
    np.testing.assert_allclose(np.asarray(data.X), right * STEP * 1e-6, atol=1e-9)


@versions
@pytest.mark.parametrize("factor", [2, 0.5])
def test_events_are_counted_at_the_rate_of_their_table(tmp_path, version, factor):
    events = [(round(at * factor), code) for at, code in CUES]
    data = quiet(write(tmp_path / "A01T.gdf", version, events=events, rate=round(RATE * factor)),
                 tmax=1)
    assert data.metadata["onset"].tolist() == [5.0, 9.0, 13.0]
    assert data.y.tolist() == ["769", "770", "769"]


@versions
def test_a_table_without_a_rate_goes_by_the_signals(tmp_path, version):
    path = write(tmp_path / "A01T.gdf", version, rate=0)
    assert quiet(path, tmax=1).metadata["onset"].tolist() == [5.0, 9.0, 13.0]


@versions
def test_no_window_crosses_the_beginning_of_a_segment(tmp_path, version):
    events = [(0, 32766), *CUES, (950, 32766)]
    path = write(tmp_path / "A01T.gdf", version, events=events)
    with pytest.warns(UserWarning, match="1 of 3 events were left out"):
        data = read_epochs(path, tmax=1)
    assert data.y.tolist() == ["769", "769"]
    assert data.metadata["onset"].tolist() == [5.0, 13.0]
    # A segment that begins with the window is no matter.
    path = write(path, version, events=[*CUES, (500, 32766)])
    assert len(quiet(path, tmax=1).y) == 3


@versions
def test_the_end_of_an_event_is_no_event(tmp_path, version):
    """A code with the highest bit ends the event of the code without it."""
    ends = [(at + 300, code + 0x8000) for at, code in CUES]
    path = write(tmp_path / "A01T.gdf", version, events=sorted(CUES + ends))
    assert quiet(path, tmax=1).y.tolist() == ["769", "770", "769"]
    raw = mne.io.read_raw(path, verbose="error")
    assert quiet(raw, tmax=1, subject=1).y.tolist() == ["769", "770", "769"]
    # Others are events: OpenViBE's codes of a user's own begin with 33024.
    own = [(500, 33025), (900, 33026)]
    assert quiet(write(path, version, events=own), tmax=1).y.tolist() == ["33025", "33026"]


def test_a_rejected_trial_lasts_to_its_end(tmp_path):
    events = [(300, 768), (300, 1023), (800, 1023 + 0x8000), (1100, 768)]
    path = write(tmp_path / "A01T.gdf", events=sorted(CUES + events))
    with pytest.warns(UserWarning, match="left out"):
        data = read_epochs(path, event_id={"left": 769, "right": 770}, tmax=1)
    assert data.metadata["onset"].tolist() == [9.0, 13.0]


@versions
@pytest.mark.parametrize("lengths", [None, [400, 400, 100, 400, 100, 400, 100]])
def test_rejected_trials_are_left_out(tmp_path, version, lengths):
    trials = [(300, 768), (300, 1023), CUES[0], (700, 768), CUES[1], (1100, 768), CUES[2]]
    path = write(tmp_path / "A01T.gdf", version, events=trials, lengths=lengths)
    with pytest.warns(UserWarning, match="left out") as said:
        data = read_epochs(path, event_id={"left": 769, "right": 770}, tmax=1)
    text = " ".join(str(one.message) for one in said)
    assert "marks 1 trials as rejected (code 1023)" in text
    assert data.y.tolist() == ["right", "left"]
    assert data.metadata["onset"].tolist() == [9.0, 13.0]


@versions
def test_the_last_trial_is_rejected_to_the_end(tmp_path, version):
    trials = [(300, 768), CUES[0], (1100, 768), (1100, 1023), CUES[2]]
    path = write(tmp_path / "A01T.gdf", version, events=trials)
    with pytest.warns(UserWarning, match="left out"):
        data = read_epochs(path, event_id=["769"], tmax=1)
    assert data.metadata["onset"].tolist() == [5.0]


@versions
def test_missing_samples_are_a_bad_stretch(tmp_path, version):
    signals = counts()
    for signal in signals:
        signal[930:960] = -32768
    signals[0][520:540] = -32768  # a rail of one channel is another matter
    path = write(tmp_path / "A01T.gdf", version, signals=signals)
    with pytest.warns(UserWarning, match="1 of 3 events were left out"):
        data = read_epochs(path, tmax=1)
    assert data.metadata["onset"].tolist() == [5.0, 13.0]
    # No filter reaches over what is missing.
    path = write(path, version, events=[(965, 769)], signals=signals)
    data = quiet(path, tmax=1, l_freq=8, h_freq=30)
    part = mne.io.RawArray(np.array(signals)[:, 960:] * STEP * 1e-6,
                           mne.create_info(list(NAMES), RATE, "eeg"), verbose="error")
    right = part.filter(8, 30, verbose="error").get_data()[:, 5:105]
    np.testing.assert_allclose(np.asarray(data.X)[0], right, atol=1e-9)


@versions
def test_each_channel_is_in_its_own_unit(tmp_path, version):
    path = write(tmp_path / "A01T.gdf", version, units=("uV", "nV", "mV"))
    data = quiet(path, tmax=1)
    right = np.stack([one[500:600] for one in counts()]) * STEP
    np.testing.assert_allclose(np.asarray(data.X)[0], right * [[1e-6], [1e-9], [1e-3]],
                               atol=1e-12)


@versions
def test_channels_of_another_unit_are_no_eeg(tmp_path, version):
    path = write(tmp_path / "A01T.gdf", version, units=("uV", "%", "uV"))
    with pytest.warns(UserWarning, match=r"states units of no voltage .*: Cz \("):
        assert read_epochs(path, tmax=1).ch_names == ["C3", "C4"]


@versions
def test_channels_of_a_lower_rate_are_said(tmp_path, version):
    path = write(tmp_path / "A01T.gdf", version, rates=(RATE, RATE // 2, RATE))
    with pytest.warns(UserWarning, match=r"MNE interpolated Cz \(50 Hz\) to 100 Hz"):
        read_epochs(path, tmax=1)


@versions
def test_what_mne_has_read_already_is_taken_likewise(tmp_path, version):
    events = [(300, 768), (300, 1023), CUES[0], (700, 768), CUES[1], (1100, 768), CUES[2],
              (1350, 32766)]
    raw = mne.io.read_raw_gdf(write(tmp_path / "A01T.gdf", version, events=events))
    raw.crop(2.0)
    before = raw.annotations.copy()
    with pytest.warns(UserWarning, match="left out") as said:
        data = read_epochs(raw, event_id={"left": 769, "right": 770}, tmax=1)
    assert "marks 1 trials as rejected" in " ".join(str(one.message) for one in said)
    assert data.y.tolist() == ["right"]
    np.testing.assert_allclose(data.metadata["onset"], [7.0])
    assert raw.annotations == before


@versions
def test_windows_of_what_mne_has_read_cross_no_segment_or_rejected_trial(tmp_path, version):
    events = [CUES[0], (600, 32766), (900, 1023)]
    path = write(tmp_path / "A01T.gdf", version, events=events, lengths=[100, 1, 250])
    raw = mne.io.read_raw_gdf(path)
    with pytest.warns(UserWarning, match="left out because they touch"):
        windows, _ = SlidingWindows(1.0, 0.5).explode(raw)
    begins = np.arange(0, 19.5, 0.5)
    crossing = (begins < 6.0) & (begins + 1 > 6.0) | (begins < 11.5) & (begins + 1 > 9.0)
    np.testing.assert_allclose(windows.metadata["onset"], begins[~crossing])
