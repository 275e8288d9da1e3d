"""EDF and BDF files whose headers and records state what MNE does not go by."""

from __future__ import annotations

import numpy as np
import pytest

from skbci.datasets import read_epochs

RATE, SECONDS = 100, 30


def column(*texts, width):
    return b"".join(str(text).ljust(width).encode("latin-1")[:width] for text in texts)


def write(path, *, starts=None, events=(), units=("uV", "uV"), rates=(RATE, RATE), kind="EDF+C",
          status=None):
    """Write records of one second: two signals, annotations and, in BDF files, a status channel.

    Returns the signals as they were written, in the file's units.
    """
    bdf = path.suffix == ".bdf"
    size = 3 if bdf else 2
    full = 2 ** (8 * size - 1)
    starts = list(range(SECONDS)) if starts is None else starts
    names = ["C3", "C4", f"{kind[:3]} Annotations", *(["Status"] if bdf else [])]
    n_samples = [*rates, 40, *([RATE] if bdf else [])]
    low, high = [-full] * len(names), [full - 1] * len(names)
    units = [*units, "", *(["Boolean"] if bdf else [])]
    n = len(names)
    head = b"\xffBIOSEMI" if bdf else b"0".ljust(8)
    head += column("X X X X", "Startdate X X X X", width=80) + column("01.01.20", "00.00.00",
                                                                     256 * (n + 1), width=8)
    head += column(kind, width=44) + column(len(starts), 1, width=8) + column(n, width=4)
    head += column(*names, width=16) + column(*[""] * n, width=80) + column(*units, width=8)
    # One step of the converter is one unit.
    head += column(*low, width=8) + column(*high, width=8)
    head += column(*low, width=8) + column(*high, width=8)
    head += column(*[""] * n, width=80) + column(*n_samples, width=8) + column(*[""] * n, width=32)
    rng = np.random.default_rng(0)
    signals = [rng.integers(-50, 50, (len(starts), rate)) for rate in rates]

    def packed(values):
        return np.asarray(values, "<i4").view(np.uint8).reshape(-1, 4)[:, :size].tobytes()

    body = b""
    for at, start in enumerate(starts):
        body += b"".join(packed(signal[at]) for signal in signals)
        marks = f"+{start}\x14\x14\x00"
        for time, text in events:
            if start <= time < start + 1:
                marks += f"+{time}\x14{text}\x14\x00"
        body += marks.encode().ljust(40 * size, b"\x00")
        if bdf:
            body += packed(status[at * RATE : (at + 1) * RATE])
    path.write_bytes(head + body)
    return signals


def test_events_of_a_discontinuous_file_are_at_the_samples_of_their_time(tmp_path):
    # Ten records, a pause of 85 seconds, twenty records.
    starts = [*range(10), *range(95, 115)]
    events = [(2, "left"), (8.5, "right"), (97.25, "left"), (105, "right"), (50, "nothing")]
    path = tmp_path / "S01.edf"
    written = write(path, starts=starts, events=events, kind="EDF+D")
    with (
        pytest.warns(UserWarning, match="1 of 4 events were left out, 1 because of annotations"),
        pytest.warns(RuntimeWarning, match="outside data range"),
    ):
        data = read_epochs(path, tmax=2)
    # The second that starts at 97 is the thirteenth that was recorded, and so on; the window from
    # 8.5 on would cross the pause.
    assert data.y.tolist() == ["left", "left", "right"]
    assert data.metadata["onset"].tolist() == [2.0, 12.25, 20.0]
    signal = written[0].ravel()
    for epoch, start in zip(np.asarray(data.X)[:, 0], (200, 1225, 2000)):
        np.testing.assert_allclose(epoch * 1e6, signal[start : start + 200], atol=1e-6)


def test_events_of_a_pause_are_said(tmp_path):
    path = tmp_path / "S01.edf"
    write(path, starts=[*range(10), *range(20, 40)], kind="EDF+D",
          events=[(2, "left"), (9.999, "right"), (22, "right")])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"+9.999\x14", b"+15.50\x14"))
    with pytest.warns(UserWarning, match="1 of 3 annotations were left out, since nothing was"):
        data = read_epochs(path, tmax=2)
    assert data.metadata["onset"].tolist() == [2.0, 12.0]


def test_a_file_without_pauses_is_as_mne_reads_it(tmp_path):
    path = tmp_path / "S01.edf"
    write(path, starts=[at + 0.25 for at in range(SECONDS)], events=[(2.25, "a"), (8.25, "b")],
          kind="EDF+D")
    assert read_epochs(path, tmax=2).metadata["onset"].tolist() == [2.0, 8.0]


@pytest.mark.parametrize(("unit", "volts"), [("nV", 1e-9), ("mV", 1e-3), ("uVolt", 1e-6)])
@pytest.mark.filterwarnings("ignore:.*the signals are too:UserWarning")
def test_units_of_voltage(tmp_path, unit, volts):
    path = tmp_path / "S01.edf"
    written = write(path, events=[(2, "a")], units=(unit, "uV"))
    epoch = np.asarray(read_epochs(path, tmax=1).X)[0]
    np.testing.assert_allclose(epoch[0], written[0][2] * volts, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(epoch[1], written[1][2] * 1e-6, rtol=1e-9, atol=1e-14)


def test_channels_of_another_unit_are_no_eeg(tmp_path):
    path = tmp_path / "S01.edf"
    write(path, events=[(2, "a")], units=("uV", "%"))
    with pytest.warns(UserWarning, match=r"no voltage that is understood .*: C4 \(%\)"):
        data = read_epochs(path, tmax=1)
    assert data.ch_names == ["C3"]
    with pytest.warns(UserWarning, match="no voltage"):
        assert read_epochs(path, tmax=1, picks=["C3", "C4"]).ch_names == ["C3", "C4"]


def test_channels_of_a_lower_rate_are_said(tmp_path):
    path = tmp_path / "S01.edf"
    write(path, events=[(2, "a")], rates=(RATE, RATE // 2))
    with pytest.warns(UserWarning, match=r"MNE interpolated C4 \(50 Hz\) to 100 Hz"):
        read_epochs(path, tmax=1)


def test_codes_of_a_status_channel_are_its_lower_bits(tmp_path):
    status = np.zeros(SECONDS * RATE, dtype=int)
    for at, code in ((200, 1), (800, 2), (1400, 258)):
        status[at : at + 20] = code
    # A new epoch is marked all the time, the cap is in range, and the battery is low.
    status |= 0b0101_0001 << 16
    path = tmp_path / "S01.bdf"
    write(path, kind="BDF+C", status=status)
    data = read_epochs(path, tmax=1)
    assert data.y.tolist() == ["1", "2", "258"]
    assert data.metadata["onset"].tolist() == [2.0, 8.0, 14.0]
    assert read_epochs(path, event_id={"left": 1, "right": 2}).y.tolist() == ["left", "right"]
