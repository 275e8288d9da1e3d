"""Indexing: the rows, channels and times that the result of an index has.

numpy's rules are long: index arrays are broadcast against each other, and where a slice stands
between them their axes move to the front. So numpy is asked itself, about a tiny array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["axis_part", "expand_key", "indexed_context"]


def expand_key(key: object, ndim: int) -> list[Any] | None:
    """Write an index out: one part for each axis of the array, None for each new axis.

    Parameters
    ----------
    key : object
        An index that numpy has taken.
    ndim : int
        Dimensions of the array.

    Returns
    -------
    list or None
        Slices, integers, ndarrays of int, and None for new axes; a mask is written as the index
        arrays that it stands for. None where a single True or False is among them, or index arrays
        stand on both sides of an ellipsis without an axis, which parts them all the same.
    """
    parts: list[Any] = []
    for part in key if isinstance(key, tuple) else (key,):
        if part is None or part is Ellipsis or isinstance(part, slice):
            parts.append(part)
            continue
        index = np.asarray(part)
        if index.dtype == bool:
            if index.ndim == 0:
                return None
            parts.extend(np.nonzero(index))
        else:
            parts.append(index.astype(np.intp) if index.ndim else int(index))
    missing = ndim - sum(part is not None and part is not Ellipsis for part in parts)
    at = [i for i, part in enumerate(parts) if part is Ellipsis] or [len(parts)]
    ahead, after = parts[: at[0]], parts[at[0] + 1 :]
    if (
        not missing and _has(parts, np.ndarray)
        and _has(ahead, (int, np.ndarray)) and _has(after, (int, np.ndarray))
    ):
        return None
    parts[at[0] : at[0] + 1] = [slice(None)] * missing
    return parts


def _has(parts: list[Any], kind: Any) -> bool:
    return any(isinstance(part, kind) for part in parts)


def axis_part(parts: list[Any], axis: int, ndim: int) -> tuple[Any, int] | None:
    """Return the index of one axis, and the place of that axis in the result.

    Parameters
    ----------
    parts : list
        From `expand_key`.
    axis, ndim : int
        The axis to follow, and how many there are.

    Returns
    -------
    part : slice or ndarray of int, shape (n_taken,)
        What is taken of the axis.
    place : int
        The result's axis that has it.
    None where the axis is gone or is merged with another one.
    """
    own = [i for i, part in enumerate(parts) if part is not None][axis]
    followed = parts[own]
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if not isinstance(followed, slice) and (np.ndim(followed) != 1 or len(arrays) > 1):
        return _mesh_part(parts, own, axis, ndim)
    # Two entries along the axis, one along all others: only its place has two in the result.
    shape = [1] * ndim
    shape[axis] = 2
    key: list[Any] = []
    for i, part in enumerate(parts):
        if isinstance(part, np.ndarray):
            key.append(np.zeros([2] if i == own else [1] * part.ndim, dtype=np.intp))
        else:
            key.append(part if part is None else slice(None) if isinstance(part, slice) else 0)
    return followed, np.empty(shape)[tuple(key)].shape.index(2)


def _mesh_part(parts: list[Any], own: int, axis: int, ndim: int) -> tuple[Any, int] | None:
    """As `axis_part`, where index arrays span a mesh, as those of `numpy.ix_` do."""
    at = [i for i, part in enumerate(parts) if isinstance(part, np.ndarray)]
    if own not in at:
        return None
    place, n = at.index(own), len(at)
    for k, i in enumerate(at):
        if parts[i].ndim != n or any(size != 1 for d, size in enumerate(parts[i].shape) if d != k):
            return None
    shape = [1] * ndim
    shape[axis] = 2
    key: list[Any] = [
        np.zeros([2 if k == place else 1 for k in range(n)], dtype=np.intp) if i == own
        else np.zeros([1] * n, dtype=np.intp) if i in at
        else part if part is None else slice(None) if isinstance(part, slice) else 0
        for i, part in enumerate(parts)
    ]
    return parts[own].ravel(), np.empty(shape)[tuple(key)].shape.index(2)


def indexed_context(array: Any, key: object, ndim: int) -> dict[str, Any] | None:
    """Return what is known about the result of indexing an `EEGArray`.

    Parameters
    ----------
    array : EEGArray
        With a table.
    key : object
        The index.
    ndim : int
        Dimensions of the result.

    Returns
    -------
    dict or None
        Arguments for `EEGArray`; None where the result's first axis is not made of rows.
    """
    parts = expand_key(key, array.ndim)
    rows = None if parts is None else axis_part(parts, 0, array.ndim)
    if parts is None or rows is None or rows[1] != 0:
        return None
    table = array.metadata.iloc[rows[0]].reset_index(drop=True)
    table.attrs = dict(array.metadata.attrs)
    context = {"metadata": table, "ch_names": _names(array, parts, ndim)}
    times = axis_part(parts, array.ndim - 1, array.ndim) if array.ndim > 1 else None
    context.update(_times(array, times, ndim))
    if _repeat(context["ch_names"]):  # a channel taken twice, and no channel has a name of its own
        context.update(ch_names=None, info=None)
    return context


def _repeat(names: list[str] | None) -> bool:
    return names is not None and len(set(names)) < len(names)


def _names(array: Any, parts: list[Any], ndim: int) -> list[str] | None:
    """Names of the channels that are left, where they are still the last axis but one."""
    names = array.ch_names
    if names is None or array.ndim < 3:
        # Columns of features have no names of their own; names say which channels they are of.
        return names if ndim < 3 else None
    channel = [part for part in parts if part is not None][-2]
    if isinstance(channel, int):
        return [names[channel]] if ndim < 3 else None
    taken = axis_part(parts, array.ndim - 2, array.ndim)
    if taken is None or (ndim >= 3 and taken[1] != ndim - 2):
        return None
    return np.asarray(names)[taken[0]].tolist()


def _times(array: Any, taken: tuple[Any, int] | None, ndim: int) -> dict[str, Any]:
    """Rate, time of the first sample and length of the result's rows."""
    same = {"sfreq": array.sfreq, "tmin": array.tmin, "info": array.info, "window": array._window}
    if array.ndim < 3 and array.sfreq is None:
        return same  # features, whose last axis is no time
    n_times = array.shape[-1]
    if taken is None or taken[1] != ndim - 1 or not isinstance(taken[0], slice):
        # Picked samples have no common rate.
        return {**same, "sfreq": None, "info": None, "window": array.window}
    start, stop, step = taken[0].indices(n_times)
    if array.sfreq is None:
        return same if step == 1 else {**same, "info": None}
    if step < 0:
        return {**same, "sfreq": None, "info": None, "window": array.window}
    same["tmin"] = array.tmin + start / array.sfreq
    same["sfreq"] = array.sfreq / step
    if step > 1:
        same["info"] = None
    if array.ndim == 3:  # signals of channels know it by themselves
        n_kept = len(range(start, stop, step))
        same["window"] = None if ndim == 3 else n_kept * step / array.sfreq
    return same
