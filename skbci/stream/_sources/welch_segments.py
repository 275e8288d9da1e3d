"""Welch densities of windows that share segments: each segment is transformed once."""

from __future__ import annotations

import numpy as np

from skbci.features import (
    Limits,
    WelchPlan,
    WelchPSD,
    segment_means,
    squared_spectra,
    welch_conditioned,
)

__all__ = ["WelchSegments"]


class WelchSegments:
    """What a fitted `WelchPSD` gives for windows of one stream.

    Segments are kept by their place in the stream, so that windows share those that both hold: of
    a hop that divides the segments' own, or equals it, all but one. Every
    number is rounded as by ``WelchPSD.transform``, and what that repeats with more care (a signal
    with a large offset, say) is computed from the whole window as there.

    Parameters
    ----------
    psd : WelchPSD
        Fitted.
    n_signals, n_window, n_hop : int
        Channels, samples in a window, and from one window to the next.
    """

    def __init__(self, psd: WelchPSD, n_signals: int, n_window: int, n_hop: int) -> None:
        self.psd = psd
        n, hop = psd.n_per_seg_, psd.n_per_seg_ - psd.n_overlap_
        self.plan = WelchPlan(n_window, n, hop, psd.sfreq_, psd.window)
        self.dtype = np.dtype(np.float64 if psd.dtype is None else psd.dtype)
        self._taper, self._leak = self.plan.taper_and_leak(self.dtype)
        self._limits = Limits.of(self.dtype)
        self._block = np.empty((n_signals, n), self.dtype)
        self._work = np.empty(n_signals * n, self.dtype)
        # Where segments begin in a window, and whether a later window has the same segment.
        self._offsets = {
            offset: any(earlier % hop == 0 for earlier in range(offset - n_hop, -1, -n_hop))
            for offset in range(0, self.plan.n_segments * hop, hop)
        }
        self.clear()

    def clear(self) -> None:
        """Begin a run."""
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, window: np.ndarray, start: int) -> np.ndarray:
        """Return the features, (1, n_features), of a window that begins at sample ``start``."""
        known = self._known
        for old in [at for at in known if at < start]:
            del known[old]
        with np.errstate(over="ignore", invalid="ignore"):
            parts = []
            for offset, shared in self._offsets.items():
                part = known.get(start + offset)
                if part is None:
                    part = self._transform(window[:, offset : offset + self.plan.n_per_seg])
                    if shared:
                        known[start + offset] = part
                parts.append(part)
            total = parts[0][0].copy()
            for squares, _ in parts[1:]:
                total += squares
            offset = np.max([size for _, size in parts], axis=0)
            sound = self._limits.sound(total, offset * self._leak[0].real)
            redo = np.flatnonzero(~sound)
        kept = self.psd._kept
        density = self.plan.density(total)[:, kept].astype(np.float64)
        if len(redo):
            better = welch_conditioned(window[redo], self.plan, self.dtype)
            density[redo] = better[:, kept]
        return self.psd._given(window[np.newaxis], density)

    def _transform(self, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared real and imaginary parts, interleaved, and the size of the mean."""
        block = self._block
        np.copyto(block, segment, casting="same_kind")
        means = segment_means(block, self.plan, 1)
        squares = squared_spectra(block, means, self.plan, self._taper, self._leak, self._work)
        return squares, np.abs(means[0])
