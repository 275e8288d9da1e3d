"""Predictions for training rows by estimators that have not seen them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from sklearn.model_selection import StratifiedKFold, check_cv

from skbci._checks import check_sides
from skbci._eegarray.rows import row_values
from skbci._sessions import apart_in_time, session_codes, session_rows
from skbci._typing import Signals, Splitter

__all__ = ["inner_folds", "out_of_fold"]

# Rows to train on, and rows to predict.
TrainTest = tuple[np.ndarray, np.ndarray]
_N_FOLDS = 5


def inner_folds(
    cv: Splitter, X: Signals, y: np.ndarray, groups: np.ndarray | None, gap: float, who: str
) -> Iterator[TrainTest]:
    """Folds of the training rows: as given, else by group, session, or blocks of time.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None: at most five folds of whole groups where there are several, else of whole sessions,
        else five blocks, each a contiguous share of every class's rows; where rows have onsets,
        those within ``gap`` of a block are left out of its training side.
    X : ndarray or EEGArray
        Rows.
    y : ndarray, shape (n_rows,)
        Labels.
    groups : ndarray or None
        Given groups.
    gap : float
        Seconds between the onsets of a block and of its training rows.
    who : str
        Who asks, for messages.

    Yields
    ------
    train, test : ndarray of int
    """
    if cv is not None:
        splitter = check_cv(cv, y, classifier=True)
        for number, (train, test) in enumerate(splitter.split(X, y, groups)):
            yield check_sides(train, test, len(y), number, who)
        return
    codes = session_codes(X, len(y), "session") if groups is None else (
        np.unique(groups, return_inverse=True)[1]
    )
    names = np.unique(codes)
    if len(names) > 1:
        for chosen in np.array_split(names, min(_N_FOLDS, len(names))):
            test = np.isin(codes, chosen)
            yield np.flatnonzero(~test), np.flatnonzero(test)
        return
    rarest = int(np.unique(y, return_counts=True)[1].min())
    if rarest < 2:
        raise ValueError(
            f"{who}: n_samples={len(y)} with {rarest} row of the rarest class is too little to "
            "predict training rows out of fold; each class needs at least 2 rows."
        )
    session_rows(X, len(y), who)  # refuses rows that are not in order of time
    recordings = session_codes(X, len(y))
    onsets = row_values(X, "onset")
    times = None if onsets is None else np.asarray(onsets, dtype=float)
    for train, test in StratifiedKFold(min(_N_FOLDS, rarest)).split(np.zeros(len(y)), y):
        if times is not None:
            train = train[apart_in_time(times, recordings, train, test, gap)]
        yield train, test


def out_of_fold(
    folds: Iterator[TrainTest], y: np.ndarray, n_values: int,
    fit_predict: Callable[[np.ndarray, np.ndarray], np.ndarray], who: str, gap: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of what is predicted for each row while it was on the test side.

    Parameters
    ----------
    folds : iterator of (train, test)
        Row indices.
    y : ndarray, shape (n_rows,)
        Labels.
    n_values : int
        Values that are predicted for a row.
    fit_predict : callable
        ``fit_predict(train, test)`` gives the test rows' values.
    who : str
        Who asks, for messages.
    gap : float
        The gap of the folds, for messages.

    Returns
    -------
    values : ndarray, shape (n_rows, n_values)
    covered : ndarray of int
        Rows that were tested; the values of others are 0.

    Raises
    ------
    ValueError
        If no row is tested, or a fold trains on rows that it tests or on one class only.
    """
    total, count = np.zeros((len(y), n_values)), np.zeros(len(y))
    for number, (train, test) in enumerate(folds):
        if np.intersect1d(train, test).size:
            raise ValueError(f"{who}: fold {number} of cv trains on rows that it tests.")
        present = np.unique(y[train])
        if len(present) == 0:
            raise ValueError(
                f"{who}: fold {number} leaves no row to train on. Of a single session, what "
                f"begins within gap={gap:g} seconds of a held-out row is left out too; give it "
                "more rows, a smaller gap, or a cv."
            )
        if len(present) == 1:
            raise ValueError(
                f"{who}: out-of-fold labels need two classes, but fold {number} leaves one class "
                f"to train on, {present.tolist()}. Sessions with one class only cannot teach each "
                "other; pass another cv."
            )
        total[test] += fit_predict(train, test)
        count[test] += 1
    covered = np.flatnonzero(count)
    if not len(covered):
        raise ValueError(f"{who}: cv tests no row.")
    total[covered] /= count[covered, None]
    return total, covered
