"""Time stamps: given or counted, and what they say about lost samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skbci.stream._checks import real_numbers

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
        """Time stamp of a sample, by its place in the chunk."""
        if self.stamps is not None:
            return float(self.stamps[sample])
        return self.origin + sample * self.period


class Clock:
    """Checks time stamps against each other and counts where there are none.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    on_gap : {"raise", "restart"}
    max_step : float
        Longest time in seconds from one sample to the next that is no gap.
    """

    def __init__(self, sfreq: float, on_gap: str, max_step: float) -> None:
        self.sfreq, self.on_gap, self.max_step = sfreq, on_gap, max_step
        self.clear()

    def clear(self) -> None:
        """Forget the time; without time stamps, the next sample is at 0 s."""
        self._last: float | None = None  # time of the last sample, stamped or counted
        self._origin, self._counted, self._stamped = 0.0, 0, False

    def read(self, n: int, timestamps: Any) -> list[Stretch]:
        """Divide a chunk of n samples at its gaps, and go on to its end.

        Raises
        ------
        ValueError
            If the time stamps are not one a sample (or one a chunk), not finite, or run
            backwards, or if there is a gap that is not allowed. The clock then stands still.
        """
        if timestamps is None:
            origin = self._origin + self._counted / self.sfreq
            self._counted += n
            if n:
                self._last = self._origin + (self._counted - 1) / self.sfreq
            return [Stretch(0, n, None, origin, 1 / self.sfreq, False)] if n else []
        stamps = self._stamps(n, timestamps)
        if not n:
            return []
        before = stamps[0] - 1 / self.sfreq if self._last is None else self._last
        steps = np.diff(stamps, prepend=before)
        if steps.min() <= 0:
            at = int(np.flatnonzero(steps <= 0)[0])
            raise ValueError(
                f"OnlineDecoder: time stamps run backwards: {stamps[at]:.6g} s comes after "
                f"{stamps[at] - steps[at]:.6g} s. Every sample needs a later one than the sample "
                f"before it; call reset() where another recording begins.{self._hint(at)}"
            )
        gaps = np.flatnonzero(steps > self.max_step).tolist()
        if gaps and self.on_gap == "raise":
            at = gaps[0]
            lost = round(steps[at] * self.sfreq) - 1
            raise ValueError(
                f"OnlineDecoder: a gap: {stamps[at]:.6g} s comes {steps[at]:.4g} s after the "
                f"sample before it, about {lost} samples at {self.sfreq:g} Hz are missing. "
                "on_gap='restart' begins a new run there; max_step="
                f"{self.max_step:.4g} says how long a step may be.{self._hint(at)}"
            )
        self._last = self._origin = float(stamps[-1])
        self._counted, self._stamped = 1, True
        edges = [0, *(at for at in gaps if at), n]
        return [
            Stretch(a, b, stamps, 0.0, 1 / self.sfreq, a in gaps)
            for a, b in zip(edges[:-1], edges[1:])
        ]

    def _hint(self, at: int) -> str:
        if at or self._stamped:
            return ""
        return (
            " The samples before came without time stamps, and their time was counted from 0 s: "
            "give time stamps from the first chunk on, or call reset() before the first that has "
            "them."
        )

    def _steady(self, stamp: float) -> float:
        """Time of a chunk's first sample: its stamp, less the jitter of its arrival."""
        if self._last is None or not self._stamped:
            return stamp
        period = 1 / self.sfreq
        late = stamp - self._last - period
        if abs(late) > JITTER_S:
            return stamp
        # A slow correction follows the amplifier's clock, and no jitter.
        return self._last + period + float(np.clip(0.1 * late, -0.4 * period, 0.4 * period))

    def _stamps(self, n: int, timestamps: Any) -> np.ndarray:
        stamps = real_numbers(timestamps, "timestamps must be real numbers, in seconds")
        if stamps.ndim == 0:
            stamps = self._steady(float(stamps)) + np.arange(n) / self.sfreq
        if stamps.shape != (n,):
            raise ValueError(
                f"OnlineDecoder: timestamps of shape {stamps.shape}: give one for each of the {n} "
                "samples, or one number, the first sample's."
            )
        if not np.isfinite(stamps).all():
            raise ValueError("OnlineDecoder: timestamps must be finite, in seconds.")
        return stamps
