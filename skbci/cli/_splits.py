"""Splits by name."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from skbci.cli._words import UsageError

__all__ = ["SPLITS", "check_split", "make_split"]

SPLITS = {
    "within-session": "shuffled folds inside each session of each subject",
    "within-subject": "shuffled folds inside each subject, its sessions together",
    "leave-sessions-out": "training on a subject's earlier sessions, testing on a later one",
    "leave-subjects-out": "testing on people who are in no training set",
}


def check_split(name: str) -> None:
    """Refuse a name that no split has.

    Raises
    ------
    UsageError
        If the name is unknown; the message lists those there are.
    """
    if name not in SPLITS:
        raise UsageError(f"--split {name}: no such split; they are {', '.join(SPLITS)}.")


def make_split(name: str, folds: int, n_subjects: int, n_sessions: int = 2) -> BaseEstimator:
    """Make a splitter by its name.

    Parameters
    ----------
    name : str
        A key of ``SPLITS``.
    folds : int
        Folds inside a session or subject; parts that the subjects are divided into, at most one
        for each of them.
    n_subjects : int
    n_sessions : int, default=2
        Sessions of the subject with the fewest.

    Raises
    ------
    UsageError
        If the name is unknown.
    ValueError
        If subjects or sessions are to be left out of a single one.
    """
    from skbci.model_selection import LeaveSubjectsOut, SessionSplit, WithinSubject

    check_split(name)
    if name == "within-session":
        return WithinSubject(folds, by=("subject", "session"))
    if name == "within-subject":
        return WithinSubject(folds)
    if name == "leave-sessions-out":
        if n_sessions < 2:
            raise ValueError("--split leave-sessions-out needs two sessions or more of each "
                             "subject, to test on a later one. File names such as "
                             "sub-01_ses-2_eeg.edf say which session it is.")
        return SessionSplit()
    if n_subjects < 2:
        raise ValueError("--split leave-subjects-out needs recordings of two subjects or more; "
                         "all epochs are of one. File names such as sub-01_eeg.edf say who it is.")
    return LeaveSubjectsOut(min(folds, n_subjects))
