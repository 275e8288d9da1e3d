"""Train on earlier sessions, test on a later one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skbci._checks import check_count, check_flag, check_list, check_number, shown
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_column
from skbci._docs import fill_references
from skbci._eegarray.rows import row_values, rows_by_label
from skbci._row_times import row_duration, row_onsets
from skbci._sessions import earlier_first, row_column
from skbci._typing import Label, Labels, Signals
from skbci.model_selection._base import Fold, TimedSplitter
from skbci.model_selection._row_labels import count_rows, row_labels
from skbci.model_selection._session_clock import SessionClock

__all__ = ["SessionSplit"]

# A test session, the rows to train on, and each subject's rows of the session.
Plan = tuple[Label, np.ndarray, dict[Label, np.ndarray]]


@fill_references
class SessionSplit(TimedSplitter):
    """Train on a subject's earlier sessions, test on a later one.

    By default each session after the first is tested once, by what was trained on all sessions
    before it: 1 -> 2, 1+2 -> 3, 1+2+3 -> 4. Where X's row table has subjects, this is done for
    each of them in turn.

    Parameters
    ----------
    calibration : float, default=0.0
        The first so many seconds of the test session join the training side, as the last of its
        rows and in order of time; the rest of the session is tested.
    test_sessions : label or sequence of labels, optional
        Test only on these sessions.
    min_train_sessions : int, default=1
        Test only on sessions with at least so many sessions before them.
    pairs : sequence of (train sessions, test session), optional
        Exactly these splits, in this order, such as ``[((1,), 2), ((1,), 3), ((1, 2), 3)]``.
        Replaces ``test_sessions`` and ``min_train_sessions``; the order of the sessions is then
        the caller's business.
    window : float, optional
        Length in seconds of the signal that one row was computed from; needed only for
        ``calibration``. None: samples over sampling rate, where X knows them.
    within_subject : bool, default=True
        False pools the subjects: a split trains on all subjects' earlier sessions and tests on
        all their later ones. Subjects with other sessions get splits of their own.

    See Also
    --------
    LeaveSubjectsOut : New people.
    PurgedKFold : Blocks of time inside a recording.

    Notes
    -----
    ``groups`` are the session labels, by default the column ``session`` of X's row table. Which
    of a subject's sessions is the earlier one is read from the order of an ordered
    `pandas.Categorical`; else from numbers in the labels (S2 comes before S10); else from the
    order of the rows, where each session's rows are together; else it is an error.

    Calibration is counted from the onset of the test session's first row; several runs of a
    session are laid end to end. A window that begins before the end of the calibration and ends
    after it goes to neither side, so that no test row shares signal with a training row.

    References
    ----------
    .. [1] %(hjb_paper)s, section III.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.model_selection import SessionSplit
    >>> session = np.repeat([1, 2, 3], 3)
    >>> for train, test in SessionSplit().split(np.zeros((9, 2)), groups=session):
    ...     print(train, test)
    [0 1 2] [3 4 5]
    [0 1 2 3 4 5] [6 7 8]

    The first two seconds of the test session calibrate:

    >>> onset = np.tile([0.0, 1.0, 2.0], 3)
    >>> cv = SessionSplit(pairs=[((1,), 3)], calibration=2, window=1)
    >>> for train, test in cv.split(np.zeros((9, 2)), groups=session, onsets=onset):
    ...     print(train, test)
    [0 1 2 6 7] [8]
    """

    def __init__(
        self,
        *,
        calibration: float = 0.0,
        test_sessions: Any = None,
        min_train_sessions: int = 1,
        pairs: Sequence[tuple[Sequence[Any], Any]] | None = None,
        window: float | None = None,
        within_subject: bool = True,
    ) -> None:
        self.calibration = calibration
        self.test_sessions = test_sessions
        self.min_train_sessions = min_train_sessions
        self.pairs = pairs
        self.window = window
        self.within_subject = within_subject

    def get_n_splits(
        self, X: Signals | None = None, y: Labels | None = None, groups: Labels | None = None,
        onsets: ArrayLike | None = None,
    ) -> int:
        """Count the splits of all subjects.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data. May be None where ``groups`` are given.
        y : object
            Ignored, exists for compatibility.
        groups : array-like, shape (n_rows,), optional
            Session labels; without them X's row table is read.
        onsets : object
            Ignored, exists for compatibility.

        Returns
        -------
        int
        """
        return len(self._plan(as_eeg(X), groups))

    def _iter_folds(
        self, X: Signals, y: Labels | None, groups: Labels | None, **where: Any
    ) -> Iterator[Fold]:
        who = type(self).__name__
        seconds = check_number(self.calibration, "calibration", who, low=0, unit="seconds")
        plan = self._plan(X, groups)
        if seconds == 0:
            for _, train, test in plan:
                yield train, np.concatenate(list(test.values()))
            return
        why = f"{who} with calibration={seconds:g}"
        n_rows = count_rows(X, groups, who)
        clock = SessionClock.from_rows(
            X, row_onsets(X, where.get("onsets"), n_rows, why), row_duration(X, self.window, why)
        )
        for name, train, test in plan:
            sides = []
            for subject, rows in test.items():
                session = f"session {name}" + _of(subject)
                sides.append(clock.divide(rows, seconds, session))
            early, late = zip(*sides)
            yield np.concatenate([train, *early]), np.concatenate(late)

    def _plan(
        self, X: Signals, groups: Labels | None
    ) -> list[Plan]:
        """List the splits: test session, training rows, test rows of each subject."""
        who = type(self).__name__
        row_labels(X, groups, ("session",), who)  # checks them
        given = row_column(X, "session") if groups is None else groups
        sessions = pd.Series(given).reset_index(drop=True)
        subjects = row_values(X, "subject")
        if subjects is None:
            persons: dict[Label, np.ndarray] = {None: np.arange(len(sessions))}
        else:
            subjects = check_column(subjects, len(sessions), "metadata column 'subject'")
            persons = rows_by_label(subjects, "subject labels")
        owned = {
            subject: {
                name: rows[at]
                for name, at in earlier_first(sessions.iloc[rows], "session labels").items()
            }
            for subject, rows in persons.items()
        }
        plans = [
            (subject, train, test)
            for subject, own in owned.items()
            for train, test in self._pairs(list(own), _of(subject))
        ]
        if check_flag(self.within_subject, "within_subject", who) or subjects is None:
            return [
                (test, np.concatenate([owned[subject][s] for s in train]),
                 {subject: owned[subject][test]})
                for subject, train, test in plans
            ]
        return _pool(owned, plans)

    def _pairs(self, sessions: list[Label], of: str) -> list[tuple[list[Label], Label]]:
        """Return training and test sessions of one subject's splits."""
        who = type(self).__name__
        if self.pairs is not None:
            pairs = check_list(self.pairs, "pairs", who, "(train sessions, test session)")
            return [self._check_pair(pair, sessions, of) for pair in pairs]
        least = check_count(self.min_train_sessions, "min_train_sessions", who)
        if len(sessions) <= least:
            raise ValueError(
                f"{who}: {len(sessions)} session(s){of} ({sessions}) cannot be split into "
                f"{least} to train on and a later one to test on. Sessions are the column "
                "'session' of the rows' table (read_epochs(session=...)), or groups=..."
            )
        chosen = sessions[least:]
        if self.test_sessions is not None:
            scalar = isinstance(self.test_sessions, str) or np.ndim(self.test_sessions) == 0
            one = getattr(self.test_sessions, "item", lambda: self.test_sessions)
            chosen = [one()] if scalar else list(self.test_sessions)
            if not chosen:
                raise ValueError(f"{who}: test_sessions is empty; name one, or pass None.")
            if twice := _twice(chosen):
                raise ValueError(f"{who}: test_sessions names session {shown(twice[0])} twice.")
        for name in chosen:
            if name not in sessions[least:]:
                raise ValueError(
                    f"{who}: test_sessions: session {shown(name)}{of} needs at least "
                    f"{least} session(s) before it; the sessions there are, in order: {sessions}."
                )
        return [(sessions[: sessions.index(name)], name) for name in chosen]

    def _check_pair(self, pair: Any, sessions: list[Label], of: str) -> tuple[list[Label], Label]:
        who = type(self).__name__
        try:
            train, test = pair
        except (TypeError, ValueError):
            raise ValueError(
                f"{who}: {pair!r} in pairs is not a pair (train sessions, test session), such as "
                "((1, 2), 3)."
            ) from None
        scalar = isinstance(train, str) or np.ndim(train) == 0
        train = [train] if scalar else list(train)
        absent = [name for name in (*train, test) if name not in sessions]
        if absent or not train:
            raise ValueError(
                f"{who}: pair {pair!r} names {'no training session' if not train else absent}; "
                f"the sessions{of} are {sessions}."
            )
        if test in train:
            raise ValueError(f"{who}: pair {pair!r} tests on a session that it trains on.")
        if twice := _twice(train):
            raise ValueError(f"{who}: pair {pair!r} trains on session {twice[0]!r} twice.")
        return train, test


def _twice(names: list[Label]) -> list[Label]:
    """Names that come more than once; a session is no two."""
    return [name for at, name in enumerate(names) if name in names[:at]]


def _of(subject: Label) -> str:
    return "" if subject is None else f" of subject {subject}"


def _pool(
    owned: dict[Label, dict[Label, np.ndarray]], plans: list[tuple[Label, list[Label], Label]]
) -> list[Plan]:
    """Join the splits of all subjects that test on the same session after the same ones."""
    joined: dict[tuple[tuple[Label, ...], Label], list[Label]] = {}
    for subject, train, test in plans:
        joined.setdefault((tuple(train), test), []).append(subject)
    return [
        (test,
         np.concatenate([owned[p][s] for s in train for p in persons]),
         {p: owned[p][test] for p in persons})
        for (train, test), persons in joined.items()
    ]
