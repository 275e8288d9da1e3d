"""Simulated eyes-open and eyes-closed EEG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks import check_count, check_flag, check_number, check_positive
from skbci._recording.times import first_sample
from skbci._typing import Seed
from skbci.datasets._bunch import make_bunch
from skbci.datasets._docs import fill_doc
from skbci.datasets._simulators.options import (
    EMOTIV_CHANNELS,
    check_channels,
    check_rates,
    draw_seed,
)
from skbci.datasets._simulators.subject.noise import blink_train, slow_eye_movements
from skbci.datasets._simulators.subject.rhythms import rhythm
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["make_eye_state"]

_BLINK_HEIGHT = 130e-6  # V at Fp1 and Fp2
_ROLL_HEIGHT = 25e-6  # V at F7 and F8
_UP = (0.0, 0.35, 1.0)
_ASIDE = (1.0, 0.0, 0.0)
_ALPHA_SOURCES = ("O1", "O2", "POz")
_TRANSITION_S = 0.5
_TRAITS, _BLOCKS, _ALPHA, _BLINKS, _ROLLS = range(FREE_KEY + 40, FREE_KEY + 45)

_DESCR = """Simulated eyes open and closed: {n_subjects} subjects x {duration:g} s, \
{n_channels} channels, {sfreq:g} Hz, snr {snr:g}. Made by skbci.datasets.make_eye_state: \
occipital alpha that the opening of the eyes blocks, blinks with open and slow movements with \
closed eyes, 1/f background, mains hum, drift. Units: volt."""


@fill_doc
def make_eye_state(
    n_subjects: int = 20,
    duration: float = 120.0,
    *,
    sfreq: float = 128.0,
    ch_names: Sequence[str] = EMOTIV_CHANNELS,
    snr: float = 1.0,
    window: float = 1.5,
    hop: float = 0.5,
    block: float = 20.0,
    continuous: bool = False,
    line_freq: float | None = 50.0,
    blinks: bool = True,
    reference: str | None = "average",
    random_state: Seed = None,
) -> Bunch:
    r"""Simulate EEG of subjects who open and close their eyes in turn.

    With closed eyes the occipital alpha rhythm (about 10 Hz) is strong; opening them blocks it
    (Berger's effect [1]_). Open eyes blink, closed eyes roll slowly.

    Parameters
    ----------
    n_subjects : int, default=20
        Subjects differ in the frequency, place and strength of their alpha, in how much of it
        open eyes block, in how often they blink, and in the background.
    duration : float, default=120.0
        Length of a subject's one run in seconds.
    sfreq : float, default=128.0
        Sampling rate in Hz, 64 or more.
    ch_names : sequence of str, default: the 14 electrodes of the Emotiv EPOC
        Any electrodes of the 10-05 system.
    snr : float, default=1.0
        Ratio of the power of alpha with closed eyes to the power of the 1/f background between 8
        and 13 Hz, both as means over O1 and O2 and before re-referencing. A subject's own ratio
        is ``snr`` times a log-normal factor of mean one. The power of blinks and of eye movements
        grows in proportion to ``snr`` too, up to its full size at 1, so that with 0 nothing in
        the data depends on the state.
    window : float, default=1.5
        Length of a window in seconds.
    hop : float, default=0.5
        From the start of one window to the next, in seconds. Windows during which the state
        changes are left out.
    block : float, default=20.0
        Mean time from one change to the next, in seconds; the actual times vary by 25 % around
        it. Half of the subjects start with open eyes.
    continuous : bool, default=False
        Whether to give whole runs and one label per sample instead of windows.
    %(line_freq)s
    blinks : bool, default=True
        Whether eyes blink and roll.
    %(reference)s
    random_state : None, int, RandomState or Generator, default=None
        The same integer gives the same data.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_windows, n_channels, n_times)
            In volts; (n_subjects, n_channels, n_samples) if ``continuous``.
        ``y`` : ndarray of str, shape (n_windows,)
            "open" or "closed"; (n_subjects, n_samples), one label per sample, if ``continuous``.
        ``metadata`` : DataFrame
            Subject, session and run (1), onset (start of the window, in seconds from the start of
            the run).
        ``events`` : DataFrame
            The blocks: subject, onset and duration in seconds, label.
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, text.
        ``subjects`` : DataFrame
            The truth about each subject: its own ``snr``, ``alpha_peak`` in Hz, the share
            ``blocking`` of the alpha power that open eyes take away, the ``exponent`` of the
            background.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range, or no window fits.

    See Also
    --------
    make_motor_imagery : Imagined movements.

    References
    ----------
    .. [1] H. Berger, "Ueber das Elektrenkephalogramm des Menschen", Archiv fuer Psychiatrie und
       Nervenkrankheiten 87, 1929, 527-570.

    Examples
    --------
    >>> from skbci.datasets import make_eye_state
    >>> data = make_eye_state(n_subjects=2, duration=40, random_state=0)
    >>> data.X.shape[1:]
    (14, 192)
    >>> sorted(set(data.y.tolist()))
    ['closed', 'open']
    """
    n_subjects = check_count(n_subjects, "n_subjects", "make_eye_state")
    sfreq, line_freq = check_rates(sfreq, line_freq, "make_eye_state")
    duration = check_positive(duration, "duration", "make_eye_state")
    block = check_number(block, "block", "make_eye_state", low=2.0)
    channels = check_channels(ch_names, reference, "make_eye_state")
    snr = check_number(snr, "snr", "make_eye_state", low=0)
    size, step = _window_samples(window, hop, duration, sfreq)
    check_flag(blinks, "blinks", "make_eye_state")
    check_flag(continuous, "continuous", "make_eye_state")
    seed = draw_seed(random_state)

    runs, labels, tables, blocks, traits = [], [], [], [], []
    for subject in range(1, n_subjects + 1):
        scalp = Scalp(channels, ("O1", "O2"), sfreq, seed, subject)
        truth = _traits(scalp, snr)
        traits.append({"subject": subject, **truth})
        n_times = first_sample(duration, sfreq)
        events, closed = _timeline(scalp, n_times, block)
        blocks.append(events)
        signal = scalp.background(n_times, 1, 1) + _alpha(scalp, truth, closed)
        if blinks:
            signal += _eyes(scalp, closed, min(1.0, float(np.sqrt(snr))))
        signal = scalp.record(signal, 1, 1, line_freq, reference)
        states = np.where(closed, "closed", "open")
        if continuous:
            first, cut, label = np.array([0]), signal[None], states[None]
        else:
            first, cut, label = _windows(signal, states, size, step)
        runs.append(cut)
        labels.append(label)
        tables.append(pd.DataFrame(
            {"subject": subject, "session": 1, "run": 1, "onset": first / sfreq}
        ))
    y = np.concatenate(labels)
    if not len(y):
        raise ValueError(
            f"No window of {window:g} s lies inside a block of about {block:g} s in "
            f"{duration:g} s of recording; use a shorter window or longer blocks."
        )
    return make_bunch(
        np.concatenate(runs), y, pd.concat(tables, ignore_index=True),
        sfreq=sfreq, ch_names=channels, events=pd.concat(blocks, ignore_index=True),
        subjects=pd.DataFrame(traits), window=None if continuous else size / sfreq,
        description=_DESCR.format(n_subjects=n_subjects, duration=duration, sfreq=sfreq, snr=snr,
                                  n_channels=len(channels)),
    )


def _window_samples(window: object, hop: object, duration: float, sfreq: float) -> tuple[int, int]:
    window = check_positive(window, "window", "make_eye_state")
    hop = check_positive(hop, "hop", "make_eye_state")
    if window > duration:
        raise ValueError(f"window={window:g} s is longer than the run: duration={duration:g} s.")
    return max(1, first_sample(window, sfreq)), max(1, round(hop * sfreq))


def _traits(scalp: Scalp, snr: float) -> dict[str, float]:
    rng = scalp.stream(_TRAITS)
    spread = 0.4
    return {
        "snr": snr * float(rng.lognormal(-(spread**2) / 2, spread)),
        "alpha_peak": float(rng.uniform(9.0, 11.2)),
        "blocking": float(rng.uniform(0.8, 0.97)),
        "exponent": scalp.exponent,
    }


def _timeline(scalp: Scalp, n_times: int, block: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Blocks of one run, and for each sample whether the eyes are closed."""
    rng = scalp.stream(_BLOCKS)
    lengths = rng.uniform(0.75, 1.25, int(2 * n_times / (block * scalp.sfreq)) + 4) * block
    starts = np.round(np.concatenate([[0], np.cumsum(lengths)]) * scalp.sfreq).astype(int)
    starts = starts[starts < n_times]
    closed_first = scalp.subject % 2 == 0
    states = (np.arange(len(starts)) + closed_first) % 2 == 1
    ends = np.append(starts[1:], n_times)
    closed = np.repeat(states, ends - starts)
    events = pd.DataFrame({
        "subject": scalp.subject, "onset": starts / scalp.sfreq,
        "duration": (ends - starts) / scalp.sfreq,
        "label": np.where(states, "closed", "open"),
    })
    return events, closed


