r"""Detection of rows and channels without usable signal: one rule for the whole toolkit.

Drop-outs, railed amplifiers, lost packets and loose electrodes leave epochs that say nothing about
the brain. They are found by their amplitude, the peak-to-peak difference of a channel in a row,
which knows neither unit nor offset:

- a channel is *flat* in a row where at least half of the row's samples lie in stretches of one and
  the same value, each of them a tenth of the row or longer, or where nothing but rounding changes
  (:math:`64 \epsilon` of the largest value, with the precision :math:`\epsilon` of the data);
- it is flat, too, where its amplitude is below a thousandth of what is typical of the channel, and
  *too large* where it is above a thousand times of that. Typical is the median over the rows of
  ``fit`` in which the channel is not flat.

EEG of 10 to 100 microvolts keeps a factor of ten and more from both ends: the noise of amplifiers
is some tenths of a microvolt, and their rails stand at some tenths of a volt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from skbci._warning import warn

__all__ = [
    "ON_BAD_ROWS",
    "Unusable",
    "amplitudes",
    "calling_it",
    "check_classes_left",
    "find_oversized",
    "find_unusable",
    "report_unusable",
    "typical_amplitude",
    "typical_size",
]

ON_BAD_ROWS = ("prior", "raise", "ignore")
# An amplitude so many times smaller or larger than the typical one is none of a brain.
LIMIT = 1e3
# Features have heavier tails than signals: only what no distribution has.
OVERSIZED = 1e9
# Shares of a row: of a stretch of equal samples that counts, and of all of these together.
STRETCH, MOST = 0.1, 0.5
_LEAST_TIMES = 4
_ROUNDING = 64
_SAME = 1e-12  # of a signal's steps: what a filter's arithmetic leaves of a constant
_ALIKE = 5  # neighbours on that grid: a stretch of a tenth gives one at least
_SHOWN = 5
# What a row that comes by itself is called in reports, what was said of the row before it, and
# what is found of it itself; None: rows are called by their numbers.
_Called = tuple[str, frozenset[str], set[str]]
_called: ContextVar[_Called | None] = ContextVar("_called", default=None)


@dataclass(frozen=True)
class Unusable:
    """Channels without usable signal, by row; both of shape (n_rows, n_channels)."""

    flat: np.ndarray
    large: np.ndarray

    @property
    def channels(self) -> np.ndarray:
        """Return whether a channel of a row is of no use, shape (n_rows, n_channels)."""
        return self.flat | self.large

    @property
    def rows(self) -> np.ndarray:
        """Return whether a row has such a channel, shape (n_rows,)."""
        return np.asarray(self.channels.any(axis=1))


def amplitudes(data: np.ndarray) -> np.ndarray:
    """Peak-to-peak amplitude of each channel of each row; zero where it is flat.

    Parameters
    ----------
    data : ndarray, shape (n_rows, ..., n_times)
        Signals. Rows of fewer than four samples are not judged: their amplitudes are NaN.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_channels)
        All axes between the first and the last are channels. NaN where a value is not finite.
    """
    data = np.asarray(data)
    if data.dtype.kind != "f":
        data = data.astype(np.float64)
    signals = data.reshape(len(data), -1, data.shape[-1])
    n_times = signals.shape[-1]
    if n_times < _LEAST_TIMES:
        return np.full(signals.shape[:2], np.nan)
    high, low = signals.max(axis=-1), signals.min(axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):
        out = np.asarray(high - low, dtype=np.float64)
        size = np.maximum(np.abs(high), np.abs(low)).astype(np.float64)
    out[out <= _ROUNDING * np.finfo(data.dtype).eps * size] = 0.0
    out[~np.isfinite(size)] = np.nan
    # A stretch that counts holds two points of this grid or more: few signals need the long look.
    step = max(1, int(STRETCH * n_times / 2))
    points = signals[..., ::step]
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.abs(points[..., 1:] - points[..., :-1])
    alike = (steps <= _SAME * out[..., np.newaxis]).sum(axis=-1)
    for row, channel in np.argwhere((alike >= _ALIKE) & (out > 0)):
        if _mostly_constant(signals[row, channel]):
            out[row, channel] = 0.0
    return out


def _mostly_constant(signal: np.ndarray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.abs(np.diff(signal))
    # The largest steps are left out: one spike does not make all the rest alike.
    usual = np.sort(steps)[-1 - max(1, len(steps) // 100)]
    equal = np.concatenate([[False], steps <= _SAME * usual, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(equal))
    lengths = edges[1::2] - edges[::2] + 1
    counted = lengths[lengths >= max(_LEAST_TIMES, STRETCH * len(signal))]
    return bool(counted.sum() >= MOST * len(signal))


def typical_amplitude(amplitude: np.ndarray) -> np.ndarray:
    """Median of each channel's amplitudes over the rows where it is not flat.

    Parameters
    ----------
    amplitude : ndarray, shape (n_rows, n_channels)
        As `amplitudes` gives it.

    Returns
    -------
    ndarray, shape (n_channels,)
        NaN for a channel that is flat in every row.
    """
    alive = np.where(amplitude > 0, amplitude, np.nan)
    out = np.full(alive.shape[1], np.nan)
    some = ~np.isnan(alive).all(axis=0)
    out[some] = np.nanmedian(alive[:, some], axis=0)
    return out


def find_unusable(amplitude: np.ndarray, typical: np.ndarray | None = None) -> Unusable:
    """Judge amplitudes by what is typical.

    Parameters
    ----------
    amplitude : ndarray, shape (n_rows, n_channels)
        As `amplitudes` gives it.
    typical : ndarray, shape (n_channels,), optional
        By default that of these rows.
    """
    typical = typical_amplitude(amplitude) if typical is None else typical
    with np.errstate(over="ignore"):
        flat = (amplitude == 0) | (amplitude < typical / LIMIT)
        large = amplitude > typical * LIMIT
    return Unusable(flat, large)


def typical_size(features: np.ndarray) -> np.ndarray:
    """Median of the sizes of each feature's values that are not zero.

    Parameters
    ----------
    features : ndarray, shape (n_rows, n_features)

    Returns
    -------
    ndarray, shape (n_features,)
        Of a feature that is always zero, the largest of the others', or one.
    """
    size = np.abs(features).astype(np.float64)
    size[size == 0] = np.nan
    out = np.full(size.shape[1], np.nan)
    some = ~np.isnan(size).all(axis=0)
    out[some] = np.nanmedian(size[:, some], axis=0)
    return np.where(some, out, np.max(out[some], initial=0.0) or 1.0)


def find_oversized(features: np.ndarray, typical: np.ndarray) -> Unusable:
    """Judge rows of features, of which nothing but absurd sizes can be said.

    Parameters
    ----------
    features : ndarray, shape (n_rows, n_features)
    typical : ndarray, shape (n_features,)
        As `typical_size` gives it; a value a thousand million times larger is too large.
    """
    with np.errstate(over="ignore"):
        large = np.abs(features) > np.asarray(OVERSIZED * typical)
    return Unusable(np.zeros_like(large), large)


def check_classes_left(y: np.ndarray, good: np.ndarray, who: str) -> None:
    """Check that usable rows of every class are left.

    Raises
    ------
    ValueError
        Naming the classes that are gone.
    """
    gone = sorted(set(y.tolist()) - set(y[good].tolist()), key=str)
    if gone or not good.any():
        raise ValueError(
            f"{who}: {int(good.sum())} of {len(good)} rows have a usable signal in all channels, "
            f"and none of class {', '.join(map(repr, gone))}. Drop or interpolate channels that "
            "are flat in many rows."
        )


def report_unusable(
    found: Unusable,
    who: str,
    ch_names: Sequence[str] | None = None,
    then: str = "Such rows are set aside.",
    action: str = "prior",
    what: str = "channel",
) -> None:
    """Warn of rows without usable signal, or refuse them; say nothing where there are none.

    Parameters
    ----------
    found : Unusable
    who : str
        Who has found them.
    ch_names : sequence of str, optional
        The channels' names; without, their numbers.
    then : str
        What becomes of the rows.
    action : {"prior", "raise", "ignore"}
        "raise" makes it an error.
    what : {"channel", "feature"}
        What a row consists of.

    Raises
    ------
    ValueError
        With ``action="raise"``.
    """
    rows = np.flatnonzero(found.rows)
    if action == "ignore" or not len(rows):
        return
    n = found.flat.shape[1]
    if ch_names is None or not len(ch_names) or n % len(ch_names):
        ch_names = [str(channel) for channel in range(n)]
    else:  # of each band, where there are several
        ch_names = [repr(str(name)) for name in ch_names] * (n // len(ch_names))
    shown = [_row_words(found, row, ch_names, what) for row in rows[:_SHOWN]]
    words = ", ".join(shown) + (", ..." if len(rows) > _SHOWN else "")
    if (called := _called.get()) is not None and len(found.flat) == 1:
        name, before, now = called
        now.add(f"{who} {words}")
        if now <= before and action != "raise":
            return  # as of the row before: nothing new
        message = f"{who}: {name} has no usable signal{words.removeprefix('row 0')}."
    else:
        verb = "has" if len(rows) == 1 else "have"
        message = f"{who}: {len(rows)} of {len(found.flat)} rows {verb} no usable signal: {words}."
    if found.large.any() and not found.flat.any():
        message += " Is the unit that of fit?"
    if action == "raise":
        raise ValueError(f"{message} on_bad_rows='prior' sets them aside.")
    warn(f"{message} {then}")


def _row_words(found: Unusable, row: int, names: Sequence[str], what: str) -> str:
    parts = []
    for word, mask in (("flat", found.flat[row]), ("too large", found.large[row])):
        channels = np.flatnonzero(mask).tolist()
        if not channels:
            continue
        if len(channels) == len(mask) and len(mask) > 1:
            parts.append(f"{word} in all {what}s")
            continue
        named = list(dict.fromkeys(names[c] for c in channels))
        more = ", ..." if len(named) > _SHOWN else ""
        parts.append(f"{word} in {what} {', '.join(named[:_SHOWN])}{more}")
    return f"row {row} ({'; '.join(parts)})"


@contextmanager
def calling_it(words: str, before: frozenset[str] = frozenset()) -> Iterator[set[str]]:
    """Name a row otherwise than by its number in the reports of this context.

    Parameters
    ----------
    words : str
    before : frozenset of str
        What was found of the row before, which is not said again.

    Yields
    ------
    set of str
        What is found of this row.
    """
    now: set[str] = set()
    token = _called.set((words, before, now))
    try:
        yield now
    finally:
        _called.reset(token)
