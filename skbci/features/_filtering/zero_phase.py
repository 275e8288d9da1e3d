r"""Forward-backward filtering by Fourier transform, equal to sosfiltfilt for any padding.

Multiplying the transform of the padded signal by the squared gain filters it forward and backward
as if it were periodic. `scipy.signal.sosfiltfilt` starts each pass in a steady state instead. Two
linear filters of the same coefficients differ only by natural responses, one for each of the m
states: the difference is a matrix of rank 2 m or less, whose size shrinks as the padding grows.
It is worked out once and added as two thin matrix products. Where the coefficients leave no digits
for that (orders above ten, slow bands of fast recordings), the passes are run one after the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import DTypeLike

from skbci.features._filtering.filters import CHUNK, NO_GAIN, Band

# Of a signal's largest filtered value; what differs by more is filtered pass by pass.
MOST_ERROR = 1e-5


class EdgeCorrection(NamedTuple):
    """What to add to the periodic output, as a singular value decomposition."""

    left: np.ndarray
    size: np.ndarray
    right: np.ndarray

    def in_precision(self, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray] | None:
        """Factors (n_times, rank) and (rank, n_times), or None where nothing is to be added."""
        rank = int(np.sum(self.size > np.finfo(dtype).eps))
        if not rank:
            return None
        right = self.size[:rank, np.newaxis] * self.right[:rank]
        return self.left[:, :rank].astype(dtype), right.astype(dtype)


class ZeroPhaseFilter:
    """Several bands' forward-backward filters for rows of one length.

    Parameters
    ----------
    bands : list of Band
    n_times : int
        Length of the rows.
    padlen : int
        Samples of odd reflection at each end, fewer than ``n_times``.
    """

    def __init__(self, bands: list[Band], n_times: int, padlen: int) -> None:
        self.n_times, self.padlen = n_times, padlen
        self.length = scipy.fft.next_fast_len(n_times + 2 * padlen)
        # Gains and edge corrections of every band in each precision.
        self.factors: dict[str, list[tuple[Any, Any, float]]] = {"float32": [], "float64": []}
        self.pass_by_pass: list[Band | None] = []  # a band that is filtered so, or None
        for band in bands:
            gain = np.abs(band.response(self.length)) ** 2
            gain[gain < NO_GAIN] = 0
            # Twice each: real and imaginary parts lie side by side.
            gain = np.repeat(gain, 2)
            edge = self._edge_correction(band)
            for dtype, factors in self.factors.items():
                cut = edge.in_precision(dtype)
                factors.append((gain.astype(dtype), cut, band.gain_at_zero))
            self.pass_by_pass.append(None if self._is_precise(band) else band)

    def __call__(self, data: np.ndarray, out: np.ndarray, dtype: DTypeLike | None = None) -> None:
        """Filter ``data`` (n, n_channels, n_times) into ``out`` (n, n_bands, n_channels, n_times).

        A zero-phase gain is real and even, so it filters the real and the imaginary part of a
        complex signal each by itself: two channels share every transform. ``dtype`` is the
        precision of the computation, by default that of the data.
        """
        dtype = np.dtype(data.dtype if dtype is None else dtype)
        n, n_channels, n_times = data.shape
        half = (n_channels + 1) // 2
        kept = slice(self.padlen, self.padlen + n_times)
        n_rows = max(1, CHUNK // (self.length * half))
        complex_dtype = np.result_type(dtype, np.complex64)
        for i in range(0, n, n_rows):
            part, mean, scale = _unit_rows(data[i : i + n_rows], dtype)
            padded = pad_odd(part, self.padlen, self.length)
            packed = np.zeros((len(part), half, self.length), complex_dtype)
            packed.real = padded[:, :half]
            packed.imag[:, : n_channels - half] = padded[:, half:]
            spectra = scipy.fft.fft(packed, overwrite_x=True).view(dtype)
            for b, (gain, edge, at_zero) in enumerate(self.factors[dtype.name]):
                target = out[i : i + n_rows, b]
                if (band := self.pass_by_pass[b]) is not None:
                    target[:] = band.forward_backward(part, self.padlen) * scale + mean * at_zero
                    continue
                filtered = scipy.fft.ifft((spectra * gain).view(complex_dtype), overwrite_x=True)
                filtered = filtered[..., kept]
                np.multiply(filtered.real, scale[:, :half], out=target[:, :half])
                np.multiply(filtered.imag[:, : n_channels - half], scale[:, half:],
                            out=target[:, half:])
                if edge is not None:
                    target += (part @ edge[0]) @ edge[1] * scale
                if at_zero:
                    target += mean * at_zero

    def _is_precise(self, band: Band) -> bool:
        """Return whether the last of the factors give what the two passes give."""
        probe = np.cos(np.arange(self.n_times) ** 2.0)
        gain, edge, _ = self.factors["float64"][-1]
        padded = pad_odd(probe, self.padlen, self.length)
        out = scipy.fft.ifft(scipy.fft.fft(padded) * gain[::2]).real
        out = out[self.padlen : self.padlen + self.n_times]
        if edge is not None:
            out = out + (probe @ edge[0]) @ edge[1]
        right = band.forward_backward(probe, self.padlen)
        return bool(np.abs(out - right).max() <= MOST_ERROR * np.abs(right).max())

    def _edge_correction(self, band: Band) -> EdgeCorrection:
        n_padded = self.n_times + 2 * self.padlen
        natural = band.run(np.zeros((n_states := band.steady_state.size, n_padded)),
                           np.eye(n_states))[0]
        # Columns: what a wrong state at the start of each pass adds to the output.
        forward = band.run(natural[:, ::-1])[0][:, ::-1]
        shapes = np.concatenate([forward, natural[:, ::-1]])
        shapes = shapes[:, self.padlen : self.padlen + self.n_times]
        sources = _unpad(self._wrong_states(band, natural), self.n_times, self.padlen)
        # Orthonormal factors keep the product's digits, whatever the scale of single states.
        left, upper = np.linalg.qr(sources.T)
        u, size, v = np.linalg.svd(upper @ shapes, full_matrices=False)
        return EdgeCorrection(left @ u, size, v)

    def _wrong_states(self, band: Band, natural: np.ndarray) -> np.ndarray:
        """Steady minus periodic state at the start of both passes, as functions of the samples.

        Rows are states, first of the forward, then of the backward pass; columns are the samples
        of the periodic padded signal.
        """
        length, n_padded = self.length, natural.shape[1]
        steady = band.steady_state
        n_states = steady.size
        ends = band.run(np.zeros((n_states, 1)), np.eye(n_states))
        a, c = ends[1].T, ends[0][:, 0]
        impulse = band.run(np.ones(1))
        b, d = impulse[1], impulse[0][0]
        # A state is the sum over the past of A^j B x; over all periods of it, by the inverse.
        after, power = b[:, np.newaxis], a
        while after.shape[1] < length:
            after = np.concatenate([after, power @ after], axis=1)
            power = power @ power
        after = after[:, :length]
        over_periods = np.linalg.inv(np.eye(n_states) - np.linalg.matrix_power(a, length))
        after = over_periods @ after
        state = after[:, ::-1]  # before sample 0; rolled, before any other
        first = -state
        first[:, 0] += steady
        last = n_padded - 1
        last_output = c @ np.roll(state, last, axis=1)
        last_output[last] += d
        last_output = last_output + natural[:, last] @ first
        # The backward pass begins at the last padded sample; its past are the samples after it.
        seen = np.roll(after, n_padded, axis=1)
        response = band.response(length).conj()
        second = -np.fft.ifft(np.fft.fft(seen) * response).real
        second += steady[:, np.newaxis] * last_output
        return np.concatenate([first, second])


def _unit_rows(data: np.ndarray, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Center each signal and scale it to about 1, so that offset and unit cost no digits."""
    part = data.astype(np.float64, order="C")
    mean = part.mean(axis=-1, keepdims=True)
    part -= mean
    scale = np.abs(part).max(axis=-1, keepdims=True)
    scale[scale == 0] = 1.0
    part /= scale
    return part.astype(dtype), mean, scale.astype(data.dtype)


