"""Settings of the whole process, changed for a moment and put back whatever the threads do."""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from skbci._process.holders import Holder, Holders

__all__ = ["filters_kept", "mne_level", "quiet_mne", "without_warnings"]


class _Filters:
    """The filters of warnings as they were when the first of several threads came.

    `warnings.catch_warnings`, which other packages use inside a fit, puts back what *it* found:
    in threads that overlap, another one's. Whoever is the last to leave puts back the first.
    """

    def __init__(self) -> None:
        self.lock, self.holders = threading.Lock(), Holders()
        self.object: list = []
        self.content: list = []

    def enter(self, holder: Holder) -> None:
        with self.lock:
            if not self.holders:
                self.object = warnings.filters  # type: ignore[assignment]
                self.content = list(warnings.filters)
            self.holders.add(holder)

    def leave(self, holder: Holder) -> None:
        with self.lock:
            if holder not in self.holders:  # Ctrl-C came while it entered
                return
            self.holders.discard(holder)
            if self.holders:
                return
            if warnings.filters is not self.object or self.object != self.content:
                self.object[:] = self.content
                warnings.filters = self.object
                with warnings.catch_warnings():  # forgets what was decided by other filters
                    pass


class _Here:
    """In the place of a filter's message: matches in the thread that made it only."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.thread: int | None = threading.get_ident()

    def match(self, text: str) -> bool:
        here = threading.get_ident() == self.thread
        return here and re.match(self.pattern, text, re.IGNORECASE) is not None


_ONE_AT_A_TIME = threading.RLock()
_FILTERS = _Filters()


def _new_locks() -> None:
    global _ONE_AT_A_TIME, _FILTERS
    _ONE_AT_A_TIME, _FILTERS = threading.RLock(), _Filters()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_locks)


@contextmanager
def filters_kept() -> Iterator[None]:
    """Put ``warnings.filters`` back when the last of the threads inside has left.

    Around what lets scikit-learn, scipy or MNE catch warnings.
    """
    filters, holder = _FILTERS, Holder()
    try:
        filters.enter(holder)
        yield
    finally:
        filters.leave(holder)


@contextmanager
def without_warnings(
    category: type[Warning] = Warning, message: str = ""
) -> Iterator[None]:
    """Ignore warnings of a category whose beginning matches ``message``, in this thread only."""
    here = _Here(message)
    own = ("ignore", here, category, None, 0)
    with filters_kept():
        with _FILTERS.lock:
            warnings.filters.insert(0, own)  # type: ignore[attr-defined]
        try:
            yield
        finally:
            here.thread = None  # copies of it may be left in lists that others have exchanged
            with _FILTERS.lock:
                kept = [known for known in warnings.filters if known is not own]
                warnings.filters[:] = kept  # type: ignore[index]


@contextmanager
def mne_level(level: str) -> Iterator[None]:
    """Set MNE's log level in a context; other threads that set it wait for their turn.

    MNE's level is one of the whole process, and its ``verbose=`` sets it, too.
    """
    import mne

    with _ONE_AT_A_TIME, filters_kept(), mne.utils.use_log_level(level):
        yield


@contextmanager
def quiet_mne() -> Iterator[None]:
    """Let MNE report errors only."""
    with mne_level("ERROR"):
        yield
