"""The line between samples' numbers and their time stamps, where the stamps jitter."""

from __future__ import annotations

import numpy as np

__all__ = ["TimeLine"]

_HALF_TIME_S = 10.0  # after so long a stamp counts half
_MOST_DRIFT = 0.005  # of a clock against the nominal rate; what seems more is jitter


class TimeLine:
    r"""A line fitted to recent time stamps by least squares.

    Sample k is taken at :math:`t_k = a + (1 + d) k / f_s`. A stamp counts :math:`2^{-s / 10}`
    after s seconds, so that the line follows the amplifier's clock, which drifts, and not the
    stamps, which are early or late by what the computer was busy with. The smoothing of the
    Lab Streaming Layer is of this kind.

    Parameters
    ----------
    sfreq : float
        Nominal rate in Hz.
    """

    def __init__(self, sfreq: float) -> None:
        self.sfreq = sfreq
        self.clear()

    def clear(self) -> None:
        """Forget all stamps."""
        self.next = 0  # number of the next sample
        self._start, self._latest = 0.0, 0.0
        self._notes = 0.0  # samples of a chunk are late together
        # Weight, means and sums of squares about them, of x = k / sfreq and t - start - x.
        self._weight = self._mean_x = self._mean_off = self._xx = self._xo = 0.0

    @property
    def empty(self) -> bool:
        """Whether there has been no stamp yet."""
        return self._weight == 0

    def note(self, numbers: np.ndarray, stamps: np.ndarray) -> None:
        """Take the stamps of some samples; later ones than those before."""
        x = numbers / self.sfreq
        if self.empty:
            self._start, self._latest = float(stamps[0] - x[0]), float(x[-1])
        off = stamps - self._start - x
        decay = 0.5 ** (max(float(x[-1]) - self._latest, 0.0) / _HALF_TIME_S)
        self._latest = float(x[-1])
        self._notes = decay * self._notes + 1
        before, n = self._weight * decay, len(x)
        total = before + n
        mean_x, mean_off = float(x.mean()), float(off.mean())
        dx, do = mean_x - self._mean_x, mean_off - self._mean_off
        shared = before * n / total
        self._xx = decay * self._xx + float(((x - mean_x) ** 2).sum()) + shared * dx * dx
        self._xo = decay * self._xo + shared * dx * do
        self._xo += float(((x - mean_x) * (off - mean_off)).sum())
        self._mean_x += dx * n / total
        self._mean_off += do * n / total
        self._weight = total

    @property
    def doubt(self) -> float:
        r"""How far off the line may be itself, in units of how far the stamps may be.

        As far as they for a line through a few chunks. Later four standard errors are less: of
        stamps that are up to j off, :math:`j / \sqrt{3}` for one, and
        :math:`2 j / \sqrt{3 n}` at the end of a line through n.
        """
        return min(1.0, 4 * 2 / (3 * self._notes) ** 0.5)

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """Return the times of samples by their numbers, in seconds."""
        x = numbers / self.sfreq
        drift = self._xo / self._xx if self._xx > 0 else 0.0
        drift = min(max(drift, -_MOST_DRIFT), _MOST_DRIFT)
        return self._start + x + (self._mean_off + drift * (x - self._mean_x))
