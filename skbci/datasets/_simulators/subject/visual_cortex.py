"""One simulated subject's steady-state visual evoked potentials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci.datasets._simulators.subject.ongoing import ongoing_alpha
from skbci.datasets._simulators.subject.rhythms import response
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["ANCHORS", "VisualCortex"]

ANCHORS = ("O1", "O2")
_SOURCES = ("O1", "Oz", "O2")
_EDGE_S = 0.3  # the response builds up and dies away
_BEST_HZ = 12.0  # of flicker, where responses are largest
_TRAITS, _ALPHA, _ATTENTION = range(FREE_KEY + 60, FREE_KEY + 63)


class VisualCortex:
    """Responses of three occipital patches to flicker, and ongoing alpha.

    Parameters
    ----------
    scalp : Scalp
        The subject's head, background and electrodes.
    snr : float
        As documented in `make_ssvep`.
    frequencies : sequence of float
        Of the stimuli, in Hz.
    phases : sequence of float
        Of the stimuli at their onset, in rad.
    n_harmonics : int
        Those above the Nyquist frequency are not there.

    Attributes
    ----------
    traits : dict
        What tells this subject from others.
    """

    def __init__(
        self, scalp: Scalp, snr: float, frequencies: Sequence[float], phases: Sequence[float],
        n_harmonics: int,
    ) -> None:
        self.scalp = scalp
        self._frequencies, self._phases = np.asarray(frequencies), np.asarray(phases)
        self._harmonics = np.arange(1, n_harmonics + 1)
        rng = scalp.stream(_TRAITS)
        spread = 0.5
        self.traits = {
            "snr": snr * float(rng.lognormal(-(spread**2) / 2, spread)),
            "latency": float(rng.uniform(0.10, 0.16)),
            "alpha_peak": float(rng.uniform(9.0, 11.0)),
            "exponent": scalp.exponent,
        }
        self._alpha_snr = float(rng.lognormal(-0.5, 0.4))
        self._place = rng.normal(0, 0.06, (len(_SOURCES), 3))
        self._tilt = rng.normal(0, 0.3, (len(_SOURCES), 3))
        # A curve that does not know the other frequencies: more of them leave each as it was.
        self._tuning = rng.lognormal(0, 0.25, 64)
        height = rng.lognormal(0, 0.3, (16, len(_SOURCES))) / np.arange(1, 17)[:, None]
        self._strength = height * np.exp(1j * rng.normal(0, 0.5, (16, len(_SOURCES))))

    def _waves(self, session: int) -> np.ndarray:
        """Complex amplitudes, shape (n_frequencies, n_harmonics, n_channels), in V."""
        shift = self.scalp.cap_shift(session)
        columns = [
            self.scalp.head.project(shift @ (self.scalp.head.under(name) + place), tilt)
            for name, place, tilt in zip(_SOURCES, self._place, self._tilt)
        ]
        topographies = self.scalp.normalize(np.column_stack(columns))
        f = self._frequencies
        gain = np.exp(-np.abs(np.log2(f / _BEST_HZ))) * np.interp(f, np.arange(64), self._tuning)
        cycles = np.outer(f, self._harmonics)
        turn = np.exp(1j * (np.outer(self._phases, self._harmonics)
                            - 2 * np.pi * cycles * self.traits["latency"]))
        turn[cycles >= self.scalp.sfreq / 2] = 0.0
        sources = (gain[:, None] * turn)[:, :, None] * self._strength[: len(self._harmonics)]
        waves = sources @ topographies.T
        return self.scalp.scale_waves(waves, self.traits["snr"], session)

    def responses(
        self, onsets: np.ndarray, stimuli: Sequence[int], length: float, n_times: int,
        session: int, run: int,
    ) -> np.ndarray:
        """Responses in one run, shape (n_channels, n_times), in V.

        Parameters
        ----------
        onsets : ndarray
            When each stimulus begins, in s.
        stimuli : sequence of int
            Which frequency it has.
        length : float
            How long it lasts, in s.
        n_times, session, run : int
            Samples, and which run they are.
        """
        waves = self._waves(session)
        time = np.arange(n_times) / self.scalp.sfreq
        rng = self.scalp.stream(_ATTENTION, session, run)
        signal = np.zeros((self.scalp.n_channels, n_times))
        for onset, stimulus in zip(onsets, stimuli):
            # Attention differs from trial to trial, and the response's phase with it.
            height = rng.lognormal(-0.3**2, 0.3)
            turn = np.exp(1j * self._harmonics * rng.normal(0, 0.15))
            first, last = np.searchsorted(time, [onset, onset + length + 1.0])
            near = time[first:last] - onset
            course = response(near, self.traits["latency"], length, _EDGE_S, _EDGE_S)
            cycle = 2j * np.pi * self._frequencies[stimulus] * self._harmonics
            carrier = np.exp(np.outer(cycle, near)) * turn[:, None]
            signal[:, first:last] += height * course * (waves[stimulus].T @ carrier).real
        return signal

    def alpha(self, n_times: int, session: int, run: int) -> np.ndarray:
        """Occipital alpha, which no stimulus changes, shape (n_channels, n_times), in V."""
        return ongoing_alpha(
            self.scalp, _ALPHA, self.traits["alpha_peak"], self._alpha_snr, n_times, session, run
        )
