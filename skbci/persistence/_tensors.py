"""Tensors out of what was taken apart, into a file of their own, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from skbci._plain import Frozen

__all__ = ["put_back", "take_out"]

# Where torch's modules keep what they call by the names that follow.
_SHORTER = re.compile(r"\._(modules|parameters|buffers)(?=\.)")


def take_out(root: object) -> dict[str, np.ndarray]:
    """Replace the tensors' arrays by names.

    Returns
    -------
    dict of str to ndarray
        By name, which says where each is.
    """
    found: dict[str, np.ndarray] = {}
    for path, frozen in _tensors(root):
        name = path if path not in found else f"{path} {len(found)}"
        found[name] = np.ascontiguousarray(frozen.array).reshape(np.shape(frozen.array))
        frozen.fill(array=name)
    return found


def put_back(root: object, arrays: dict[str, np.ndarray]) -> None:
    """Replace names by arrays.

    Raises
    ------
    ValueError
        If names and arrays are not the same ones.
    """
    left = dict(arrays)
    for _, frozen in _tensors(root):
        if not isinstance(frozen.array, str) or frozen.array not in left:
            raise ValueError(f"there is no tensor {frozen.array!r:.80}")
        frozen.fill(array=left.pop(frozen.array))
    if left:
        raise ValueError(f"the tensor {next(iter(left))!r} belongs nowhere")


def _tensors(root: object) -> Iterator[tuple[str, Frozen]]:
    """Yield the tensors, each once, by what the networks call them."""
    places: dict[int, tuple[str, Frozen]] = {}
    for path, frozen in _places(root):
        known = places.get(id(frozen), (path, frozen))[0]
        # Optimizers hold the networks' tensors, too.
        places[id(frozen)] = min(known, path, key=lambda one: (".optimizer_." in one, one)), frozen
    yield from places.values()


def _places(root: object) -> Iterator[tuple[str, Frozen]]:
    path: str
    part: Any
    waiting: list[tuple[str, Any]] = [("", root)]
    seen: set[int] = set()
    while waiting:
        path, part = waiting.pop()
        if type(part) is Frozen and part.kind == "tensor":
            yield _SHORTER.sub("", path).lstrip(".") or "tensor", part
        if type(part) not in (Frozen, dict, list, tuple) or id(part) in seen:
            continue
        seen.add(id(part))
        if type(part) is Frozen:
            own: Any = vars(part).items()
            if part.kind == "mapping" and all(type(key) is str for key in part.keys):
                own = [("", dict(zip(part.keys, part.values)))]
            elif part.kind in ("object", "module", "optimizer"):
                own = [("", part.state)]
        else:
            own = part.items() if type(part) is dict else enumerate(part)
        waiting += [(f"{path}.{name}" if name != "" else path, value) for name, value in own]
