"""EDF and BDF files that end before the time that their header states."""

from __future__ import annotations

import numpy as np
import pytest

from skbci.datasets import read_epochs

RATE, SECONDS = 100, 40


def write_edf(path, bdf=False):
    """Write a file by hand: records of one second with two signals and EDF+ annotations."""
    rng = np.random.default_rng(0)
    counts = rng.integers(-1000, 1000, (SECONDS, 2, RATE))
    size, tal = (3, 60) if bdf else (2, 60)
    low, high = (-8388608, 8388607) if bdf else (-32768, 32767)
    kind = "BDF" if bdf else "EDF"

    def column(*texts, width):
        return b"".join(str(text).ljust(width).encode() for text in texts)

    head = b"\xffBIOSEMI" if bdf else b"0".ljust(8)
    head += column("X X X X", width=80) + column("Startdate X X X X", width=80)
    head += column("01.01.20", "00.00.00", 256 * 4, width=8) + column(f"{kind}+C", width=44)
    head += column(SECONDS, 1, width=8) + column(3, width=4)
    head += column("C3", "C4", f"{kind} Annotations", width=16) + column("", "", "", width=80)
    head += column("uV", "uV", "", width=8) + column(low, low, -1, width=8)
    head += column(high, high, 1, width=8) + column(low, low, low, width=8)
    head += column(high, high, high, width=8) + column("", "", "", width=80)
    head += column(RATE, RATE, tal, width=8) + column("", "", "", width=32)
    assert len(head) == 256 * 4
    body = b""
    for second in range(SECONDS):
        for signal in counts[second]:
            raw = signal.astype("<i4").tobytes()
            body += b"".join(raw[4 * i : 4 * i + size] for i in range(RATE))
        marks = f"+{second}\x14\x14\x00"
        if second % 4 == 1:
            marks += f"+{second}\x14{'left' if second % 8 == 1 else 'right'}\x14\x00"
        body += marks.encode().ljust(tal * size, b"\x00")
    path.write_bytes(head + body)
    return len(head), len(body) // SECONDS


@pytest.mark.parametrize("kind", ["edf", "bdf"])
def test_a_file_cut_short_says_what_was_kept(tmp_path, kind):
    path = tmp_path / f"S01.{kind}"
    start, record = write_edf(path, bdf=kind == "bdf")
    whole = read_epochs(path, tmax=2)
    assert whole.y.tolist() == ["left", "right"] * 5
    content = path.read_bytes()
    path.write_bytes(content[: start + 22 * record + record // 3])
    with (
        pytest.warns(UserWarning, match="cut short: its header states 40 s, and the first 22 s"),
        pytest.warns(RuntimeWarning, match="does not match the file size"),
    ):
        cut = read_epochs(path, tmax=2)
    np.testing.assert_array_equal(np.asarray(cut.X), np.asarray(whole.X)[:5])
    assert cut.y.tolist() == whole.y.tolist()[:5]


@pytest.mark.parametrize("kind", ["edf", "bdf"])
@pytest.mark.parametrize("keep", [100, 700, 1023])
def test_a_file_cut_in_its_header_is_named(tmp_path, kind, keep):
    path = tmp_path / f"S01.{kind}"
    write_edf(path, bdf=kind == "bdf")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"MNE cannot read .*S01\.{kind}"):
        read_epochs(path, tmax=2)
