"""The inner validation set of early stopping: by group and time, never across overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_seconds, rows_by_label
from skbci._sessions import (
    LEVELS,
    apart_in_time,
    earlier_first,
    recording_codes,
    recordings_in_time,
    row_column,
)
from skbci._typing import Signals
from skbci.eegarray import EEGArray


def split_validation(
    X: Signals,
    n_rows: int,
    y: np.ndarray | None,
    groups: np.ndarray | pd.Series | None,
    fraction: float,
    rng: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation.

    Whole groups are held out where there are several: those given, else the first of subject,
    session and run of which the rows have more than one, else runs that were joined without
    labels. Subjects and given groups are drawn, for a held-out subject says most about a new one;
    sessions and runs are taken from the end, as `earlier_first` orders them. Otherwise the last
    rows in time are held out, of each class its share, and training rows that overlap them in time
    are dropped.

    Parameters
    ----------
    X : EEGArray or anything
        Its metadata, where it has some, names the groups and onsets.
    n_rows : int
        Rows to split.
    y : ndarray of int or None
        Class indices; every class must stay in training.
    groups : ndarray or None
        Groups that the user gave.
    fraction : float
        Share of the rows to hold out, at least.
    rng : RandomState

    Returns
    -------
    train, valid : ndarray of int

    Raises
    ------
    ValueError
        If there are too few rows or groups to hold any out, or nothing tells the order of sessions
        or runs.
    """
    if groups is None:
        groups, drawn = _own_groups(X, n_rows)
    else:
        drawn = True
    if groups is not None and pd.Series(groups).nunique() > 1:
        valid = _hold_out_groups(groups, y, fraction, rng if drawn else None)
        if valid is not None:
            return np.flatnonzero(~valid), np.flatnonzero(valid)
    return _hold_out_tail(X, y, n_rows, fraction)


def _own_groups(X: Signals, n_rows: int) -> tuple[np.ndarray | pd.Series | None, bool]:
    """Return the rows' own groups, and whether to draw among them; None where there are no two."""
    for column in LEVELS:
        labels = row_column(X, column)
        if labels is None:
            continue
        check_column(labels, n_rows, f"metadata column {column!r}")
        if labels.nunique() > 1:
            return labels, column == "subject"
    onsets = row_seconds(X)
    if onsets is None:
        return None, False
    # All of one recording, as far as labels tell.
    return recording_codes(None, n_rows, onsets=onsets), False


def _hold_out_groups(
    groups: np.ndarray | pd.Series,
    y: np.ndarray | None,
    fraction: float,
    rng: np.random.RandomState | None,
) -> np.ndarray | None:
    """Return a mask of the rows of as many whole groups as make up the fraction, or None."""
    if rng is None:
        parts = list(earlier_first(groups, "session or run labels").values())
        order = np.arange(len(parts))[::-1]
    else:
        parts = list(rows_by_label(np.asarray(groups), "groups").values())
        order = rng.permutation(len(parts))
    valid = np.zeros(len(groups), dtype=bool)
    for part in list(order)[:-1]:
        valid[parts[part]] = True
        if valid.mean() >= fraction:
            break
    if y is not None and len(np.unique(y[~valid])) < len(np.unique(y)):
        return None
    return valid


def _hold_out_tail(
    X: Signals, y: np.ndarray | None, n_rows: int, fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    times = row_seconds(X)
    recordings = recordings_in_time(X, n_rows, times)
    order = np.lexsort((np.arange(n_rows) if times is None else times, recordings))
    labels = np.zeros(n_rows, dtype=int) if y is None else y
    held = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        n_held = min(max(1, round(fraction * len(rows))), len(rows) - 1)
        held.append(rows[len(rows) - n_held :])
    valid = np.sort(np.concatenate(held))
    train = np.setdiff1d(np.arange(n_rows), valid)
    n_apart = len(train)
    if times is not None and isinstance(X, EEGArray) and X.window:
        train = train[apart_in_time(times, recordings, train, valid, X.window)]
    lost = y is not None and len(np.unique(y[train])) < len(np.unique(y))
    if not len(train) or not len(valid) or lost:
        why = ""
        if len(train) < n_apart:
            why = (
                f" By their onsets, {n_apart - len(train)} of the other rows overlap the held-out "
                "ones in time and were dropped."
            )
        raise ValueError(
            f"Early stopping cannot hold out validation_fraction={fraction} of {n_rows} rows and "
            f"keep every class in training.{why} Give more rows or groups, or set "
            "early_stopping=False."
        )
    return train, valid
