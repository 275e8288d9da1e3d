"""Rhythms that wax and wane, and what a task does to their power."""

from __future__ import annotations

import numpy as np
from scipy import fft

__all__ = ["response", "rhythm"]


def rhythm(
    n_times: int, peak: float, width: float, sfreq: float, rng: np.random.Generator
) -> np.ndarray:
    """Narrow-band Gaussian noise of unit expected variance: spindles at random times.

    Parameters
    ----------
    n_times : int
        Samples.
    peak : float
        Frequency of the spectral peak in Hz.
    width : float
        Standard deviation of the Gaussian spectral peak in Hz; spindles last about
        ``1 / (2 width)`` seconds.
    sfreq : float
        Hz.
    rng : numpy Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_times,)
    """
    length = fft.next_fast_len(n_times, real=True)
    freqs = fft.rfftfreq(length, 1 / sfreq)
    power = np.exp(-0.5 * ((freqs - peak) / width) ** 2)
    spectrum = rng.standard_normal((len(freqs), 2)).view(complex)[:, 0]
    total = power.sum()
    if total < 1e-12:  # the peak lies above what this sampling rate can show
        return np.zeros(n_times)
    return fft.irfft(spectrum * (length * np.sqrt(power / total) / 2), length)[:n_times]


def response(time: np.ndarray, start: float, stop: float, rise: float, fall: float) -> np.ndarray:
    """Smooth course from 0 up to 1 and back.

    Parameters
    ----------
    time : ndarray
        Seconds.
    start, stop : float
        When it begins to rise and when it begins to fall, in seconds.
    rise, fall : float
        How long each takes, in seconds.

    Returns
    -------
    ndarray
        Of the shape of ``time``, between 0 and 1, with a raised-cosine rise and fall.
    """
    up = np.clip((time - start) / rise, 0, 1)
    down = np.clip((time - stop) / fall, 0, 1)
    return 0.5 * (1 - np.cos(np.pi * up)) * 0.5 * (1 + np.cos(np.pi * down))
