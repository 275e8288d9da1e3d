"""What an error of somebody else's reader tells a user."""

from __future__ import annotations

import struct

__all__ = ["reason"]

# What the interpreter says of a reader's own code tells nothing about the file.
_OF_THE_CODE = (
    AssertionError, AttributeError, IndexError, NameError, TypeError, ZeroDivisionError,
    struct.error,
)


def reason(error: BaseException) -> str:
    """Return an error's text without its full stop, where it speaks of the file."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    text = str(error).rstrip(". ")
    if isinstance(error, _OF_THE_CODE) or not text:
        return f"the reader stopped with {type(error).__name__}"
    return text
