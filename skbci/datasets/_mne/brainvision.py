"""BrainVision files: what their headers state, and MNE does not go by."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from skbci._process.quiet import quiet_mne
from skbci._recording.annotations import add_boundaries
from skbci._warning import warn
from skbci.datasets._mne.parts import brainvision_channels, brainvision_part, brainvision_text
from skbci.datasets._units import in_volts

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["go_by_brainvision"]

_SAMPLE_BYTES = {"INT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
_KNOWN_TO_MNE = ("V", "mV", "µV", "uV", "nV")  # others are of type misc


def go_by_brainvision(path: Path, raw: BaseRaw) -> None:
    """Make a recording say what its header states, in place.

    Units of voltage in other spellings than MNE's ("UV", "microvolt") come in volts. Segments of
    equal length that were exported one after another, and a "New Segment" that is the first mark
    and not at the start, begin at a boundary.

    Parameters
    ----------
    path : Path
    raw : mne.io.BaseRaw
        What MNE read from it, with its data in memory.

    Raises
    ------
    ValueError
        If the data are cut short and stored channel after channel, so that nobody knows where one
        begins.

    Warns
    -----
    UserWarning
        If there are fewer or more samples than the header states.
    """
    header = brainvision_text(path)
    _compare_length(path, header, raw)
    add_boundaries(raw, [*_segments(header, raw.n_times), *_first_mark(path, header)])
    units = dict(re.findall(r"^Ch(\d+)=[^,\r\n]*,[^,\r\n]*,[^,\r\n]*,([^,\r\n]+)",
                            brainvision_channels(header), re.MULTILINE))
    for at, (name, kind) in enumerate(zip(list(raw.ch_names), raw.get_channel_types()), 1):
        unit = units.get(str(at), "").strip()
        if kind != "misc" or not unit or unit in _KNOWN_TO_MNE:
            continue
        try:
            factor = in_volts(unit, f"{path}: unit")
        except ValueError:  # a temperature, or whatever it is
            continue
        if factor is not None:
            raw.apply_function(lambda x, by=factor: x * by, picks=[name])
            with quiet_mne():
                raw.set_channel_types({name: "eeg"})


def _segments(header: str, n_times: int) -> range:
    """Samples at which segments begin that the header states to be of one length."""
    stated = re.search(r"^SegmentationType=MARKERBASED", header, re.MULTILINE | re.IGNORECASE)
    length = re.search(r"^SegmentDataPoints=(\d+)", header, re.MULTILINE | re.IGNORECASE)
    if not stated or not length or int(length.group(1)) < 1:
        return range(0)
    return range(int(length.group(1)), n_times, int(length.group(1)))


def _first_mark(path: Path, header: str) -> list[int]:
    """Sample of a "New Segment" that is the first mark: MNE keeps its date only."""
    for file in (brainvision_part(path, header, "MarkerFile"), path.with_suffix(".vmrk")):
        if file is not None and file.is_file():
            first = re.search(r"^Mk\d+=([^,]*),[^,]*,(\d+)", brainvision_text(file), re.MULTILINE)
            is_segment = first is not None and first.group(1).strip() == "New Segment"
            return [int(first.group(2)) - 1] if first is not None and is_segment else []
    return []


def _compare_length(path: Path, header: str, raw: BaseRaw) -> None:
    points = re.search(r"^DataPoints=(\d+)\s*$", header, re.MULTILINE)
    if points is None:  # it need not state them
        _doubt_last_sample(path, header, raw)
        return
    stated, kept = int(points.group(1)), raw.n_times
    sfreq = raw.info["sfreq"]
    if kept < stated:
        if re.search(r"^DataOrientation=VECTORIZED", header, re.MULTILINE | re.IGNORECASE):
            raise ValueError(
                f"{path} is cut short: its header states {stated / sfreq:g} s, and the channels, "
                "which are stored one after another, cannot be told apart in what is there."
            )
        warn(
            f"{path} is cut short: its header states {stated / sfreq:g} s, and the first "
            f"{kept / sfreq:g} s are there and were kept, with the events in them.",
        )
    elif kept > stated:
        warn(
            f"{path} holds {kept / sfreq:g} s, but its header states {stated / sfreq:g} s: the "
            "data may be those of another recording.",
        )


def _doubt_last_sample(path: Path, header: str, raw: BaseRaw) -> None:
    """Warn where the data end within a sample of the channels."""
    form = re.search(r"^BinaryFormat=(\w+)", header, re.MULTILINE)
    size = _SAMPLE_BYTES.get(form.group(1)) if form else None
    n_bytes = os.path.getsize(raw.filenames[0])
    if size and n_bytes % (size * len(raw.ch_names)):
        warn(
            f"{path} is cut short, or its data are of another recording: {n_bytes} bytes are not "
            f"whole samples of {len(raw.ch_names)} channels. The first "
            f"{raw.n_times / raw.info['sfreq']:g} s were kept.",
        )
