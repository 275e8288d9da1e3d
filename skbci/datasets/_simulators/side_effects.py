"""Confounds of the class: eye movements, cues, blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["blocked_order", "cue_responses", "drifting_level", "looks_aside"]

# Where the cue of a class appears: -1 left, 1 right; other classes have theirs in the middle.
SIDES = {"left_hand": -1.0, "right_hand": 1.0}
_LOOK_HEIGHT = 60e-6  # V at F7 or F8
_CUE_HEIGHT = 30e-6  # V at the largest electrode
_LOOKS, _RESPONSES, _BLOCKS = FREE_KEY + 22, FREE_KEY + 23, FREE_KEY + 24
# Peak in s, width (standard deviation) in s, height: N1, N2pc and the sustained negativity over
# the other hemisphere.
_COMPONENTS = ((0.17, 0.020, -0.7), (0.26, 0.045, -1.0), (0.50, 0.120, -0.7))


def looks_aside(
    scalp: Scalp, onsets: np.ndarray, tasks: Sequence[str], n_times: int, session: int, run: int
) -> np.ndarray:
    """Potentials of eyes that follow a lateral cue, shape (n_channels, n_times), in V.

    From about 0.25 s after the cue the eyes turn to its side for about 0.7 s.
    """
    rng = scalp.stream(_LOOKS, session, run)
    time = np.arange(n_times) / scalp.sfreq
    angle = np.zeros(n_times)
    for onset, task in zip(onsets, tasks):
        latency, stay = rng.normal(0.25, 0.04), rng.normal(0.7, 0.1)
        height = rng.lognormal(0, 0.3)
        start = onset + latency
        rise = np.clip((time - start) / 0.04, 0, 1) - np.clip((time - start - stay) / 0.06, 0, 1)
        angle += SIDES.get(task, 0.0) * height * rise
    # Eyes that look to the right are positive at F8.
    return scalp.eyes((1.0, 0.0, 0.0), angle, _LOOK_HEIGHT)


def cue_responses(
    scalp: Scalp, onsets: np.ndarray, tasks: Sequence[str], n_times: int, session: int, run: int
) -> np.ndarray:
    """Potentials that a lateral cue evokes over the other hemisphere, in V.

    Returns
    -------
    ndarray, shape (n_channels, n_times)
        N1, N2pc and a sustained negativity, largest over the parieto-occipital cortex opposite
        to the cue.
    """
    rng = scalp.stream(_RESPONSES, session, run)
    time = np.arange(n_times) / scalp.sfreq
    shift = scalp.cap_shift(session)
    place = [scalp.head.under(name) for name in ("PO3", "PO4")]
    maps = scalp.normalize(np.column_stack(
        [scalp.head.project(shift @ where, np.zeros(3)) for where in place]
    ))[: scalp.n_channels]
    courses = np.zeros((2, n_times))
    for onset, task in zip(onsets, tasks):
        height, late = rng.lognormal(0, 0.25), rng.normal(0, 0.01)
        side = SIDES.get(task, 0.0)
        if side:
            near = time - onset - late
            course = sum(h * np.exp(-0.5 * ((near - peak) / sd) ** 2)
                         for peak, sd, h in _COMPONENTS)
            courses[1 if side < 0 else 0] += height * course
    return _CUE_HEIGHT * maps @ courses


def blocked_order(
    scalp: Scalp, order: Sequence[int], session: int, run: int
) -> list[int]:
    """The same trials, one class after the other; which comes first is drawn for each run."""
    rng = scalp.stream(_BLOCKS, session, run)
    rank = rng.permutation(max(order) + 1)
    return sorted(order, key=lambda label: rank[label])


def drifting_level(n_times: int, drift: float) -> np.ndarray:
    """Gain of a recording whose level changes by the factor ``1 + drift`` from start to end."""
    return (1 + drift) ** (np.linspace(0, 1, n_times) - 0.5)
