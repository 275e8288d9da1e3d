"""Rows by subject, session and run, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skbci._checks import check_choice
from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_seconds, row_values
from skbci._recording.label_moments import label_moments
from skbci._recording.restarts import TOLERANCE_S, nearest_distance, refine, separate_restarts
from skbci._typing import Label, Labels, Signals
from skbci.eegarray import EEGArray

__all__ = [
    "LEVELS", "TOLERANCE_S", "apart_in_time", "check_by", "earlier_first", "is_apart",
    "recording_codes", "recordings_in_time", "row_column", "session_codes", "session_rows",
]

# From the widest to the narrowest; a level's label may repeat in another one of the level above.
LEVELS = ("subject", "session", "run")


def row_column(X: Signals, column: str) -> pd.Series | None:
    """A column of the rows' table as it is, an ordered categorical too; None without it."""
    if isinstance(X, EEGArray) and column in X.metadata:
        return X.metadata[column]
    return None


def earlier_first(labels: Labels, name: str) -> dict[Label, np.ndarray]:
    """Row indices of each distinct session (or run), the earlier sessions first.

    The one notion of "earlier" and "later" in skbci. The order of an ordered categorical counts;
    else the numbers in the labels, where every label has some and no two have the same (S2 comes
    before S10, 0train before 1test); else the order of the rows, where each label's rows are
    together. The alphabet says nothing of time. Nor do numbers that could be read in two ways:
    dates with the day, the month or the quarter first, hours before and after noon, and 1.9 and
    1.10, which are decimals or versions.

    Parameters
    ----------
    labels : array-like, Series or Categorical, shape (n_rows,)
        One label per row, none missing.
    name : str
        What the labels are, for the message.

    Returns
    -------
    dict of label to ndarray of int

    Raises
    ------
    ValueError
        If nothing tells the order.
    """
    codes, distinct = pd.factorize(np.asarray(labels, dtype=object), use_na_sentinel=False)
    rows = [np.flatnonzero(codes == code) for code in range(len(distinct))]
    dtype = getattr(labels, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered:
        moments: list[Any] = [dtype.categories.get_loc(label) for label in distinct]
    else:
        moments = label_moments(distinct.tolist())
    if len(set(moments)) < len(moments) or () in moments:
        moments = [own[0] for own in rows]
        ends = [own[-1] for own in rows]
        if any(after < end for after, end in zip(moments[1:], ends)):
            raise ValueError(
                f"{name} {list(distinct[:5])} have no known order: they hold no numbers that tell "
                "it, and their rows are interleaved. Make them an ordered categorical "
                "(pandas.Categorical(labels, categories=[earliest, ...], ordered=True)), number "
                "them, or put the rows in order of time."
            )
    order = sorted(range(len(distinct)), key=lambda code: moments[code])
    return {distinct[code]: rows[code] for code in order}


def recordings_in_time(X: Signals, n_rows: int, onsets: np.ndarray | None = None) -> np.ndarray:
    """Number the rows' recordings: a subject's earlier ones first.

    Parameters
    ----------
    X : EEGArray or anything
        The columns ``subject``, ``session`` and ``run`` of its table are read as far as they are
        there.
    n_rows : int
        Rows of X.
    onsets : ndarray, shape (n_rows,), optional
        Seconds; they show where runs without labels begin.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Subjects in order of appearance, sessions and runs of each in order of time.

    Raises
    ------
    ValueError
        If nothing tells the order of sessions or runs.
    """
    codes = np.zeros(n_rows, dtype=np.int64)
    for column in LEVELS:
        labels = row_column(X, column)
        if labels is None:
            continue
        if column == "subject":
            codes = refine(codes, labels.to_numpy())
            continue
        finer, n_found = np.zeros_like(codes), 0
        for code in range(codes.max(initial=-1) + 1):
            rows = np.flatnonzero(codes == code)
            for own in earlier_first(labels.iloc[rows], f"{column} labels").values():
                finer[rows[own]] = n_found
                n_found += 1
        codes = finer
    if onsets is None:
        return codes
    # Restarts come in order of appearance within a recording.
    finer = separate_restarts(codes, onsets)
    order = pd.unique(finer[np.argsort(codes, kind="stable")])
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    return ranks[finer]


def check_by(by: str | Sequence[str], who: str) -> str:
    """Check the level that history is kept within.

    Raises
    ------
    ValueError
        If it is none of subject, session and run.
    """
    return str(check_choice(by, "by", who, LEVELS))


def recording_codes(
    X: Signals, n_rows: int, groups: Labels | None = None,
    onsets: np.ndarray | None = None, by: str = "run",
) -> np.ndarray:
    """Number the rows' recordings in order of appearance.

    Parameters
    ----------
    X : EEGArray or anything
        The columns ``subject``, ``session`` and ``run`` of its row table are read as far as they
        are there. Rows of different recordings cannot overlap in time.
    n_rows : int
        Rows of X.
    groups : array-like, shape (n_rows,), optional
        Labels that divide recordings further.
    onsets : ndarray, shape (n_rows,), optional
        Seconds; they show where runs were joined without labels.
    by : {"subject", "session", "run"}
        How far down the levels go.

    Returns
    -------
    ndarray of int, shape (n_rows,)
    """
    parts = [row_values(X, column) for column in LEVELS[: LEVELS.index(by) + 1]]
    parts.append(None if groups is None else check_column(groups, n_rows, "groups"))
    codes = np.zeros(n_rows, dtype=np.int64)
    for part in parts:
        if part is not None:
            codes = refine(codes, part)
    return codes if onsets is None else separate_restarts(codes, onsets)


def session_codes(X: Signals, n_rows: int, by: str = "run") -> np.ndarray:
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

    Raises
    ------
    ValueError
        If the label of a subject or session is missing, naming the rows. Rows without a label of
        their run, as where recordings with and without one were joined, are one run of their
        session.
    """
    for column in LEVELS[:2]:
        labels = row_values(X, column) if LEVELS.index(column) <= LEVELS.index(by) else None
        if labels is not None:
            check_column(labels, n_rows, f"metadata column {column!r}")
    return recording_codes(X, n_rows, by=by)


def session_rows(X: Signals, n_rows: int, who: str, by: str = "run") -> list[np.ndarray]:
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
    onsets = row_seconds(X)
    codes = session_codes(X, n_rows, by)
    if onsets is not None:
        _check_time_order(X, onsets, codes, who)
    return [np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1)]


def _check_time_order(X: Signals, onsets: np.ndarray, sessions: np.ndarray, who: str) -> None:
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


def _where(X: Signals, row: int) -> str:
    parts = []
    for column in LEVELS:
        labels = row_values(X, column)
        if labels is not None:
            parts.append(f"{column} {labels[row]}")
    return ", ".join(parts) or "the array"


def apart_in_time(
    times: np.ndarray, recordings: np.ndarray, rows: np.ndarray, others: np.ndarray,
    seconds: float,
) -> np.ndarray:
    """Find the rows near which no other row of their recording begins.

    Parameters
    ----------
    times, recordings : ndarray, shape (n_rows,)
        Onset in seconds and number of the recording, as `recording_codes` gives it.
    rows, others : ndarray of int
        Row indices.
    seconds : float
        As in `is_apart`.

    Returns
    -------
    ndarray of bool, shape (len(rows),)
    """
    return is_apart(nearest_distance(times, recordings, rows, others), seconds)


def is_apart(distance: np.ndarray, seconds: float) -> np.ndarray:
    """Tell whether onsets at these distances are at least so many seconds apart.

    The one rule for windows that share signal. Onsets are rounded: two windows that follow each
    other may seem to share up to `TOLERANCE_S`. Windows that begin together are never apart.
    """
    return (distance > 0) & (distance >= seconds - TOLERANCE_S)
