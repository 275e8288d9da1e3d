"""Telling a callback's wish to stop from Ctrl-C: skorch's callbacks raise the same exception."""

from __future__ import annotations

import opcode
import signal
from types import TracebackType

_RAISE = opcode.opmap["RAISE_VARARGS"]


def is_stop_wish(error: KeyboardInterrupt) -> bool:
    """Whether a callback raised the exception by a ``raise`` statement of its own.

    A signal breaks in between two instructions, or out of a call; the interpreter then raises by
    itself, or in the handler that somebody has set.
    """
    handler = getattr(signal.getsignal(signal.SIGINT), "__code__", None)
    last: TracebackType | None = None
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code is handler:
            return False
        last, place = place, place.tb_next
    return last is not None and last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE
