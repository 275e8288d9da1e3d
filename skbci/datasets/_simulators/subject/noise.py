"""Noise of the electrodes: background activity, mains, blinks."""

from __future__ import annotations

import numpy as np
from scipy import fft

__all__ = ["band_share", "blink_train", "line_noise", "pink_noise", "slow_eye_movements"]

_KNEE = 1.0  # Hz; below it the spectrum of the background is flat
_BLINK_S = 0.4


def _pink_power(freqs: np.ndarray, exponent: float) -> np.ndarray:
    """Power spectrum ``max(f, knee)^-exponent`` without its mean."""
    power = np.maximum(freqs, _KNEE) ** -exponent
    power[0] = 0.0
    return power


def pink_noise(
    shape: tuple[int, int], exponent: float, sfreq: float, rng: np.random.Generator
) -> np.ndarray:
    """Gaussian noise of unit expected variance whose power falls as ``1 / f^exponent``.

    Parameters
    ----------
    shape : (n_signals, n_times)
        What to make.
    exponent : float
        1 for pink noise. Below 1 Hz the spectrum is flat.
    sfreq : float
        Sampling rate in Hz.
    rng : numpy Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_signals, n_times)
    """
    n_signals, n_times = shape
    length = fft.next_fast_len(n_times, real=True)
    power = _pink_power(fft.rfftfreq(length, 1 / sfreq), exponent)
    spectrum = rng.standard_normal((n_signals, len(power), 2)).view(complex)[..., 0]
    spectrum *= length * np.sqrt(power / power.sum()) / 2
    return fft.irfft(spectrum, length)[:, :n_times]


def band_share(exponent: float, sfreq: float, low: float, high: float) -> float:
    """Share of the variance of `pink_noise` between two frequencies in Hz."""
    freqs = np.arange(0, sfreq / 2, 0.05)
    power = _pink_power(freqs, exponent)
    return float(power[(freqs >= low) & (freqs <= high)].sum() / power.sum())


def line_noise(
    n_channels: int, n_times: int, line_freq: float, sfreq: float, rng: np.random.Generator
) -> np.ndarray:
    """Mains hum: a sinusoid of slowly varying strength, picked up unequally.

    Electrodes differ in height and, with their impedances, in phase, so that a common reference
    takes away a part of it only.

    Returns
    -------
    ndarray, shape (n_channels, n_times)
        With about unit root mean square.
    """
    time = np.arange(n_times) / sfreq
    strength = 1 + 0.2 * np.sin(2 * np.pi * (time / 40 + rng.random()))
    start = rng.random() + rng.normal(0, 0.06, (n_channels, 1))
    height = rng.lognormal(0, 0.4, (n_channels, 1))
    return np.sqrt(2) * height * strength * np.sin(2 * np.pi * (line_freq * time + start))


def blink_train(
    n_times: int,
    sfreq: float,
    rng: np.random.Generator,
    *,
    per_minute: float = 12.0,
    allowed: np.ndarray | None = None,
) -> np.ndarray:
    """Lid closures of about 0.4 s at random times, with heights around 1.

    Parameters
    ----------
    n_times : int
        Samples.
    sfreq : float
        Hz.
    rng : numpy Generator
        Source of randomness.
    per_minute : float
        Mean rate.
    allowed : bool array, shape (n_times,), optional
        Where a blink may start.

    Returns
    -------
    ndarray, shape (n_times,)
    """
    width = max(2, round(_BLINK_S * sfreq))
    # The lid falls faster than it rises again.
    shape = np.sin(np.pi * np.linspace(0, 1, width) ** 0.7) ** 2
    signal = np.zeros(n_times + width)
    start = 0.0
    while True:
        start += 0.8 + rng.exponential(max(60 / per_minute - 0.8, 0.2))
        at = round(start * sfreq)
        height = rng.lognormal(0, 0.25)
        if at >= n_times:
            return signal[:n_times]
        if allowed is None or allowed[at : at + width].all():
            signal[at : at + width] += height * shape


def slow_eye_movements(n_times: int, sfreq: float, rng: np.random.Generator) -> np.ndarray:
    """Rolling of the closed eyes: unit-variance noise between 0.2 and 0.6 Hz.

    Returns
    -------
    ndarray, shape (n_times,)
    """
    length = fft.next_fast_len(n_times, real=True)
    freqs = fft.rfftfreq(length, 1 / sfreq)
    weight = np.exp(-0.5 * ((freqs - 0.4) / 0.1) ** 2)
    weight[0] = 0.0
    spectrum = weight * rng.standard_normal((len(freqs), 2)).view(complex)[:, 0]
    signal = fft.irfft(spectrum, length)[:n_times]
    return signal / max(float(signal.std()), 1e-12)
