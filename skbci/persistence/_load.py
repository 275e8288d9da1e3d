"""Reading estimators that `save` has written."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from sklearn.base import BaseEstimator

from skbci._checks import check_path, is_list
from skbci._plain import thaw
from skbci._process.quiet import without_warnings
from skbci._version_record import VersionWarning
from skbci._warning import warn
from skbci.persistence._audit import audit
from skbci.persistence._describe import PACKAGES, versions
from skbci.persistence._layout import OBJECTS, WEIGHTS, Members, read_stored
from skbci.persistence._needs import import_extra
from skbci.persistence._tensors import put_back
from skbci.persistence._trust import is_known, name_of, unpickles

__all__ = ["load"]


def load(
    path: str | os.PathLike[str],
    *,
    trusted: Iterable[str | type] = (),
    map_location: str | None = None,
) -> BaseEstimator:
    """Read an estimator that `save` has written; nothing in the file is run.

    Parameters
    ----------
    path : str or path-like
        A file of `save`.
    trusted : iterable of str or type, optional
        Classes and functions of your own that the file may name, such as
        ``"my_nets.Net"``. Those of this package, scikit-learn, pyRiemann, MNE's decoding and
        torch's layers and optimizers are known.
    map_location : str, optional
        Device for the networks, such as "cpu" or "cuda". By default the one they were trained
        on, or the CPU where that is missing.

    Returns
    -------
    estimator
        As it was when it was written: it predicts the same, and goes on learning from there.

    Raises
    ------
    ImportError
        If skops or safetensors are not installed: ``pip install "skbci[persistence]"``; or if a
        module of ``trusted`` is not there.
    TypeError
        If ``path`` is no path.
    ValueError
        If the file is damaged, cut short or was tampered with, names a class that is not trusted,
        or was written in a newer format. The message names file, member and class.

    Warns
    -----
    VersionWarning
        If it was written by another version of this package or of one that it is made of: what
        has changed in between may change the predictions.

    See Also
    --------
    save : Writes it.

    Notes
    -----
    The checksums find damage, not deceit: a forged file has checksums of its own. What it can do
    is limited by what is known and ``trusted``, whose objects are filled without their
    constructor; do not trust a class because a message asks for it.

    Examples
    --------
    >>> from skbci.persistence import load
    >>> decoder = load("anna.skbci", map_location="cpu")  # doctest: +SKIP
    >>> decoder.predict_proba(epochs)  # doctest: +SKIP
    """
    skops = import_extra("skops.io", "persistence")
    safetensors = import_extra("safetensors.numpy", "persistence")
    trusted = () if trusted is None else trusted
    if not is_list(trusted) or not all(_is_named(kind) for kind in trusted):
        raise TypeError(f"load: trusted={trusted!r} must be a list of names or classes.")
    if map_location is not None:
        _check_device(map_location)
    path = check_path(path, "path", "load")
    own = {name_of(kind) for kind in trusted}
    members = Members(path)
    root = _objects(skops, members, own)
    try:
        put_back(root, safetensors.load(members.weights))
    except Exception as error:
        raise members.broken(WEIGHTS, str(error)) from error
    _compare(path, members.header.get("versions"))
    with without_warnings(VersionWarning):  # has been said of the whole
        try:
            estimator = thaw(root, map_location)
        except Exception as error:
            raise members.broken(OBJECTS, f"{type(error).__name__}: {error}") from error
    if map_location is not None:
        _move(estimator, map_location)
    return estimator


def _is_named(kind: object) -> bool:
    return isinstance(kind, str) or (hasattr(kind, "__module__") and hasattr(kind, "__name__"))


def _check_device(map_location: object) -> None:
    import torch

    try:
        if not isinstance(map_location, (str, torch.device)):
            raise TypeError("it is no name")
        if torch.empty(1, device=map_location).device.type == "meta":
            raise ValueError("it keeps no values")
    except (TypeError, ValueError, RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split(chr(10))[0]
        raise ValueError(
            f"load: map_location={map_location!r} is no device that networks can be put on here, "
            f"such as 'cpu': {reason}"
        ) from error


def _objects(skops: ModuleType, members: Members, own: set[str]) -> BaseEstimator:
    """Make the objects, once it is known that all their classes may be made."""
    try:
        audit(read_stored(members.objects))
        named = skops.get_untrusted_types(data=members.objects)
    except Exception as error:
        raise members.broken(OBJECTS, f"{type(error).__name__}: {error}") from error
    if foreign := [name for name in named if name not in own and not is_known(name)]:
        raise ValueError(
            f"{members.path} holds {', '.join(foreign)}, which load does not know. If you trust "
            f"the code of that name on this machine, and the file: trusted={foreign}."
        )
    for name in set(named) & own:
        module, _, kind = name.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), kind)
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"{members.path} holds {name}, which cannot be imported here: {error}. Put the "
                "module where Python finds it."
            ) from error
        if unpickles(found):
            raise ValueError(
                f"{members.path} holds {name}, a net of skorch, which opens a pickle where it is "
                "restored, and a pickle runs code; NeuralClassifier is restored without."
            )
    try:
        with without_warnings(VersionWarning):
            return skops.loads(members.objects, trusted=named)
    except Exception as error:
        raise members.broken(OBJECTS, f"{type(error).__name__}: {error}") from error


def _compare(path: Path, written: object) -> None:
    """Warn of packages whose versions are others, beyond their last number."""
    now = versions()
    written = written if isinstance(written, dict) else {}
    others = [
        f"{name} {written[name]} (here {now[name]})"
        for name in ("skbci", *PACKAGES)
        if name in written and name in now and _minor(written[name]) != _minor(now[name])
    ]
    if others:
        warn(VersionWarning(str(path), others))


def _minor(version: object) -> list[str]:
    return str(version).split("+")[0].split(".")[:2]


def _move(estimator: BaseEstimator, device: str) -> None:
    """Set the device of the networks, whose tensors are there already."""
    from skbci.estimators import BaseNeural

    waiting, seen = [estimator], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, BaseNeural):
            part.device = device
            if hasattr(part, "net_"):
                part.net_.device = device
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
        elif hasattr(part, "__dict__") and not isinstance(part, type):
            waiting += vars(part).values()

