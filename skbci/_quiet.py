"""Settings of the whole process, changed for a moment by one thread at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()


def _new_lock() -> None:
    global _ONE_AT_A_TIME
    _ONE_AT_A_TIME = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_lock)


@contextmanager
def quiet_mne() -> Iterator[None]:
    """Let MNE report errors only."""
    import mne

    with _ONE_AT_A_TIME, mne.utils.use_log_level("ERROR"):
        yield
