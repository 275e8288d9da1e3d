"""Texts that several docstrings share, written once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from textwrap import dedent, indent
from typing import TypeVar

from skbci._references import REFERENCES

__all__ = ["doc_filler", "fill_references"]

T = TypeVar("T")
# A fragment's name, alone in its line, or a paper's behind the number of its reference.
_PLACE = re.compile(
    r"^(?P<margin> *)(?P<number>\.\. \[\d+\] )?%\((?P<name>\w+)\)s(?P<rest>(?(number).*))$",
    re.MULTILINE,
)


def doc_filler(fragments: Mapping[str, str]) -> Callable[[T], T]:
    """Make a decorator that puts fragments into docstrings.

    Parameters
    ----------
    fragments : mapping of str to str
        Texts by the names that stand for them, as ``%(name)s`` alone in a line. The papers of
        `REFERENCES` are there in any case, as ``.. [1] %(name)s``, with a section or a full stop
        behind it.

    Returns
    -------
    callable
        Takes a function or class, and returns it.
    """
    texts = {name: dedent(text).strip() for name, text in {**REFERENCES, **fragments}.items()}

    def filled(place: re.Match[str]) -> str:
        number, margin = place["number"] or "", place["margin"]
        text = indent(texts[place["name"]], margin + "   " * bool(number)) + place["rest"]
        return margin + number + text.lstrip() if number else text

    def fill_doc(thing: T) -> T:
        if thing.__doc__ is not None:  # as it is under python -OO
            thing.__doc__ = _PLACE.sub(filled, thing.__doc__)
        return thing

    return fill_doc


#: For docstrings that share no more than the papers that they cite.
fill_references = doc_filler({})
