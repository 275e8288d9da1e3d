"""Writing fitted estimators."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_path
from skbci._plain import freeze
from skbci._plain.frozen import NotPlain
from skbci._process.files import replacing
from skbci.persistence._audit import audit
from skbci.persistence._describe import describe, versions
from skbci.persistence._layout import (
    FORMAT,
    HEADER,
    OBJECTS,
    WEIGHTS,
    digest_of,
    pack,
    read_stored,
)
from skbci.persistence._needs import import_extra
from skbci.persistence._tensors import take_out
from skbci.persistence._trust import is_known
from skbci.stream import OnlineDecoder

__all__ = ["save"]


def save(estimator: BaseEstimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator into one file, which `load` reads without running anything in it.

    Whole pipelines with steps of scikit-learn, pyRiemann, MNE and this package, networks with
    torch modules of your own, searches, and an `OnlineDecoder` in the middle of a session.

    Parameters
    ----------
    estimator : estimator or OnlineDecoder
        Fitted.
    path : str or path-like
        Where to. A file that is there is replaced once the new one is complete; a link stays,
        and what it leads to is replaced.

    Raises
    ------
    ImportError
        If skops or safetensors are not installed: ``pip install "skbci[persistence]"``.
    TypeError
        If there is nothing fitted to write, or ``path`` is no path.
    ValueError
        If a part cannot be written: a lambda, or a function, a class or a module that is defined
        inside another function. The message names it.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    load : Reads it.
    export_onnx : Writes a network for other programs.

    Notes
    -----
    The file is a zip archive of three members, none of them compressed: ``objects.skops`` says
    which classes the objects are of and what they hold, ``weights.safetensors`` has the tensors,
    and ``header.json`` the versions of all packages, what the estimator decodes (classes,
    channels, rate, unit, window) and the sha256 of the other two. ``unzip -p FILE header.json``
    shows it. Code is not written: classes and functions are called by name.

    Examples
    --------
    >>> from skbci.baselines import csp_lda
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.persistence import load, save
    >>> eeg = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=20, random_state=0)
    >>> decoder = csp_lda().fit(eeg.X, eeg.y)
    >>> save(decoder, "decoder.skbci")  # doctest: +SKIP
    >>> load("decoder.skbci").predict(eeg.X[:2])  # doctest: +SKIP
    """
    target = check_path(path, "path", "save")
    skops = import_extra("skops.io", "persistence")
    safetensors = import_extra("safetensors.numpy", "persistence")
    if not isinstance(estimator, OnlineDecoder):
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise TypeError(f"save: estimator={estimator!r:.80} must be a fitted estimator.")
        check_is_fitted(estimator)
    name = type(estimator).__name__
    try:
        root = freeze(estimator, deep=True)
    except NotPlain as error:
        raise ValueError(f"save: this {name} cannot be written: {error}") from error
    weights = safetensors.save(take_out(root))
    objects = _described(skops, root, name)
    header = {
        "format": FORMAT,
        "versions": versions(),
        **describe(estimator),
        "types": sorted(_foreign(skops, objects)),
        "sha256": {
            OBJECTS: hashlib.sha256(objects).hexdigest(),
            WEIGHTS: hashlib.sha256(weights).hexdigest(),
        },
    }
    header["digest"] = digest_of(header)
    _write(target, {HEADER: json.dumps(header, indent=1).encode(), OBJECTS: objects,
                    WEIGHTS: weights})


def _described(skops: ModuleType, root: object, name: str) -> bytes:
    """Return what the objects are made of, in the words of skops."""
    try:
        parts = _renumbered(read_stored(skops.dumps(root)))
        audit(parts)
        objects = pack(parts)
    except RecursionError as error:
        raise ValueError(
            f"save: this {name} cannot be written: a part of it holds itself."
        ) from error
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise ValueError(f"save: this {name} cannot be written: {error}") from error
    return objects


def _renumbered(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Name objects by their order, not their addresses: equals are written equal."""
    schema = json.loads(parts["schema.json"])
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__id__" in node:
                node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
            if node.get("__loader__") in ("NdArrayNode", "BytesNode") and "file" in node:
                end = node["file"].rpartition(".")[2]
                node["file"] = names.setdefault(node["file"], f"{len(names)}.{end}")
        inside = list(node.values()) if isinstance(node, dict) else node
        waiting += [part for part in reversed(inside) if isinstance(part, (dict, list))]
    out = {names[name]: data for name, data in parts.items() if name in names}
    return {**dict(sorted(out.items())),
            "schema.json": json.dumps(schema, separators=(",", ":")).encode()}


def _foreign(skops: ModuleType, objects: bytes) -> set[str]:
    """Return the classes that have to be trusted where the file is loaded."""
    return {name for name in skops.get_untrusted_types(data=objects) if not is_known(name)}


def _write(path: Path, members: dict[str, bytes]) -> None:
    with replacing(path) as file:
        file.write(pack(members))
