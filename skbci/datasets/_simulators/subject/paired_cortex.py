"""One simulated subject whose sensorimotor sources serve imagery, execution, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skbci.datasets._simulators.subject.motor_cortex import IMAGERY_S, Trials
from skbci.datasets._simulators.subject.ongoing import ongoing_alpha
from skbci.datasets._simulators.subject.rhythms import response, rhythm
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["ANCHORS", "MOVEMENTS", "N_SITES", "PairedCortex", "Source", "place_sources"]

MOVEMENTS = ("imagery", "execution")
ANCHORS = ("C3", "C4")

# Where sources lie: over the right hemisphere for the first class, over the left one for the
# second, and so on. Neighbours are 3 cm apart or more.
_SITES = (
    ("C4", "C3"), ("FC2", "FC1"), ("CP6", "CP5"), ("P2", "P1"), ("FC6", "FC5"), ("CP2", "CP1"),
    ("F4", "F3"), ("P6", "P5"),
)  # fmt: skip
N_SITES = len(_SITES)  # on each side

_TRAITS, _MU, _BETA, _ALPHA, _EFFORT = range(FREE_KEY + 110, FREE_KEY + 115)


@dataclass(frozen=True)
class Source:
    """A patch of cortex: the electrode above it, the class that it answers to, its tasks."""

    name: str
    responds_to: str
    tasks: tuple[str, ...]


def place_sources(classes: Sequence[str], n_shared: int, n_private: int) -> list[Source]:
    """Place ``n_shared`` sources for both tasks and ``n_private`` for each, a class in turn."""
    sources = []
    sides = [0, 0]
    for tasks, size in ((MOVEMENTS, n_shared), *(((task,), n_private) for task in MOVEMENTS)):
        for i in range(size):
            which = i % len(classes)
            side = which % 2
            sources.append(Source(_SITES[sides[side]][side], classes[which], tasks))
            sides[side] += 1
    return sources


class PairedCortex:
    """Mu and beta rhythms of the sources, and occipital alpha.

    Parameters
    ----------
    scalp : Scalp
        The subject's head, background and electrodes.
    sources : sequence of Source
        The same for all subjects, but for place, orientation and strength.
    snr : float
        As documented in `make_imagery_execution`.

    Attributes
    ----------
    traits : dict
        What tells this subject from others.
    """

    def __init__(self, scalp: Scalp, sources: Sequence[Source], snr: float) -> None:
        self.scalp, self.sources = scalp, sources
        rng = scalp.stream(_TRAITS)
        spread = 0.25
        depth = float(rng.uniform(0.7, 0.95))
        self.traits = {
            "snr": snr * float(rng.lognormal(-(spread**2) / 2, spread)),
            "mu_peak": float(rng.uniform(9.8, 11.8)),
            "beta_peak": float(rng.uniform(18, 24)),
            "erd_execution": depth,
            "erd_imagery": depth * float(rng.uniform(0.6, 0.9)),
            "exponent": scalp.exponent,
        }
        self._other = float(rng.uniform(0.05, 0.2))
        self._beta_power = float(rng.uniform(0.15, 0.3))
        self._alpha_peak = float(rng.uniform(9.0, 11.0))
        self._alpha_snr = float(rng.lognormal(-0.5, 0.4))
        # One draw a site, so that a source is the same whichever others there are.
        self._site = {name: i for i, name in enumerate(sum(_SITES, ()))}
        own = {name: scalp.stream(_TRAITS, i) for name, i in self._site.items()}
        self._place = [own[s.name].normal(0, 0.05, 3) for s in sources]
        self._tilt = [own[s.name].normal(0, [0.15, 0.35, 0.15]) for s in sources]
        self._power = np.array([own[s.name].lognormal(0, 0.15) for s in sources])

    def mixing(self, session: int) -> np.ndarray:
        """Sources to electrodes before the reference, in V, shape (n_channels, n_sources)."""
        shift = self.scalp.cap_shift(session)
        columns = [
            self.scalp.head.project(shift @ (self.scalp.head.under(s.name) + place), tilt)
            for s, place, tilt in zip(self.sources, self._place, self._tilt)
        ]
        topographies = self.scalp.normalize(np.column_stack(columns))
        of_mu = self.scalp.scale(topographies, self._power, self.traits["snr"], session)
        return of_mu * np.sqrt(1 + self._beta_power)

    def rhythms(
        self, trials: Trials, movement: str, n_times: int, session: int, run: int
    ) -> np.ndarray:
        """Rhythms of one run of a task, shape (n_channels, n_times), in V."""
        mixing = self.mixing(session)
        loss, rebound = self._change(trials, movement, n_times, session, run)
        share = self._beta_power / (1 + self._beta_power)
        signal = np.zeros((len(mixing), n_times))
        for i, source in enumerate(self.sources):
            for key, power, peak, width, depth, after in (
                (_MU, 1 - share, self.traits["mu_peak"], 0.6, 1.0, 0.0),
                (_BETA, share, self.traits["beta_peak"], 1.5, 0.8, 0.6),
            ):
                rng = self.scalp.stream(key, session, run, self._site[source.name])
                wave = rhythm(n_times, peak, width, self.scalp.sfreq, rng)
                gain = 1 - depth * loss[i] + after * rebound[i]
                wave *= np.sqrt(power * np.maximum(gain, 0.02))
                signal += np.outer(mixing[:, i], wave)
        return signal

    def _change(
        self, trials: Trials, movement: str, n_times: int, session: int, run: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Loss of power during each trial and rebound after it, (n_sources, n_times) each."""
        time = np.arange(n_times) / self.scalp.sfreq
        effort = self.scalp.stream(_EFFORT, session, run)
        loss, rebound = np.zeros((2, len(self.sources), n_times))
        for onset, wanted in zip(trials.onsets, trials.tasks):
            delay = 0.3 + effort.gamma(4.0, 0.03)
            depth = self.traits[f"erd_{movement}"] * float(np.clip(effort.normal(1, 0.2), 0.2, 1))
            first, last = np.searchsorted(time, [onset, onset + IMAGERY_S + 3.0])
            near = time[first:last] - onset
            course = response(near, delay, IMAGERY_S, 0.6, 0.8)
            after = response(near, IMAGERY_S + 0.5, IMAGERY_S + 1.2, 0.5, 1.0)
            for i, source in enumerate(self.sources):
                if movement in source.tasks:
                    amount = depth * (1.0 if source.responds_to == wanted else self._other)
                    loss[i, first:last] += amount * course
                    rebound[i, first:last] += amount * after
        return loss, rebound

    def alpha(self, n_times: int, session: int, run: int) -> np.ndarray:
        """Occipital alpha, which no task changes, shape (n_channels, n_times), in V."""
        return ongoing_alpha(
            self.scalp, _ALPHA, self._alpha_peak, self._alpha_snr, n_times, session, run
        )
