"""The folds of a splitter, made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from skbci._process.quiet import without_warnings
from skbci._typing import Labels, Signals

Fold = tuple[np.ndarray, np.ndarray]


def make_folds(
    cv: BaseCrossValidator, X: Signals, y: Labels | None, params: Mapping[str, Any], who: str
) -> list[Fold]:
    """Collect the splits as row indices.

    Raises
    ------
    ValueError
        If there are none, or one has an empty side.
    """
    folds = []
    # Groups say whose the rows are even where the splitter has no use for them.
    with without_warnings(UserWarning, "The groups parameter is ignored"):
        for number, sides in enumerate(cv.split(X, y, **params)):
            train, test = (np.asarray(side) for side in sides)
            if train.dtype == bool:
                train, test = np.flatnonzero(train), np.flatnonzero(test)
            if len(train) == 0 or len(test) == 0:
                raise ValueError(
                    f"{who}: fold {number} has {len(train)} training and {len(test)} test rows; "
                    "neither may be empty."
                )
            folds.append((train, test))
    if not folds:
        raise ValueError(f"{who}: cv gives no folds.")
    return folds
