"""The files of data set V of BCI Competition III: finding, reading and checking them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io

from skbci.datasets._growth import check_matlab

__all__ = [
    "CODES",
    "N_COLUMNS",
    "TEST_SESSION",
    "find_labels",
    "read_labels",
    "read_session",
    "session_file",
]

CODES = {2: "left hand", 3: "right hand", 7: "words"}
TEST_SESSION = 4
N_COLUMNS = {"psd": 96, "raw": 32}


def _find(place: Path, stems: Sequence[str]) -> Path | None:
    """The first file of one of the names, in Matlab or text form."""
    for stem in stems:
        for suffix in (".mat", ".asc"):
            found = sorted(place.rglob(stem + suffix))
            if found:
                return found[0]
    return None


def session_file(place: Path, subject: int, session: int, which: str) -> Path:
    """Path of a session's file, or a FileNotFoundError that says what was looked for."""
    kind = "test" if session == TEST_SESSION else "train"
    stem = f"{kind}_subject{subject}_{which}{session:02d}"
    file = _find(place, [stem])
    if file is None:
        raise FileNotFoundError(
            f"Looked for {stem}.asc and {stem}.mat in {place} and the folders inside it, and "
            "found neither. Unpack the competition's archives there, or pass sessions=... to "
            "load only those that are there."
        )
    return file


def read_session(file: Path, which: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Data columns of a file, and labels where it has them."""
    n_columns = N_COLUMNS[which]
    tables = _tables(file)
    for table in tables:
        if table.shape[1] not in (n_columns, n_columns + 1):
            continue
        vectors = [t.ravel() for t in tables if t is not table and t.size == len(table)]
        if table.shape[1] > n_columns:
            vectors = [table[:, n_columns]]
        return table[:, :n_columns], _check_labels(vectors[0], file) if vectors else None
    raise ValueError(
        f"{file} is not in the published form: no table of {n_columns} columns, with or without "
        f"one of labels, was found, only {[table.shape for table in tables]}."
    )


def _tables(file: Path) -> list[np.ndarray]:
    """All tables of numbers in a file, the largest first."""
    try:
        if file.suffix == ".asc":
            return [pd.read_csv(file, sep=r"\s+", header=None, dtype=float).to_numpy()]
        check_matlab(file)
        stored = scipy.io.loadmat(file)
    except Exception as error:  # pandas and scipy fail in many ways on files of another kind
        if isinstance(error, ValueError) and str(file) in str(error):
            raise
        why = str(error) or type(error).__name__
        raise ValueError(
            f"{file} cannot be read: {why}. It is damaged, or its ending is that of another form."
        ) from error
    tables = [
        np.asarray(value, dtype=float)
        for key, value in stored.items()
        if not key.startswith("__")
        and isinstance(value, np.ndarray)
        and value.ndim == 2
        and value.dtype.kind in "biuf"
    ]
    return sorted(tables, key=lambda table: -table.size)


def _check_labels(labels: np.ndarray, file: Path) -> np.ndarray:
    unknown = sorted(set(np.unique(labels).tolist()) - set(CODES))
    if unknown:
        raise ValueError(f"{file} has the labels {unknown[:5]}; known are {list(CODES)}.")
    return labels.astype(int)


def _label_stems(subject: int, which: str) -> list[str]:
    return [f"labels_subject{subject}_{which}", f"labels8_subject{subject}_{which}"]


def find_labels(place: Path, subject: int, which: str) -> Path | None:
    """File of the test session's labels, or None."""
    return _find(place, _label_stems(subject, which))


def read_labels(place: Path, subject: int, which: str) -> tuple[np.ndarray, Path]:
    """Labels of the test session, and the file they are from."""
    file = find_labels(place, subject, which)
    if file is None:
        looked_for = " and ".join(f"{stem}.asc" for stem in _label_stems(subject, which))
        raise FileNotFoundError(
            f"Session 4 is the test session; its labels were looked for in {looked_for} under "
            f"{place}, and not found."
        )
    tables = _tables(file)
    labels = _check_labels(tables[0].ravel() if tables else np.zeros(0), file)
    return labels, file
