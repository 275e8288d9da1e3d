"""Streams that are not like what the pipeline was fitted with: other windows, another unit."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from skbci._checks.eeg import signal_scale
from skbci._warning import warn
from skbci.stream._clock import Stretch

__all__ = ["Gaps", "LengthWatch", "RateWatch", "ScaleWatch", "fitted_scale"]

# No head is a hundred times as loud as it was; millivolts are a thousand times volts.
_FACTOR = 100.0
_LENGTHS = 1.5
_RESTARTS = 10
# No clock is so wrong; the jitter of two stamps, 20 ms each, is less after so many seconds.
_RATE, _RATE_S = 0.05, 2.0


def fitted_scale(first: BaseEstimator) -> float:
    """Return how far the samples of fit deviated from their mean; 0 where it is not known."""
    return getattr(first, "_input_scale_", 0.0)


class LengthWatch:
    """Compares the window's length with that of the rows of fit, and warns at the first samples.

    Parameters
    ----------
    n_window : int
        Samples of a window.
    first : estimator or None
        The first fitted step that sees windows.
    sfreq : float
        Hz.
    """

    def __init__(self, n_window: int, first: BaseEstimator, sfreq: float) -> None:
        shape: tuple[int, ...] = getattr(first, "input_shape_", ())
        n_fitted = shape[-1] if len(shape) > 1 else n_window
        self.alike = 1 / _LENGTHS <= n_window / n_fitted <= _LENGTHS
        self.lengths = n_window / sfreq, n_fitted / sfreq
        self.again()

    def again(self) -> None:
        """Allow the warning again, for a new session."""
        self._silent = self.alike

    def look(self) -> None:
        """Take a chunk.

        Warns
        -----
        UserWarning
        """
        if self._silent:
            return
        self._silent = True
        own, fitted = self.lengths
        warn(
            f"OnlineDecoder: window={own:g} s is not what the pipeline was fitted with, rows of "
            f"{fitted:g} s: its decisions may be guesses. Fit it with windows as long as the "
            "stream's (SlidingWindows).",
        )


class ScaleWatch:
    """Compares the first window's amplitude with that of fit, and warns once.

    Parameters
    ----------
    first : estimator
        The pipeline's first fitted step.
    n_window : int
        Samples to wait for.
    """

    def __init__(self, first: BaseEstimator, n_window: int) -> None:
        self.fitted = fitted_scale(first)
        self.n_window = n_window
        self._chunks: list[np.ndarray] | None = [] if self.fitted > 0 else None

    def look(self, data: np.ndarray) -> None:
        """Take a chunk.

        Warns
        -----
        UserWarning
        """
        if self._chunks is None:
            return
        self._chunks.append(data)
        if sum(chunk.shape[1] for chunk in self._chunks) < self.n_window:
            return
        scale = signal_scale(np.hstack(self._chunks)[:, : self.n_window])
        self._chunks = None
        if scale > 0 and not 1 / _FACTOR < scale / self.fitted < _FACTOR:
            warn(
                f"OnlineDecoder: the samples deviate by {scale:.2g} from their mean, those that "
                f"the pipeline was fitted with by {self.fitted:.2g}: is the stream in another "
                "unit (microvolts in place of volts)? Its decisions may be guesses.",
            )


class RateWatch:
    """Compares the rate that time stamps show with that of the pipeline, and warns once.

    Samples that come too slowly leave gaps; those that come too fast leave none.

    Parameters
    ----------
    sfreq : float
        Hz.
    """

    def __init__(self, sfreq: float) -> None:
        self.sfreq = sfreq
        self._silent = False
        self.again()

    def again(self) -> None:
        """Forget the samples: what comes now has a clock of its own."""
        self._begin: float | None = None
        self._n = 0

    def look(self, stretch: Stretch) -> None:
        """Take samples without a gap between them.

        Warns
        -----
        UserWarning
        """
        if self._silent:
            return
        if stretch.after_gap or stretch.stamps is None:
            self.again()
        if stretch.stamps is None:
            return
        if self._begin is None:
            self._begin = stretch.time(stretch.start)
        self._n += stretch.stop - stretch.start
        seconds = stretch.time(stretch.stop - 1) - self._begin
        if self._n < _RATE_S * self.sfreq or seconds <= 0:
            return
        rate = (self._n - 1) / seconds
        if abs(rate / self.sfreq - 1) > _RATE:
            self._silent = True
            warn(
                f"OnlineDecoder: by its time stamps the stream has {rate:.4g} samples a second, "
                f"but the pipeline was fitted at {self.sfreq:g} Hz: its decisions may be guesses. "
                "Resample the stream, or fit the pipeline at the stream's rate.",
            )


class Gaps:
    """Counts gaps that leave no time for a decision, and warns once."""

    def __init__(self) -> None:
        self.n, self._warned = 0, False

    def restart(self) -> None:
        """Count a gap.

        Warns
        -----
        UserWarning
        """
        self.n += 1
        if self.n == _RESTARTS and not self._warned:
            self._warned = True
            warn(
                f"OnlineDecoder: {_RESTARTS} gaps one after the other, and no window between them "
                "was long enough for a decision. If the time stamps are those of packets, give "
                "one a chunk (its first sample's), none at all, or a longer max_step.",
            )

    def decided(self) -> None:
        """Forget the gaps: there was a decision."""
        self.n = 0
