"""Simulated event-related potentials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks import check_count, check_flag, check_number, check_positive
from skbci._recording.times import first_sample
from skbci._typing import Seed
from skbci.datasets._bunch import make_bunch
from skbci.datasets._cut import cut_windows
from skbci.datasets._docs import fill_doc
from skbci.datasets._simulators.options import ERP_CHANNELS, check_channels, check_rates, draw_seed
from skbci.datasets._simulators.subject.evoked import ANCHORS, OddballCortex
from skbci.datasets._simulators.subject.ongoing import blinking
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["make_erp"]

_CUES, _BLINKS = FREE_KEY + 90, FREE_KEY + 91

_DESCR = """Simulated ERP: {n_subjects} subjects x {n_sessions} sessions x {n_stimuli} stimuli \
every {interval:g} s, one target to {n_nontargets} non-targets, {n_channels} channels, \
{sfreq:g} Hz, snr {snr:g}. Made by skbci.datasets.make_erp: P300 of the targets, N1 and P2 of all \
stimuli, 1/f background, alpha, blinks, mains hum, drift. Units: volt."""


@fill_doc
def make_erp(
    n_subjects: int = 2,
    n_sessions: int = 1,
    n_stimuli: int = 300,
    *,
    n_nontargets: int = 5,
    interval: float = 0.25,
    n_runs: int = 1,
    sfreq: float = 128.0,
    tmin: float = -0.2,
    duration: float = 1.0,
    ch_names: Sequence[str] = ERP_CHANNELS,
    snr: float = 1.0,
    line_freq: float | None = 50.0,
    blinks: bool = True,
    reference: str | None = "average",
    random_state: Seed = None,
) -> Bunch:
    r"""Simulate EEG of subjects who count rare targets among other stimuli.

    Each run is simulated as one continuous recording and then cut around its stimuli, as flashes
    of a speller are: responses to neighbouring stimuli overlap. Every stimulus evokes a negative
    wave over occipito-temporal cortex at about 0.165 s (N1) and a positive one at about 0.23 s
    (P2); a target evokes a parietal P300 besides.

    Parameters
    ----------
    n_subjects : int, default=2
        Subjects differ in the latency, width, jitter, place and strength of their P300, in N1 and
        P2, and in the background.
    n_sessions : int, default=1
        Sessions of a subject differ in electrode gains, the seat of the cap and a part of the
        background.
    n_stimuli : int, default=300
        Stimuli a session, targets and non-targets.
    n_nontargets : int, default=5
        Non-targets for each target. The order is random without any rule, so that the stimuli
        before tell nothing about the next.
    interval : float, default=0.25
        Mean time from one stimulus to the next in seconds, 0.05 or more; it varies by 10 %.
    n_runs : int, default=1
        Runs a session; the stimuli are divided among them.
    sfreq : float, default=128.0
        Sampling rate in Hz, 64 or more.
    tmin : float, default=-0.2
        Start of an epoch in seconds, relative to the stimulus.
    duration : float, default=1.0
        Length of an epoch in seconds.
    ch_names : sequence of str, default: Fz C3 Cz C4 Pz PO7 Oz PO8
        Any electrodes of the 10-05 system.
    snr : float, default=1.0
        Ratio of the squared peak of the P300 to the variance of the 1/f background, both at Pz
        and before re-referencing; see Notes. With 0 there is no P300, and nothing in the data
        depends on the class.
    %(line_freq)s
    %(blinks)s
    %(reference)s
    %(random_state)s

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_subjects * n_sessions * n_stimuli, n_channels, n_times)
            In volts.
        ``y`` : ndarray of str
            "target" or "nontarget".
        ``metadata`` : DataFrame
            Subject, session and run (counted from 1), onset of the stimulus in seconds from the
            start of the run, task ("oddball"). Epochs overlap: split them by run, or with
            `skbci.model_selection.PurgedKFold`.
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, text.
        ``subjects`` : DataFrame
            The truth about each subject: its own ``snr``, the P300's mean latency
            ``p300_latency`` and its standard deviation from trial to trial ``p300_jitter`` in s,
            the ``exponent`` of the background.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range, or a run is too short to hold a target.

    See Also
    --------
    make_ssvep : Responses to flicker.
    skbci.baselines.erp_lda, skbci.baselines.erp_xdawn_riemann : Decode it.

    Notes
    -----
    With the topography a of the P300 and the standard deviation :math:`\sigma` of the background
    at Pz, a target at time 0 adds

    .. math:: g \, a_c \exp\left(-\frac{(t - \tau)^2}{2 w^2}\right), \qquad
        \mathrm{snr}_s = \frac{a_{Pz}^2}{\sigma^2},

    to channel c, where the gain g (log-normal, mean one) and the latency :math:`\tau` differ from
    trial to trial [1]_. A subject's own ratio is ``snr`` times a log-normal factor of mean one.
    At 1 the P300 is some 15 uV high, as that of a subject who does well.

    References
    ----------
    .. [1] J. Polich, "Updating P300: an integrative theory of P3a and P3b", Clinical
       Neurophysiology 118, 2007, 2128-2148.

    Examples
    --------
    >>> from skbci.datasets import make_erp
    >>> data = make_erp(n_subjects=1, n_stimuli=60, random_state=0)
    >>> data.X
    <EEGArray 60 x 8 x 128 float64, 128 Hz, channels Fz C3 Cz C4 ..., metadata: subject, session,
    run, onset, task>
    >>> int((data.y == "target").sum())
    10
    """
    n_subjects = check_count(n_subjects, "n_subjects", "make_erp")
    n_sessions = check_count(n_sessions, "n_sessions", "make_erp")
    n_runs = check_count(n_runs, "n_runs", "make_erp")
    n_nontargets = check_count(n_nontargets, "n_nontargets", "make_erp")
    n_stimuli = check_count(n_stimuli, "n_stimuli", "make_erp", low=n_runs * (1 + n_nontargets))
    interval = check_number(interval, "interval", "make_erp", low=0.05)
    sfreq, line_freq = check_rates(sfreq, line_freq, "make_erp")
    tmin = check_number(tmin, "tmin", "make_erp", low=-60.0)
    duration = check_positive(duration, "duration", "make_erp")
    channels = check_channels(ch_names, reference, "make_erp")
    snr = check_number(snr, "snr", "make_erp", low=0)
    check_flag(blinks, "blinks", "make_erp")
    seed = draw_seed(random_state)

    blocks, labels, tables, traits = [], [], [], []
    for subject in range(1, n_subjects + 1):
        scalp = Scalp(channels, ANCHORS, sfreq, seed, subject)
        cortex = OddballCortex(scalp, snr)
        traits.append({"subject": subject, **cortex.traits})
        for session in range(1, n_sessions + 1):
            for run in range(1, n_runs + 1):
                size = n_stimuli // n_runs + (run <= n_stimuli % n_runs)
                onsets, targets, n_times = _schedule(
                    scalp, size, n_nontargets, interval, session, run, tmin, duration
                )
                signal = scalp.background(n_times, session, run)
                signal += cortex.alpha(n_times, session, run)
                signal += cortex.responses(onsets, targets, n_times, session, run)
                if blinks:
                    signal += blinking(scalp, _BLINKS, n_times, session, run)
                signal = scalp.record(signal, session, run, line_freq, reference)
                blocks.append(cut_windows(signal, onsets, tmin, duration, sfreq))
                labels.append(np.where(targets, "target", "nontarget"))
                tables.append(pd.DataFrame({
                    "subject": subject, "session": session, "run": run, "onset": onsets,
                    "task": "oddball",
                }))
    return make_bunch(
        np.concatenate(blocks), np.concatenate(labels), pd.concat(tables, ignore_index=True),
        sfreq=sfreq, ch_names=channels, tmin=first_sample(tmin, sfreq) / sfreq,
        subjects=pd.DataFrame(traits),
        description=_DESCR.format(
            n_subjects=n_subjects, n_sessions=n_sessions, n_stimuli=n_stimuli, snr=snr,
            n_nontargets=n_nontargets, interval=interval, n_channels=len(channels), sfreq=sfreq,
        ),
    )


def _schedule(
    scalp: Scalp, n_stimuli: int, n_nontargets: int, interval: float, session: int, run: int,
    tmin: float, duration: float,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Onsets in seconds, which of them are targets, samples of the run."""
    rng = scalp.stream(_CUES, session, run)
    targets = np.zeros(n_stimuli, dtype=bool)
    targets[rng.permutation(n_stimuli)[: round(n_stimuli / (1 + n_nontargets))]] = True
    before, after = max(2.0, -tmin), max(2.0, tmin + duration)
    steps = interval * rng.uniform(0.9, 1.1, n_stimuli)
    onsets = before + np.concatenate([[0.0], np.cumsum(steps[:-1])])
    onsets = np.round(onsets * scalp.sfreq) / scalp.sfreq
    return onsets, targets, int(np.ceil((onsets[-1] + after + 1.0) * scalp.sfreq))
