"""One simulated subject's background activity, eyes, electrodes and amplifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci.datasets._simulators.options import stream
from skbci.datasets._simulators.subject.head import Head, eye_topography
from skbci.datasets._simulators.subject.noise import band_share, line_noise, pink_noise

__all__ = ["ALPHA_BAND", "Scalp"]

ALPHA_BAND = (8.0, 13.0)  # Hz, where simulators of rhythms define their snr

_N_SOURCES = 48
_CHUNK = 8  # sources at a time, to bound the memory
_BACKGROUND = 15e-6  # V, root mean square of the 1/f background at the median electrode
_LINE = 6e-6  # V
_SENSOR = 0.4e-6  # V, white
_DRIFT = 4e-6  # V

# Levels are set at these electrodes, recorded or not, so that a subject's C3 is the same
# whichever other channels are recorded.
_FIXED = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C5", "C3", "Cz", "C4", "C6", "T8",
    "P7", "P3", "Pz", "P4", "P8", "POz", "O1", "O2",
)  # fmt: skip

# Keys of the random streams, so that one component does not shift another's draws.
_SUBJECT, _SESSION, _BACKGROUND_RUN, _SENSOR_RUN, _LINE_RUN = range(5)
FREE_KEY = 5  # simulators number their own streams from here


class Scalp:
    """The part of a subject that does not depend on the task.

    Parameters
    ----------
    ch_names : sequence of str
        Electrodes of the recording.
    anchors : sequence of str
        Electrodes at which the simulator defines its snr, recorded or not; of the 10-20 system.
    sfreq : float
        Hz.
    seed : int
        Of the data set.
    subject : int
        Number of the subject.

    Attributes
    ----------
    head : Head
        Knows the recorded electrodes first, then those that only levels are set at.
    exponent : float
        Of the 1/f background.
    """

    def __init__(
        self, ch_names: Sequence[str], anchors: Sequence[str], sfreq: float, seed: int,
        subject: int,
    ) -> None:
        self.sfreq, self.seed, self.subject = sfreq, seed, subject
        self.n_channels = len(ch_names)
        self.head = Head([*ch_names, *(name for name in _FIXED if name not in ch_names)])
        self._anchors = [self.head.ch_names.index(name) for name in anchors]
        self._fixed = [self.head.ch_names.index(name) for name in _FIXED]
        rng = self.stream(_SUBJECT)
        self.exponent = float(rng.uniform(0.9, 1.2))
        self._level = _BACKGROUND * rng.lognormal(0, 0.15)
        self._mixing = self.head.scatter(_N_SOURCES, rng)

    def stream(self, *key: int) -> np.random.Generator:
        """Random generator of this subject."""
        return stream(self.seed, self.subject, *key)

    def mixing(self, session: int) -> np.ndarray:
        """Background sources to electrodes, in V, for one session."""
        fresh = self.head.scatter(_N_SOURCES, self.stream(_SESSION, session))
        mixing = np.sqrt(0.9) * self._mixing + np.sqrt(0.1) * fresh
        power = (mixing[self._fixed] ** 2).sum(axis=1)
        return mixing * (self._level / np.sqrt(np.median(power)))

    def anchor_power(self, session: int) -> float:
        """Expected power of the background in the alpha band, mean over the anchors, in V^2."""
        power = (self.mixing(session)[self._anchors] ** 2).sum(axis=1).mean()
        return float(power * band_share(self.exponent, self.sfreq, *ALPHA_BAND))

    def normalize(self, topographies: np.ndarray) -> np.ndarray:
        """Scale each column to a largest absolute value of 1 over the fixed electrodes."""
        return topographies / np.abs(topographies[self._fixed]).max(axis=0)

    def scale(
        self, topographies: np.ndarray, powers: np.ndarray, snr: float, session: int
    ) -> np.ndarray:
        """Scale rhythms to a ratio of their power to the background's at the anchors.

        Parameters
        ----------
        topographies : ndarray, shape (n_electrodes, n_rhythms)
            Of the rhythms, over electrodes and anchors.
        powers : ndarray, shape (n_rhythms,)
            Their powers relative to each other.
        snr : float
            The ratio, of means over the anchors.
        session : int
            Number of the session.

        Returns
        -------
        ndarray, shape (n_channels, n_rhythms)
            Recorded electrodes only; in V for rhythms of unit variance.
        """
        scaled = topographies * np.sqrt(powers)
        now = (scaled[self._anchors] ** 2).sum(axis=1).mean()
        wanted = snr * self.anchor_power(session)
        return scaled[: self.n_channels] * np.sqrt(wanted / now)

    def scale_waves(self, waves: np.ndarray, snr: float, session: int) -> np.ndarray:
        """Scale sinusoids to a ratio of their mean power to the background's at the anchors.

        Parameters
        ----------
        waves : ndarray of complex, shape (n_stimuli, n_harmonics, n_electrodes)
            Amplitudes, over electrodes and anchors.
        snr : float
            The ratio; powers of the harmonics are added, then averaged over stimuli and anchors.
        session : int
            Number of the session.

        Returns
        -------
        ndarray of complex, shape (n_stimuli, n_harmonics, n_channels)
            Recorded electrodes only, in V.
        """
        now = (np.abs(waves[..., self._anchors]) ** 2 / 2).sum(axis=1).mean()
        wanted = snr * self.anchor_power(session)
        return waves[..., : self.n_channels] * np.sqrt(wanted / now)

    def anchor_height(self, topography: np.ndarray) -> float:
        """Mean of a topography over the anchors."""
        return float(topography[self._anchors].mean())

    def anchor_variance(self, session: int) -> float:
        """Expected variance of the background, mean over the anchors, in V^2."""
        return float((self.mixing(session)[self._anchors] ** 2).sum(axis=1).mean())

    def cap_shift(self, session: int) -> np.ndarray:
        """Small rotation of the head under the cap, shape (3, 3), about 2 mm at the scalp."""
        axis = self.stream(_SESSION, session, 1).normal(0, 0.02, 3)
        skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        return np.eye(3) + skew

    def background(self, n_times: int, session: int, run: int) -> np.ndarray:
        """1/f activity of many sources, shape (n_channels, n_times), in V."""
        rng = self.stream(_BACKGROUND_RUN, session, run)
        mixing = self.mixing(session)[: self.n_channels]
        signal = np.zeros((self.n_channels, n_times))
        for first in range(0, _N_SOURCES, _CHUNK):
            sources = pink_noise((_CHUNK, n_times), self.exponent, self.sfreq, rng)
            signal += mixing[:, first : first + _CHUNK] @ sources
        return signal

    def eyes(self, moment: Sequence[float], signal: np.ndarray, height: float) -> np.ndarray:
        """Potentials of eye movements, shape (n_channels, n_times), in V."""
        names = self.head.ch_names[: self.n_channels]
        return height * np.outer(eye_topography(names, moment), signal)

    def record(
        self, signal: np.ndarray, session: int, run: int, line_freq: float | None,
        reference: str | None,
    ) -> np.ndarray:
        """Pass potentials through electrodes and amplifier.

        Adds white sensor noise, electrode drift and mains hum, applies the session's gains and
        the reference.
        """
        n_times = signal.shape[1]
        rng = self.stream(_SENSOR_RUN, session, run)
        time = np.arange(n_times) / self.sfreq
        signal = signal + _SENSOR * rng.standard_normal(signal.shape)
        for period in (20.0, 60.0, 180.0):  # s
            phase = rng.random((self.n_channels, 1))
            height = _DRIFT * rng.standard_normal((self.n_channels, 1)) / np.sqrt(1.5)
            signal += height * np.sin(2 * np.pi * (time / period + phase))
        if line_freq is not None:
            hum = self.stream(_LINE_RUN, session, run)
            signal += _LINE * line_noise(self.n_channels, n_times, line_freq, self.sfreq, hum)
        gain = self.stream(_SESSION, session, 2)
        signal *= gain.lognormal(0, 0.1) * gain.lognormal(0, 0.03, (self.n_channels, 1))
        if reference == "average":
            signal -= signal.mean(axis=0)
        return signal
