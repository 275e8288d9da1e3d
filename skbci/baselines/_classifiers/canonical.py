"""Canonical correlations of many rows with sines and cosines, at once."""

from __future__ import annotations

import numpy as np

__all__ = ["band_weights", "canonical_correlations"]

_TOL = 1e-8  # of the largest eigenvalue: below it a direction of X holds rounding only
_CHUNK = 256  # rows at a time, to bound the memory


def canonical_correlations(
    data: np.ndarray, frequencies: np.ndarray, n_harmonics: int, sfreq: float
) -> np.ndarray:
    """First canonical correlation of each row with each frequency's references.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_channels, n_times)
        Signals.
    frequencies : ndarray, shape (n_frequencies,)
        In Hz.
    n_harmonics : int
        References up to this multiple of a frequency, below half of the sampling rate.
    sfreq : float
        In Hz.

    Returns
    -------
    ndarray, shape (n_rows, n_frequencies)
    """
    n_times = data.shape[2]
    bases = [_references(f, n_harmonics, n_times, sfreq) for f in frequencies]
    edges = np.cumsum([basis.shape[1] for basis in bases])[:-1]
    joined = np.concatenate(bases, axis=1)
    out = np.empty((len(data), len(frequencies)))
    for first in range(0, len(data), _CHUNK):
        rows = slice(first, first + _CHUNK)
        projected = _projected(data[rows], joined)
        for column, part in enumerate(np.split(projected, edges, axis=2)):
            squares = np.linalg.eigvalsh(part.transpose(0, 2, 1) @ part)[:, -1:]
            out[rows, column] = np.sqrt(np.clip(squares, 0, 1)).max(axis=1, initial=0)
    return out


def band_weights(n_bands: int) -> np.ndarray:
    """Weights of filter bank CCA, m^-1.25 + 0.25 for the m-th band."""
    return np.arange(1.0, n_bands + 1) ** -1.25 + 0.25


def _references(frequency: float, n_harmonics: int, n_times: int, sfreq: float) -> np.ndarray:
    """Orthonormal basis of the sines and cosines without their means, shape (n_times, rank)."""
    harmonics = frequency * np.arange(1, n_harmonics + 1)
    angles = 2 * np.pi * np.outer(np.arange(n_times) / sfreq, harmonics[harmonics < sfreq / 2])
    waves = np.hstack([np.sin(angles), np.cos(angles)])
    waves -= waves.mean(axis=0)
    left, values, _ = np.linalg.svd(waves, full_matrices=False)
    return left[:, values > 1e-6 * np.sqrt(n_times)]


def _projected(rows: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Project an orthonormal basis of each row's signals on another, (n, n_channels, n_basis)."""
    peak = np.abs(rows).max(axis=(1, 2), keepdims=True)
    signals = rows.astype(np.float64) / np.where(peak > 0, peak, 1.0)
    signals -= signals.mean(axis=2, keepdims=True)
    values, vectors = np.linalg.eigh(signals @ signals.transpose(0, 2, 1))
    kept = values > np.maximum(_TOL * values[:, -1:], 1e-20)
    scale = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    return (vectors * scale[:, np.newaxis]).transpose(0, 2, 1) @ (signals @ basis)
