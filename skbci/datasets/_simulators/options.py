"""Checks, channel sets and random streams that all simulators share."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np

from skbci._checks import check_choice, check_names, check_positive, is_number, refusal
from skbci._typing import Seed
from skbci.datasets._simulators.subject.head import standard_names

__all__ = [
    "EMOTIV_CHANNELS",
    "ERP_CHANNELS",
    "MOTOR_CHANNELS",
    "OCCIPITAL_CHANNELS",
    "check_channels",
    "check_rates",
    "draw_seed",
    "stream",
]

# Fp1/Fp2 do not belong to it: blinks still reach Fz.
MOTOR_CHANNELS = (
    "Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6",
    "CP3", "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz",
)  # fmt: skip
EMOTIV_CHANNELS = (
    "AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4",
)  # fmt: skip
OCCIPITAL_CHANNELS = ("PO7", "PO3", "POz", "PO4", "PO8", "O1", "Oz", "O2")
ERP_CHANNELS = ("Fz", "C3", "Cz", "C4", "Pz", "PO7", "Oz", "PO8")


def draw_seed(random_state: Seed) -> int:
    """One integer from whatever scikit-learn or numpy call a random state.

    None gives fresh entropy without touching numpy's global state.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    whole = is_number(random_state) and isinstance(random_state, numbers.Integral)
    if whole and random_state >= 0:
        return int(random_state)
    allowed = "must be None, a non-negative integer, a numpy RandomState or a numpy Generator"
    raise ValueError(refusal(random_state, "random_state", "", allowed))


def stream(seed: int, *key: int) -> np.random.Generator:
    """Independent generator for one part of the simulation.

    Each subject, session, run and component has its own, so that a change of one option (more
    subjects, no blinks, another snr) leaves all other random draws as they were.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def check_rates(sfreq: object, line_freq: object, who: str) -> tuple[float, float | None]:
    """Sampling rate and mains frequency, or None where the rate cannot show the mains."""
    sfreq = check_positive(sfreq, "sfreq", who, unit="Hz")
    if sfreq < 64:
        raise ValueError(
            f"sfreq={sfreq:g} Hz is too low: the rhythms reach up to 30 Hz; use 64 Hz or more."
        )
    if line_freq is None:
        return sfreq, None
    line_freq = check_positive(line_freq, "line_freq", who, unit="Hz", also="None")
    # An amplifier's anti-aliasing filter takes away what lies above the Nyquist frequency.
    return sfreq, line_freq if line_freq < sfreq / 2 else None


def check_channels(ch_names: Sequence[str], reference: str | None, who: str) -> list[str]:
    """Return channel names in the spelling of the 10-05 system, fit for the reference."""
    reference = check_choice(reference, "reference", who, ("average", None))
    names = standard_names(check_names(ch_names, "ch_names", who))
    if reference == "average" and len(names) < 2:
        raise ValueError("reference='average' needs at least two channels; ch_names has one.")
    return names
