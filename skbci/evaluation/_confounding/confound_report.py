"""`confound_report`: sources of the labels besides the claimed signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.parallel import Parallel, delayed

from skbci._checks import check_jobs, check_seed
from skbci._checks.labels import check_labels
from skbci._docs import fill_references
from skbci._process.quiet import filters_kept
from skbci._recording.montage import spell_electrodes, standard_montage
from skbci._sessions import recording_codes
from skbci._typing import Labels, Seed, Signals, Splitter
from skbci.eegarray import EEGArray
from skbci.evaluation import _paired
from skbci.evaluation._confounding.inputs import (
    as_array,
    check_settings,
    check_signal,
    make_trial,
    note_layout,
    note_one_label,
    usable_folds,
    who_from,
)
from skbci.evaluation._confounding.null import effective_rows, null_labels, permuted_labels
from skbci.evaluation._confounding.report import ConfoundReport
from skbci.evaluation._confounding.scores import (
    Trial,
    above_chance_p,
    chance_threshold,
    decode,
    repeats_p,
    unit_sizes,
)
from skbci.evaluation._confounding.verdicts import find_confounds, overall_verdict, place_of
from skbci.evaluation._confounding.views import (
    BEFORE,
    SLOW,
    Block,
    Layout,
    amplitude_outliers,
    channel_groups,
    order_features,
    present_bands,
    signal_blocks,
    time_windows,
    within_subject,
)

__all__ = ["confound_report"]

_COLUMNS = ["kind", "name", "band", "window", "group", "start", "stop", "n_features", "accuracy",
            "chance", "n_effective", "threshold", "difference", "ci_low", "ci_high", "p", "tested",
            "p_holm"]
_ALL = "all"
_OWN_NULL = ("cell", "amplitude")  # the others take the widest of these


@fill_references
@filters_kept()
def confound_report(
    X: Signals,
    y: Labels,
    *,
    cv: Splitter = None,
    groups: Labels | None = None,
    claimed: Sequence[str] = ("mu", "beta"),
    sfreq: float | None = None,
    ch_names: Sequence[str] | None = None,
    tmin: float | None = None,
    alpha: float = 0.01,
    n_permutations: int = 5,
    n_jobs: int | None = None,
    random_state: Seed = 0,
) -> ConfoundReport:
    r"""Find what tells the labels besides the claimed signal: eyes, cues, order, artefacts.

    The labels are decoded, on the same folds and with the same linear classifier, from every
    band, time window and group of channels: each alone, and from all but each; from nothing but
    the order of trials; from amplitude outliers; and after permuting them within each subject.
    Whatever tells the labels and does not belong to the claimed signal is named, with a remedy.

    Parameters
    ----------
    X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
        Epochs, unfiltered as far as they can be had; the time before the cue is looked at where
        they have it. Of `mne.Epochs` the data channels that are not bad and the eye channels are
        taken.
    y : array-like, shape (n_rows,)
        Labels.
    cv : int, splitter or iterable of (train, test), optional
        As in `cross_validate`; by default six folds of whole subjects (or groups) where several
        are known, else five stratified folds.
    groups : array-like, shape (n_rows,), optional
        Passed to the splitter, and who a row is from where X's table has no subject.
    claimed : sequence of str, default=("mu", "beta")
        Bands, after the cue, that the decoder is meant to use and that are therefore no finding:
        of "slow" (0.3-4 Hz), "theta" (4-7), "mu" (8-13), "beta" (14-30), "gamma" (31-45).
    sfreq : float, optional
        Sampling rate in Hz, where X does not know it.
    ch_names : sequence of str, optional
        Channel names, where X does not know them. Without names channels are not grouped.
    tmin : float, optional
        Time of the first sample relative to the cue in seconds, where X does not know it.
    alpha : float, default=0.01
        Probability of any false finding in the whole report.
    n_permutations : int, default=5
        How often labels are permuted within subjects.
    n_jobs : int, optional
        Processes that share the work. The report does not depend on it.
    random_state : int, RandomState or None, default=0
        Of the permutations and of the forest that reads the order of trials.

    Returns
    -------
    ConfoundReport
        ``table``, ``findings``, ``verdict``, ``notes``, ``confounded``, ``plot()``.

    Raises
    ------
    ValueError
        If X is not three-dimensional, the rate is unknown, there is one class only, ``claimed``
        or ``alpha`` is out of range, or no fold has two classes to train on.

    Notes
    -----
    The slow band is read as means over 125 ms of the low-passed signal, the others as the
    logarithm of their power; features are centred and scaled by subject, the classifier is a
    logistic regression with C = 0.01. The p-value of an accuracy is binomial,

    .. math:: p = P(K \ge n \cdot \mathrm{accuracy}), \quad K \sim B(n, \mathrm{chance}).

    Of n independent guesses that is the test, and ``report.threshold`` the threshold, of
    Combrisson and Jerbi [1]_. The hits of a cross-validated classifier are not independent:
    each fold is tested by what was learned from the others, and under permuted labels accuracies
    stray further from chance than n guesses do [2]_, 1.2 times as far with two folds. The null
    hypothesis here is that the labels of each subject and fold could have come in any order: for
    every cell they are permuted so 500 times, and n, the column ``n_effective``, is the number of
    guesses that stray as far as the accuracies of these permutations do. Rows that overlap in
    time count once. Ways to decode that are too slow for that take the smallest n of the cells.
    Chance is the accuracy of guessing by the training rows' frequencies on the same folds. All
    tested rows are corrected together by Holm's method. Bands that the recording's own filter
    has taken away are left out, and named in the notes. A finding says that the labels *can* be
    told from something else, not that a given decoder does so.

    References
    ----------
    .. [1] E. Combrisson and K. Jerbi, "Exceeding chance level by chance: the caveat of
       theoretical chance levels in brain signal classification and statistical assessment of
       decoding accuracy", Journal of Neuroscience Methods 250, 2015, 126-136.
    .. [2] %(permutation_paper)s.

    Examples
    --------
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.evaluation import confound_report
    >>> data = make_motor_imagery(n_sessions=1, ocular=1.5, random_state=0)
    >>> report = confound_report(data.X, data.y, n_permutations=0)
    >>> report.confounded
    True
    >>> print(report.findings["verdict"][0])
    Signal below 4 Hz within 1 s of the cue, strongest at lateral central sites (...), tells the
    labels (accuracy .9..., by guessing .50). Likely cause: cue-evoked potentials or eye movement.
    Remedy: band-pass above 7 Hz, or start the epochs after 1 s, and compare again.
    """
    check_jobs(n_jobs, "n_jobs", "confound_report")
    X = as_array(X)
    data, rate, names, start = check_signal(X, sfreq, ch_names, tmin)
    y = check_labels(y, len(data), "confound_report")
    labels = np.unique(y, return_inverse=True)[1]
    alpha, n_permutations = check_settings(alpha, claimed, n_permutations)
    notes: list[str] = []
    subjects, unit = who_from(X, groups, len(labels))
    untold = unit if note_one_label(labels, subjects, unit, notes) else ""
    folds = usable_folds(cv, X, labels, groups, subjects, notes)
    trial, chance = make_trial(X, labels, folds, subjects)
    bands, absent = present_bands(data, rate)
    if absent:
        notes.append(f"Not looked at, since the recording's filter or sampling rate leaves "
                     f"nothing of it: {', '.join(absent)}.")
    layout = Layout(rate, time_windows(data.shape[-1], rate, start),
                    channel_groups(names, data.shape[1]), bands)
    note_layout(layout, names, data.shape[1], notes)
    codes = np.zeros(len(labels), dtype=int) if subjects is None else subjects
    raw = signal_blocks(data, layout)
    blocks = [replace(block, data=within_subject(block.data, codes)) for block in raw]
    jobs = [*_signal_jobs(blocks, layout, start, claimed)]
    seed = int(check_seed(random_state, "random_state", "confound_report").randint(2**31 - 1))
    jobs += _other_jobs(X, data, labels, codes, seed)
    # Not centred by subject: whether it matters who a row is from is the question.
    everything = np.column_stack([block.data for block in raw])
    shuffles = permuted_labels(labels, codes, n_permutations, seed).T
    null = null_labels(trial, codes, seed)
    work = Parallel(n_jobs=n_jobs)
    scores = work(delayed(decode)(features, trial, model) for _, features, model in jobs)
    shuffled = work(delayed(decode)(everything, replace(trial, y=row)) for row in shuffles)
    own = [place for place, (line, *_) in enumerate(jobs) if line["kind"] in _OWN_NULL]
    sizes = work(delayed(effective_rows)(jobs[place][1], trial, null) for place in own)
    lines = [dict(line, unit_scores=score) for (line, *_), score in zip(jobs, scores)]
    for place, size in zip(own, sizes):
        lines[place]["n_effective"] = size
    if shuffled:
        lines.append({"kind": "permuted", "name": "labels permuted within subject",
                      "n_features": everything.shape[1], "tested": True,
                      "unit_scores": sum(shuffled) / len(shuffled)})
    table = _table(lines, trial, chance, alpha)
    table = _with_order(table, labels, recording_codes(X, len(labels), groups), seed)
    table["p_holm"] = np.nan
    table.loc[table["tested"], "p_holm"] = _paired.holm(table.loc[table["tested"], "p"])
    places = _places(raw, codes, labels, names, layout)
    findings = find_confounds(table, places, alpha)
    threshold = chance_threshold(chance, trial.n_independent, alpha)
    verdict = overall_verdict(findings, table, claimed, untold)
    return ConfoundReport(table[_COLUMNS], findings, verdict, notes, chance, threshold, alpha,
                          unit if trial.units is not None else "fold")


Job = tuple[dict[str, Any], np.ndarray, Any]


def _signal_jobs(
    blocks: list[Block], layout: Layout, tmin: float, claimed: Sequence[str]
) -> list[Job]:
    everything = np.column_stack([block.data for block in blocks])
    jobs: list[Job] = [({"kind": "everything", "name": "everything"}, everything, None)]
    for block in blocks:
        span = layout.windows[block.window]
        tested = block.window == BEFORE or block.band not in claimed
        jobs.append((
            {"kind": "cell", "name": f"{block.band}, {block.window}, {block.group}",
             "band": block.band, "window": block.window, "group": block.group,
             "start": tmin + span.start / layout.sfreq, "stop": tmin + span.stop / layout.sfreq,
             "tested": tested},
            block.data, None,
        ))
    for factor in ("band", "window", "group"):
        levels = list(dict.fromkeys(getattr(block, factor) for block in blocks))
        for level in levels if len(levels) > 1 else ():
            for kind in ("alone", "all but"):
                chosen = [b.data for b in blocks if (getattr(b, factor) == level)
                          == (kind == "alone")]
                name = level if kind == "alone" else f"all but {level}"
                jobs.append(({"kind": kind, "name": name, factor: level},
                             np.column_stack(chosen), None))
    return jobs


def _other_jobs(
    X: Signals, data: np.ndarray, y: np.ndarray, subjects: np.ndarray, seed: int
) -> list[Job]:
    table = X.metadata if isinstance(X, EEGArray) else None
    forest = RandomForestClassifier(100, min_samples_leaf=5, random_state=seed)
    jobs: list[Job] = [
        ({"kind": "order", "name": name, "tested": True}, features, forest)
        for name, features in order_features(table, len(y), recording_codes(X, len(y))).items()
    ]
    outliers = amplitude_outliers(data, subjects)
    jobs.append(({"kind": "amplitude", "name": "amplitude outliers", "tested": True}, outliers,
                 None))
    return jobs


# -- the table ------------------------------------------------------------------------------


def _table(
    lines: list[dict[str, Any]], trial: Trial, chance: float, alpha: float
) -> pd.DataFrame:
    sizes = unit_sizes(trial)
    share = 0.0
    if trial.units is None:
        share = float(np.mean([len(test) / len(train) for train, test in trial.folds]))
    full = next(line["unit_scores"] for line in lines if line["kind"] == "everything")
    least = min(line["n_effective"] for line in lines if "n_effective" in line)
    rows = []
    for line in lines:
        score = line["unit_scores"]
        accuracy = float((score * sizes).sum() / sizes.sum())
        reference: Any = full if line["kind"] == "all but" else np.full(len(score), chance)
        gap = _paired.differences(score, reference)
        _, low, high = _paired.t_interval(gap, share)
        n_effective = line.get("n_effective", least)
        rows.append({
            "band": _ALL, "window": _ALL, "group": _ALL, "start": np.nan, "stop": np.nan,
            "tested": False, **{k: v for k, v in line.items() if k != "unit_scores"},
            "accuracy": accuracy, "chance": chance, "n_effective": n_effective,
            "threshold": chance_threshold(chance, n_effective, alpha),
            "difference": float(gap.mean()), "ci_low": low, "ci_high": high,
            "p": above_chance_p(accuracy, chance, n_effective),
        })
    return pd.DataFrame(rows)


def _with_order(
    table: pd.DataFrame, y: np.ndarray, codes: np.ndarray, seed: int
) -> pd.DataFrame:
    """Add whether a row's label can be told from the label of the row before."""
    p, (share, expected) = repeats_p(y, codes, seed)
    line = {"kind": "order", "name": "previous label", "band": _ALL, "window": _ALL,
            "group": _ALL, "n_features": 1, "accuracy": share, "chance": expected,
            "difference": share - expected, "p": p, "tested": bool(np.isfinite(p))}
    return pd.concat([table, pd.DataFrame([line])], ignore_index=True)


def _places(
    blocks: list[Block], subjects: np.ndarray, y: np.ndarray, names: list[str] | None,
    layout: Layout,
) -> dict[str, Any]:
    """Where the slow signal of each window differs most between the classes."""
    positions = _positions(names)
    found = {}
    for window in layout.windows:
        own = [b for b in blocks if b.window == window and b.band == SLOW]
        if not own:
            continue
        channels = np.concatenate([b.channels for b in own])
        values = np.concatenate(
            [b.data.reshape(len(y), len(b.channels), -1) for b in own], axis=1)
        found[window] = place_of(
            values, y, subjects, None if names is None else [names[c] for c in channels],
            None if positions is None else positions[channels],
        )
    return found


def _positions(names: list[str] | None) -> np.ndarray | None:
    """Positions of the electrodes in MNE's standard montage; NaN where a name is not in it."""
    if names is None:
        return None
    montage = standard_montage()
    places, nowhere = montage.get_positions()["ch_pos"], np.full(3, np.nan)
    return np.array([places.get(name, nowhere) for name in spell_electrodes(names, montage)])
