"""When a decoder decides: about a window every hop, or about one around each marker."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_number, shown
from skbci._recording.times import first_sample
from skbci._warning import warn
from skbci.stream._checks import n_samples, real_numbers
from skbci.stream._clock import Stretch

__all__ = ["EveryHop", "MarkedWindow", "Markers", "Trigger", "make_trigger", "read_markers"]

_MOST = np.iinfo(np.int64).max


class MarkedWindow(NamedTuple):
    """A window to decide about: its samples' numbers in the run, its time stamp, its onset."""

    start: int
    stop: int
    time: float
    onset: float


class Trigger(Protocol):
    """What says when the next window is complete."""

    n_kept: int  # samples that windows may need at any time
    n_hop: int | None  # from one window's start to the next, where that is always the same

    def begin(self) -> None:
        """Begin a run."""
        ...

    def arrive(self, stretch: Stretch, end: int) -> None:
        """Look at samples that follow on the ``end`` samples of the run so far."""
        ...

    def next_end(self) -> int:
        """Return how many samples of the run the next window needs."""
        ...

    def complete(self, end: int, time: float) -> Iterator[MarkedWindow]:
        """Give the windows that are complete with ``end`` samples, the last one at ``time``."""
        ...


class EveryHop:
    """A window every so many samples.

    Parameters
    ----------
    n_window, n_hop : int
        Samples in a window, and from one to the next.
    sfreq : float
        Hz.
    """

    n_hop: int | None

    def __init__(self, n_window: int, n_hop: int, sfreq: float) -> None:
        self.n_window, self.n_hop, self.sfreq = n_window, n_hop, sfreq
        self.n_kept = max(n_window, n_hop)
        self._step = n_hop
        self.begin()

    def begin(self) -> None:
        self._next = self.n_window

    def arrive(self, stretch: Stretch, end: int) -> None:
        pass

    def next_end(self) -> int:
        return self._next

    def complete(self, end: int, time: float) -> Iterator[MarkedWindow]:
        if end == self._next:
            start = end - self.n_window
            self._next += self._step
            yield MarkedWindow(start, end, time, start / self.sfreq)


class Markers:
    """A window around each marker, from ``tmin`` after it on.

    Parameters
    ----------
    n_window : int
        Samples.
    offset : int
        Samples from a marker to its window's start.
    delay : float
        Seconds that a marker may come later than its sample.
    sfreq : float
        Hz.
    """

    n_hop: int | None = None

    def __init__(self, n_window: int, offset: int, delay: float, sfreq: float) -> None:
        self.n_window, self.offset, self.sfreq = n_window, offset, sfreq
        self.n_kept = n_window + max(offset, 0) + first_sample(delay, sfreq)
        self.delay = delay
        self._waiting: list[float] = []  # markers whose samples have not come yet
        self._due: list[MarkedWindow] = []  # by their ends
        self.begin()

    def add(self, times: list[float], end: int) -> None:
        """Take markers; the run has ``end`` samples so far."""
        for time in times:
            if self._known and time <= self._latest + 0.5 / self.sfreq:
                self._place(time, end)
            else:
                self._waiting.append(time)
        self._waiting.sort()

    def forget(self) -> None:
        """Forget all markers, and no sample's time."""
        self._waiting.clear()
        self._due.clear()

    def begin(self) -> None:
        if self._due:
            self._leave_out([window.time for window in self._due],
                            "samples of the window are missing (a gap)")
        self._due = []
        self._known: list[tuple[int, Stretch]] = []  # stretches that are still kept
        self._latest = -math.inf

    def arrive(self, stretch: Stretch, end: int) -> None:
        self._known.append((end - stretch.start, stretch))
        after = end + stretch.stop - stretch.start
        while self._known[0][0] + self._known[0][1].stop <= after - self.n_kept:
            del self._known[0]
        self._latest = stretch.time(stretch.stop - 1)
        n = int(np.searchsorted(self._waiting, self._latest + 0.5 / self.sfreq, side="right"))
        now, self._waiting = self._waiting[:n], self._waiting[n:]
        for time in now:
            self._place(time, end)

    def next_end(self) -> int:
        return self._due[0].stop if self._due else _MOST

    def complete(self, end: int, time: float) -> Iterator[MarkedWindow]:
        while self._due and self._due[0].stop <= end:
            yield self._due.pop(0)

    def _place(self, time: float, end: int) -> None:
        """Find the sample that is nearest to a marker."""
        half = 0.5 / self.sfreq
        for base, stretch in reversed(self._known):
            first = stretch.time(stretch.start)
            if time < first - half:
                continue
            number = base + stretch.nearest(time)
            window = MarkedWindow(number + self.offset, number + self.offset + self.n_window,
                                  time, number / self.sfreq)
            if window.start < 0:
                break
            if window.start < end - self.n_kept:
                self._leave_out([time], f"it came more than max_delay={self.delay:g} s late")
                return
            self._due.append(window)
            self._due.sort(key=lambda one: one.stop)
            return
        kept_from_the_beginning = not self._known or self._known[0][0] <= 0
        self._leave_out([time], "the window begins before the first sample, or the first one "
                        "after a gap" if kept_from_the_beginning
                        else f"it came more than max_delay={self.delay:g} s late")

    def _leave_out(self, times: list[float], why: str) -> None:
        shown = ", ".join(f"{time:g}" for time in times[:5]) + (" ..." if len(times) > 5 else "")
        warn(
            f"OnlineDecoder: no decision about {len(times)} marker(s) at {shown} s: {why}.",
        )


def make_trigger(
    window: float, hop: float | None, tmin: float | None, max_delay: float, sfreq: float
) -> tuple[Trigger, int, int | None, int]:
    """Return a decoder's trigger, with its window, hop and offset from markers in samples.

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range, or there is not one of ``hop`` and ``tmin``.
    """
    who = "OnlineDecoder"
    if (hop is None) == (tmin is None):
        raise ValueError(
            f"{who}: hop={hop} and tmin={tmin}: give hop for a window every so many seconds, or "
            "tmin for windows at markers."
        )
    max_delay = check_number(max_delay, "max_delay", who, low=0, unit="seconds")
    if tmin is None:
        n_window, n_hop = n_samples(window, "window", sfreq), n_samples(hop, "hop", sfreq)
        return EveryHop(n_window, n_hop, sfreq), n_window, n_hop, 0
    tmin = check_number(tmin, "tmin", who, unit="seconds")
    n_samples(window, "window", sfreq)
    offset = first_sample(tmin, sfreq)
    n_window = first_sample(tmin + window, sfreq) - offset
    return Markers(n_window, offset, max_delay, sfreq), n_window, None, offset


def read_markers(trigger: Trigger, markers: ArrayLike | None) -> list[float]:
    """Check times of markers.

    Raises
    ------
    ValueError
        If they are not finite numbers, or the decoder does not go by markers.
    """
    if markers is None:
        return []
    if not isinstance(trigger, Markers):
        raise ValueError(
            "OnlineDecoder: markers were given, but the decoder has a window every hop; "
            "OnlineDecoder.at_markers makes one that decides at markers."
        )
    times = real_numbers(markers, "markers must be real numbers, their times in seconds")
    if times.ndim > 1 or not np.isfinite(times).all():
        raise ValueError(
            f"OnlineDecoder: markers={shown(markers)} must be finite times in seconds, one for "
            "each marker."
        )
    return np.ravel(times).tolist()
