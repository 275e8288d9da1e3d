"""Butterworth filters: design, state space and causal application."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.signal

# Part of the slowest natural response that is left after ``Band.settling`` samples: -60 dB.
SETTLED = 1e-3
# Squared gains below this change nothing, even in float64, and make slow subnormal numbers.
NO_GAIN = 1e-20
MOST_ORDER = 100  # beyond it, coefficients lose their precision
GAIN_ERROR = 0.01  # of a filter that is computed well enough
CHUNK = 200_000  # samples at once: about what the processor's cache holds


@dataclass(frozen=True)
class Band:
    """One Butterworth filter: a band-pass, or a low-pass or high-pass at the axis' ends."""

    low: float
    high: float
    sos: np.ndarray
    settling: int

    @classmethod
    def design(cls, low: float, high: float, order: int, sfreq: float) -> Band:
        """Design a filter.

        Raises
        ------
        ValueError
            If its coefficients are beyond double precision.
        """
        nyquist = sfreq / 2
        if low <= 0 and high >= nyquist:
            return cls(low, high, np.array([[1.0, 0, 0, 1, 0, 0]]), 0)
        design: Any = partial(scipy.signal.butter, order, fs=sfreq, output="zpk")
        try:
            with np.errstate(all="ignore"):
                if low <= 0:
                    zeros, poles, gain = design(high, "lowpass")
                elif high >= nyquist:
                    zeros, poles, gain = design(low, "highpass")
                else:
                    zeros, poles, gain = design((low, high), "bandpass")
                radius = float(np.abs(poles).max())
                settling = math.ceil(math.log(SETTLED) / math.log(radius)) if radius > 0 else 0
                band = cls(low, high, scipy.signal.zpk2sos(zeros, poles, gain), settling)
                computed = band.passes(sfreq)
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            computed = False
        if not computed:
            raise ValueError(
                f"FilterBank: a filter of order={order} for the band ({low:g}, {high:g}) Hz of "
                f"data sampled at {sfreq:g} Hz is beyond double precision: take a lower "
                "order, or a wider band."
            )
        return band

    def passes(self, sfreq: float) -> bool:
        """Return whether the middle of the band passes, as it does in a Butterworth filter."""
        edges = np.tan(np.pi * np.clip([self.low, self.high], 0, sfreq / 2) / sfreq)
        middle = 0.0 if self.low <= 0 else sfreq / 2
        if self.low > 0 and self.high < sfreq / 2:
            middle = float(np.arctan(np.sqrt(edges.prod())) * sfreq / np.pi)
        gain = np.abs(scipy.signal.freqz_sos(self.sos, [middle], fs=sfreq)[1][0])
        return bool(np.isfinite(self.steady_state).all() and abs(gain - 1) < GAIN_ERROR)

    def response(self, n: int) -> np.ndarray:
        """Frequency response at the n frequencies of a complex transform."""
        half = scipy.signal.freqz_sos(self.sos, np.arange(n // 2 + 1) * 2 / n, fs=2)[1]
        return np.concatenate([half, half[1 : (n + 1) // 2][::-1].conj()])

    @property
    def gain_at_zero(self) -> float:
        """Squared gain of a constant."""
        gain = np.prod(self.sos[:, :3].sum(axis=1) / self.sos[:, 3:].sum(axis=1)) ** 2
        return float(gain) if gain > NO_GAIN else 0.0

    def run(self, x: np.ndarray, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Filter along the last axis from a state (..., n_states); give output and end state."""
        sos = self.sos.copy()  # scipy wants to be able to write; a memory map is read-only
        n_sections = len(sos)
        if state is None:
            state = np.zeros((*x.shape[:-1], 2 * n_sections))
        zi = np.moveaxis(state.reshape(*x.shape[:-1], n_sections, 2), -2, 0)
        y, zf = scipy.signal.sosfilt(sos, x, zi=zi)
        return y, np.moveaxis(zf, 0, -2).reshape(*x.shape[:-1], 2 * n_sections)

    def forward_backward(self, x: np.ndarray, padlen: int) -> np.ndarray:
        """Filter along the last axis with zero phase, in float64, one pass after the other."""
        sos = self.sos.copy()
        return scipy.signal.sosfiltfilt(sos, x.astype(np.float64), padtype="odd", padlen=padlen)

    @property
    def steady_state(self) -> np.ndarray:
        """State (n_states,) after a constant 1 for ever."""
        return scipy.signal.sosfilt_zi(self.sos.copy()).ravel()


def filter_causal(data: np.ndarray, bands: list[Band], out: np.ndarray) -> None:
    """Filter forward only, as if each row had had its first value for ever before.

    Parameters
    ----------
    data : ndarray of shape (n, n_channels, n_times)
    bands : list of Band
    out : ndarray of shape (n, n_bands, n_channels, n_times)
        Is filled.
    """
    n_rows = max(1, CHUNK // max(1, data[0].size))
    for i in range(0, len(data), n_rows):
        part = data[i : i + n_rows].astype(np.float64, order="C")
        for b, band in enumerate(bands):
            out[i : i + n_rows, b] = band.run(part, part[..., :1] * band.steady_state)[0]
