"""Masks of dropout, drawn many at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class DropoutMasks:
    """Inverted dropout masks out of a pool that is drawn many at a time.

    Drawing masks layer by layer costs more than the layers themselves. Sixteen random bits decide
    about a unit, so the rate is met to 1e-5.
    """

    _POOL = 1 << 19

    def __init__(self, rate: float, rng: np.random.Generator, like: Tensor) -> None:
        self.threshold = round(rate * 65536)
        self.scale = 65536 / max(1, 65536 - self.threshold)
        self.rng = rng
        self.like = like
        self.pool = like.data.new_empty(0)
        self.at = 0

    def take(self, shape: Sequence[int]) -> Tensor:
        """Return a mask of a shape: zeros, and ``1 / (1 - rate)`` where a unit is kept."""
        n_rows, n_units = shape
        size = n_rows * n_units
        if self.at + size > self.pool.numel():
            self._refill(max(size, self._POOL))
        out = self.pool.as_strided((n_rows, n_units), (n_units, 1), self.at)
        self.at += size
        return out

    def _refill(self, size: int) -> None:
        words = self.rng.bit_generator.random_raw(-(-size // 4))  # a seventh of `rng.bytes`' time
        kept = words.astype("<u8", copy=False).view("<u2")[:size] >= self.threshold
        dtype = np.float64 if self.like.dtype == torch.float64 else np.float32
        pool = np.multiply(kept, self.scale, dtype=dtype)
        self.pool = torch.from_numpy(pool).to(self.like.device, self.like.dtype)
        self.at = 0
