"""The folds of a splitter, made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.validation import _num_samples

from skbci._checks import check_sides
from skbci._process.quiet import without_warnings
from skbci._typing import Labels, Signals
from skbci._warning import warn

Fold = tuple[np.ndarray, np.ndarray]


def make_folds(
    cv: BaseCrossValidator, X: Signals, y: Labels | None, params: Mapping[str, Any], who: str
) -> list[Fold]:
    """Collect the splits as row indices.

    Raises
    ------
    ValueError
        If there are none, or one has an empty side or names rows that are not there.
    """
    folds = []
    # Groups say whose the rows are even where the splitter has no use for them.
    with without_warnings(UserWarning, "The groups parameter is ignored"):
        for number, (train, test) in enumerate(cv.split(X, y, **params)):
            train, test = check_sides(train, test, _num_samples(X), number, who)
            if len(train) == 0 or len(test) == 0:
                raise ValueError(
                    f"{who}: fold {number} has {len(train)} training and {len(test)} test rows; "
                    "neither may be empty."
                )
            folds.append((train, test))
    if not folds:
        raise ValueError(f"{who}: cv gives no folds.")
    return folds


def warn_of_trained_rows(folds: list[Fold], who: str) -> None:
    """Say where test rows are training rows too.

    Warns
    -----
    UserWarning
    """
    shared = [int(np.isin(test, train).sum()) for train, test in folds]
    if any(shared):
        number = next(number for number, count in enumerate(shared) if count)
        warn(
            f"{who}: {np.count_nonzero(shared)} of {len(folds)} folds test rows that they train "
            f"on (fold {number}: {shared[number]} of {len(folds[number][1])} rows); their scores "
            "say nothing of new rows."
        )
