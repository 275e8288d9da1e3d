"""Linear algebra on one thread, so that the same bits come out wherever it runs."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

from skbci._process.holders import Holder, Holders

__all__ = ["on_one_thread", "one_blas_thread"]

F = TypeVar("F", bound=Callable[..., Any])


class _Limit:
    """The process's BLAS libraries on one thread while anybody asks for it.

    Their number of threads is one of the whole process: the first who asks sets it, the last one
    puts it back. Some builds of OpenBLAS listen to the main thread only: if the last one was
    another, it is put back by the next who is heard.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holders = Holders()
        self.controller: Any = None
        self.limiter: Any = None
        self.before: list[int] = []

    def enter(self, holder: Holder) -> None:
        with self.lock:
            if not self.holders:
                if self.controller is None:
                    self.controller = ThreadpoolController().select(user_api="blas")
                if self.limiter is None:
                    self.before = self._numbers()
                self.limiter = self.controller.limit(limits=1)
            self.holders.add(holder)

    def leave(self, holder: Holder) -> None:
        with self.lock:
            self.holders.discard(holder)
            if not self.holders and self.limiter is not None:
                for library, number in zip(self.controller.lib_controllers, self.before):
                    library.set_num_threads(number)
                if self._numbers() == self.before:
                    self.limiter = None

    def _numbers(self) -> list[int]:
        return [library.num_threads for library in self.controller.lib_controllers]


_LIMIT = _Limit()


def _new_limit() -> None:
    global _LIMIT
    _LIMIT = _Limit()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_limit)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run numpy's and scipy's linear algebra on one thread.

    The order of a sum depends on the number of threads, and joblib gives its workers fewer of
    them: on one thread a fit gives the same bits in every process.
    """
    limit, holder = _LIMIT, Holder()
    try:
        limit.enter(holder)
        yield
    finally:
        limit.leave(holder)


def on_one_thread(method: F) -> F:
    """Let a method run within `one_blas_thread`."""

    @functools.wraps(method)
    def limited(*args: Any, **kwargs: Any) -> Any:
        with one_blas_thread():
            return method(*args, **kwargs)

    return limited  # type: ignore[return-value]
