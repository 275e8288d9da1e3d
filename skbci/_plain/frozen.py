"""The parts that an object is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

__all__ = ["Freezer", "Frozen", "Kind", "NotPlain", "Note", "Thawer"]


class Frozen:
    """An object taken apart.

    Parameters
    ----------
    kind : str
        What takes such objects apart and puts them together again.
    **parts : object
        Arrays, numbers, texts, types, lists and dicts of such by str, and other frozen objects.
    """

    def __init__(self, kind: str, **parts: Any) -> None:
        self.kind = kind
        self.__dict__.update(parts)

    if TYPE_CHECKING:  # the parts

        def __getattr__(self, name: str) -> Any: ...

    def fill(self, **parts: Any) -> Frozen:
        """Add parts, and return the object."""
        self.__dict__.update(parts)
        return self


class NotPlain(ValueError):
    """An object that has no such parts."""


class Freezer(Protocol):
    """Takes apart what an object holds."""

    deep: bool

    def __call__(self, value: Any, place: str = "") -> Any: ...

    def holds_frozen(self, out: object) -> bool:
        """Return whether something that came out was, or has in it what was, taken apart."""
        ...

    def where(self) -> str:
        """Say which part of the whole is being looked at."""
        ...


class Thawer(Protocol):
    """Puts together what an object held."""

    device: str | None

    def __call__(self, value: Any) -> Any: ...


# Notes an object that is not filled yet, since its parts may hold it, and returns it.
Note: TypeAlias = Callable[[Any], Any]
# Whether a value is of this kind; what takes it apart; what puts it together again.
Kind: TypeAlias = tuple[
    Callable[[Any], bool],
    Callable[[Any, Freezer, Frozen], Any],
    Callable[[Frozen, Thawer, Note], Any],
]
