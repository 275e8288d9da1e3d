"""GDF files: what their headers, samples and events state, and MNE does not go by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import mne
import numpy as np

from skbci._process.quiet import mne_level, without_warnings
from skbci._recording.annotations import GDF_REJECTED, GDF_SEGMENT
from skbci._warning import warn
from skbci.datasets._mne.stated import doubt_rates, scale_to_volts

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["go_by_gdf", "name_marks", "read_gdf"]

# What MNE says of units and event times that are put right here.
_SAID_WRONGLY = r"Unsupported physical dimension|(Omitted|Limited) \d+ annotation"

_END = 0x8000  # the bit of a code that ends an event
_TRIAL = "768"  # of the format's list of events
_NAMES = {GDF_REJECTED: f"BAD rejected trial/{GDF_REJECTED}",
          GDF_SEGMENT: f"New Segment/{GDF_SEGMENT}"}
_VOLT = 4256  # code of the unit; the decimal prefix is added to it
_PREFIXES = {0: "V", 18: "mV", 19: "uV", 20: "nV"}
_BYTES = {0: 1, 1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 16: 4, 17: 8}
_FLOATS = (16, 17)


@dataclass(frozen=True)
class _Header:
    version: float
    units: list[str]
    taken: list[float]  # the volts that MNE takes the units for
    least: np.ndarray  # physical value of the lowest number, where samples are whole numbers
    rates: np.ndarray
    events_at: int  # first byte of the table of events


def read_gdf(path: Path) -> BaseRaw:
    """Read a GDF file, without MNE's warnings of what `go_by_gdf` puts right."""
    with without_warnings(RuntimeWarning, _SAID_WRONGLY):
        return mne.io.read_raw(path, preload=True)


def go_by_gdf(path: Path, raw: BaseRaw) -> None:
    """Make a recording say what its file states, in place.

    - Times of events are by the rate that their table states; MNE takes the signals'.
    - A code with the highest bit is the end of the event of the code without it, where there is
      one; otherwise it is an event (OpenViBE's have it).
    - Where a segment begins (32766) is a boundary. A rejected trial (1023) is a bad stretch: as
      long as it states, or else from there to the next trial (768).
    - Samples at the lowest number in all channels are the format's mark of a missing signal, and
      a bad stretch.
    - Channels are in volts by their units.

    Parameters
    ----------
    path : Path
    raw : mne.io.BaseRaw
        What MNE read from it, with its data in memory.

    Warns
    -----
    UserWarning
        If trials are marked as rejected, or units and rates are as `scale_to_volts` and
        `doubt_rates` say.
    """
    with path.open("rb") as file:
        header = _header(file)
        if header is None or len(header.units) != len(raw.ch_names):
            return
        marks = _events(file, header, raw)
    sfreq = float(raw.info["sfreq"])
    _name(marks, raw.n_times / sfreq, sfreq)
    marks += _missing(raw, header)
    with mne_level("WARNING"):  # which says what is outside the recording
        raw.set_annotations(marks)
    _say_rejected(marks, path)
    scale_to_volts(path, raw, header.units, header.taken)
    doubt_rates(path, raw, header.rates)


def name_marks(raw: BaseRaw) -> None:
    """Name segments and rejected trials of a recording that MNE read from a GDF file, in place."""
    sfreq = float(raw.info["sfreq"])
    _name(raw.annotations, raw.first_time + raw.n_times / sfreq, sfreq)
    _say_rejected(raw.annotations, "The recording")


def _say_rejected(marks: mne.Annotations, where: object) -> None:
    rejected = int(np.sum(marks.description == _NAMES[GDF_REJECTED]))
    if rejected:
        warn(
            f"{where} marks {rejected} trials as rejected (code {GDF_REJECTED}); epochs that "
            "touch them are left out.",
        )


def _header(file: BinaryIO) -> _Header | None:
    """Read what MNE does not keep; None where it is damaged, of which MNE makes more."""
    try:
        version = float(file.read(8)[4:])
        old = version < 1.9
        file.seek(236)
        n_records = _numbers(file, "<i8", 1)[0]
        length = _numbers(file, "<u4", 2)
        n = int(_numbers(file, "<u4" if old else "<u2", 1)[0])
        file.seek(256 + 96 * n)
        if old:
            units = [file.read(8).decode("latin-1").strip("\0 ") for _ in range(n)]
            taken = [1e-6 if unit[:2] == "uV" else 1.0 for unit in units]
        else:
            file.seek(6 * n, 1)
            codes = _numbers(file, "<u2", n).tolist()
            units = [_unit(code) for code in codes]
            taken = [{_VOLT + 19: 1e-6, _VOLT + 18: 1e-3}.get(code, 1.0) for code in codes]
        least = _numbers(file, "<f8", n) * taken
        file.seek(256 + 216 * n)
        n_samples, kinds = _numbers(file, "<i4", n), _numbers(file, "<i4", n).tolist()
        width = np.array([_BYTES[kind] for kind in kinds])
        least[np.isin(kinds, _FLOATS)] = -np.inf
        seconds = (length[0] or 1) / length[1]
        return _Header(version, units, taken, least, n_samples / seconds,
                       256 * (n + 1) + int(n_records) * int((n_samples * width).sum()))
    except (ValueError, IndexError, KeyError, ZeroDivisionError):
        return None


