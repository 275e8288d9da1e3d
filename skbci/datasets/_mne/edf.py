"""EDF and BDF files: what their headers and records state, and MNE does not go by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import mne
import numpy as np

from skbci._process.quiet import quiet_mne
from skbci._warning import warn
from skbci.datasets._mne.stated import doubt_rates, scale_to_volts

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["go_by_header"]

_TALS = ("EDF Annotations", "BDF Annotations")
# The units that MNE scales by; any other is taken for volts.
_SCALED_BY_MNE = ("", "V", "mV", "uV", "\u03bcV", "\u00b5V", "\x83\xcaV")


@dataclass(frozen=True)
class _Layout:
    """Header of a file: one entry a signal, annotations among them."""

    labels: list[str]
    units: list[str]
    n_samples: np.ndarray  # of one record
    seconds: float  # of one record
    n_bytes: int  # of the header
    width: int  # bytes of a sample

    @property
    def signals(self) -> list[int]:
        return [at for at, label in enumerate(self.labels) if label not in _TALS]


def go_by_header(path: Path, raw: BaseRaw, clock_is_own: bool = True) -> None:
    """Make a recording say what its file states, in place.

    - Where the records of a discontinuous file (EDF+D) do not follow each other, MNE puts them end
      to end and leaves events at the clock's time. They come to the samples that were recorded
      then, and an annotation "BAD boundary" keeps windows from crossing.
    - Channels in a unit of voltage that MNE does not know are scaled to volts; those in another
      unit become of type "misc", as MNE does for BrainVision.

    Parameters
    ----------
    path : Path
    raw : mne.io.BaseRaw
        What MNE read from it, with its data in memory.
    clock_is_own : bool, default=True
        Whether its annotations are the file's; else they are of a table, by the same clock.

    Warns
    -----
    UserWarning
        If there are units of no voltage, channels of a lower rate, which MNE interpolates, or
        events at times of which nothing was recorded.
    """
    layout = _layout(path)
    if layout is None or len(layout.signals) != len(raw.ch_names):
        return
    units = [layout.units[at] for at in layout.signals]
    # What MNE scales by itself is in volts already.
    units = ["V" if unit in _SCALED_BY_MNE else unit for unit in units]
    scale_to_volts(path, raw, units, [1.0] * len(units))
    doubt_rates(path, raw, layout.n_samples[layout.signals] / layout.seconds)
    starts = _record_starts(path, layout)
    if starts is not None and raw.annotations is not None:
        _close_gaps(path, raw, starts, layout.seconds, clock_is_own)


def _layout(path: Path) -> _Layout | None:
    try:
        with path.open("rb") as file:
            head = file.read(256)
            n = int(head[252:256])
            columns = file.read(256 * n)
        at = 0
        table = []
        for width in (16, 80, 8, 8, 8, 8, 8, 80, 8):  # up to the number of samples
            cells = columns[at : at + width * n].decode("latin-1")
            table.append([cells[i * width : (i + 1) * width].strip() for i in range(n)])
            at += width * n
        return _Layout(
            table[0], table[2], np.array(table[8], dtype=int), float(head[244:252]),
            int(head[184:192]), 3 if head[:1] == b"\xff" else 2,
        )
    except ValueError:  # MNE makes more of a damaged header than this
        return None


def _record_starts(path: Path, layout: _Layout) -> np.ndarray | None:
    """Second at which each record begins, by its first annotation; None where it has none."""
    tals = [at for at, label in enumerate(layout.labels) if label in _TALS]
    sizes = layout.n_samples * layout.width
    if not tals or sizes.sum() == 0 or layout.seconds <= 0:
        return None
    first = int(sizes[: tals[0]].sum())
    n_records = (path.stat().st_size - layout.n_bytes) // int(sizes.sum())
    if n_records < 1:
        return None
    shape = (n_records, int(sizes.sum()))
    records = np.memmap(path, np.uint8, "r", layout.n_bytes, shape)
    times = np.array(records[:, first : first + min(40, sizes[tals[0]])])
    try:
        return np.array([float(row.tobytes().split(b"\x14")[0]) for row in times])
    except ValueError:
        return None


def _close_gaps(
    path: Path, raw: BaseRaw, starts: np.ndarray, seconds: float, clock_is_own: bool
) -> None:
    sfreq = raw.info["sfreq"]
    starts = starts - starts[0]
    after = np.flatnonzero(np.abs(np.diff(starts) - seconds) > 0.5 / sfreq) + 1
    if not len(after):
        return
    marks = raw.annotations
    if clock_is_own:  # those of the recording lack what is after its end
        with quiet_mne():
            marks = mne.read_annotations(path)

    def recorded(clock: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Seconds of recording before a time, and whether it lies in a record."""
        record = np.clip(np.searchsorted(starts, clock + 0.5 / sfreq, "right") - 1, 0, None)
        into = clock - starts[record]
        return record * seconds + np.clip(into, 0, seconds), (into >= -1 / sfreq) & (
            into < seconds - 0.5 / sfreq
        )

    onset, there = recorded(marks.onset)
    end, _ = recorded(marks.onset + marks.duration)
    # What began in a gap counts where it lasts until after it.
    kept = there | (end > onset)
    if not kept.all():
        warn(
            f"{path}: {int((~kept).sum())} of {len(kept)} annotations were left out, since "
            "nothing was recorded at their time.",
        )
    with quiet_mne():
        raw.set_annotations(mne.Annotations(
            np.concatenate([onset[kept], after * seconds]),
            np.concatenate([(end - onset)[kept], np.zeros(len(after))]),
            [*marks.description[kept], *["BAD boundary"] * len(after)],
        ))
