"""What an error of somebody else's reader tells a user."""

from __future__ import annotations

import re
import struct

__all__ = ["missing_package", "reason"]

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


def missing_package(error: BaseException | None) -> str | None:
    """Return the package whose absence an error tells of, if it does."""
    while error is not None:
        if isinstance(error, ImportError) and error.name:
            return error.name.partition(".")[0]
        text = str(error)
        if "HDF reader for matlab v7.3" in text:  # scipy's, where MNE's other reader is missing
            return "pymatreader"
        if found := re.search(r"the module ([\w-]+)\S* is needed", text):
            return found[1]
        error = error.__cause__ or error.__context__
    return None