def _alpha(scalp: Scalp, truth: dict[str, float], closed: np.ndarray) -> np.ndarray:
    """Occipital alpha, shape (n_channels, n_times), in V."""
    rng = scalp.stream(_ALPHA)
    columns = [
        scalp.head.project(
            scalp.head.under(name) + rng.normal(0, 0.08, 3), rng.normal(0, 0.3, 3)
        )
        for name in _ALPHA_SOURCES
    ]
    topographies = scalp.normalize(np.column_stack(columns))
    powers = rng.lognormal(0, 0.3, len(_ALPHA_SOURCES))
    mixing = scalp.scale(topographies, powers, truth["snr"], 1)
    n_times = len(closed)
    waves = [rhythm(n_times, truth["alpha_peak"], 0.5, scalp.sfreq, rng) for _ in columns]
    power = np.clip(1 - truth["blocking"] * (1 - _smooth(closed, scalp.sfreq)), 0, 1)
    return mixing @ (np.array(waves) * np.sqrt(power))


def _smooth(closed: np.ndarray, sfreq: float) -> np.ndarray:
    """Share of closure, which takes half a second to come and to go."""
    width = max(1, round(_TRANSITION_S * sfreq))
    padded = np.concatenate([np.full(width - 1, closed[0]), closed]).astype(float)
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")


def _eyes(scalp: Scalp, closed: np.ndarray, height: float) -> np.ndarray:
    """Blinks of open and rolling of closed eyes, shape (n_channels, n_times), in V."""
    n_times = len(closed)
    rng = scalp.stream(_BLINKS)
    rate = rng.uniform(8, 18)
    blinking = blink_train(n_times, scalp.sfreq, rng, per_minute=rate, allowed=~closed)
    rolling = slow_eye_movements(n_times, scalp.sfreq, scalp.stream(_ROLLS))
    rolling *= _smooth(closed, scalp.sfreq)
    return scalp.eyes(_UP, blinking, height * _BLINK_HEIGHT) + scalp.eyes(
        _ASIDE, rolling, height * _ROLL_HEIGHT
    )


def _windows(
    signal: np.ndarray, states: np.ndarray, size: int, step: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows in which the state does not change: first samples, data, labels."""
    changes = np.concatenate([[0], np.cumsum(states[1:] != states[:-1])])
    first = np.arange(0, signal.shape[1] - size + 1, step)
    first = first[changes[first] == changes[first + size - 1]]
    view = np.lib.stride_tricks.sliding_window_view(signal, size, axis=1)
    return first, view[:, first].transpose(1, 0, 2).copy(), states[first]
