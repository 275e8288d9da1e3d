"""Refusing what would move an `EEGArray`'s rows and leave their table behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from skbci._eegarray.row_index import axis_part, expand_key

__all__ = ["check_assignment", "check_sorted_axis"]

_REMEDY = (
    "X[order] takes rows and table along (order = rng.permutation(len(X)), say); "
    "np.asarray(X) is the bare data."
)


def check_sorted_axis(array: Any, axis: int | None, method: str) -> None:
    """Refuse to sort values from row to row, or from channel to named channel.

    Raises
    ------
    ValueError
    """
    at = range(array.ndim)[axis] if axis is not None else 0
    if at == 0 and array.has_metadata:
        raise ValueError(
            f"EEGArray.{method}(axis={axis}) in place would move rows without their table. "
            + _REMEDY
        )
    if array.ndim > 2 and at == array.ndim - 2 and array.ch_names:
        raise ValueError(
            f"EEGArray.{method}(axis={axis}) in place would move channels without their names. "
            "np.asarray(X) is the bare data."
        )


def check_assignment(array: Any, key: Any, value: object) -> None:
    """Refuse to put rows of an array in the place of other rows: what an in-place shuffle does.

    Parameters
    ----------
    array : EEGArray
    key : object
        Where the value goes.
    value : object
        An `EEGArray` with another table than the rows that it goes to, or a view of other rows of
        the same array.

    Raises
    ------
    ValueError
    """
    if not (array.has_metadata and isinstance(value, np.ndarray) and value.size):
        return
    if isinstance(value, type(array)) and value.has_metadata:
        wrong = _differs(array, key, value)
    else:
        wrong = _is_other_row(array, key, value)
    if wrong:
        raise ValueError(
            "This assignment puts rows where the table has other rows: it would move rows without "
            "their table, as a shuffle in place does. " + _REMEDY
        )


def _differs(array: Any, key: object, value: Any) -> bool:
    """Return whether a value's table contradicts the table of the rows that it goes to."""
    parts = expand_key(key, array.ndim)
    if parts is None or parts[0] is None:
        return False
    rows = np.atleast_1d(np.arange(len(array))[parts[0]])
    taken = axis_part(parts, 0, array.ndim)
    if taken is None or taken[1] != 0:
        return False
    table, known = array.metadata, value.metadata
    if len(known) not in (1, len(rows)):
        return False  # numpy says what is wrong
    shared = [name for name in table.columns if name in known.columns]
    own = table[shared].iloc[rows].reset_index(drop=True)
    other = known[shared].reset_index(drop=True)
    if len(other) < len(own):
        other = other.iloc[np.zeros(len(own), dtype=int)].reset_index(drop=True)
    same = (own.astype(object) == other.astype(object)) | (own.isna() & other.isna())
    return not bool(same.to_numpy().all())


def _is_other_row(array: Any, key: Any, value: np.ndarray) -> bool:
    """Return whether a bare view of the array's memory is of other rows than those it goes to."""
    bare = np.asarray(array)
    if not np.may_share_memory(value, bare):
        return False
    target = bare[key] if isinstance(key, tuple) else bare[key, ...]  # never a scalar
    if not np.may_share_memory(target, bare):
        return np.shares_memory(value, bare)  # rows picked one by one
    return _ends(value, bare) != _ends(target, bare) and np.shares_memory(value, bare)


def _ends(view: np.ndarray, whole: np.ndarray) -> tuple[int, int]:
    """Rows of the array that a view's first and last elements are in."""
    lowest = _address(whole) + sum(min(0, s * (n - 1)) for s, n in _axes(whole))
    first = _address(view) - lowest
    last = first + sum(s * (n - 1) for s, n in _axes(view))
    return _row_of(first, whole), _row_of(last, whole)


def _row_of(offset: int, whole: np.ndarray) -> int:
    """Row, counted from the lowest address, that a place in the array's memory belongs to."""
    for step, axis in sorted(((abs(s), i) for i, s in enumerate(whole.strides)), reverse=True):
        at, offset = divmod(offset, step) if step else (0, offset)
        if axis == 0:
            return at
    return 0


def _axes(array: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(array.strides, array.shape))


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])
