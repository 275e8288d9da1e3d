"""Running torch without leaving traces: the global random state and thread count are put back."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from skbci._checks import check_seed
from skbci._typing import Seed

# Torch has one random state and one number of threads for all of a process: whoever sets them
# keeps others out until they are put back. Nested parallel searches run as threads.
_STATE = threading.RLock()


def _new_lock() -> None:
    global _STATE
    _STATE = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_lock)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread.

    The order of a sum depends on the number of threads, and joblib gives its workers fewer of
    them: on one thread a fit gives the same bits in every process. Small networks also run faster.
    """
    with _STATE:
        before = torch.get_num_threads()
        if before == 1:
            yield
            return
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def seeded(
    seed: int | torch.Tensor, device: str | torch.device, on_cuda: torch.Tensor | None = None
) -> Iterator[None]:
    """Seed torch, and put its global random state back at the end.

    Parameters
    ----------
    seed : int or Tensor
        A number, or a saved state of the CPU's generator.
    device : str or torch.device
        Where numbers are drawn besides the CPU.
    on_cuda : Tensor, optional
        A saved state of that device's generator, as `cuda_state` gives it. Without, a CUDA device
        is seeded by the number, or by what the CPU's state would draw next.
    """
    target = torch.device(device)
    devices = []
    if target.type == "cuda":
        devices = [torch.cuda.current_device() if target.index is None else target.index]
    with one_thread(), torch.random.fork_rng(devices=devices):
        if isinstance(seed, torch.Tensor):
            torch.set_rng_state(seed)
        elif target.type in ("cpu", "cuda"):
            torch.default_generator.manual_seed(seed)  # torch's own seeds every device
        else:
            torch.manual_seed(seed)
        if on_cuda is not None:
            torch.cuda.set_rng_state(on_cuda, target)
        elif devices:
            with torch.cuda.device(devices[0]):
                torch.cuda.manual_seed(
                    _next_draw(seed) if isinstance(seed, torch.Tensor) else seed
                )
        yield


def _next_draw(state: torch.Tensor) -> int:
    """Return a seed that follows from a state of the CPU's generator, which stays as it is."""
    generator = torch.Generator().set_state(state)
    return int(torch.randint(2**62, (), generator=generator))


def cuda_state(device: torch.device) -> torch.Tensor | None:
    """Return the random state of a CUDA device; None for any other device."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def rewinding(device: str | torch.device) -> Callable[[], None]:
    """Return a function that puts torch's random state back to what it is now.

    Parameters
    ----------
    device : str or torch.device
        Where numbers are drawn besides the CPU.
    """
    device = torch.device(device)
    on_cpu, on_cuda = torch.get_rng_state(), cuda_state(device)

    def rewind() -> None:
        torch.set_rng_state(on_cpu)
        if on_cuda is not None:
            torch.cuda.set_rng_state(on_cuda, device)

    return rewind


def draw_seed(random_state: Seed, who: object = "") -> int:
    """Draw a seed; ``None`` takes fresh entropy instead of advancing numpy's global state."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    return int(check_seed(random_state, "random_state", who).randint(2**31 - 1))