def pad_odd(data: np.ndarray, padlen: int, length: int) -> np.ndarray:
    """Reflect the signal through its end points, then lead its end back to its beginning."""
    n_times = data.shape[-1]
    out = np.empty((*data.shape[:-1], length), data.dtype)
    end = padlen + n_times
    out[..., padlen:end] = data
    if padlen:
        out[..., :padlen] = 2 * data[..., :1] - data[..., padlen:0:-1]
        out[..., end : end + padlen] = 2 * data[..., -1:] - data[..., ::-1][..., 1 : padlen + 1]
    back = _way_back(length - end - padlen).astype(data.dtype)
    first, last = out[..., :1], out[..., end + padlen - 1 : end + padlen]
    out[..., end + padlen :] = last + (first - last) * back
    return out


def _unpad(weights: np.ndarray, n_times: int, padlen: int) -> np.ndarray:
    """Turn weights of the padded samples into weights of the samples (`pad_odd` transposed)."""
    weights = weights.copy()
    end = padlen + n_times
    gap = weights[:, end + padlen :]
    back = _way_back(gap.shape[1])
    weights[:, 0] += gap @ back
    weights[:, end + padlen - 1] += gap @ (1 - back)
    out = weights[:, padlen:end].copy()
    if padlen:
        left, right = weights[:, :padlen], weights[:, end : end + padlen]
        out[:, 0] += 2 * left.sum(axis=1)
        out[:, 1 : padlen + 1] -= left[:, ::-1]
        out[:, -1] += 2 * right.sum(axis=1)
        out[:, ::-1][:, 1 : padlen + 1] -= right
    return out


def _way_back(gap: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(1, gap + 1) / (gap + 1))
