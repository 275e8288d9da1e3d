"""What a description of objects says, before any of them is made."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["audit"]

_PROTOCOL = 2
# How objects may be made, and of which classes where that calls the class.
_LOADERS: dict[str, frozenset[str] | None] = {
    "DictNode": frozenset({
        "builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
    "ListNode": frozenset({"builtins.list", "skorch.history.History"}),
    "TupleNode": None,
    "SetNode": frozenset({"builtins.set"}),
    "BytesNode": frozenset({"builtins.bytes"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "JsonNode": frozenset({"builtins.str"}),
    "TypeNode": None,
    "FunctionNode": None,
    "PartialNode": frozenset({"functools.partial"}),
    "ObjectNode": None,
    "CachedNode": None,
    "NdArrayNode": frozenset({"numpy.ndarray"}),
    "MaskedArrayNode": frozenset({"numpy.ma.MaskedArray"}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "LossNode": None,
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
}


def audit(members: dict[str, bytes]) -> None:
    """Check that objects are described as `save` describes them, and by nothing else.

    Parameters
    ----------
    members : dict of str to bytes
        Of the archive of skops.

    Raises
    ------
    ValueError
    """
    schema = json.loads(members["schema.json"])
    if not isinstance(schema, dict) or schema.get("protocol") not in range(_PROTOCOL, 100):
        raise ValueError(f"its protocol is not {_PROTOCOL} or later")
    for node in _nodes(schema):
        loader = node["__loader__"]
        if loader not in _LOADERS:
            raise ValueError(f"it asks for {loader!r}, which save never writes")
        name, allowed = _name(node), _LOADERS[loader]
        if allowed is not None and name not in allowed and not (
            loader == "NdArrayNode" and name.startswith("numpy.") and _is_number(name)
        ) and not (loader == "MaskedArrayNode" and name.startswith("numpy.ma.")):
            raise ValueError(f"it asks for {name!r} by {loader}, which save never writes")
        if loader == "LossNode" and not name.startswith(("_loss.", "sklearn.")):
            raise ValueError(f"it asks for {name!r} by {loader}, which save never writes")
        if loader == "TreeNode":
            _check_tree(node, members)


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            if isinstance(part.get("__loader__"), str):
                yield part


def _name(node: dict[str, Any]) -> str:
    return f"{node.get('__module__')}.{node.get('__class__')}"


def _is_number(name: str) -> bool:
    kind = getattr(np, name.removeprefix("numpy."), None)
    return isinstance(kind, type) and issubclass(kind, np.generic)


def _check_tree(node: dict[str, Any], members: dict[str, bytes]) -> None:
    """Check that a tree's nodes are within the tree: scikit-learn goes to them unchecked."""
    features, classes, outputs = node["__reduce__"]["args"]["content"]
    state = node["content"]["content"]
    nodes, values = (_array(state[name], members) for name in ("nodes", "values"))
    count = _number(state["node_count"])
    n_features, n_outputs = _number(features), _number(outputs)
    n_classes = _array(classes, members)
    inner = nodes["left_child"] >= 0
    sound = (
        nodes.ndim == 1 and len(nodes) == count > 0
        and values.ndim == 3 and values.shape[:2] == (count, n_outputs)
        and len(n_classes) == n_outputs and values.shape[2] == max(n_classes)
        # Children come after their parents, so that every way ends.
        and np.all((nodes["left_child"] > np.arange(count))[inner])
        and np.all((nodes["right_child"] > np.arange(count))[inner])
        and np.all(nodes["left_child"][inner] < count)
        and np.all(nodes["right_child"][inner] < count)
        and np.all((nodes["feature"] >= 0)[inner])
        and np.all(nodes["feature"][inner] < n_features)
        and np.all(nodes["left_child"][~inner] == -1)
    )
    if not sound:
        raise ValueError("a decision tree has nodes outside of it")


def _array(node: dict[str, Any], members: dict[str, bytes]) -> np.ndarray:
    return np.load(io.BytesIO(members[node["file"]]), allow_pickle=False)


def _number(node: dict[str, Any]) -> int:
    if "file" in node:
        raise ValueError("a decision tree has a size that is not a number")
    return int(json.loads(node["content"]))
