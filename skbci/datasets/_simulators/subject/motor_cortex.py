"""One simulated subject's sensorimotor rhythms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skbci.datasets._simulators.subject.ongoing import ongoing_alpha
from skbci.datasets._simulators.subject.rhythms import response, rhythm
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["TASKS", "MotorCortex", "Trials"]

IMAGERY_S = 4.0  # from the cue on

# Cortical areas by the electrode above them, and the power of their rhythm at rest.
_AREAS = {"C3": 1.0, "C4": 1.0, "Cz": 0.3, "C5": 0.2, "C6": 0.2}

# Change of power by area: 1 is the subject's full desynchronization, "ipsi" its ipsilateral
# share, and a negative number a synchronization (the surround of an active area).
TASKS: dict[str, dict[str, float | str]] = {
    "left_hand": {"C4": 1.0, "C3": "ipsi"},
    "right_hand": {"C3": 1.0, "C4": "ipsi"},
    "feet": {"Cz": 1.0, "C3": -0.2, "C4": -0.2},
    "tongue": {"C5": 1.0, "C6": 1.0, "C3": -0.1, "C4": -0.1},
    "rest": {},
}

_TRAITS, _MU, _BETA, _ALPHA, _EFFORT = range(FREE_KEY, FREE_KEY + 5)


@dataclass(frozen=True)
class Trials:
    """What was asked when: cue onsets in seconds and the names of the tasks."""

    onsets: np.ndarray
    tasks: Sequence[str]


class MotorCortex:
    """Mu and beta rhythms of hand, foot and face areas, and occipital alpha.

    Parameters
    ----------
    scalp : Scalp
        The subject's head, background and electrodes.
    snr : float
        As documented in `make_motor_imagery`.

    Attributes
    ----------
    traits : dict
        What tells this subject from others.
    """

    def __init__(self, scalp: Scalp, snr: float) -> None:
        self.scalp = scalp
        rng = scalp.stream(_TRAITS)
        spread = 0.25
        self.traits = {
            "snr": snr * float(rng.lognormal(-(spread**2) / 2, spread)),
            "mu_peak": float(rng.uniform(9.8, 11.8)),
            "beta_peak": float(rng.uniform(18, 24)),
            "erd": float(rng.uniform(0.6, 0.9)),
            "exponent": scalp.exponent,
        }
        self._ipsi = float(rng.uniform(0.1, 0.35))
        self._beta_power = float(rng.uniform(0.15, 0.3))
        self._alpha_peak = float(rng.uniform(9.0, 11.0))
        self._alpha_snr = float(rng.lognormal(-0.5, 0.4))
        # One row an area: where it lies (5 mm off its electrode or so) and how its cortex is
        # folded: mostly the wall of the central sulcus, with dipoles along front and back.
        self._place = rng.normal(0, 0.06, (len(_AREAS), 3))
        self._tilt = rng.normal(0, [0.15, 0.45, 0.15], (len(_AREAS), 3))

    def _topographies(self, session: int) -> np.ndarray:
        """Areas to electrodes, each with a largest absolute value of 1."""
        shift = self.scalp.cap_shift(session)
        columns = [
            self.scalp.head.project(shift @ (self.scalp.head.under(name) + place), tilt)
            for name, place, tilt in zip(_AREAS, self._place, self._tilt)
        ]
        return self.scalp.normalize(np.column_stack(columns))

    def rhythms(self, trials: Trials, n_times: int, session: int, run: int) -> np.ndarray:
        """Sensorimotor rhythms of one run, shape (n_channels, n_times), in V."""
        topographies = self._topographies(session)
        at_rest = np.array(list(_AREAS.values()))
        snr = self.traits["snr"]
        mixing = self.scalp.scale(topographies, at_rest, snr, session)
        change = self._change(trials, n_times, session, run)
        signal = np.zeros((self.scalp.n_channels, n_times))
        for area in range(len(_AREAS)):
            for key, power, peak, width, share, rebound in (
                (_MU, 1.0, self.traits["mu_peak"], 0.6, 1.0, 0.0),
                (_BETA, self._beta_power, self.traits["beta_peak"], 1.5, 0.8, 0.6),
            ):
                rng = self.scalp.stream(key, session, run, area)
                wave = rhythm(n_times, peak, width, self.scalp.sfreq, rng)
                gain = 1 - share * change[0, area] + rebound * change[1, area]
                wave *= np.sqrt(power * np.maximum(gain, 0.02))
                signal += np.outer(mixing[:, area], wave)
        return signal

    def _change(self, trials: Trials, n_times: int, session: int, run: int) -> np.ndarray:
        """Loss of power during imagery and rebound after it, shape (2, n_areas, n_times)."""
        time = np.arange(n_times) / self.scalp.sfreq
        effort = self.scalp.stream(_EFFORT, session, run)
        change = np.zeros((2, len(_AREAS), n_times))
        for onset, task in zip(trials.onsets, trials.tasks):
            # Reaction time and effort differ from trial to trial.
            delay = 0.3 + effort.gamma(4.0, 0.03)
            depth = self.traits["erd"] * float(np.clip(effort.normal(1, 0.2), 0.2, 1.1))
            first, last = np.searchsorted(time, [onset, onset + IMAGERY_S + 3.0])
            near = time[first:last] - onset
            course = response(near, delay, IMAGERY_S, 0.6, 0.8)
            after = response(near, IMAGERY_S + 0.5, IMAGERY_S + 1.2, 0.5, 1.0)
            for area, name in enumerate(_AREAS):
                share = TASKS[task].get(name, 0.0)
                amount = depth * (self._ipsi if isinstance(share, str) else share)
                change[0, area, first:last] += amount * course
                change[1, area, first:last] += max(amount, 0.0) * after
        return change

    def alpha(self, n_times: int, session: int, run: int) -> np.ndarray:
        """Occipital alpha, which no task changes, shape (n_channels, n_times), in V."""
        return ongoing_alpha(
            self.scalp, _ALPHA, self._alpha_peak, self._alpha_snr, n_times, session, run
        )
