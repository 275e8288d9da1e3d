"""Test on people the decoder has never seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from skbci._checks import check_count, check_seed
from skbci._docs import fill_references
from skbci._eegarray.rows import rows_by_label
from skbci._typing import Labels, Seed, Signals
from skbci.model_selection._base import EEGSplitter, Fold
from skbci.model_selection._row_labels import row_labels

__all__ = ["LeaveSubjectsOut"]


@fill_references
class LeaveSubjectsOut(EEGSplitter):
    """Train on some subjects, test on others.

    With ``test_subjects=None`` the subjects are divided into ``n_splits`` parts and each part is
    the test set once, as in `GroupKFold`, but with equal numbers of subjects. With a number,
    ``n_splits`` different sets of that many test subjects are drawn at random: the evaluation of
    the HJB eye-state study is four draws of 5 test subjects out of 20.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds or draws.
    test_subjects : int, optional
        Number of test subjects in each random draw. None: a partition of all subjects.
    random_state : int, RandomState or None, default=None
        Seeds the draws. For a partition: None keeps the subjects' sorted order, anything else
        shuffles them first.

    See Also
    --------
    WithinSubject : Folds inside each subject.
    SessionSplit : Earlier sessions against a later one.

    Notes
    -----
    ``groups`` are the subject labels; without them the ``subject`` column of X's row table is
    read. Draws with ``random_state=None`` differ from call to call, as in `ShuffleSplit`, and
    leave numpy's global seed alone.

    References
    ----------
    .. [1] %(hjb_paper)s, section IV.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.model_selection import LeaveSubjectsOut
    >>> subject = np.repeat(["S1", "S2", "S3", "S10"], 2)
    >>> for train, test in LeaveSubjectsOut(2).split(np.zeros((8, 3)), groups=subject):
    ...     print(np.unique(subject[train]), np.unique(subject[test]))
    ['S10' 'S3'] ['S1' 'S2']
    ['S1' 'S2'] ['S10' 'S3']
    """

    def __init__(
        self, n_splits: int = 5, test_subjects: int | None = None, *, random_state: Seed = None
    ) -> None:
        self.n_splits = n_splits
        self.test_subjects = test_subjects
        self.random_state = random_state

    @property
    def shuffle(self) -> bool:
        """Whether subjects are drawn; scikit-learn's searches by halving ask for it."""
        return self.test_subjects is not None or self.random_state is not None

    def get_n_splits(
        self, X: Signals | None = None, y: Labels | None = None, groups: Labels | None = None
    ) -> int:
        """Return ``n_splits``.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        int
        """
        return self.n_splits

    def _iter_folds(
        self, X: Signals, y: Labels | None, groups: Labels | None, **where: Any
    ) -> Iterator[Fold]:
        labels = row_labels(X, groups, ("subject",), type(self).__name__)
        rows = list(rows_by_label(labels, "subject labels").values())
        for chosen in self._test_sets(len(rows)):
            test = np.sort(np.concatenate([rows[subject] for subject in chosen]))
            yield np.setdiff1d(np.arange(len(labels)), test), test

    def _test_sets(self, n_subjects: int) -> list[np.ndarray]:
        who = type(self).__name__
        drawing = self.test_subjects is not None
        n_splits = check_count(self.n_splits, "n_splits", who, low=1 if drawing else 2)
        random = None
        if self.random_state is not None:
            random = check_seed(self.random_state, "random_state", who)
        if not drawing:
            if n_subjects < n_splits:
                raise ValueError(
                    f"{who}: n_splits={n_splits} folds need at least as many subjects, got "
                    f"{n_subjects}."
                )
            order = np.arange(n_subjects) if random is None else random.permutation(n_subjects)
            return np.array_split(order, n_splits)
        n_test = check_count(self.test_subjects, "test_subjects", who)
        if n_test >= n_subjects:
            raise ValueError(
                f"{who}: test_subjects={n_test} leaves no training subject: there are "
                f"{n_subjects} subjects."
            )
        possible = math.comb(n_subjects, n_test)
        if n_splits > possible:
            raise ValueError(
                f"{who}: n_splits={n_splits} different draws of {n_test} out of {n_subjects} "
                f"subjects do not exist; there are {possible}."
            )
        return _distinct_draws(random or np.random.RandomState(), n_subjects, n_test, n_splits)


def _distinct_draws(
    random: np.random.RandomState, n_subjects: int, n_test: int, n_splits: int
) -> list[np.ndarray]:
    draws: dict[tuple[int, ...], np.ndarray] = {}
    while len(draws) < n_splits:
        chosen = np.sort(random.permutation(n_subjects)[:n_test])
        draws.setdefault(tuple(chosen), chosen)
    return list(draws.values())
