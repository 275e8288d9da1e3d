"""Which rows belong to one session, in order of time: what every causal step asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._validation import row_values

__all__ = ["LEVELS", "check_by", "session_codes", "session_rows"]

# From the widest to the narrowest; a level's label may repeat in another one of the level above.
LEVELS = ("subject", "session", "run")


def check_by(by: Any, who: str) -> str:
    """Check the level that history is kept within.

    Raises
    ------
    ValueError
        If it is none of subject, session and run.
    """
    if by not in LEVELS:
        words = ", ".join(map(repr, LEVELS))
        raise ValueError(f"{who}: by={by!r} is not one of {words}.")
    return str(by)


def session_codes(X: Any, n_rows: int, by: str = "run") -> np.ndarray:
    """Number the rows' sessions (or subjects, or runs) in order of appearance.

    Parameters
    ----------
    X : EEGArray or anything
        The columns ``subject``, ``session`` and ``run`` of its row table are read as far as they
        are there; rows without a table are of one session.
    n_rows : int
        Rows of X.
    by : {"subject", "session", "run"}
        How far down the levels go.

    Returns
    -------
    ndarray of int, shape (n_rows,)
    """
    codes = np.zeros(n_rows, dtype=np.int64)
    for column in LEVELS[: LEVELS.index(by) + 1]:
        labels = row_values(X, column)
        if labels is not None:
            own = pd.factorize(np.asarray(labels, dtype=object), use_na_sentinel=False)[0]
            codes = pd.factorize(codes * (own.max(initial=0) + 1) + own)[0]
    return codes


def session_rows(X: Any, n_rows: int, who: str, by: str = "run") -> list[np.ndarray]:
    """Rows of each session, after a check that they come in order of time.

    Parameters
    ----------
    X : EEGArray or anything
        As for `session_codes`; its column ``onset``, where it is there, is checked.
    n_rows : int
        Rows of X.
    who : str
        Who asks, for the message.
    by : {"subject", "session", "run"}
        What a session is.

    Returns
    -------
    list of ndarray of int
        Row indices, ascending, sessions in order of appearance.

    Raises
    ------
    ValueError
        If the onsets of a run do not increase from row to row, or a run goes on after another of
        the same session began.
    """
    onsets = row_values(X, "onset")
    codes = session_codes(X, n_rows, by)
    if onsets is not None:
        _check_time_order(X, np.asarray(onsets, dtype=np.float64), codes, who)
    return [np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1)]


def _check_time_order(X: Any, onsets: np.ndarray, sessions: np.ndarray, who: str) -> None:
    if not np.isfinite(onsets).all():
        raise ValueError(
            f"{who}: the metadata column 'onset' has missing or infinite entries; every row needs "
            "its start in seconds."
        )
    runs = session_codes(X, len(onsets), "run")
    order = np.argsort(runs, kind="stable")
    same = np.diff(runs[order]) == 0
    bad = np.flatnonzero(same & (np.diff(onsets[order]) <= 0))
    if len(bad):
        before, row = order[bad[0]], order[bad[0] + 1]
        raise ValueError(
            f"{who} needs the rows of a run in order of time, but in {_where(X, row)} row {row} "
            f"(onset {onsets[row]:g} s) comes after row {before} (onset {onsets[before]:g} s). "
            "Sort the rows by subject, session, run and onset, and give runs that start anew "
            "their own label in the metadata column 'run'."
        )
    for code in np.unique(sessions):
        rows = np.flatnonzero(sessions == code)
        starts = rows[np.flatnonzero(np.diff(runs[rows], prepend=-1))]
        if len(starts) > len(np.unique(runs[rows])):
            row = next(r for n, r in enumerate(starts) if runs[r] in runs[starts[:n]])
            raise ValueError(
                f"{who} needs the rows in order of time, but {_where(X, row)} goes on at row "
                f"{row}, after rows of another run of the same session. Sort the rows by subject, "
                "session, run and onset."
            )


def _where(X: Any, row: int) -> str:
    parts = []
    for column in LEVELS:
        labels = row_values(X, column)
        if labels is not None:
            parts.append(f"{column} {labels[row]}")
    return ", ".join(parts) or "the array"
