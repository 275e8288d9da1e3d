r"""Causal filters over a stream.

A filter that begins anew with each window, as `FilterBank` does with each row, differs from one
that has run since the beginning of the stream by the natural response to the difference of their
states at the window's start:

.. math:: y_\mathrm{new}(t) = y_\mathrm{run}(t) + c A^{t} (s_\mathrm{new} - s_\mathrm{run}) .

So each sample is filtered once, whatever the windows share, and a thin matrix product gives each
window what the offline pipeline computes.
"""

from __future__ import annotations

import numpy as np

from skbci.features import Band
from skbci.stream._sources.buffer import SampleBuffer

__all__ = ["FilteredSamples"]


class FilteredSamples:
    """A stream behind a bank of causal filters.

    Parameters
    ----------
    samples : SampleBuffer
        The stream.
    n_channels : int
    bands : list of Band
    n_window, n_hop : int
        Samples in a window, and from one to the next.
    restart : bool
        Whether windows are filtered as if the filters had begun with them, in the steady state of
        their first sample.
    """

    def __init__(
        self, samples: SampleBuffer, n_channels: int, bands: list[Band], n_window: int, n_hop: int,
        restart: bool,
    ) -> None:
        self.samples, self.bands, self.n_hop, self.restart = samples, bands, n_hop, restart
        self.buffer = SampleBuffer(len(bands) * n_channels, samples.n_kept)
        self._steady = [band.steady_state for band in bands]
        self._natural = [
            band.run(np.zeros((len(s), n_window)), np.eye(len(s)))[0]
            for band, s in zip(bands, self._steady)
        ]
        self.begin()

    def begin(self) -> None:
        """Begin a run."""
        self.buffer.clear()
        self._states: list[np.ndarray] = []
        self._at_start: dict[int, list[np.ndarray]] = {}

    def advance(self, stop: int) -> None:
        """Filter the samples up to before number ``stop``."""
        while (at := self.buffer.end) < stop:
            if at == 0:
                first = self.samples.read(0, 1)
                self._states = [first * steady for steady in self._steady]
            if self.restart and at % self.n_hop == 0:
                self._at_start[at] = list(self._states)
            end = min(stop, at - at % self.n_hop + self.n_hop)
            part = self.samples.read(at, end)
            runs = [band.run(part, state) for band, state in zip(self.bands, self._states)]
            self._states = [state for _, state in runs]
            self.buffer.append(np.concatenate([y for y, _ in runs]))

    def window(self, start: int, stop: int) -> np.ndarray:
        """Return the filtered samples of a window, shape (n_bands * n_channels, n_window)."""
        out = self.buffer.read(start, stop).copy()
        if self.restart:
            first, states = self.samples.read(start, start + 1), self._at_start.pop(start)
            for passed_over in [at for at in self._at_start if at < start]:
                del self._at_start[passed_over]
            by_band = out.reshape(len(self.bands), -1, stop - start)
            for y, steady, natural, state in zip(by_band, self._steady, self._natural, states):
                y += (first * steady - state) @ natural
        return out
