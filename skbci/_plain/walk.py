"""Taking an object apart, with all that it holds, and putting it together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skbci._plain.containers import CONTAINERS
from skbci._plain.frozen import Frozen, NotPlain
from skbci._plain.objects import OBJECTS, is_plain
from skbci._plain.tables import TABLES
from skbci._plain.torch_parts import TORCH

__all__ = ["freeze", "thaw"]

_KINDS = {**CONTAINERS, **TABLES, **TORCH, **OBJECTS}


def freeze(value: Any, deep: bool = False) -> Any:
    """Take torch's objects, tables and dicts of other keys than str apart.

    What holds none of them stays what it is. Objects that occur twice are one object afterwards.

    Parameters
    ----------
    value : object
        Lists, tuples and dicts are looked through, and what is taken apart.
    deep : bool, default=False
        Whether to look through objects of any class.

    Returns
    -------
    object
        As it is, or `Frozen`, or a new container with such inside.

    Raises
    ------
    NotPlain
        With ``deep``, if something has no plain parts; the message says what and where.
    """
    return _Freezer(deep)(value)


def thaw(value: Any, device: str | None = None) -> Any:
    """Put together what `freeze` has taken apart.

    Parameters
    ----------
    value : object
        Its lists and dicts are filled in place.
    device : str, optional
        Where torch's tensors go. By default where they were, or to the CPU where that is missing.

    Returns
    -------
    object
    """
    return _Thawer(device)(value)


class _Freezer:
    """One walk through an object."""

    def __init__(self, deep: bool) -> None:
        self.deep = deep
        self.path: list[str] = []
        # The objects, too, so that no other gets the identity of one of them.
        self._known: dict[int, tuple[Any, Any]] = {}
        self._holding: set[int] = set()

    def __call__(self, value: Any, place: str = "") -> Any:
        if is_plain(value):
            return value
        if id(value) in self._known:
            return self._known[id(value)][1]
        self.path.append(place)
        if len(self.path) > 200:
            raise NotPlain(f"{self.where()} is nested too deeply, or holds itself.")
        out = self._refreeze(value) if type(value) is Frozen else self._freeze(value)
        self.path.pop()
        self._known[id(value)] = value, out
        if type(out) in (list, tuple, dict):
            parts: Any = out.values() if isinstance(out, dict) else out
            if any(self.holds_frozen(part) for part in parts):
                self._holding.add(id(out))
        return out

    def _refreeze(self, value: Frozen) -> Frozen:
        """Look through what an object has taken apart by itself."""
        self._known[id(value)] = value, value
        if self.deep:
            value.fill(**{name: self(part, f".{name}") for name, part in vars(value).items()})
        return value

    def holds_frozen(self, out: Any) -> bool:
        """Return whether something that came out was, or has in it what was, taken apart."""
        return type(out) is Frozen or id(out) in self._holding

    def _freeze(self, value: Any) -> Any:
        for kind, (applies, take_apart, _) in _KINDS.items():
            if applies(value) and (self.deep or kind not in OBJECTS):
                frozen = Frozen(kind)
                self._known[id(value)] = value, frozen  # it may hold itself
                return take_apart(value, self, frozen)
        return value

    def where(self) -> str:
        """Say which part of the whole is being looked at."""
        return "".join(self.path).lstrip(".") or "the object"


class _Thawer:
    """One walk through what was taken apart."""

    def __init__(self, device: str | None) -> None:
        self.device = device
        self._known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind not in (Frozen, list, tuple, dict):
            return value
        if id(value) in self._known:
            return self._known[id(value)][1]
        if kind is Frozen:
            if value.kind not in _KINDS:
                raise ValueError(f"There is no kind {value.kind!r} of objects.")
            _, _, put_together = _KINDS[value.kind]
            out = put_together(value, self, self._noting(value))
        elif kind is tuple:
            out = tuple([self(part) for part in value])
        else:
            out = value
            self._known[id(value)] = value, out
            for place in range(len(value)) if kind is list else list(value):
                value[place] = self(value[place])
        self._known[id(value)] = value, out
        return out

    def _noting(self, value: Any) -> Callable[[Any], Any]:
        """Return what notes an object that is not filled yet, since its parts may hold it."""

        def note(out: Any) -> Any:
            self._known[id(value)] = value, out
            return out

        return note
