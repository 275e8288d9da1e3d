"""numpy's functions that choose rows, or put rows one after another: their table goes along."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["chosen_rows", "refuse_out", "rows_to_join", "same_rows", "stripped"]

# By the name of their argument that is the array.
_CHOOSERS: dict[Callable[..., object], str] = {
    np.take: "a", np.compress: "a", np.repeat: "a", np.roll: "a", np.delete: "arr",
    np.flip: "m", np.split: "ary", np.array_split: "ary",
}
_SPECIAL = ("out", "dtype", "casting")
_JOINERS: tuple[Callable[..., object], ...] = (np.concatenate, np.vstack, np.append)


def chosen_rows(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return the array and the rows of it that a function takes; None if it does another thing.

    The function itself says which: it is given the rows' numbers in place of the rows.

    Returns
    -------
    (ndarray, ndarray of int) or (ndarray, list of ndarray of int), or None
    """
    if func not in _CHOOSERS:
        return None
    given = inspect.signature(func).bind(*args, **kwargs)
    given.apply_defaults()
    array, axis = given.arguments[_CHOOSERS[func]], given.arguments["axis"]
    if not isinstance(array, np.ndarray) or not array.ndim or axis not in (0, -array.ndim):
        return None
    if given.arguments.get("out") is not None:
        return None
    given.arguments[_CHOOSERS[func]] = np.arange(len(array))
    given.arguments["axis"] = 0
    rows = func(*given.args, **given.kwargs)
    return (array, rows) if isinstance(rows, list) or rows.ndim == 1 else None


def rows_to_join(func: Callable[..., Any], args: Any, kwargs: Any) -> list[Any] | None:
    """Return the arrays that a function puts one after another; None if it does another thing."""
    if func not in _JOINERS or any(kwargs.get(key) is not None for key in _SPECIAL):
        return None
    if func is np.append:
        arrays, axis = [*args, *kwargs.values()][:2], kwargs.get("axis", [*args, None, None][2])
    else:
        arrays = list(args[0] if args else next(iter(kwargs.values())))
        axis = args[1] if len(args) > 1 else kwargs.get("axis", 0)
    least = 2 if func is np.vstack else 1
    if not all(isinstance(array, np.ndarray) and array.ndim >= least for array in arrays):
        return None
    return arrays if axis in (0, -arrays[0].ndim) else None


def refuse_out(func: Callable[..., Any], out: object) -> None:
    """Refuse to put chosen or joined rows in the place of other rows.

    Raises
    ------
    ValueError
    """
    if (func in _CHOOSERS or func in _JOINERS) and getattr(out, "has_metadata", False):
        raise ValueError(
            f"numpy.{func.__name__}(out=...) would put rows where the EEGArray's table has other "
            "rows. Without out=, it gives rows and table; np.asarray(X) is the bare data."
        )


def same_rows(one: Any, other: Any) -> bool:
    """Return whether the tables of two arrays of as many rows say the same of each row."""
    if one is other or len(one) != len(other) or not (one.has_metadata and other.has_metadata):
        return True
    table, known = one.metadata, other.metadata
    shared = [name for name in table.columns if name in known.columns]
    left, right = table[shared].astype(object), known[shared].astype(object)
    return bool(((left == right) | (left.isna() & right.isna())).to_numpy().all())


def stripped(value: Any) -> Any:
    """Replace every array with a table inside arguments by its bare data."""
    if isinstance(value, np.ndarray):
        return np.asarray(value) if hasattr(value, "has_metadata") else value
    if isinstance(value, (list, tuple)):
        return type(value)(stripped(v) for v in value)
    if isinstance(value, dict):
        return {k: stripped(v) for k, v in value.items()}
    return value
