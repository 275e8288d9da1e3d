"""The Welch periodogram's inner loop: chunks that stay in the processor's cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import DTypeLike

from skbci._checks import refusal

# Bytes handled at once. At this size the windowed segments and their spectra stay in the cache;
# half or twice as many cost 5 % to 10 %.
CHUNK = 1_200_000


class Limits(NamedTuple):
    """Limits within which a row is estimated accurately without scaling.

    A segment's mean is taken off its spectrum, so a large one costs digits. A row is accurate as
    it is while the density that its means would have is no more than ``offset`` times its largest
    density, and while that is far from the smallest and largest numbers.
    """

    offset: float
    least_peak: float
    most_peak: float

    @classmethod
    def of(cls, dtype: DTypeLike) -> Limits:
        """Return the limits of a precision."""
        if np.dtype(dtype) == np.float32:
            return cls(8.0, 1e-22, 1e20)
        return cls(1e4, 1e-280, 1e290)

    def sound(self, total: np.ndarray, leaked: np.ndarray) -> np.ndarray:
        """Of each row, whether its squared spectra and the size of its means lie within."""
        # The lowest bins hold EEG's largest densities; where not, a row is redone in vain.
        peak = total[:, :16].max(axis=1)
        return (
            (peak > self.least_peak) & (peak < self.most_peak) & (leaked**2 <= self.offset * peak)
        )


def check_window(window: Any, n_per_seg: int, who: object) -> None:
    """Check that scipy knows the window, and that it lets something through.

    Raises
    ------
    ValueError
    """
    try:
        with np.errstate(all="ignore"):
            values = scipy.signal.get_window(window, n_per_seg)
        usable = bool(np.isfinite(values).all() and (values**2).sum() > 0)
    except Exception:  # scipy raises whatever comes of a window that it does not know
        usable = False
    if not usable:
        because = f"is not a window of {n_per_seg} samples that scipy.signal.get_window knows"
        raise ValueError(refusal(window, "window", who, because))


@dataclass(frozen=True)
class WelchPlan:
    """Segments, window and scaling of one Welch estimate of rows of ``n_times`` samples."""

    n_times: int
    n_per_seg: int
    hop: int
    sfreq: float
    window: Any

    @property
    def n_segments(self) -> int:
        return 1 + (self.n_times - self.n_per_seg) // self.hop

    def taper(self) -> np.ndarray:
        """The window, scaled so that squared spectra add up to the one-sided density."""
        window = scipy.signal.get_window(self.window, self.n_per_seg)
        return window * np.sqrt(2 / (self.sfreq * np.sum(window**2) * self.n_segments))

    def taper_and_leak(self, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray]:
        """The taper, and the lowest bins of its transform, those that are not zero.

        The transform of a segment's mean times the window, subtracted bin by bin, is the constant
        detrend; for cosine windows such as Hann's only two or three bins are not zero.
        """
        taper = self.taper()
        leak = np.fft.rfft(taper)
        n_leak = 1 + int(np.flatnonzero(np.abs(leak) > 1e-13 * np.abs(leak[0]))[-1])
        leak = leak[:n_leak].astype(np.result_type(dtype, np.complex64))
        return taper.astype(dtype), leak

    def density(self, total: np.ndarray) -> np.ndarray:
        """One-sided density from squared real and imaginary parts, interleaved."""
        flat = total.reshape(-1)  # one long loop over it is faster than one for each row
        density = (flat[::2] + flat[1::2]).reshape(len(total), -1)
        density[:, 0] *= 0.5
        if self.n_per_seg % 2 == 0:
            density[:, -1] *= 0.5
        return density

    def groups(self, n_rows: int, chunk: int) -> tuple[int, int]:
        """Rows and segments to handle at once."""
        n_segments = max(1, min(self.n_segments, chunk // self.n_per_seg))
        return max(1, min(n_rows, chunk // (n_segments * self.n_per_seg))), n_segments


def segment_means(data: np.ndarray, plan: WelchPlan, n_segments: int) -> np.ndarray:
    """Mean of each segment (first axis) of each row (second axis) of contiguous ``data``."""
    # By sums: a matrix product rounds a row by its place among the others.
    n, hop = plan.n_per_seg, plan.hop
    if n % hop:
        starts = range(0, n_segments * hop, hop)
        return np.stack([data[:, s : s + n].sum(axis=1) for s in starts]) / data.dtype.type(n)
    # Hops tile a segment: one pass over the data, then sums of neighbours.
    hops = data.reshape(-1, hop).sum(axis=1).reshape(len(data), -1)
    hops = hops.T / data.dtype.type(n)
    means = hops[:n_segments].copy()
    for i in range(1, n // hop):
        means += hops[i : i + n_segments]
    return means


def welch_rows(
    data: np.ndarray, plan: WelchPlan, dtype: DTypeLike | None = None, chunk: int | None = None
) -> np.ndarray:
    """One-sided Welch density of every row; to the bit the same whatever the other rows are.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_times)
        In any memory layout.
    plan : WelchPlan
    dtype : numpy dtype, optional
        Precision of the computation; by default data's own.
    chunk : int, optional
        Samples handled at once; by default as many as fit the processor's cache.

    Returns
    -------
    ndarray, shape (n_rows, n_per_seg // 2 + 1), of data's dtype
        Not finite where the row is not.
    """
    dtype = np.dtype(data.dtype if dtype is None else dtype)
    if chunk is None:
        chunk = CHUNK // dtype.itemsize
    out = np.empty((len(data), plan.n_per_seg // 2 + 1), data.dtype)
    redo = np.flatnonzero(~_welch_as_is(data, plan, dtype, chunk, out))
    n_rows = max(1, chunk // plan.n_times)
    for i in range(0, len(redo), n_rows):
        out[redo[i : i + n_rows]] = welch_conditioned(data[redo[i : i + n_rows]], plan, dtype)
    return out


def welch_conditioned(data: np.ndarray, plan: WelchPlan, dtype: DTypeLike) -> np.ndarray:
    """Center and scale each row in float64 before the estimate, and undo the scale after it."""
    rows = np.array(data, np.float64, order="C")
    density = np.empty((len(rows), plan.n_per_seg // 2 + 1))
    with np.errstate(invalid="ignore", over="ignore"):
        rows -= rows.mean(axis=1, keepdims=True)
        scale = np.abs(rows).max(axis=1, keepdims=True)
        scale[scale == 0] = 1.0
        rows /= scale
        _welch_as_is(rows, plan, dtype, CHUNK // np.dtype(dtype).itemsize, density)
        density *= scale
        density *= scale
    return density


def _welch_as_is(
    data: np.ndarray, plan: WelchPlan, dtype: DTypeLike, chunk: int, out: np.ndarray
) -> np.ndarray:
    """Fill ``out``; return for each row whether the precision sufficed."""
    n, hop = plan.n_per_seg, plan.hop
    n_rows, n_segments = plan.groups(len(data), chunk)
    taper, leak = plan.taper_and_leak(dtype)
    limits = Limits.of(dtype)
    part = np.empty(n_rows * ((n_segments - 1) * hop + n), dtype)
    work = np.empty(n_rows * n_segments * n, dtype)
    sound = np.empty(len(data), bool)
    for i in range(0, len(data), n_rows):
        rows = slice(i, min(i + n_rows, len(data)))
        count = rows.stop - i
        offset, total = np.zeros(count, dtype), np.empty(0)
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, plan.n_segments, n_segments):
                n_here = min(n_segments, plan.n_segments - first)
                start, width = first * hop, (n_here - 1) * hop + n
                block = data[rows, start : start + width]
                if not (block.flags.c_contiguous and block.flags.aligned and block.dtype == dtype):
                    # A copy, so that what memory the rows lie in changes no sum.
                    block = part[: count * width].reshape(count, width)
                    np.copyto(block, data[rows, start : start + width], casting="same_kind")
                means = segment_means(block, plan, n_here)
                np.maximum(offset, np.abs(means).max(axis=0), out=offset)
                squares = squared_spectra(block, means, plan, taper, leak, work)
                total = total + squares if first else squares
            sound[rows] = limits.sound(total, offset * leak[0].real)
            out[rows] = plan.density(total)
    return sound


def squared_spectra(
    block: np.ndarray, means: np.ndarray, plan: WelchPlan, taper: np.ndarray, leak: np.ndarray,
    work: np.ndarray,
) -> np.ndarray:
    """Squared real and imaginary parts, interleaved, of each row, summed over its segments."""
    n, (n_segments, count) = plan.n_per_seg, means.shape
    windowed = work[: means.size * n].reshape(n_segments, count, n)
    for j, segment in enumerate(windowed):
        start = j * plan.hop
        np.multiply(block[:, start : start + n], taper, out=segment)
    spectra = scipy.fft.rfft(windowed)
    for k, value in enumerate(leak):  # a bin at a time: long loops
        spectra[..., k] -= means * value
    parts = spectra.view(block.dtype)
    return np.einsum("srk,srk->rk", parts, parts)
