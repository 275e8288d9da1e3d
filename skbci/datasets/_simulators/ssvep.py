"""Simulated steady-state visual evoked potentials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from skbci._checks import check_count, check_flag, check_list, check_number, check_positive
from skbci._recording.times import first_sample
from skbci._typing import Seed
from skbci.datasets._bunch import make_bunch
from skbci.datasets._cut import cut_windows
from skbci.datasets._docs import fill_doc
from skbci.datasets._simulators.options import (
    OCCIPITAL_CHANNELS,
    check_channels,
    check_rates,
    draw_seed,
)
from skbci.datasets._simulators.subject.ongoing import blinking
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp
from skbci.datasets._simulators.subject.visual_cortex import ANCHORS, VisualCortex

__all__ = ["make_ssvep"]

_MOST_HARMONICS = 16
_STIMULATION_S = 4.0
_CUES, _BLINKS = FREE_KEY + 70, FREE_KEY + 71

_DESCR = """Simulated SSVEP: {n_subjects} subjects x {n_sessions} sessions x {n_trials} trials of \
flicker at {frequencies}, {n_channels} channels, {sfreq:g} Hz, snr {snr:g}. Made by \
skbci.datasets.make_ssvep: occipital responses at the stimulus frequency and its harmonics, \
1/f background, alpha, blinks, mains hum, drift. Units: volt."""


@fill_doc
def make_ssvep(
    n_subjects: int = 2,
    n_sessions: int = 2,
    n_trials: int = 40,
    *,
    frequencies: Sequence[float] = (9.0, 10.0, 12.0, 15.0),
    phases: Sequence[float] | None = None,
    n_harmonics: int = 3,
    n_runs: int = 1,
    sfreq: float = 250.0,
    tmin: float = 0.0,
    duration: float = 4.0,
    ch_names: Sequence[str] = OCCIPITAL_CHANNELS,
    snr: float = 1.0,
    line_freq: float | None = 50.0,
    blinks: bool = True,
    reference: str | None = "average",
    random_state: Seed = None,
) -> Bunch:
    r"""Simulate EEG of subjects who look at one of several flickering lights.

    Each run is simulated as one continuous recording and then cut around the onsets of the
    flicker. Patches of visual cortex follow it, some 0.1 s late, at its frequency and the
    harmonics, for as long as it lasts: four seconds, or to the end of the epoch if that is later.

    Parameters
    ----------
    n_subjects : int, default=2
        Subjects differ in the strength, latency and places of their response, in how it depends
        on the frequency, in the alpha rhythm that lies among the stimuli, and in the background.
    n_sessions : int, default=2
        Sessions of a subject differ in electrode gains, the seat of the cap and a part of the
        background.
    n_trials : int, default=40
        Trials a session, as equally divided among the frequencies as the number allows.
    frequencies : sequence of float, default=(9, 10, 12, 15)
        Two or more flicker frequencies in Hz, below half of ``sfreq``.
    phases : sequence of float, optional
        Phase of each flicker at its onset, in rad; 0 by default. The same in every trial.
    n_harmonics : int, default=3
        Sinusoids of a response, the fundamental being the first, 16 at most. Those above half of
        ``sfreq`` are left out.
    n_runs : int, default=1
        Runs a session; the trials are divided among them.
    sfreq : float, default=250.0
        Sampling rate in Hz, 64 or more.
    tmin : float, default=0.0
        Start of an epoch in seconds, relative to the flicker's onset.
    %(duration)s
    ch_names : sequence of str, default: PO7 PO3 POz PO4 PO8 O1 Oz O2
        Any electrodes of the 10-05 system.
    snr : float, default=1.0
        Ratio of the power of the response during stimulation to the power of the 1/f background
        between 8 and 13 Hz, both as means over O1 and O2 and before re-referencing; see Notes.
        With 0 nothing in the data depends on the stimulus.
    %(line_freq)s
    %(blinks)s
    %(reference)s
    %(random_state)s

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_subjects * n_sessions * n_trials, n_channels, n_times)
            In volts.
        ``y`` : ndarray of str
            The flicker's frequency, such as "12 Hz".
        ``frequencies`` : dict
            Hz of each label.
        ``metadata`` : DataFrame
            Subject, session and run (counted from 1), onset of the flicker in seconds from the
            start of the run, task ("ssvep").
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, text.
        ``subjects`` : DataFrame
            The truth about each subject: its own ``snr``, the ``latency`` in s, ``alpha_peak`` in
            Hz, the ``exponent`` of the background.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range.

    See Also
    --------
    make_erp : Responses to single stimuli.
    skbci.baselines.ssvep_cca : Decodes it.

    Notes
    -----
    In trial i, channel c follows the flicker of frequency f from its latency :math:`\tau` on as

    .. math:: g_i \, \mathrm{Re} \sum_h A_{fhc} \,
        e^{2 \pi j h f (t - \tau) + j h (\varphi_f + \epsilon_i)},

    where the complex amplitudes A add up three patches, each with its strength and phase at
    every harmonic h (strengths fall as 1/h), the gain g is log-normal with mean square one, and
    the jitter of the phase :math:`\epsilon` has a standard deviation of 0.15 rad. Responses are
    largest at about 12 Hz [1]_. With the power P of the background between 8 and 13 Hz,

    .. math:: \mathrm{snr}_s = \frac{\langle \sum_h |A_{fhc}|^2 / 2 \rangle_{f, c}}
        {\langle P_c \rangle_c}, \qquad c \in \{O1, O2\} .

    A subject's own ratio is ``snr`` times a log-normal factor of mean one.

    References
    ----------
    .. [1] C. S. Herrmann, "Human EEG responses to 1-100 Hz flicker: resonance phenomena in visual
       cortex and their potential correlation to cognitive phenomena", Experimental Brain Research
       137, 2001, 346-353.

    Examples
    --------
    >>> from skbci.datasets import make_ssvep
    >>> data = make_ssvep(n_subjects=1, n_sessions=1, n_trials=8, random_state=0)
    >>> data.X
    <EEGArray 8 x 8 x 1000 float64, 250 Hz, channels PO7 PO3 POz PO4 ..., metadata: subject,
    session, run, onset, task>
    >>> data.frequencies
    {'9 Hz': 9.0, '10 Hz': 10.0, '12 Hz': 12.0, '15 Hz': 15.0}
    """
    n_subjects = check_count(n_subjects, "n_subjects", "make_ssvep")
    n_sessions = check_count(n_sessions, "n_sessions", "make_ssvep")
    n_runs = check_count(n_runs, "n_runs", "make_ssvep")
    n_trials = check_count(n_trials, "n_trials", "make_ssvep", low=n_runs)
    n_harmonics = check_count(n_harmonics, "n_harmonics", "make_ssvep", high=_MOST_HARMONICS)
    sfreq, line_freq = check_rates(sfreq, line_freq, "make_ssvep")
    hertz, turns = _check_stimuli(frequencies, phases, sfreq)
    tmin = check_number(tmin, "tmin", "make_ssvep", low=-60.0)
    duration = check_positive(duration, "duration", "make_ssvep")
    channels = check_channels(ch_names, reference, "make_ssvep")
    snr = check_number(snr, "snr", "make_ssvep", low=0)
    check_flag(blinks, "blinks", "make_ssvep")
    seed = draw_seed(random_state)
    names = [_name(f) for f in hertz]

    blocks, tables, traits = [], [], []
    stimuli: list[int] = []
    for subject in range(1, n_subjects + 1):
        scalp = Scalp(channels, ANCHORS, sfreq, seed, subject)
        cortex = VisualCortex(scalp, snr, hertz, turns, n_harmonics)
        traits.append({"subject": subject, **cortex.traits})
        for session in range(1, n_sessions + 1):
            for run in range(1, n_runs + 1):
                size = n_trials // n_runs + (run <= n_trials % n_runs)
                onsets, order, n_times = _schedule(
                    scalp, len(hertz), size, session, run, tmin, duration
                )
                signal = scalp.background(n_times, session, run)
                signal += cortex.alpha(n_times, session, run)
                length = max(_STIMULATION_S, tmin + duration)
                signal += cortex.responses(onsets, order, length, n_times, session, run)
                if blinks:
                    signal += blinking(scalp, _BLINKS, n_times, session, run)
                signal = scalp.record(signal, session, run, line_freq, reference)
                blocks.append(cut_windows(signal, onsets, tmin, duration, sfreq))
                stimuli.extend(order)
                tables.append(pd.DataFrame({
                    "subject": subject, "session": session, "run": run, "onset": onsets,
                    "task": "ssvep",
                }))
    return make_bunch(
        np.concatenate(blocks), np.array(names)[stimuli], pd.concat(tables, ignore_index=True),
        sfreq=sfreq, ch_names=channels, tmin=first_sample(tmin, sfreq) / sfreq,
        subjects=pd.DataFrame(traits),
        frequencies=dict(zip(names, hertz)),
        description=_DESCR.format(
            n_subjects=n_subjects, n_sessions=n_sessions, n_trials=n_trials, snr=snr,
            frequencies=", ".join(names), n_channels=len(channels), sfreq=sfreq,
        ),
    )


def _name(frequency: float) -> str:
    return f"{frequency:g} Hz"


def _check_stimuli(
    frequencies: ArrayLike, phases: ArrayLike | None, sfreq: float
) -> tuple[list[float], list[float]]:
    given = check_list(frequencies, "frequencies", "make_ssvep", "numbers in Hz")
    hertz = [check_positive(f, "frequencies", "make_ssvep") for f in given]
    if len({_name(f) for f in hertz}) < max(2, len(hertz)):
        raise ValueError(
            f"frequencies={tuple(hertz)} must hold at least two different ones, each once."
        )
    if max(hertz) >= sfreq / 2:
        raise ValueError(
            f"frequencies: {max(hertz):g} Hz is not below half of the sampling rate, "
            f"{sfreq / 2:g} Hz."
        )
    turns = [0.0] * len(hertz) if phases is None else [
        check_number(phase, "phases", "make_ssvep") for phase in check_list(
            phases, "phases", "make_ssvep", "numbers", also="None"
        )
    ]
    if len(turns) != len(hertz):
        raise ValueError(
            f"phases has {len(turns)} entries, but there are {len(hertz)} frequencies."
        )
    return hertz, turns


def _schedule(
    scalp: Scalp, n_stimuli: int, n_trials: int, session: int, run: int, tmin: float,
    duration: float,
) -> tuple[np.ndarray, list[int], int]:
    """Onsets in seconds, stimuli in random order, samples of the run."""
    rng = scalp.stream(_CUES, session, run)
    order = [int(i) for i in
             rng.permutation(np.resize(rng.permutation(n_stimuli), n_trials))]
    before = max(2.0, -tmin)
    after = max(_STIMULATION_S, tmin + duration) + 1.0
    steps = before + after + rng.uniform(0, 1, n_trials)
    onsets = before + np.concatenate([[0.0], np.cumsum(steps[:-1])])
    onsets = np.round(onsets * scalp.sfreq) / scalp.sfreq
    return onsets, order, int(np.ceil((onsets[-1] + after + 1.0) * scalp.sfreq))
