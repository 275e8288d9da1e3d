"""Time stamps of samples: their rate, their jitter, and where samples are missing."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import percentile_filter

__all__ = ["even_stamps"]

_RATE_S = 10.0  # the rate is that of stamps so far apart
_BESIDE_S = 1.0  # of stamps that are compared with the next
_PUNCTUAL = 20  # per cent of them: what tells is how late the others come at the least
_LOST = 1.5  # samples that stamps must stay behind; less is jitter
_SIGMAS = 6.0  # how far, in spreads of all such comparisons


def even_stamps(stamps: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the times at which samples were taken, and their rate.

    Amplifiers take samples at even steps; stamps are made where samples arrive, sooner or later. A
    sample that comes late is followed by others that catch up. Where they do not, samples are
    missing, and another stretch begins. The times in a stretch are those of a straight line
    through its stamps.

    Parameters
    ----------
    stamps : ndarray, shape (n_samples,)
        In seconds.

    Returns
    -------
    times : ndarray, shape (n_samples,)
        In seconds.
    rate : float
        In Hz; infinite where stamps do not go on.
    """
    n = len(stamps)
    mean = (stamps[-1] - stamps[0]) / (n - 1)
    if not mean > 0:
        return stamps, np.inf
    apart = int(np.clip(_RATE_S / mean, 1, max(1, n // 4)))
    step = float(np.median(stamps[apart:] - stamps[:-apart])) / apart
    if not step > 0:
        return stamps, np.inf
    late = stamps - np.arange(n) * step
    first = [0, *_beginnings(late, step), n]
    out = np.empty(n)
    for begin, end in zip(first, first[1:]):
        at = np.arange(end - begin)
        slope, start = step, float(np.median(late[begin:end])) + begin * step
        if end - begin > apart:
            slope, start = np.polyfit(at, stamps[begin:end] - stamps[begin], 1)
            start += stamps[begin]
        out[begin:end] = start + slope * at
    return out, 1 / step


def _beginnings(late: np.ndarray, step: float) -> list[int]:
    """Samples before which others are missing: they and those after them stay behind."""
    n, beside = len(late), 2 * max(5, int(_BESIDE_S / step) // 2) + 1
    if n < 2 * beside:
        return [int(at) for at in np.flatnonzero(np.abs(np.diff(late)) > _LOST * step) + 1]
    least = percentile_filter(late, _PUNCTUAL, beside, mode="reflect")
    at = np.arange(1, n)
    half = beside // 2 + 1
    stays = least[np.minimum(at + half, n - 1)] - least[np.maximum(at - half, 0)]
    spread = 1.4826 * float(np.median(np.abs(stays[::half])))
    jumps = np.diff(late)
    kept = np.abs(stays) > max(_LOST * step, _SIGMAS * spread)
    edges = np.flatnonzero(np.diff(kept, prepend=False, append=False))
    found = []
    for begin, end in zip(edges[::2], edges[1::2]):
        where = begin + int(np.argmax(np.abs(jumps[begin:end])))
        # A long delay that is caught up leaves a trace, too.
        if stays[where] / jumps[where] > 0.5:
            found.append(where + 1)
    return found
