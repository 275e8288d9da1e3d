"""Simulated motor imagery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks import check_count, check_flag, check_list, check_number, check_positive
from skbci._recording.times import first_sample
from skbci._typing import Seed
from skbci.datasets._bunch import make_bunch
from skbci.datasets._cut import cut_windows
from skbci.datasets._docs import fill_doc
from skbci.datasets._simulators.options import (
    MOTOR_CHANNELS,
    check_channels,
    check_rates,
    draw_seed,
)
from skbci.datasets._simulators.side_effects import (
    blocked_order,
    cue_responses,
    drifting_level,
    looks_aside,
)
from skbci.datasets._simulators.subject.motor_cortex import IMAGERY_S, TASKS, MotorCortex, Trials
from skbci.datasets._simulators.subject.ongoing import blinking
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["make_motor_imagery"]

_CUES, _BLINKS = FREE_KEY + 20, FREE_KEY + 21

_DESCR = """Simulated motor imagery: {n_subjects} subjects x {n_sessions} sessions x {n_trials} \
trials of {classes}, {n_channels} channels, {sfreq:g} Hz, snr {snr:g}. Made by \
skbci.datasets.make_motor_imagery: dipole patches in a three-shell spherical head, 1/f \
background, mu and beta rhythms with contralateral event-related desynchronization, occipital \
alpha, blinks, mains hum, drift. Units: volt."""


@dataclass(frozen=True)
class SideEffects:
    """Strengths of what goes along with the class without being imagery."""

    ocular: float
    evoked: float
    drift_with_label: float


@fill_doc
def make_motor_imagery(
    n_subjects: int = 2,
    n_sessions: int = 2,
    n_trials: int = 40,
    *,
    classes: Sequence[str] = ("left_hand", "right_hand"),
    n_runs: int = 1,
    sfreq: float = 160.0,
    tmin: float = 0.0,
    duration: float = 4.0,
    ch_names: Sequence[str] = MOTOR_CHANNELS,
    snr: float = 1.0,
    line_freq: float | None = 50.0,
    blinks: bool = True,
    ocular: float = 0.0,
    evoked: float = 0.0,
    drift_with_label: float = 0.0,
    reference: str | None = "average",
    random_state: Seed = None,
) -> Bunch:
    r"""Simulate EEG of subjects who imagine movements after a cue.

    Each run is simulated as one continuous recording and then cut around its cues. Sources are
    patches of cortex in a spherical head of three shells (MNE's forward model) under electrodes
    of the 10-05 system. From 0.3 s or so after the cue until 4 s after it, the power of the mu
    (about 11 Hz) and beta (18 to 24 Hz) rhythms falls over the area that the imagery involves:
    the contralateral hand area, strongly, and the ipsilateral one, a little.

    Parameters
    ----------
    n_subjects : int, default=2
        Subjects differ in their rhythms' frequencies, places, orientations and strengths, in the
        depth of the desynchronization, in the slope and level of the background.
    n_sessions : int, default=2
        Sessions of a subject differ in electrode gains, the seat of the cap and a part of the
        background.
    n_trials : int, default=40
        Trials a session, as equally divided among the classes as the number allows.
    classes : sequence of str, default=("left_hand", "right_hand")
        Two or more of "left_hand", "right_hand", "feet", "tongue", "rest".
    n_runs : int, default=1
        Runs a session; the trials are divided among them.
    sfreq : float, default=160.0
        Sampling rate in Hz, 64 or more.
    tmin : float, default=0.0
        Start of an epoch in seconds, relative to the cue. Before it subjects are at rest.
    %(duration)s
    ch_names : sequence of str, default: the 22 electrodes of BCI Competition IV 2a
        Any electrodes of the 10-05 system.
    snr : float, default=1.0
        Ratio of the power of the mu rhythms at rest to the power of the 1/f background between 8
        and 13 Hz, both as means over C3 and C4 and before re-referencing; see Notes. With 0 there
        are no sensorimotor rhythms and nothing in the data depends on the class.
    line_freq : float or None, default=50.0
        Mains frequency in Hz, 50 or 60 in practice. None, or a frequency that ``sfreq`` cannot
        show, leaves it out.
    %(blinks)s
    ocular : float, default=0.0
        Confound: from about 0.25 s after the cue of "left_hand" or "right_hand" the eyes look to
        that side for about 0.7 s; 1 is a look that shows 60 uV at F7 or F8.
    evoked : float, default=0.0
        Confound: the cue of "left_hand" or "right_hand", on that side of the screen, evokes N1,
        N2pc and a sustained negativity over the opposite parieto-occipital cortex; 1 is 30 uV.
    drift_with_label : float, default=0.0
        Confound: the trials of a run come class after class, and the level of the recording
        changes by the factor ``1 + drift_with_label`` from the start to the end of each run.
    reference : "average" or None, default="average"
        "average" makes the channels sum to zero, and the data lose one rank. None leaves the
        potential against infinity.
    %(random_state)s

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_subjects * n_sessions * n_trials, n_channels, n_times)
            In volts.
        ``y`` : ndarray of str
            Classes.
        ``metadata`` : DataFrame
            Subject, session and run (counted from 1), onset of the cue in seconds from the start
            of the run, task ("imagery").
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, text.
        ``subjects`` : DataFrame
            The truth about each subject: its own ``snr``, the frequencies ``mu_peak`` and
            ``beta_peak`` in Hz, the mean relative loss of power ``erd``, the ``exponent`` of the
            background.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range.

    See Also
    --------
    make_eye_state : Eyes open and closed.

    Notes
    -----
    With the topographies :math:`a_j` of the mu sources, their powers at rest :math:`p_j` and the
    mixing matrix :math:`B` of the unit-variance background sources, of whose power the share
    :math:`\beta` lies between 8 and 13 Hz,

    .. math:: \mathrm{snr}_s =
        \frac{\sum_{c \in \{C3, C4\}} \sum_j a_{cj}^2 p_j}
             {\beta \sum_{c \in \{C3, C4\}} \sum_k B_{ck}^2} .

    A subject's own ratio is ``snr`` times a log-normal factor of mean one. During imagery
    :math:`p_j` becomes :math:`p_j (1 - d_j m(t))`, where the course :math:`m` rises from 0 to 1
    and :math:`d_j` is the event-related desynchronization [1]_.

    References
    ----------
    .. [1] G. Pfurtscheller, F. H. Lopes da Silva, "Event-related EEG/MEG synchronization and
       desynchronization: basic principles", Clinical Neurophysiology 110, 1999, 1842-1857.

    Examples
    --------
    >>> from skbci.datasets import make_motor_imagery
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=4, random_state=0)
    >>> data.X
    <EEGArray 4 x 22 x 640 float64, 160 Hz, channels Fz FC3 FC1 FCz ..., metadata: subject,
    session, run, onset, task>
    >>> sorted(data.y.tolist())
    ['left_hand', 'left_hand', 'right_hand', 'right_hand']
    """
    n_subjects = check_count(n_subjects, "n_subjects", "make_motor_imagery")
    n_sessions = check_count(n_sessions, "n_sessions", "make_motor_imagery")
    n_runs = check_count(n_runs, "n_runs", "make_motor_imagery")
    n_trials = check_count(n_trials, "n_trials", "make_motor_imagery", low=n_runs)
    names = _check_classes(classes)
    sfreq, line_freq = check_rates(sfreq, line_freq, "make_motor_imagery")
    tmin = check_number(tmin, "tmin", "make_motor_imagery", low=-60.0)
    duration = check_positive(duration, "duration", "make_motor_imagery")
    channels = check_channels(ch_names, reference, "make_motor_imagery")
    snr = check_number(snr, "snr", "make_motor_imagery", low=0)
    effects = SideEffects(
        check_number(ocular, "ocular", "make_motor_imagery", low=0),
        check_number(evoked, "evoked", "make_motor_imagery", low=0),
        check_number(drift_with_label, "drift_with_label", "make_motor_imagery", low=0),
    )
    check_flag(blinks, "blinks", "make_motor_imagery")
    seed = draw_seed(random_state)

    blocks, tables, traits = [], [], []
    labels: list[str] = []
    for subject in range(1, n_subjects + 1):
        scalp = Scalp(channels, ("C3", "C4"), sfreq, seed, subject)
        cortex = MotorCortex(scalp, snr)
        traits.append({"subject": subject, **cortex.traits})
        for session in range(1, n_sessions + 1):
            for run in range(1, n_runs + 1):
                size = n_trials // n_runs + (run <= n_trials % n_runs)
                trials, n_times = _schedule(
                    scalp, names, size, session, run, tmin, duration,
                    blocked=effects.drift_with_label > 0,
                )
                signal = _run(cortex, trials, n_times, session, run, blinks, effects)
                signal = scalp.record(signal, session, run, line_freq, reference)
                blocks.append(cut_windows(signal, trials.onsets, tmin, duration, sfreq))
                labels.extend(trials.tasks)
                tables.append(pd.DataFrame({
                    "subject": subject, "session": session, "run": run,
                    "onset": trials.onsets, "task": "imagery",
                }))
    return make_bunch(
        np.concatenate(blocks), np.array(labels), pd.concat(tables, ignore_index=True),
        sfreq=sfreq, ch_names=channels, tmin=first_sample(tmin, sfreq) / sfreq,
        subjects=pd.DataFrame(traits),
        description=_DESCR.format(
            n_subjects=n_subjects, n_sessions=n_sessions, n_trials=n_trials, snr=snr,
            classes=", ".join(names), n_channels=len(channels), sfreq=sfreq,
        ),
    )


def _check_classes(classes: Sequence[str]) -> list[str]:
    names = [str(name) for name in check_list(classes, "classes", "make_motor_imagery", "names")]
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        raise ValueError(f"classes has unknown names {unknown}; known are {list(TASKS)}.")
    if len(set(names)) < 2 or len(set(names)) != len(names):
        raise ValueError(f"classes={tuple(names)} must hold at least two different names, once.")
    return names


def _schedule(
    scalp: Scalp, classes: Sequence[str], n_trials: int, session: int, run: int, tmin: float,
    duration: float, blocked: bool,
) -> tuple[Trials, int]:
    """Cues in random order, or in blocks, with a rest before and a jittered pause after each."""
    rng = scalp.stream(_CUES, session, run)
    order = list(rng.permutation(np.resize(rng.permutation(len(classes)), n_trials)))
    if blocked:
        order = blocked_order(scalp, order, session, run)
    before = max(2.0, -tmin)
    after = max(IMAGERY_S + 2.0, tmin + duration)
    steps = np.full(n_trials, before + after) + rng.uniform(0, 1, n_trials)
    onsets = before + np.concatenate([[0.0], np.cumsum(steps[:-1])])
    onsets = np.round(onsets * scalp.sfreq) / scalp.sfreq
    n_times = int(np.ceil((onsets[-1] + after + 1.0) * scalp.sfreq))
    return Trials(onsets, [classes[i] for i in order]), n_times


def _run(
    cortex: MotorCortex, trials: Trials, n_times: int, session: int, run: int, blinks: bool,
    effects: SideEffects,
) -> np.ndarray:
    """Potentials of one run, before electrodes and amplifier."""
    scalp = cortex.scalp
    signal = scalp.background(n_times, session, run)
    signal += cortex.alpha(n_times, session, run)
    if cortex.traits["snr"] > 0:
        signal += cortex.rhythms(trials, n_times, session, run)
    if blinks:
        signal += blinking(scalp, _BLINKS, n_times, session, run)
    when = (trials.onsets, trials.tasks, n_times, session, run)
    if effects.ocular:
        signal += effects.ocular * looks_aside(scalp, *when)
    if effects.evoked:
        signal += effects.evoked * cue_responses(scalp, *when)
    if effects.drift_with_label:
        signal *= drifting_level(n_times, effects.drift_with_label)
    return signal
