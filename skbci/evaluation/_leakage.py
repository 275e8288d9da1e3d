"""Leakage from test to training rows of a split."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import check_cv
from sklearn.utils.validation import _num_samples

from skbci._checks import check_number, check_splitter
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_values
from skbci._recording.restarts import nearest_distance, refine
from skbci._row_times import known_duration, row_onsets
from skbci._sessions import LEVELS, is_apart, recording_codes
from skbci._typing import Labels, Signals, Splitter
from skbci.evaluation._folds import Fold, make_folds
from skbci.evaluation._leakage_report import LeakageReport

__all__ = ["leakage_report"]

_UNKNOWN = "rows of unknown origin"
_GOES_BACK = (
    " Rows of a recording are not in order of time: if they are of several runs, label them in "
    "the metadata column 'run'."
)
_JOINED = (
    " Onsets begin anew from one row to the next: the rows were taken for those of {} runs. Label "
    "them in the metadata column 'run' to be sure."
)


def leakage_report(
    cv: Splitter,
    X: Signals,
    groups: Labels | None = None,
    onsets: ArrayLike | None = None,
    *,
    y: Labels | None = None,
    window: float | None = None,
) -> LeakageReport:
    """Report leakage from test to training rows in a cross-validation split.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As in `sklearn.model_selection.cross_validate`.
    X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        The data; subject, session, run and onset are read from its row table.
    groups : array-like, shape (n_rows,), optional
        Passed to the splitter. Where X's table knows neither subject nor session nor run, rows of
        different groups are taken to be of different recordings.
    onsets : array-like, shape (n_rows,), optional
        Start of each row in seconds from the start of its run; by default the table's ``onset``.
    y : array-like, shape (n_rows,), optional
        Targets, for splitters that need them.
    window : float, optional
        Length in seconds of the signal that one row was computed from; by default samples over
        sampling rate, where X knows it.

    Returns
    -------
    LeakageReport
        ``folds`` (a DataFrame with a row for each fold), ``verdict`` and ``leaks``.

    Raises
    ------
    ValueError
        If lengths differ or there are no folds.

    See Also
    --------
    confound_report : What the labels can be told from besides the claimed signal.
    skbci.model_selection.PurgedKFold : Blocks of time without overlap.

    Notes
    -----
    Two rows of one recording overlap if their onsets differ by less than the window. Overlap is
    leakage: the score will not hold on new signal. Sharing a subject or a session is not a
    mistake, but it says what the score speaks about: people and sessions already known.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import KFold
    >>> from skbci.evaluation import leakage_report
    >>> from skbci.model_selection import PurgedKFold
    >>> onset = np.arange(60) / 16                      # one second of signal, 16 times a second
    >>> X = np.zeros((60, 96))
    >>> report = leakage_report(KFold(3, shuffle=True, random_state=0), X, onsets=onset, window=1)
    >>> report.leaks
    True
    >>> print(report.verdict)
    LEAKS: in 3 of 3 folds test rows share signal with training rows (100 % of the test rows...
    >>> leakage_report(PurgedKFold(3, window=1), X, onsets=onset, window=1).leaks
    False
    """
    X = as_eeg(X)
    n_rows = int(_num_samples(X))
    labels = _known_labels(X, groups, n_rows)
    length = (
        known_duration(X)
        if window is None
        else check_number(window, "window", "leakage_report", low=0, unit="seconds")
    )
    times = None
    if onsets is not None or row_values(X, "onset") is not None:
        times = row_onsets(X, onsets, n_rows, "leakage_report")
    on_table = any(row_values(X, column) is not None for column in LEVELS)
    labelled = recording_codes(X, n_rows, None if on_table else groups)
    recordings, joined = labelled, ""
    if times is not None:
        recordings = recording_codes(X, n_rows, None if on_table else groups, times)
        if len(np.unique(recordings)) > len(np.unique(labelled)):
            labels["same_run"] = recordings
            joined = _JOINED.format(len(np.unique(recordings)))
        elif _goes_back(recordings, times):
            joined = _GOES_BACK
    lines = [
        {"fold": number, **_fold_line(train, test, labels, times, recordings, length)}
        for number, (train, test) in enumerate(_splits(cv, X, y, groups, onsets))
    ]
    folds = pd.DataFrame(lines)
    folds["verdict"] = [_fold_verdict(line) for line in lines]
    return LeakageReport(folds, _verdict(folds, times is not None, length) + joined, length)


def _goes_back(recordings: np.ndarray, times: np.ndarray) -> bool:
    """Return whether a recording's rows are not in order of time."""
    order = np.argsort(recordings, kind="stable")
    return bool((np.diff(times[order])[np.diff(recordings[order]) == 0] <= 0).any())


def _splits(
    cv: Splitter, X: Signals, y: Labels | None, groups: Labels | None, onsets: ArrayLike | None
) -> list[Fold]:
    splitter = check_cv(check_splitter(cv, "cv", "leakage_report"), y, classifier=y is not None)
    takes_onsets = "onsets" in inspect.signature(splitter.split).parameters
    extra = {"onsets": onsets} if takes_onsets else {}
    return make_folds(splitter, X, y, {"groups": groups, **extra}, "leakage_report")


def _known_labels(X: Signals, groups: Labels | None, n_rows: int) -> dict[str, np.ndarray]:
    """Code each row's subject, session of that subject, run of that session, and group."""
    labels, codes = {}, np.zeros(n_rows, dtype=np.int64)
    for column in LEVELS:
        values = row_values(X, column)
        if values is not None:
            codes = labels[f"same_{column}"] = refine(codes, values)
    if groups is not None:
        values = check_column(groups, n_rows, "groups")
        labels["same_group"] = refine(np.zeros(n_rows, dtype=np.int64), values)
    return labels


def _fold_line(
    train: np.ndarray, test: np.ndarray, labels: dict[str, np.ndarray],
    times: np.ndarray | None, recordings: np.ndarray, length: float | None,
) -> dict[str, Any]:
    repeated = np.isin(test, train)
    line: dict[str, Any] = {
        "n_train": len(train), "n_test": len(test), "in_training": _share(repeated),
    }
    for name, codes in labels.items():
        line[name] = _share(np.isin(codes[test], codes[train]))
    line["overlap"], line["nearest_s"] = np.nan, np.nan
    if times is not None:
        distance = nearest_distance(times, recordings, test, train)
        line["nearest_s"] = float(distance.min(initial=np.inf))
        if length is not None:
            line["overlap"] = _share(~is_apart(distance, length))
    return line


def _share(flags: np.ndarray) -> float:
    return float(np.mean(flags)) if len(flags) else 0.0


def _fold_verdict(line: dict[str, Any]) -> str:
    if line["in_training"] > 0:
        return "leaks: test rows are trained on"
    if line["overlap"] > 0:
        return "leaks: shares signal with training"
    if line.get("same_subject") == 0:
        base = "new subjects"
    elif line.get("same_session") == 0:
        base = "new sessions of known subjects"
    elif line.get("same_run") == 0:
        base = "new runs of known sessions"
    elif line.get("same_run", 0) > 0 or line["nearest_s"] < np.inf:
        base = "other parts of known recordings"
    else:
        base = "new groups" if line.get("same_group") == 0 else _UNKNOWN
    return base if not np.isnan(line["overlap"]) else f"{base}; overlap unknown"


def _verdict(folds: pd.DataFrame, timed: bool, length: float | None) -> str:
    n = len(folds)
    for column, what in (
        ("in_training", "test rows are training rows too"),
        ("overlap", "test rows share signal with training rows"),
    ):
        hit = folds[column] > 0
        if hit.any():
            return (
                f"LEAKS: in {int(hit.sum())} of {n} folds {what} "
                f"({100 * folds[column].max():.0f} % of the test rows in the worst fold). The "
                "decoder is tested on what it was trained on, and its score would not hold on new "
                "signal. Remedy: split with PurgedKFold, SessionSplit or LeaveSubjectsOut."
            )
    if not timed:
        first = ("No test row is trained on, but overlap in time could not be checked: the onsets "
                 "are unknown (pass onsets=..., or an EEGArray with the column 'onset').")
    elif length is None:
        first = ("No test row begins when a training row does, but overlap in time could not be "
                 "checked: the length of a row is unknown (pass window=... seconds).")
    else:
        first = "No test row shares signal with a training row."
        nearest = folds["nearest_s"].min()
        if np.isfinite(nearest):
            first = f"{first[:-1]}; the nearest begin {nearest:.3g} s apart."
    kinds = sorted({text.removesuffix("; overlap unknown") for text in folds["verdict"]})
    if kinds == [_UNKNOWN]:
        return (f"{first} Whose rows they are is unknown, too: pass an EEGArray with the columns "
                "'subject' and 'session'.")
    return f"{first} The score tells what to expect in {' or '.join(kinds)}."
