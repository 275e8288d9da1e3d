"""Ctrl-C at a chosen place."""

from __future__ import annotations

import inspect
import signal
import sys
from pathlib import Path

import skbci

HOME = str(Path(skbci.__file__).parent)


def press():
    """Have the signal come, as Ctrl-C has it."""
    signal.raise_signal(signal.SIGINT)


class Interrupt:
    """Break into the n-th call of one of the package's functions, as Ctrl-C may."""

    def __init__(self, n=None):
        self.n, self.seen = n, 0

    def __call__(self, frame, event, arg):
        if event == "call" and frame.f_code.co_filename.startswith(HOME):
            # The wrapper that takes back has to come to its end, and what is raised in a generator
            # that is being closed is lost.
            code = frame.f_code
            if code.co_filename.endswith("_whole.py") or code.co_flags & inspect.CO_GENERATOR:
                return
            self.seen += 1
            if self.seen == self.n:
                sys.setprofile(None)
                press()

    def __enter__(self):
        sys.setprofile(self)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)


def places(method, *args, **kwargs):
    with Interrupt() as count:
        method(*args, **kwargs)
    n = count.seen
    return sorted({1, n // 5, n // 2, n - n // 5} - {0})  # the last ones are not always made
