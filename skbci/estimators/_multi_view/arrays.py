"""Arrays that come by the names of the views: each one's check, and whether their rows agree."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbci._checks.eeg import as_eeg, check_eeg
from skbci._eegarray.rows import row_seconds, row_values
from skbci._sessions import LEVELS
from skbci.eegarray import EEGArray

__all__ = ["ViewInput", "read_mapping", "table_of"]

_SAME_ROW_S = 0.05  # onsets of a row are rounded to the samples of each view's own rate


class ViewInput(BaseEstimator):
    """What is known of a view's rows: their shape, channels, rate and columns."""


def read_mapping(
    X: Mapping[str, Any], inputs: Mapping[str, ViewInput], who: object, reset: bool
) -> dict[str, np.ndarray]:
    """Check arrays that came by the names of the views.

    Parameters
    ----------
    X : mapping of str to array-like
    inputs : mapping of str to ViewInput
        Learned with ``reset``, else compared with.
    who : object
        Who asks, for messages.
    reset : bool
        True in ``fit``.

    Raises
    ------
    ValueError
        If a view's array is missing or not as in ``fit``, or the arrays' rows are not the same.
    """
    name = type(who).__name__
    if missing := [view for view in inputs if view not in X]:
        raise ValueError(
            f"{name}: X has no array for the view{'s' * (len(missing) > 1)} "
            f"{', '.join(map(repr, missing))}; it has {', '.join(map(repr, X)) or 'none'}, and "
            f"the views are {', '.join(map(repr, inputs))}."
        )
    arrays = {}
    for view, known in inputs.items():
        try:
            given = as_eeg(X[view])
            data = check_eeg(known, given, reset=reset, ndim=(2, 3, 4), same_times=True,
                             flat="allow")
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            text = str(error).replace(ViewInput.__name__, name)
            raise kind(f"view {view!r}: {text}") from None
        arrays[view] = given if isinstance(given, EEGArray) else data
    lengths = {view: len(array) for view, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{view!r} {length}" for view, length in lengths.items())
        raise ValueError(f"{name}: the views have different numbers of rows: {listed}.")
    for one, other in combinations(arrays, 2):
        if column := _contradiction(arrays[one], arrays[other]):
            raise ValueError(
                f"{name}: the views {one!r} and {other!r} have not the same rows: their tables "
                f"contradict each other in {column!r}. Put the rows of all views in one order."
            )
    return arrays


def table_of(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the first array with a table, or else the first one."""
    known = (array for array in arrays.values() if getattr(array, "has_metadata", False))
    return next(known, next(iter(arrays.values())))


def _contradiction(one: np.ndarray, other: np.ndarray) -> str:
    """Name a column by which two arrays hold different rows; empty where there is none.

    Windows of one view may begin earlier than those of another, but all by the same time.
    """
    for column in (*LEVELS, "task"):
        left, right = row_values(one, column), row_values(other, column)
        if left is not None and right is not None:
            pair = pd.Series(left, dtype=object), pd.Series(right, dtype=object)
            if not ((pair[0] == pair[1]) | (pair[0].isna() & pair[1].isna())).all():
                return column
    left, right = row_seconds(one), row_seconds(other)
    if left is None or right is None:
        return ""
    apart = (left - right)[np.isfinite(left - right)]
    return "onset" if len(apart) and np.ptp(apart) > _SAME_ROW_S else ""
