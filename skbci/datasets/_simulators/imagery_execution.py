"""Simulated pairs of tasks: imagined and executed movements of the same subjects."""

from __future__ import annotations

from collections.abc import Sequence

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
from skbci.datasets._simulators.subject.motor_cortex import IMAGERY_S, Trials
from skbci.datasets._simulators.subject.ongoing import blinking
from skbci.datasets._simulators.subject.paired_cortex import (
    ANCHORS,
    MOVEMENTS,
    N_SITES,
    PairedCortex,
    Source,
    place_sources,
)
from skbci.datasets._simulators.subject.scalp import FREE_KEY, Scalp

__all__ = ["make_imagery_execution"]

_CUES, _BLINKS = FREE_KEY + 120, FREE_KEY + 121

_DESCR = """Simulated motor imagery and execution: {n_subjects} subjects x {n_sessions} sessions \
x {n_trials} trials of {classes} for each of the two tasks, {n_channels} channels, {sfreq:g} Hz, \
snr {snr:g}, {n_shared} sources that serve both tasks and {n_private} more for each. Made by \
skbci.datasets.make_imagery_execution: dipole patches in a three-shell spherical head, 1/f \
background, mu and beta rhythms with event-related desynchronization, occipital alpha, blinks, \
mains hum, drift. Units: volt."""


@fill_doc
def make_imagery_execution(
    n_subjects: int = 2,
    n_sessions: int = 1,
    n_trials: int = 40,
    *,
    classes: Sequence[str] = ("left_hand", "right_hand"),
    n_sources: int = 4,
    overlap: float = 0.5,
    n_runs: int = 1,
    sfreq: float = 160.0,
    tmin: float = 0.0,
    duration: float = 4.0,
    ch_names: Sequence[str] = MOTOR_CHANNELS,
    snr: float = 1.0,
    line_freq: float | None = 50.0,
    blinks: bool = True,
    reference: str | None = "average",
    random_state: Seed = None,
) -> Bunch:
    r"""Simulate EEG of subjects who imagine, and in other runs execute, the same movements.

    Each task has its own sources of mu and beta rhythms that desynchronize, and some serve both.
    All sources are there in every run; in a run of imagery those that serve execution alone go on
    as at rest, and the other way round. Which source is which is returned.

    Parameters
    ----------
    n_subjects : int, default=2
        Subjects differ in their rhythms' frequencies, places, orientations and strengths, in the
        depth of the desynchronization, in the background.
    n_sessions : int, default=1
        Sessions of a subject differ in electrode gains, the seat of the cap and a part of the
        background.
    n_trials : int, default=40
        Trials a session of each task, as equally divided among the classes as the number allows.
    classes : sequence of str, default=("left_hand", "right_hand")
        Names of the movements, two or more. The sources of the first one, third one ... lie over
        the right hemisphere, those of the others over the left one.
    n_sources : int, default=4
        Sources that a task has, the same number for each class.
    overlap : float, default=0.5
        Share of them that serve the other task as well, 0 to 1; rounded to whole sets of one
        source a class. The total is ``n_sources * (2 - overlap)``.
    n_runs : int, default=1
        Runs a session of each task; the trials are divided among them. Odd runs are of imagery,
        even ones of execution.
    sfreq : float, default=160.0
        Sampling rate in Hz, 64 or more.
    tmin : float, default=0.0
        Start of an epoch in seconds, relative to the cue. Before it subjects are at rest.
    %(duration)s
    ch_names : sequence of str, default: the 22 electrodes of BCI Competition IV 2a
        Any electrodes of the 10-05 system.
    snr : float, default=1.0
        Ratio of the power of all sources' mu rhythms at rest to the power of the 1/f background
        between 8 and 13 Hz, both as means over C3 and C4 and before re-referencing, as in
        `make_motor_imagery`. A subject's own ratio is this times a log-normal factor of mean one.
        With 0 there are no sensorimotor rhythms and nothing in the data depends on the class.
    %(line_freq)s
    blinks : bool, default=True
        Whether subjects blink.
    %(reference)s
    %(random_state)s

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (2 * n_subjects * n_sessions * n_trials, n_channels, n_times)
            In volts.
        ``y`` : ndarray of str
            Classes.
        ``metadata`` : DataFrame
            Subject, session and run (counted from 1), onset of the cue in seconds from the start
            of the run, task ("imagery" or "execution").
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, text.
        ``sources`` : DataFrame
            The truth about the sources, one row each: the electrode above it (``name``), the
            class during which it desynchronizes (``responds_to``), and the columns "imagery" and
            "execution", which tell whether it serves the task.
        ``patterns`` : ndarray, shape (n_subjects, n_sessions, n_channels, n_sources in all)
            What a source of unit variance, which they have at rest, gives at the electrodes, in V,
            after the reference and before the electrodes' own gains (which differ by some 3 %).
        ``subjects`` : DataFrame
            The truth about each subject: ``snr``, the frequencies ``mu_peak`` and ``beta_peak`` in
            Hz, the mean relative losses of power ``erd_imagery`` and ``erd_execution``, the
            ``exponent`` of the background.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range.

    See Also
    --------
    make_motor_imagery : Imagery alone, with the areas that it is known to involve.

    Notes
    -----
    During a trial of the movement c in the task k, the power of source j becomes
    :math:`p_j (1 - s_{jk} d_{jc} m(t))`, where the course :math:`m` rises from 0 to 1,
    :math:`s_{jk}` is 1 if the source serves the task and 0 otherwise, and :math:`d_{jc}` is the
    subject's event-related desynchronization if the source answers to c and a small part of it
    otherwise. It is deeper in execution than in imagery, by a factor of 1.1 to 1.7.

    That imagery and execution share some of their sources and not others is what reviews of
    imaging studies find [1]_; which ones is made up here.

    References
    ----------
    .. [1] R. M. Hardwick, S. Caspers, S. B. Eickhoff, S. P. Swinnen (2018). Neural correlates of
       action: Comparing meta-analyses of imagery, observation, and execution. Neuroscience and
       Biobehavioral Reviews 94, 31-44. doi:10.1016/j.neubiorev.2018.08.003

    Examples
    --------
    >>> from skbci.datasets import make_imagery_execution
    >>> data = make_imagery_execution(n_subjects=1, n_trials=4, random_state=0)
    >>> data.X.shape, data.metadata["task"].value_counts().to_dict()
    ((8, 22, 640), {'imagery': 4, 'execution': 4})
    >>> data.sources.head(3)
      name responds_to  imagery  execution
    0   C4   left_hand     True       True
    1   C3  right_hand     True       True
    2  FC2   left_hand     True      False
    """
    n_subjects = check_count(n_subjects, "n_subjects", "make_imagery_execution")
    n_sessions = check_count(n_sessions, "n_sessions", "make_imagery_execution")
    n_runs = check_count(n_runs, "n_runs", "make_imagery_execution")
    n_trials = check_count(n_trials, "n_trials", "make_imagery_execution")
    if n_trials < n_runs:
        raise ValueError(
            f"n_trials={n_trials} must be at least n_runs={n_runs}: the trials of a session are "
            "divided among its runs, and each needs one."
        )
    sources = _choose_sources(classes, n_sources, overlap)
    names = [str(name) for name in classes]
    sfreq, line_freq = check_rates(sfreq, line_freq, "make_imagery_execution")
    tmin = check_number(tmin, "tmin", "make_imagery_execution", low=-60.0)
    duration = check_positive(duration, "duration", "make_imagery_execution")
    channels = check_channels(ch_names, reference, "make_imagery_execution")
    snr = check_number(snr, "snr", "make_imagery_execution", low=0)
    check_flag(blinks, "blinks", "make_imagery_execution")
    seed = draw_seed(random_state)

    blocks, tables, traits = [], [], []
    labels: list[str] = []
    patterns = np.zeros((n_subjects, n_sessions, len(channels), len(sources)))
    for subject in range(1, n_subjects + 1):
        scalp = Scalp(channels, ANCHORS, sfreq, seed, subject)
        cortex = PairedCortex(scalp, sources, snr)
        traits.append({"subject": subject, **cortex.traits})
        for session in range(1, n_sessions + 1):
            patterns[subject - 1, session - 1] = _referenced(cortex.mixing(session), reference)
            for run in range(1, 2 * n_runs + 1):
                numbers = np.array_split(np.arange(n_trials), n_runs)[(run - 1) // 2]
                task = MOVEMENTS[(run - 1) % 2]
                trials, n_times = _schedule(scalp, names, numbers, session, run, tmin, duration)
                signal = _run(cortex, trials, task, n_times, session, run, blinks)
                signal = scalp.record(signal, session, run, line_freq, reference)
                blocks.append(cut_windows(signal, trials.onsets, tmin, duration, sfreq))
                labels.extend(trials.tasks)
                tables.append(pd.DataFrame({
                    "subject": subject, "session": session, "run": run,
                    "onset": trials.onsets, "task": task,
                }))
    n_shared = sum(len(source.tasks) == 2 for source in sources)
    return make_bunch(
        np.concatenate(blocks), np.array(labels), pd.concat(tables, ignore_index=True),
        sfreq=sfreq, ch_names=channels, tmin=first_sample(tmin, sfreq) / sfreq,
        subjects=pd.DataFrame(traits),
        sources=_table(sources), patterns=patterns,
        description=_DESCR.format(
            n_subjects=n_subjects, n_sessions=n_sessions, n_trials=n_trials, snr=snr,
            classes=", ".join(names), n_channels=len(channels), sfreq=sfreq, n_shared=n_shared,
            n_private=n_sources - n_shared,
        ),
    )


def _choose_sources(classes: Sequence[str], n_sources: int, overlap: float) -> list[Source]:
    """Check what belongs together, and place the sources."""
    given = check_list(classes, "classes", "make_imagery_execution", "names")
    names = [str(name) for name in given]
    n_classes = len(names)
    if n_classes < 2 or len(set(names)) != n_classes:
        raise ValueError(f"classes={tuple(names)} must hold at least two different names, once.")
    n_sources = check_count(n_sources, "n_sources", "make_imagery_execution", low=n_classes)
    if n_sources % n_classes:
        raise ValueError(
            f"n_sources={n_sources} must be a multiple of the number of classes, {n_classes}, so "
            "that each has as many sources."
        )
    overlap = check_number(overlap, "overlap", "make_imagery_execution", low=0, high=1)
    n_sets = n_sources // n_classes
    n_shared = int(overlap * n_sets + 0.5) * n_classes
    n_private = n_sources - n_shared
    right = (n_classes + 1) // 2  # hemisphere of the odd classes, which are as many or one more
    needed = right * (n_shared + 2 * n_private) // n_classes
    if needed > N_SITES:
        raise ValueError(
            f"n_sources={n_sources} with overlap={overlap:g} and {n_classes} classes needs "
            f"{needed} sources in one hemisphere, which has room for {N_SITES}; use fewer."
        )
    return place_sources(names, n_shared, n_private)


def _table(sources: Sequence[Source]) -> pd.DataFrame:
    return pd.DataFrame({
        "name": [source.name for source in sources],
        "responds_to": [source.responds_to for source in sources],
        **{task: [task in source.tasks for source in sources] for task in MOVEMENTS},
    })


def _referenced(mixing: np.ndarray, reference: str | None) -> np.ndarray:
    return mixing - mixing.mean(axis=0) if reference == "average" else mixing


def _schedule(
    scalp: Scalp, classes: Sequence[str], numbers: np.ndarray, session: int, run: int, tmin: float,
    duration: float,
) -> tuple[Trials, int]:
    """Cues in random order, with a rest before and a jittered pause after each.

    ``numbers`` are those of the run's trials among the session's trials of the task, over which
    the classes take turns.
    """
    rng = scalp.stream(_CUES, session, run)
    turns = rng.permutation(len(classes))
    if numbers[0]:  # go on with the turns of the task's first run
        turns = scalp.stream(_CUES, session, 2 - run % 2).permutation(len(classes))
    n_trials = len(numbers)
    order = rng.permutation(turns[numbers % len(classes)])
    before = max(2.0, -tmin)
    after = max(IMAGERY_S + 2.0, tmin + duration)
    pauses = rng.uniform(0, 1, n_trials)
    onsets = before + np.arange(n_trials) * (before + after) + np.cumsum(pauses) - pauses[0]
    onsets = np.round(onsets * scalp.sfreq) / scalp.sfreq
    n_times = int(np.ceil((onsets[-1] + after + 1.0) * scalp.sfreq))
    return Trials(onsets, [classes[i] for i in order]), n_times


def _run(
    cortex: PairedCortex, trials: Trials, task: str, n_times: int, session: int, run: int,
    blinks: bool,
) -> np.ndarray:
    """Potentials of one run, before electrodes and amplifier."""
    scalp = cortex.scalp
    signal = scalp.background(n_times, session, run)
    signal += cortex.alpha(n_times, session, run)
    if cortex.traits["snr"] > 0:
        signal += cortex.rhythms(trials, task, n_times, session, run)
    if blinks:
        signal += blinking(scalp, _BLINKS, n_times, session, run)
    return signal
