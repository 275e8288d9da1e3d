"""Checks of the input of `confound_report`, and its folds."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, check_cv

from skbci._checks import (
    check_count,
    check_distinct,
    check_list,
    check_names,
    check_number,
    check_splitter,
    refusal,
)
from skbci._checks.eeg import as_eeg, check_flat_channels
from skbci._checks.frequencies import resolve_sfreq
from skbci._checks.kinds import refuse_kinds
from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_seconds, row_values
from skbci._sessions import recording_codes
from skbci._typing import Labels, Names, Signals, Splitter
from skbci.eegarray import EEGArray
from skbci.evaluation._confounding.scores import Trial, independent_rows
from skbci.evaluation._confounding.views import BANDS, BEFORE, Layout
from skbci.evaluation._folds import Fold, make_folds, warn_of_trained_rows


def as_array(X: Signals) -> Any:
    """Take the eye channels of `mne.Epochs` too: they are what this report asks about."""
    if isinstance(X, mne.BaseEpochs):
        picks = mne.pick_types(X.info, meg=True, eeg=True, eog=True, ecog=True, seeg=True,
                               dbs=True, fnirs=True, exclude="bads")
        return EEGArray.from_epochs(X, picks)
    return as_eeg(X)


def check_signal(
    X: Signals, sfreq: float | None, ch_names: Names | None, tmin: float | None
) -> tuple[np.ndarray, float, list[str] | None, float]:
    """Check the epochs; return them with rate, channel names and the time of the first sample."""
    refuse_kinds(X, "X", "confound_report")
    try:
        data = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("confound_report: X must hold numbers.") from None
    if data.ndim != 3:
        raise ValueError(
            f"confound_report needs X as epochs of shape (n_rows, n_channels, n_times), got "
            f"{data.ndim}-D input of shape {data.shape}."
        )
    if not np.isfinite(data).all():
        raise ValueError("confound_report: X has NaN or infinite samples.")
    rate = resolve_sfreq(sfreq, X, "confound_report")
    names = X.ch_names if isinstance(X, EEGArray) else None
    if ch_names is not None:
        names = check_names(ch_names, "ch_names", "confound_report")
        check_distinct(names, "ch_names", "confound_report")
    if names is not None and len(names) != data.shape[1]:
        raise ValueError(f"ch_names has {len(names)} names, but X has {data.shape[1]} channels.")
    check_flat_channels(data, names)
    if tmin is None:
        tmin = X.tmin if isinstance(X, EEGArray) else 0.0
    tmin = check_number(tmin, "tmin", "confound_report", unit="seconds")
    if data.shape[-1] < 0.25 * rate:
        raise ValueError(
            f"confound_report: rows of {data.shape[-1]} samples at {rate:g} Hz are shorter than "
            "0.25 s; give whole epochs."
        )
    return data, rate, names, float(tmin)


def check_settings(alpha: float, claimed: object, n_permutations: int) -> tuple[float, int]:
    """Check the report's own parameters."""
    alpha = check_number(alpha, "alpha", "confound_report", low=0, high=1, closed="neither")
    of = f"bands among {list(BANDS)}"
    if not all(isinstance(band, str) and band in BANDS
               for band in check_list(claimed, "claimed", "confound_report", of)):
        raise ValueError(refusal(claimed, "claimed", "confound_report",
                                 f"must be a list of {of}"))
    return alpha, check_count(n_permutations, "n_permutations", "confound_report", low=0)


def who_from(X: Signals, groups: Labels | None, n_rows: int) -> tuple[np.ndarray | None, str]:
    """Number of each row's subject, or None where nothing is known."""
    known: Labels | None = row_values(X, "subject")
    name = "subject"
    if known is None and groups is not None:
        known, name = groups, "group"
    if known is None:
        return None, "fold"
    return pd.factorize(check_column(known, n_rows, f"{name} labels"))[0], name


def note_one_label(
    labels: np.ndarray, subjects: np.ndarray | None, unit: str, notes: list[str]
) -> bool:
    """Note subjects whose rows are of one label; return whether all are such."""
    if subjects is None:
        return False
    counts = pd.Series(labels).groupby(subjects).nunique()
    alone = int((counts == 1).sum())
    if alone:
        notes.append(f"{alone} of {len(counts)} {unit}s have rows of one label only: centred by "
                     f"{unit}, as features are, these rows do not tell it.")
    return alone == len(counts)


def usable_folds(
    cv: Splitter, X: Signals, y: np.ndarray, groups: Labels | None, subjects: np.ndarray | None,
    notes: list[str],
) -> list[Fold]:
    """Return the folds that have two classes to train on, and note how many have not."""
    if cv is None and subjects is not None and (n := len(np.unique(subjects))) > 1:
        folds = make_folds(GroupKFold(min(6, n)), X, y, {"groups": subjects}, "confound_report")
    else:
        cv = check_cv(check_splitter(cv, "cv", "confound_report"), y, classifier=True)
        folds = make_folds(cv, X, y, {"groups": groups}, "confound_report")
    warn_of_trained_rows(folds, "confound_report")
    usable = [fold for fold in folds if len(np.unique(y[fold[0]])) > 1]
    if len(usable) < len(folds):
        notes.append(f"{len(folds) - len(usable)} of {len(folds)} folds were left out: their "
                     "training rows have one class only.")
    if not usable:
        raise ValueError("confound_report: no fold has two classes among its training rows.")
    return usable


def make_trial(
    X: Signals, y: np.ndarray, folds: list[Fold], subjects: np.ndarray | None
) -> tuple[Trial, float]:
    """Labels and folds with the number of independent rows, and the accuracy of guessing."""
    tested = np.unique(np.concatenate([test for _, test in folds]))
    window = X.window if isinstance(X, EEGArray) else None
    count = independent_rows(tested, row_seconds(X), recording_codes(X, len(y)), window)
    several = subjects is not None and len(np.unique(subjects[tested])) > 1
    hits = np.concatenate([y[test] == np.bincount(y[train]).argmax() for train, test in folds])
    # Guessing is never counted as worse than an even draw among the classes.
    chance = max(float(hits.mean()), 1 / len(np.unique(y)))
    return Trial(y, folds, subjects if several else None, count), chance


def note_layout(
    layout: Layout, names: list[str] | None, n_channels: int, notes: list[str]
) -> None:
    """Note which channels and times could not be looked at."""
    if not layout.groups:
        why = "there are no channel names (pass ch_names=...)" if names is None else (
            "no channel name is of the 10-05 system")
        notes.append(f"Channels were not told apart by region: {why}.")
    else:
        placed = sum(map(len, layout.groups.values()))
        if placed < n_channels:
            notes.append(f"{n_channels - placed} of {n_channels} channels are in no region: their "
                         "names are not of the 10-05 system.")
    if BEFORE not in layout.windows:
        notes.append("The epochs have no part before the cue, which could not be looked at: cut "
                     "them from a second before it on (tmin=-1).")
