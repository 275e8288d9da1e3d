"""Interleaved timing: what is compared runs in turn, so that a busy machine slows all alike."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def single_thread() -> None:
    """Keep BLAS, OpenMP and torch to one thread; call it before numpy is imported.

    `scipy.fft` uses one thread by itself.
    """
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    import torch

    torch.set_num_threads(1)


@dataclass(frozen=True)
class Timing:
    """Seconds of each repeat."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def worst(self) -> float:
        return max(self.seconds)

    def __str__(self) -> str:
        return f"{_show(self.median)} ({_show(self.best)} to {_show(self.worst)})"


def interleave(
    work: Mapping[str, Callable[[], Any]], *, repeats: int = 9, warmup: int = 1
) -> dict[str, Timing]:
    """Time callables in turn: A B C A B C ...

    Parameters
    ----------
    work : mapping of str to callable
        What to time, by name.
    repeats : int
        Timed rounds.
    warmup : int
        Rounds before, not timed.

    Returns
    -------
    dict of str to Timing
    """
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(warmup + repeats):
        for name, call in work.items():
            start = time.perf_counter()
            call()
            if turn >= warmup:
                seconds[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def ratio(slow: Timing, fast: Timing) -> float:
    """How many times faster, as the ratio of the medians."""
    return slow.median / fast.median


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def header(*cells: str) -> str:
    """The first two lines of a Markdown table."""
    return row(*cells) + "\n" + row(*("---" for _ in cells))


def _show(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def table(times: Mapping[str, Timing], reference: str) -> str:
    """Lay times out in Markdown, each against the reference."""
    lines = [header("method", "median (best to worst)", "times as fast")]
    lines += [row(n, t, f"{ratio(times[reference], t):.2f}") for n, t in times.items()]
    return "\n".join(lines)