def _numbers(file: BinaryIO, form: str, n: int) -> np.ndarray:
    out = np.frombuffer(file.read(np.dtype(form).itemsize * n), form)
    if len(out) < n:
        raise ValueError("the file ends")
    return out


def _unit(code: int) -> str:
    if code in (0, 512):  # unstated, and dimensionless
        return ""
    prefix = _PREFIXES.get(code - _VOLT)
    return f"code {code}" if prefix is None else prefix


def _events(file: BinaryIO, header: _Header, raw: BaseRaw) -> mne.Annotations:
    file.seek(header.events_at)
    try:
        mode = int(_numbers(file, "u1", 1)[0])
        if header.version < 1.94:
            rate, n = float(_three(file)), int(_numbers(file, "<u4", 1)[0])
        else:
            n, rate = _three(file), float(_numbers(file, "<f4", 1)[0])
        if mode not in (1, 3):
            return mne.Annotations([], [], [])
        sfreq = float(raw.info["sfreq"])
        rate = rate if np.isfinite(rate) and rate > 0 else sfreq
        first = _numbers(file, "<u4", n).astype(np.int64) - 1
        codes = _numbers(file, "<u2", n)
        length = np.ones(n, dtype=np.int64)
        if mode == 3:
            _numbers(file, "<u2", n)  # channels
            length = np.maximum(_numbers(file, "<u4", n).astype(np.int64), 1)
    except ValueError:  # there is no table
        return mne.Annotations([], [], [])
    return mne.Annotations(first / rate, length / rate, codes.astype(str))


def _join_ends(marks: mne.Annotations, sfreq: float) -> None:
    """Give events the duration until the mark of their end, and take these marks out, in place."""
    codes = np.array([int(text) if text.isdecimal() else 0 for text in marks.description])
    ends = np.flatnonzero((codes >= _END) & np.isin(codes - _END, codes[codes > 0]))
    open_ = dict.fromkeys(codes[ends] - _END, -1)
    for at in np.argsort(marks.onset, kind="stable"):
        code = codes[at]
        if code in open_:
            open_[code] = at
        elif (begin := open_.get(code - _END, -1)) >= 0:
            if marks.duration[begin] * sfreq < 1.5:
                marks.duration[begin] = marks.onset[at] - marks.onset[begin]
            open_[code - _END] = -1
    marks.delete(ends)


def _name(marks: mne.Annotations, stop: float, sfreq: float) -> None:
    """Join events to their ends, and call segments and rejected trials so, in place.

    Parameters
    ----------
    marks : mne.Annotations
        Called by their codes, as MNE does.
    stop : float
        End of the recording, in the seconds that onsets are counted in.
    sfreq : float
        A mark that lasts no longer than a sample states no duration.
    """
    _join_ends(marks, sfreq)
    texts = marks.description
    begins = np.sort(marks.onset[np.isin(texts, (_TRIAL, GDF_SEGMENT))])
    if _TRIAL in texts:
        for at in np.flatnonzero((texts == GDF_REJECTED) & (marks.duration * sfreq < 1.5)):
            after = begins[begins > marks.onset[at]]
            marks.duration[at] = (after[0] if len(after) else stop) - marks.onset[at]
    marks.rename({code: name for code, name in _NAMES.items() if code in texts})


def _three(file: BinaryIO) -> int:
    return int.from_bytes(_numbers(file, "u1", 3).tobytes(), "little")


def _missing(raw: BaseRaw, header: _Header) -> mne.Annotations:
    """Stretches of more than one sample at the lowest number in all channels."""
    kinds: Any = np.array(raw.get_channel_types())
    signals = np.flatnonzero((kinds != "stim") & np.isfinite(header.least))
    low = np.full(raw.n_times, len(signals) > 0)
    for at in signals:
        least = header.least[at]
        low &= raw.get_data(picks=[at])[0] <= least + 1e-9 * abs(least)
    edges = np.flatnonzero(np.diff(low, prepend=False, append=False))
    first, stop = edges[::2], edges[1::2]
    long = stop - first > 1
    sfreq = float(raw.info["sfreq"])
    # MNE's name of what no filter may touch.
    texts = ["BAD_ACQ_SKIP no signal"] * int(long.sum())
    return mne.Annotations(first[long] / sfreq, (stop - first)[long] / sfreq, texts)
