"""The inner validation set of early stopping: by group and time, never across overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._labels import check_column
from skbci._validation import row_values, rows_by_label
from skbci.eegarray import EEGArray

# A held-out subject says most about a new one; within a subject the last session or run does.
_GROUP_COLUMNS = ("subject", "session", "run")


def split_validation(
    X: Any,
    n_rows: int,
    y: np.ndarray | None,
    groups: np.ndarray | None,
    fraction: float,
    rng: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation.

    Whole groups are held out where there are several: those given, else the first of subject,
    session and run of which the rows have more than one. Subjects and given groups are drawn,
    sessions and runs are taken from the end. Otherwise the last rows in time are held out, of each
    class its share, and training rows that overlap them in time are dropped.

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
        If there are too few rows or groups to hold any out.
    """
    drawn = True
    if groups is None:
        for column in _GROUP_COLUMNS:
            values = row_values(X, column)
            if values is None:
                continue
            values = check_column(values, n_rows, f"metadata column {column!r}")
            if len(pd.unique(values)) > 1:
                groups, drawn = values, column == "subject"
                break
    if groups is not None and len(pd.unique(groups)) > 1:
        valid = _hold_out_groups(groups, y, fraction, rng if drawn else None)
        if valid is not None:
            return np.flatnonzero(~valid), np.flatnonzero(valid)
    return _hold_out_tail(X, y, n_rows, fraction)


def _hold_out_groups(
    groups: np.ndarray,
    y: np.ndarray | None,
    fraction: float,
    rng: np.random.RandomState | None,
) -> np.ndarray | None:
    """Mask of the rows of as many whole groups as make up the fraction, or None."""
    parts = list(rows_by_label(groups, "groups").values())
    order = rng.permutation(len(parts)) if rng is not None else range(len(parts) - 1, -1, -1)
    valid = np.zeros(len(groups), dtype=bool)
    for part in list(order)[:-1]:
        valid[parts[part]] = True
        if valid.mean() >= fraction:
            break
    if y is not None and len(np.unique(y[~valid])) < len(np.unique(y)):
        return None
    return valid


def _hold_out_tail(
    X: Any, y: np.ndarray | None, n_rows: int, fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    onsets = row_values(X, "onset")
    order = np.arange(n_rows) if onsets is None else np.argsort(onsets, kind="stable")
    labels = np.zeros(n_rows, dtype=int) if y is None else y
    held = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        n_held = min(max(1, round(fraction * len(rows))), len(rows) - 1)
        held.append(rows[len(rows) - n_held :])
    valid = np.sort(np.concatenate(held))
    train = np.setdiff1d(np.arange(n_rows), valid)
    n_apart = len(train)
    if onsets is not None and isinstance(X, EEGArray) and X.window:
        train = _without_overlap(train, valid, onsets, X.window)
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


def _without_overlap(
    train: np.ndarray, valid: np.ndarray, onsets: np.ndarray, window: float
) -> np.ndarray:
    """Drop training rows that start within one window of a validation row."""
    at = np.sort(onsets[valid].astype(float))
    mine = onsets[train].astype(float)
    right = np.searchsorted(at, mine)
    after = np.abs(at[np.clip(right, 0, len(at) - 1)] - mine)
    before = np.abs(mine - at[np.clip(right - 1, 0, len(at) - 1)])
    # Windows that touch end to start do not overlap; the tolerance absorbs rounding.
    return train[np.minimum(after, before) >= window * (1 - 1e-9)]
