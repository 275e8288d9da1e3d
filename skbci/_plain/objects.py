"""Objects of any class as what their attributes hold."""

from __future__ import annotations

import importlib
import types
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

from skbci._plain.frozen import Freezer, Frozen, Kind, Note, NotPlain, Thawer

__all__ = ["OBJECTS", "is_plain"]

_PLAIN = (type(None), bool, int, float, str, bytes, np.generic, np.random.RandomState,
          np.random.Generator)
# So many times its values an array may take up in memory, as a part of a larger one.
_MOST_GAPS = 256
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type)


def is_plain(value: Any) -> bool:
    """Return whether there is nothing in an object to take apart."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is np.ndarray:
        return value.dtype != object and _is_packed(value)
    return isinstance(value, np.generic)


def _is_packed(value: np.ndarray) -> bool:
    """Whether an array comes back with the strides that it has, by which sums are rounded."""
    return value.flags.c_contiguous or value.flags.f_contiguous


def _is_named(value: object) -> bool:
    return isinstance(value, _FUNCTIONS)


def _check_named(value: Any, walk: Freezer, frozen: Frozen) -> object:
    """Functions and classes are written down by where they are found."""
    if value is print:
        return frozen
    name, module = value.__name__, getattr(value, "__module__", None)
    if isinstance(value, types.BuiltinFunctionType) and _torch_function(name) is value:
        return frozen.fill(name=name)
    try:
        found = getattr(importlib.import_module(str(module)), name)
    except (ImportError, AttributeError):
        found = None
    if found is not value:
        what = "a class" if isinstance(value, type) else "a function"
        raise NotPlain(
            f"{walk.where()} is {what}, {value.__qualname__!r} of {module!r}, that cannot be "
            "found again by its name; define it at the top of a module that can be imported."
        )
    return value


def _torch_function(name: str) -> Any:
    import torch

    known = ("relu", "tanh", "sigmoid", "exp", "log", "abs", "square", "sqrt", "softmax", "sin",
             "cos", "flatten", "mean", "sum", "selu", "celu")
    return getattr(torch, name) if name in known else None


def _thaw_named(frozen: Frozen, walk: Thawer, note: Note) -> object:
    if not hasattr(frozen, "name"):
        return print
    found = _torch_function(frozen.name)
    if found is None:
        raise ValueError(f"torch.{frozen.name} is not among the functions that are read.")
    return found


def _is_array(value: object) -> bool:
    return type(value) is np.ndarray


def _freeze_array(value: np.ndarray, walk: Freezer, frozen: Frozen) -> object:
    if value.dtype != object:
        return frozen.fill(array=np.ascontiguousarray(value), strides=list(value.strides))
    values = value.ravel().tolist()
    return frozen.fill(strides=None, shape=list(value.shape), values=walk(values))


def _thaw_array(frozen: Frozen, walk: Thawer, note: Note) -> np.ndarray:
    if frozen.strides is not None:
        return _strided(np.asarray(frozen.array), frozen.strides)
    values = walk(frozen.values)
    out = np.empty(len(values), dtype=object)
    for place, one in enumerate(values):
        out[place] = one
    return out.reshape(frozen.shape)


def _strided(array: np.ndarray, strides: list[int]) -> np.ndarray:
    """Give an array the strides that it had, by which linear algebra rounds."""
    steps = [(abs(step), length) for step, length in zip(strides, array.shape) if length > 1]
    item, needed = array.itemsize, array.itemsize
    for step, length in sorted(steps):
        if step < needed or step % item:
            return array  # axes that share memory
        needed = step * length
    if needed > _MOST_GAPS * max(array.nbytes, item):
        return array
    room = np.zeros(needed // item, array.dtype)
    steps_in = [abs(step) if length > 1 else item for step, length in zip(strides, array.shape)]
    out = np.lib.stride_tricks.as_strided(room, array.shape, steps_in)
    out[...] = array
    return out


def _is_method(value: object) -> bool:
    return isinstance(value, types.MethodType)


def _no_method(value: Any, walk: Freezer, frozen: Frozen) -> object:
    raise NotPlain(
        f"{walk.where()} is a method, {value.__qualname__!r}, which is not written; give a "
        "function instead, or the object."
    )


def _is_object(value: object) -> bool:
    kind = type(value)
    if isinstance(value, (type, types.ModuleType, np.ndarray, Enum, PurePath)):
        return False
    return (
        hasattr(value, "__dict__") and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__ and not isinstance(value, (dict, list, tuple))
    )


def _freeze_object(value: Any, walk: Freezer, frozen: Frozen) -> object:
    kind = type(value)
    _check_named(kind, walk, frozen)
    state = value.__getstate__()
    if not isinstance(state, dict):
        return value
    if "__cuda_dependent_attributes__" in state:
        raise NotPlain(
            f"{walk.where()} is a net of skorch, {kind.__name__!r}, which writes a pickle of its "
            "own; use NeuralClassifier."
        )
    parts = {name: walk(part, f".{name}") for name, part in state.items()}
    if not any(walk.holds_frozen(part) for part in parts.values()):
        return value
    return frozen.fill(type=kind, state=parts)


def _thaw_object(frozen: Frozen, walk: Thawer, note: Note) -> object:
    kind: Any = frozen.type
    if not isinstance(kind, type):
        raise ValueError(f"{kind!r} is not a class.")
    new: Any = kind.__new__
    out = note(new(kind))
    state = walk(frozen.state)
    if hasattr(out, "__setstate__"):
        out.__setstate__(state)
    else:
        out.__dict__.update(state)
    return out


OBJECTS: dict[str, Kind] = {
    "named": (_is_named, _check_named, _thaw_named),
    "array": (_is_array, _freeze_array, _thaw_array),
    "method": (_is_method, _no_method, _thaw_named),
    "object": (_is_object, _freeze_object, _thaw_object),
}
