"""Stretches of a recording that no window may touch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = [
    "GDF_REJECTED", "GDF_SEGMENT", "add_boundaries", "boundaries", "crosses_bad", "is_no_event",
    "is_of_gdf",
]

_BAD = ("bad", "edge")
# Where a recording was stopped and went on: BrainVision's mark and EEGLAB's. The duration that
# EEGLAB states is that of the samples that are not there.
_BREAK = re.compile(r"new segment(/.*)?|boundary", re.IGNORECASE)
# And where recordings were joined, or samples are missing: MNE's marks, and the readers'.
_JOINT = re.compile(r"(bad|edge)[ _]boundary", re.IGNORECASE)


def is_no_event(text: str) -> bool:
    """Return whether an annotation marks a bad stretch, or a place where the recording stopped."""
    return text.lower().startswith(_BAD) or bool(_BREAK.fullmatch(text.strip()))


# Codes of GDF files for the same: a segment begins, a trial is rejected.
GDF_SEGMENT, GDF_REJECTED = "32766", "1023"


def is_of_gdf(raw: BaseRaw) -> bool:
    """Return whether MNE read a recording from GDF files, whose events it calls by codes."""
    files = [str(file).lower() for file in raw.filenames if file is not None]
    return bool(files) and all(file.endswith(".gdf") for file in files)


def boundaries(raw: BaseRaw) -> list[int]:
    """Samples, counted from the start of the data, at which a recording begins anew.

    Where it was stopped and went on, where others were joined to it, and where samples are
    missing.
    """
    marks, sfreq = raw.annotations, float(raw.info["sfreq"])
    gdf = is_of_gdf(raw)
    found = {
        int(np.ceil(round((onset - raw.first_time) * sfreq, 6)))
        for onset, text in zip(marks.onset, marks.description)
        if _BREAK.fullmatch(text.strip()) or _JOINT.fullmatch(text.strip())
        or (gdf and text == GDF_SEGMENT)
    }
    return sorted(at for at in found if 0 < at < raw.n_times)


def add_boundaries(raw: BaseRaw, samples: Iterable[int]) -> None:
    """Mark samples, counted from the start of the data, as boundaries where none are, in place."""
    known = boundaries(raw)
    new = [at for at in samples if at not in known and 0 < at < raw.n_times]
    if new:
        onsets = raw.first_time + np.array(new) / raw.info["sfreq"]
        raw.annotations.append(onsets, 0.0, "BAD boundary")


def crosses_bad(raw: BaseRaw, first: np.ndarray, n_times: int) -> np.ndarray:
    """Return whether windows touch an annotation that starts with "bad" or "edge", or a break.

    MNE's rule for epochs (``reject_by_annotation``), and its boundaries between recordings that
    were joined: a boundary between two samples belongs to a window with samples on both sides.
    BrainVision's "New Segment", EEGLAB's "boundary" and GDF's 32766 are such boundaries, too, and
    GDF's rejected trials (1023) bad stretches.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        The recording.
    first : array-like of int, shape (n_windows,)
        First samples, counted from the start of the data.
    n_times : int
        Samples of a window.

    Returns
    -------
    ndarray of bool, shape (n_windows,)
    """
    first = np.asarray(first, dtype=float)
    crosses = np.zeros(len(first), dtype=bool)
    marks, sfreq = raw.annotations, float(raw.info["sfreq"])
    gdf = is_of_gdf(raw)
    for onset, duration, text in zip(marks.onset, marks.duration, marks.description):
        rejected = gdf and text == GDF_REJECTED
        if is_no_event(text) or rejected or (gdf and text == GDF_SEGMENT):
            duration = duration if rejected or text.lower().startswith(_BAD) else 0.0
            # Onsets count from the first sample that was recorded, which need not be there.
            begin = round((onset - raw.first_time) * sfreq, 6)
            end = round((onset + duration - raw.first_time) * sfreq, 6)
            crosses |= (begin < first + n_times) & (end > first)
    return crosses
