"""One simulated subject's event-related potentials in an oddball task."""

from __future__ import annotations

import numpy as np

from skbci.datasets._simulators.subject.ongoing import ongoing_alpha
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["ANCHORS", "OddballCortex"]

ANCHORS = ("Pz",)
_LENGTH_S = 1.2  # after a stimulus all components are over
_TRAITS, _ALPHA, _TRIALS = range(FREE_KEY + 80, FREE_KEY + 83)

# Of every stimulus: where, polarity, peak in s, width (standard deviation) in s.
_COMMON = (
    (("PO7", "PO8"), -1.0, 0.165, 0.020),  # N1
    (("Oz", "CPz"), 1.0, 0.230, 0.030),  # P2
)


class OddballCortex:
    """N1 and P2 of every stimulus, P300 of the targets, and ongoing alpha.

    Parameters
    ----------
    scalp : Scalp
        The subject's head, background and electrodes.
    snr : float
        As documented in `make_erp`.

    Attributes
    ----------
    traits : dict
        What tells this subject from others.
    """

    def __init__(self, scalp: Scalp, snr: float) -> None:
        self.scalp = scalp
        rng = scalp.stream(_TRAITS)
        spread = 0.5
        self.traits = {
            "snr": snr * float(rng.lognormal(-(spread**2) / 2, spread)),
            "p300_latency": float(rng.uniform(0.30, 0.42)),
            "p300_jitter": float(rng.uniform(0.015, 0.045)),
            "exponent": scalp.exponent,
        }
        self._width = float(rng.uniform(0.055, 0.085))
        self._alpha_peak = float(rng.uniform(9.0, 11.0))
        self._alpha_snr = float(rng.lognormal(-0.5, 0.4))
        self._place, self._tilt = rng.normal(0, 0.06, 3), rng.normal(0, 0.15, 3)
        self._common = [
            (rng.normal(0, 0.06, (len(where), 3)), sign * float(rng.lognormal(-1.0, 0.3)),
             peak + float(rng.normal(0, 0.012)), width)
            for where, sign, peak, width in _COMMON
        ]

    def responses(
        self, onsets: np.ndarray, targets: np.ndarray, n_times: int, session: int, run: int
    ) -> np.ndarray:
        """Responses in one run, shape (n_channels, n_times), in V.

        Parameters
        ----------
        onsets : ndarray
            Of the stimuli, in s.
        targets : ndarray of bool
            Which of them are targets.
        n_times, session, run : int
            Samples, and which run they are.
        """
        rng = self.scalp.stream(_TRIALS, session, run)
        topographies = self._topographies(session)
        courses = np.zeros((len(topographies), n_times))
        time = np.arange(n_times) / self.scalp.sfreq
        for onset, target in zip(onsets, targets):
            # Drawn for every stimulus, so that other targets leave the rest as it was.
            heights = rng.lognormal(-0.25**2 / 2, 0.25, len(topographies))
            late = self.traits["p300_jitter"] * rng.standard_normal()
            first, last = np.searchsorted(time, [onset, onset + _LENGTH_S])
            near = time[first:last] - onset
            for row, (_, _, peak, width) in enumerate(self._common):
                courses[row, first:last] += heights[row] * _bump(near, peak, width)
            if target:
                peak = self.traits["p300_latency"] + late
                courses[-1, first:last] += heights[-1] * _bump(near, peak, self._width)
        return topographies.T @ courses

    def _topographies(self, session: int) -> np.ndarray:
        """Peak potentials of N1, P2 and P300, shape (3, n_channels), in V."""
        scalp = self.scalp
        shift = scalp.cap_shift(session)
        spread = np.sqrt(scalp.anchor_variance(session))
        rows = []
        for (where, *_), (places, height, _, _) in zip(_COMMON, self._common):
            column = sum(
                scalp.head.project(shift @ (scalp.head.under(name) + place), np.zeros(3))
                for name, place in zip(where, places)
            )
            rows.append(height * spread * scalp.normalize(np.asarray(column)))
        parietal = scalp.head.project(shift @ (scalp.head.under("Pz") + self._place), self._tilt)
        wanted = np.sqrt(self.traits["snr"]) * spread
        rows.append(parietal * (wanted / scalp.anchor_height(parietal)))
        return np.array(rows)[:, : scalp.n_channels]

    def alpha(self, n_times: int, session: int, run: int) -> np.ndarray:
        """Occipital alpha, which no stimulus changes, shape (n_channels, n_times), in V."""
        return ongoing_alpha(
            self.scalp, _ALPHA, self._alpha_peak, self._alpha_snr, n_times, session, run
        )


def _bump(time: np.ndarray, peak: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((time - peak) / width) ** 2)
