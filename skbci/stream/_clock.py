"""Time stamps: given or counted, and what they say about lost samples."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skbci.stream._checks import real_numbers
from skbci.stream._time_line import TimeLine

__all__ = ["Clock", "Stretch"]


# A chunk's only stamp may be so much early or late, in seconds: computers take chunks when they
# have time. What is more is a gap, or time that runs backwards.
JITTER_S = 0.02


@dataclass(frozen=True)
class Stretch:
    """Neighbouring samples of a chunk without a gap between them."""

    start: int
    stop: int
    stamps: np.ndarray | None
    origin: float
    period: float
    after_gap: bool

    def time(self, sample: int) -> float:
        """Return the time stamp of a sample, by its place in the chunk."""
        if self.stamps is not None:
            return float(self.stamps[sample])
        return self.origin + sample * self.period

    def nearest(self, time: float) -> int:
        """Return the place in the chunk of the sample that is nearest to a time."""
        stamps = self.stamps
        if stamps is None:
            at = round((time - self.origin) / self.period)
        else:
            at = int(np.searchsorted(stamps[: self.stop], time))
            if at == self.stop or (at > 0 and time - stamps[at - 1] < stamps[at] - time):
                at -= 1
        return min(max(at, self.start), self.stop - 1)


class Clock:
    """Checks time stamps against each other and counts where there are none.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    on_gap : {"raise", "restart"}
    max_step : float
        Longest time in seconds from one sample to the next that is no gap.
    jitter : float, optional
        Seconds that a stamp may be early or late; None is `JITTER_S` for a chunk's only stamp, and
        takes stamps of each sample as they are.
    """

    def __init__(
        self, sfreq: float, on_gap: str, max_step: float, jitter: float | None = None
    ) -> None:
        self.sfreq, self.on_gap, self.max_step, self.jitter = sfreq, on_gap, max_step, jitter
        self._line = TimeLine(sfreq)
        self.clear()

    def clear(self) -> None:
        """Forget the time; without time stamps, the next sample is at 0 s."""
        self._last: float | None = None  # time of the last sample, stamped or counted
        self._origin, self._counted, self._stamped = 0.0, 0, False
        self._line.clear()
        self._stamp: float | None = None  # the last sample's, as it was given

    def read(self, n: int, timestamps: ArrayLike | None) -> list[Stretch]:
        """Divide a chunk of n samples at its gaps, and go on to its end.

        Raises
        ------
        ValueError
            If the time stamps are not one a sample (or one a chunk), not finite, or run
            backwards, or if there is a gap that is not allowed. The clock then stands still.
        """
        if timestamps is None:
            return self._count(n)
        given = self._given(n, timestamps)
        if not n:
            return []
        if given.ndim and self.jitter is None:
            line, stamps, breaks = TimeLine(self.sfreq), given, np.arange(n)
            line.note(np.array([0]), stamps[-1:])
            line.next = 1
        else:
            line, stamps, breaks = self._on_a_line(n, np.atleast_1d(given))
        before = stamps[0] - 1 / self.sfreq if self._last is None else self._last
        gaps = self._find_gaps(stamps, np.diff(stamps, prepend=before), breaks)
        self._line = line
        self._stamp = float(given.flat[-1]) + (n - given.size) / self.sfreq
        self._last = self._origin = float(stamps[-1])
        self._counted, self._stamped = 1, True
        edges = [0, *(at for at in gaps if at), n]
        return [
            Stretch(a, b, stamps, 0.0, 1 / self.sfreq, a in gaps)
            for a, b in zip(edges[:-1], edges[1:])
        ]

    def _count(self, n: int) -> list[Stretch]:
        """Go on by n samples that have no time stamps."""
        origin = self._origin + self._counted / self.sfreq
        self._counted += n
        self._line.next += n
        self._stamp = None
        if not n:
            return []
        self._last = self._origin + (self._counted - 1) / self.sfreq
        return [Stretch(0, n, None, origin, 1 / self.sfreq, False)]

    def _find_gaps(self, stamps: np.ndarray, steps: np.ndarray, breaks: np.ndarray) -> list[int]:
        """Return the samples that come after a gap; refuse those that may not."""
        if (steps[breaks] <= 0).any():
            at = int(breaks[steps[breaks] <= 0][0])
            raise ValueError(
                f"OnlineDecoder: time stamps run backwards: {stamps[at]:.6g} s comes after "
                f"{stamps[at] - steps[at]:.6g} s. Every sample needs a later one than the sample "
                f"before it; call reset() where another recording begins.{self._hint(at)}"
            )
        gaps = breaks[steps[breaks] > self.max_step].tolist()
        if gaps and self.on_gap == "raise":
            at = gaps[0]
            lost = round(steps[at] * self.sfreq) - 1
            raise ValueError(
                f"OnlineDecoder: a gap: {stamps[at]:.6g} s comes {steps[at]:.4g} s after the "
                f"sample before it, about {lost} samples at {self.sfreq:g} Hz are missing. "
                "on_gap='restart' begins a new run there; max_step="
                f"{self.max_step:.4g} says how long a step may be.{self._hint(at)}"
            )
        return gaps

    def _on_a_line(self, n: int, given: np.ndarray) -> tuple[TimeLine, np.ndarray, np.ndarray]:
        """Return times of n samples by a line through their stamps, and where another line begins.

        It does so where all stamps to the end of the chunk are too far from it.
        """
        line, most = copy.copy(self._line), JITTER_S if self.jitter is None else self.jitter
        times, breaks, last, at = np.empty(n), [], self._last, 0
        stamp = self._stamp
        while at < n:
            own, fresh = given[at:], line.empty
            numbers = line.next + np.arange(len(own))
            if fresh:
                breaks.append(at)
                line.note(numbers[:1], own[:1])
            off = np.abs(own - line.at(numbers))
            near = np.flatnonzero(off <= most * (1 + line.doubt))
            stop = at + int(near[-1]) + 1 if len(near) else at
            if stop > at:
                used = near[near >= fresh]  # the first one has been noted
                if len(used):
                    line.note(numbers[used], own[used])
                stop = n if len(given) < n else stop
                part = line.at(line.next + np.arange(stop - at))
                # A line may move back a little, and so may a new one for stamps that go on.
                if last is not None and (not fresh or (stamp is not None and own[0] > stamp)):
                    least = last + 0.5 / self.sfreq * np.arange(1, stop - at + 1)
                    part = np.maximum(part, least)
                times[at:stop], last = part, float(part[-1])
                line.next += stop - at
                stamp = float(given[min(stop, len(given)) - 1])
            if stop < n:
                line.clear()
            at = stop
        return line, times, np.array(breaks, dtype=int)

    def _hint(self, at: int) -> str:
        if at or self._stamped:
            return ""
        return (
            " The samples before came without time stamps, and their time was counted from 0 s: "
            "give time stamps from the first chunk on, or call reset() before the first that has "
            "them."
        )

    def _given(self, n: int, timestamps: ArrayLike) -> np.ndarray:
        stamps = real_numbers(timestamps, "timestamps must be real numbers, in seconds")
        if stamps.shape not in ((), (n,)):
            raise ValueError(
                f"OnlineDecoder: timestamps of shape {stamps.shape}: give one for each of the {n} "
                "samples, or one number, the first sample's."
            )
        if not np.isfinite(stamps).all():
            raise ValueError("OnlineDecoder: timestamps must be finite, in seconds.")
        return stamps
