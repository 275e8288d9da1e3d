"""Parameter texts that several docstrings share, written once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from textwrap import dedent, indent
from typing import TypeVar

__all__ = ["doc_filler"]

T = TypeVar("T")
# A fragment's name, alone in its line.
_PLACE = re.compile(r"^(?P<margin> *)%\((?P<name>\w+)\)s$", re.MULTILINE)


def doc_filler(fragments: Mapping[str, str]) -> Callable[[T], T]:
    """Make a decorator that puts fragments into docstrings.

    Parameters
    ----------
    fragments : mapping of str to str
        Texts by the names that stand for them, as ``%(name)s`` alone in a line.

    Returns
    -------
    callable
        Takes a function or class, and returns it.
    """
    texts = {name: dedent(text).strip() for name, text in fragments.items()}

    def fill_doc(thing: T) -> T:
        if thing.__doc__ is not None:  # as it is under python -OO
            thing.__doc__ = _PLACE.sub(
                lambda place: indent(texts[place["name"]], place["margin"]), thing.__doc__
            )
        return thing

    return fill_doc
