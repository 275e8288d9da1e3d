"""The parts that an object is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Frozen", "NotPlain"]


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
