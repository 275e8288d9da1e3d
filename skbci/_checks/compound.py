"""Checks of parameters that are more than a number or a word: estimators, splitters, lists."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike

from skbci._checks.parameters import check_count, is_list, no_order, refusal, shown, who_asks

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = [
    "check_arguments", "check_array", "check_candidates", "check_fits", "check_float_dtype",
    "check_frame", "check_jobs", "check_list", "check_mapping", "check_sides", "check_splitter",
]


def check_fits(
    value: object, name: str, who: object, *, and_has: str = "", also: str = ""
) -> BaseEstimator:
    """Check that a value is an estimator: an instance with ``fit``.

    Parameters
    ----------
    value : object
    name : str
        The parameter's.
    who : object
        Whose parameter it is.
    and_has : str
        Another method that it needs.
    also : str
        What else is allowed, for the message; the caller lets it pass.

    Raises
    ------
    TypeError
        If it is a class, or one of the methods is not there.
    """
    able = hasattr(value, "fit") and (not and_has or hasattr(value, and_has))
    if isinstance(value, type) or not able:
        methods = f"fit and {and_has}" if and_has else "fit"
        or_ = f" or {also}" if also else ""
        because = f"must be an estimator (an instance, with {methods}){or_}"
        raise TypeError(refusal(value, name, who, because))
    return value


def check_jobs(value: object, name: str, who: object) -> int | None:
    """Check a number of workers as joblib takes it.

    Raises
    ------
    TypeError, ValueError
        If it is neither None nor an integer, or is zero.
    """
    if value is None:
        return None
    also = "-1 (all cores) or None"
    n_jobs = check_count(value, name, who, low=-(2**15), high=2**15, also=also)
    if n_jobs == 0:
        raise ValueError(refusal(value, name, who, f"must be an integer other than 0, {also}"))
    return n_jobs


def check_splitter(value: object, name: str, who: object) -> Any:
    """Check a splitter, and return it; a generator becomes a list.

    Raises
    ------
    TypeError, ValueError
        If it is no number of folds of at least 2, splitter, list of pairs of indices, or None.
    """
    also = "a splitter, a list of (train, test) indices, or None"
    if value is None or (hasattr(value, "split") and hasattr(value, "get_n_splits")):
        return value
    if not is_list(value) or isinstance(value, Mapping):
        return check_count(value, name, who, low=2, also=also)
    folds = list(value)
    if not folds:
        raise ValueError(refusal(value, name, who, "gives no folds"))
    if not all(_is_fold(fold) for fold in folds):
        because = f"must be a number of folds of at least 2, {also}"
        raise ValueError(refusal(value, name, who, because))
    return folds


def _is_fold(fold: object) -> bool:
    if not isinstance(fold, (tuple, list, np.ndarray)) or len(fold) != 2:
        return False
    return all(np.ndim(rows) == 1 and np.asarray(rows).dtype.kind in "iubf" for rows in fold)


def check_sides(
    train: object, test: object, n_rows: int, number: int, who: object
) -> tuple[np.ndarray, np.ndarray]:
    """Check the sides of a fold; return them as numbers of rows, counted from the first.

    Raises
    ------
    ValueError
        If one is neither whole numbers within the rows nor a mask of them.
    """
    sides = []
    for name, given in (("training", train), ("test", test)):
        rows = np.asarray(given)
        if rows.dtype == bool and rows.shape == (n_rows,):
            rows = np.flatnonzero(rows)
        whole = rows.dtype.kind in "iu" or rows.size == 0
        if rows.ndim != 1 or not whole or np.any((rows < -n_rows) | (rows >= n_rows)):
            raise ValueError(
                f"{who_asks(who)}: the {name} rows of fold {number} of cv must be whole numbers "
                f"below {n_rows}, or a mask of the {n_rows} rows; got {shown(rows.tolist())}."
            )
        rows = rows.astype(np.intp)
        sides.append(np.where(rows < 0, rows + n_rows, rows))
    return sides[0], sides[1]


def check_list(value: object, name: str, who: object, of: str, *, also: str = "") -> list[Any]:
    """Check that a value is a list, tuple or other sequence, not a single string or a set.

    Raises
    ------
    TypeError
        If it is not; ``of`` says what it holds.
    """
    if not is_list(value):
        or_ = f" or {also}" if also else ""
        because = f"must be a list of {of}{or_}{no_order(value)}"
        raise TypeError(refusal(value, name, who, because))
    return list(value)


def check_frame(value: object, name: str, who: object) -> pd.DataFrame:
    """Check a table, and return it as a DataFrame.

    Raises
    ------
    TypeError, ValueError
        If it is none and no dict of columns, or these have no rows, or not as many.
    """
    because = "must be a DataFrame, or a dict of columns"
    if not isinstance(value, (pd.DataFrame, Mapping)):
        raise TypeError(refusal(value, name, who, because))
    try:
        return pd.DataFrame(value)
    except ValueError:
        raise ValueError(refusal(value, name, who, f"{because} of one length")) from None


def check_arguments(value: object, name: str, who: object) -> dict[str, Any]:
    """Check a dict of keyword arguments; None is an empty one.

    Raises
    ------
    TypeError
        If it is not a mapping of names.
    """
    found = check_mapping(value, name, who)
    if not all(isinstance(key, str) for key in found):
        raise TypeError(refusal(value, name, who, "must be a dict of names to values, or None"))
    return found


def check_mapping(value: object, name: str, who: object) -> dict[Any, Any]:
    """Check a dict, whatever its keys; None is an empty one.

    Raises
    ------
    TypeError
        If it is not a mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(refusal(value, name, who, "must be a dict of names to values, or None"))
    return dict(value)


def check_float_dtype(value: DTypeLike | None, name: str, who: object) -> np.dtype:
    """Check a ``dtype`` that numbers are to be read in.

    Raises
    ------
    ValueError
        If it is no floating-point format.
    """
    try:
        dtype = np.dtype(value)
    except (TypeError, ValueError):
        dtype = None
    if value is None or dtype is None or dtype.kind != "f":
        because = "must be a floating-point format such as 'float32'"
        raise ValueError(refusal(value, name, who, because))
    return dtype


def check_array(value: object, name: str, who: object, ndim: int, of: str) -> np.ndarray:
    """Check that a value is an array of finite real numbers.

    Raises
    ------
    TypeError, ValueError
        If it holds something else, or has other dimensions; ``of`` says what it should hold.
    """
    try:
        array = np.asarray(value)
        number = array.dtype.kind in "biuf" or (
            array.dtype == object and all(isinstance(x, numbers.Real) for x in array.flat)
        )
        array = array.astype(np.float64) if number else array
    except (TypeError, ValueError, OverflowError):
        number = False
    if not number:
        raise TypeError(refusal(value, name, who, f"must be {of}"))
    if array.ndim != ndim or not np.isfinite(array).all():
        raise ValueError(refusal(value, name, who, f"must be {of}"))
    return array


def check_candidates(value: object, name: str, who: object) -> Any:
    """Check the settings of a search: a dict of lists (or distributions), or a list of such.

    Raises
    ------
    TypeError, ValueError
        If it is something else, or empty.
    """
    parts = [value] if isinstance(value, Mapping) else check_list(value, name, who, "dicts")
    because = "must be a dict of the values to try for each parameter, or a list of such dicts"
    if not all(isinstance(part, Mapping) for part in parts):
        raise TypeError(refusal(value, name, who, because))
    if not parts:
        raise ValueError(refusal(value, name, who, because))
    return value
