"""Every fold inside one subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator, KFold, StratifiedKFold
from sklearn.utils.multiclass import type_of_target

from skbci._checks import check_count, check_list, check_seed, refusal
from skbci._checks.eeg import as_eeg
from skbci._eegarray.rows import rows_by_label
from skbci._typing import Labels, Seed, Signals
from skbci.model_selection._base import EEGSplitter, Fold
from skbci.model_selection._row_labels import row_labels
from skbci.model_selection._sklearn import rows_of

if TYPE_CHECKING:
    from sklearn.model_selection import BaseCrossValidator

__all__ = ["WithinSubject"]


class WithinSubject(EEGSplitter):
    """Apply a splitter inside each subject: train and test rows are one person's.

    The folds of the first subject come first, then those of the second, and so on; the subjects
    are in sorted order.

    Parameters
    ----------
    cv : int or splitter, default=5
        An integer means that many shuffled, stratified folds (`StratifiedKFold`; `KFold` where y
        is continuous or absent). A splitter is used as it is; it sees the subject's rows of X
        with their row table, so that ``WithinSubject(PurgedKFold(5))`` works.
    by : str or sequence of str, default="subject"
        Column, or columns, of X's row table that the rows are separated by where no ``groups``
        are passed. ``by=("subject", "session")`` evaluates within sessions.
    inner_by : str, optional
        Column of X's row table that is passed to the inner splitter as its ``groups``, such as
        ``"run"`` for `sklearn.model_selection.LeaveOneGroupOut`.
    random_state : int, RandomState or None, default=0
        Seeds the shuffling of an integer ``cv``.

    See Also
    --------
    LeaveSubjectsOut : New people.
    SessionSplit : Earlier sessions against a later one.

    Notes
    -----
    ``groups`` are the subject labels. The default seed is fixed so that two evaluations share
    their folds unless they ask for other ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.model_selection import WithinSubject
    >>> X = EEGArray(np.zeros((8, 3)), {"subject": np.repeat([1, 2], 4)})
    >>> y = np.tile([0, 1], 4)
    >>> for train, test in WithinSubject(2).split(X, y):
    ...     print(train, test)
    [0 3] [1 2]
    [1 2] [0 3]
    [4 7] [5 6]
    [5 6] [4 7]
    """

    def __init__(
        self,
        cv: int | BaseCrossValidator = 5,
        *,
        by: str | Sequence[str] = "subject",
        inner_by: str | None = None,
        random_state: Seed = 0,
    ) -> None:
        self.cv = cv
        self.by = by
        self.inner_by = inner_by
        self.random_state = random_state

    def get_n_splits(
        self, X: Signals | None = None, y: Labels | None = None, groups: Labels | None = None
    ) -> int:
        """Count the folds: the inner splitter's, summed over the subjects.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data. May be None where ``groups`` are given.
        y : array-like, shape (n_rows,), optional
            The targets.
        groups : array-like, shape (n_rows,), optional
            Subject labels; without them X's row table is read.

        Returns
        -------
        int
        """
        return sum(
            inner.get_n_splits(part, targets, groups=labels)
            for _, _, inner, part, targets, labels in self._parts(as_eeg(X), y, groups)
        )

    def _iter_folds(
        self, X: Signals, y: Labels | None, groups: Labels | None, **where: Any
    ) -> Iterator[Fold]:
        for subject, rows, inner, part, targets, labels in self._parts(X, y, groups):
            try:
                for train, test in inner.split(part, targets, groups=labels):
                    yield rows[train], rows[test]
            except ValueError as error:
                raise ValueError(
                    f"{type(self).__name__}: subject {subject} ({len(rows)} rows): {error}"
                ) from error

    def _parts(
        self, X: Signals, y: Labels | None, groups: Labels | None
    ) -> Iterator[tuple[Any, ...]]:
        who = type(self).__name__
        by = (self.by,) if isinstance(self.by, str) else tuple(
            check_list(self.by, "by", who, "columns")
        )
        labels = row_labels(X, groups, by, who)
        inner_labels = None
        if self.inner_by is not None:
            if not isinstance(self.inner_by, str):
                because = "must be a column of X's table, or None"
                raise TypeError(refusal(self.inner_by, "inner_by", who, because))
            inner_labels = row_labels(X, None, (self.inner_by,), f"{who}(inner_by=...)")
        if not (hasattr(self.cv, "split") and hasattr(self.cv, "get_n_splits")):
            check_count(self.cv, "cv", who, low=2, also="a splitter; ready folds cannot be "
                        "applied inside each subject")
        check_seed(self.random_state, "random_state", who)
        for subject, rows in rows_by_label(labels, "subject labels").items():
            part = np.zeros((len(rows), 1)) if X is None else rows_of(X, rows)
            targets = None if y is None else rows_of(y, rows)
            own = None if inner_labels is None else inner_labels[rows]
            yield subject, rows, self._inner(targets), part, targets, own

    def _inner(self, y: Labels | None) -> BaseCrossValidator:
        if hasattr(self.cv, "get_n_splits"):
            return self.cv
        stratify = y is not None and type_of_target(y) in ("binary", "multiclass")
        folds = StratifiedKFold if stratify else KFold
        return folds(int(self.cv), shuffle=True, random_state=self.random_state)
