"""Activity beside the task in every simulated subject: occipital alpha and blinks."""

from __future__ import annotations

import numpy as np

from skbci.datasets._simulators.subject.noise import blink_train
from skbci.datasets._simulators.subject.rhythms import rhythm
from skbci.datasets._simulators.subject.scalp import Scalp

__all__ = ["blinking", "ongoing_alpha"]

_ALPHA_SOURCES = ("O1", "O2", "POz")
_BLINK_HEIGHT = 130e-6  # V at Fp1 and Fp2
_UP = (0.0, 0.35, 1.0)


def ongoing_alpha(
    scalp: Scalp, key: int, peak: float, snr: float, n_times: int, session: int, run: int
) -> np.ndarray:
    """Occipital alpha that no task changes.

    Parameters
    ----------
    scalp : Scalp
        The subject.
    key : int
        Of the random streams.
    peak : float
        Frequency in Hz.
    snr : float
        Power of each source at its largest electrode over the background's between 8 and 13 Hz.
    n_times, session, run : int
        Samples, and which run they are.

    Returns
    -------
    ndarray, shape (n_channels, n_times)
        In V.
    """
    shift = scalp.cap_shift(session)
    sources = [
        scalp.head.project(shift @ scalp.head.under(name), np.zeros(3)) for name in _ALPHA_SOURCES
    ]
    topographies = scalp.normalize(np.column_stack(sources))
    topographies *= np.sqrt(scalp.anchor_power(session))
    waves = [
        rhythm(n_times, peak, 0.5, scalp.sfreq, scalp.stream(key, session, run, source))
        for source in range(len(sources))
    ]
    mixing = topographies[: scalp.n_channels] * np.sqrt(snr)
    return mixing @ np.array(waves)


def blinking(scalp: Scalp, key: int, n_times: int, session: int, run: int) -> np.ndarray:
    """Blinks at random times, 12 a minute, shape (n_channels, n_times), in V."""
    train = blink_train(n_times, scalp.sfreq, scalp.stream(key, session, run))
    return scalp.eyes(_UP, train, _BLINK_HEIGHT)
