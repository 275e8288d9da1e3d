"""The first stage: from the stream's samples to one row for each window."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skbci.features import FilterBank
from skbci.stream._sources.buffer import SampleBuffer
from skbci.stream._sources.filtered import FilteredSamples
from skbci.stream._sources.welch_segments import WelchSegments

__all__ = ["FilteredWindows", "PlainWindows", "WelchWindows", "WindowSource"]


class WindowSource(Protocol):
    """What turns the samples of a window into a row of shape (1, ...)."""

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Return the row of the window from sample ``start`` to before ``stop``."""
        ...

    def skip(self, stop: int) -> None:
        """Pass over the window that ends before sample ``stop``."""
        ...

    def begin(self) -> None:
        """Begin a run."""
        ...


class PlainWindows:
    """The window unchanged.

    Parameters
    ----------
    samples : SampleBuffer
    flat : bool
        Whether rows are (1, n_times), of one channel, instead of (1, n_channels, n_times).
    """

    def __init__(self, samples: SampleBuffer, flat: bool) -> None:
        self.samples, self.flat = samples, flat

    def __call__(self, start: int, stop: int) -> np.ndarray:
        # A copy: a step that works in place must not change what later windows share.
        window = self.samples.read(start, stop).copy()
        return window if self.flat else window[np.newaxis]

    def skip(self, stop: int) -> None:
        pass

    def begin(self) -> None:
        pass


class FilteredWindows:
    """A window behind causal filters, in the shape that the bank gives.

    Parameters
    ----------
    filtered : FilteredSamples
    bank : FilterBank
    """

    def __init__(self, filtered: FilteredSamples, bank: FilterBank) -> None:
        self.filtered = filtered
        n_bands, flat = len(bank.bands_), len(bank.input_shape_) == 1
        self.apart = n_bands if bank.output == "bands" and not flat else None

    def __call__(self, start: int, stop: int) -> np.ndarray:
        self.filtered.advance(stop)
        row = self.filtered.window(start, stop)
        if self.apart is None:
            return row[np.newaxis]
        return row.reshape(1, self.apart, -1, row.shape[-1])

    def skip(self, stop: int) -> None:
        self.filtered.advance(stop)

    def begin(self) -> None:
        self.filtered.begin()


class WelchWindows:
    """Welch densities from remembered segments.

    Parameters
    ----------
    samples : SampleBuffer
        Of shape (n_signals, n_times).
    segments : WelchSegments
    filtered : FilteredSamples, optional
        Where the samples come from, if they are filtered.
    """

    def __init__(
        self,
        samples: SampleBuffer,
        segments: WelchSegments,
        filtered: FilteredSamples | None = None,
    ) -> None:
        self.samples, self.segments, self.filtered = samples, segments, filtered

    def __call__(self, start: int, stop: int) -> np.ndarray:
        if self.filtered is not None:
            self.filtered.advance(stop)
        return self.segments(self.samples.read(start, stop), start)

    def skip(self, stop: int) -> None:
        if self.filtered is not None:
            self.filtered.advance(stop)

    def begin(self) -> None:
        self.segments.clear()
        if self.filtered is not None:
            self.filtered.begin()
