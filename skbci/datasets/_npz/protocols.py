"""Tasks, codes and subjects of a recording, from its file, its name, or its protocol."""

from __future__ import annotations

import re

from skbci._typing import Label
from skbci.datasets._names import names_in, plain_name
from skbci.datasets._npz.archive import Archive

__all__ = [
    "code_names",
    "label_names",
    "row_task",
    "run_of",
    "session_of",
    "state_of",
    "subject_of",
    "subject_unknown",
]

# PhysioNet EEG Motor Movement/Imagery: runs 1 and 2 are baselines; then execution and imagery
# take turns, of one fist (T1 left, T2 right) and of both fists (T1) or both feet (T2).
_FIST_RUNS = (3, 4, 7, 8, 11, 12)
_FEET_RUNS = (5, 6, 9, 10, 13, 14)


def _dataset(archive: Archive) -> str:
    return str(archive.meta.get("dataset", "")).lower()


def _is_eegmmidb(archive: Archive) -> bool:
    return "eegmmidb" in _dataset(archive)


def _stated(archive: Archive, level: str) -> int | str | None:
    """What a file says of itself: an array of one entry, its ``meta``, or else its name."""
    if level in archive and archive[level].size == 1:
        return plain_name(archive[level].reshape(()).item())
    if level in archive.meta:
        return plain_name(archive.meta[level])
    return names_in(archive.path).get(level)


def subject_of(archive: Archive) -> int | str:
    """Subject of a whole file; 1 where nothing says."""
    known = _stated(archive, "subject")
    return 1 if known is None else known


def subject_unknown(archive: Archive) -> bool:
    """Return whether nothing says who a file is from. The eye-state recording is of one person."""
    stated = "subject" in archive or _stated(archive, "subject") is not None
    return not stated and "eye state" not in _dataset(archive)


def session_of(archive: Archive) -> int | str:
    """Session of a whole file; 1 where nothing says."""
    known = _stated(archive, "session")
    return 1 if known is None else known


def run_of(archive: Archive) -> int | None:
    """Run of a whole file, where a number is stated."""
    known = _stated(archive, "run")
    return known if isinstance(known, int) else None


def row_task(archive: Archive, run: int | None = None) -> str | None:
    """The task of a run: "imagery", "execution", "rest", "p300", "ssvep" or None."""
    if _is_eegmmidb(archive) and run is not None:
        if run in (1, 2):
            return "rest"
        if run in _FIST_RUNS or run in _FEET_RUNS:
            return "execution" if run % 2 else "imagery"
    dataset = _dataset(archive)
    text = " ".join([str(archive.meta.get("task", "")), dataset, archive.path.stem]).lower()
    # The one mentioned first is the file's own; a note may mention its counterpart.
    match = re.search(r"(imagin|imagery|\bmi_)|(execut|\bme_)", text)
    if match:
        return "imagery" if match.group(1) else "execution"
    if re.search(r"competition iv data set 2[ab]", dataset):
        return "imagery"
    for name in ("p300", "ssvep"):
        if name in dataset:
            return name
    return None


def state_of(archive: Archive, run: int) -> str | None:
    """State of the eyes, "open" or "closed", where a whole run has one."""
    text = str(archive.meta.get("task", "")) + " " + str(archive.meta.get("events", ""))
    match = re.search(rf"eyes (open|closed) \(?run0*{run}\b", text, flags=re.IGNORECASE)
    if match:
        return match.group(1).lower()
    if _is_eegmmidb(archive) and run in (1, 2):
        return "open" if run == 1 else "closed"
    return None


def label_names(archive: Archive) -> dict[Label, str] | None:
    """Return what the labels mean, if the file says."""
    if "eye state" in _dataset(archive):
        return {0: "open", 1: "closed"}
    labels = archive.meta.get("labels")
    if not isinstance(labels, dict):
        return None
    return {
        int(key) if re.fullmatch(r"-?\d+", key) else key: re.sub(r"^T\d\s*=\s*", "", str(text))
        for key, text in labels.items()
    }


def code_names(archive: Archive, run: int | None) -> dict[Label, str]:
    """Return the names of event codes, as far as they are known."""
    if _is_eegmmidb(archive) and run in _FIST_RUNS:
        return {0: "rest", 1: "left fist", 2: "right fist"}
    if _is_eegmmidb(archive) and run in _FEET_RUNS:
        return {0: "rest", 1: "both fists", 2: "both feet"}
    if "p300" in _dataset(archive):
        return {1: "target", -1: "non-target"}
    return label_names(archive) or {}
