"""Standardization inside the networks: predictions must not depend on the unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

_CHUNK = 1 << 18  # values in double precision at a time: 2 MB stay in the cache


class Standardizer:
    """Zero mean and unit standard deviation for each feature, or each channel over time.

    Rows of more than one axis share the statistics along their last (time) axis.
    """

    mean: np.ndarray
    scale: np.ndarray

    def fit(self, data: np.ndarray, weight: np.ndarray | None = None) -> Standardizer:
        """Learn from rows (n_rows, ...) with optional row weights."""
        along = data.shape[-1] if data.ndim > 2 else 1
        weight = np.ones(len(data)) if weight is None else np.asarray(weight, dtype=float)
        total = weight.sum() * along
        # Sums around the first row's mean: volts with an offset keep their digits.
        center = _sum_times(data[:1].astype(float))[0] / along
        first = np.zeros_like(center)
        second = np.zeros_like(center)
        for a, b in _chunks(data):
            part = data[a:b].astype(float) - _spread(center, data.ndim)
            first += np.tensordot(weight[a:b], _sum_times(part), axes=1)
            np.square(part, out=part)
            second += np.tensordot(weight[a:b], _sum_times(part), axes=1)
        shift = first / total
        self.mean = center + shift
        variance = np.maximum(second / total - shift**2, 0)
        # A constant feature differs from its mean by rounding only: leave it at zero.
        constant = variance <= (10 * np.finfo(data.dtype).eps * np.abs(self.mean)) ** 2
        self.scale = np.where(constant, 1.0, np.sqrt(variance))
        self.scale[self.scale == 0] = 1.0
        return self

    def transform(self, data: np.ndarray, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Return the standardized data, computed in double precision, in a precision."""
        mean, scale = _spread(self.mean, data.ndim), _spread(self.scale, data.ndim)
        out = np.empty(data.shape, dtype=dtype)
        for a, b in _chunks(data):
            out[a:b] = (data[a:b] - mean) / scale
        return out

    def project(self, data: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return each standardized row's product with a direction, in double precision."""
        mean, scale = _spread(self.mean, data.ndim), _spread(self.scale, data.ndim)
        out = np.empty(len(data))
        for a, b in _chunks(data):
            out[a:b] = ((data[a:b] - mean) / scale).reshape(b - a, -1) @ direction
        return out

    def inverse_transform(self, data: np.ndarray) -> np.ndarray:
        """Return the data in its unit, in double precision."""
        return data * _spread(self.scale, data.ndim) + _spread(self.mean, data.ndim)


def _chunks(data: np.ndarray) -> list[tuple[int, int]]:
    rows = max(1, _CHUNK // max(1, data[0].size))
    return [(a, min(a + rows, len(data))) for a in range(0, len(data), rows)]


def _sum_times(data: np.ndarray) -> np.ndarray:
    return data if data.ndim == 2 else data.sum(axis=-1)


def _spread(values: np.ndarray, ndim: int) -> np.ndarray:
    return values if ndim == 2 else values[..., None]
