"""Interleaved timing: what is compared runs in turn, so that a busy machine slows all alike."""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
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

    def __truediv__(self, count: float) -> Timing:
        """Share of one of ``count`` pieces of work done in a repeat."""
        return Timing(tuple(value / count for value in self.seconds))


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


def in_new_process(function: str, *args: Any) -> Any:
    """Call ``"module.function"`` of this folder in a process of its own; arguments go as JSON."""
    done = subprocess.run(
        [sys.executable, __file__, function, json.dumps(args)], cwd=Path(__file__).parent,
        stdout=subprocess.PIPE, text=True, check=True,
    )
    return json.loads(done.stdout)


def _answer(function: str, args: str) -> None:
    module, _, name = function.partition(".")
    print(json.dumps(getattr(importlib.import_module(module), name)(*json.loads(args))))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
