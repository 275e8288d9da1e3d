"""The last samples of a stream, in one piece of memory."""

from __future__ import annotations

import numpy as np

__all__ = ["SampleBuffer"]


class SampleBuffer:
    """Samples by their number since the run began.

    Parameters
    ----------
    n_channels : int
    n_kept : int
        How many of the last samples can be read at any time; no more than so many may be
        appended at once.
    """

    def __init__(self, n_channels: int, n_kept: int) -> None:
        self.n_kept = n_kept
        # Three times as wide: samples are moved to the front once in many windows.
        self._data = np.empty((n_channels, 3 * n_kept + 8))
        self.clear()

    def clear(self) -> None:
        """Begin a run."""
        self._origin = 0
        self.end = 0

    def append(self, samples: np.ndarray) -> None:
        """Take the next samples, shape (n_channels, n_times)."""
        at, n = self.end - self._origin, samples.shape[1]
        if at + n > self._data.shape[1]:
            kept = min(at, self.n_kept)
            self._data[:, :kept] = self._data[:, at - kept : at].copy()
            self._origin, at = self.end - kept, kept
        self._data[:, at : at + n] = samples
        self.end += n

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return a view of the samples from number ``start`` to before ``stop``."""
        return self._data[:, start - self._origin : stop - self._origin]
