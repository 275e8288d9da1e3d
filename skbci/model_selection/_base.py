"""What the splitters share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from skbci._checks.eeg import as_eeg
from skbci._typing import Labels, Signals
from skbci.model_selection._sklearn import GroupsConsumerMixin

Fold = tuple[np.ndarray, np.ndarray]


class EEGSplitter(GroupsConsumerMixin, BaseCrossValidator):
    """A splitter that requests ``groups`` and reads X's row table where none are passed.

    Children implement ``_iter_folds``, which yields (train, test) row indices.
    """

    def split(
        self, X: Signals, y: Labels | None = None, groups: Labels | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the folds.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data; its row table is read where ``groups`` is None.
        y : array-like, shape (n_rows,), optional
            The targets.
        groups : array-like, shape (n_rows,), optional
            One label for each row, as the class's docstring says.

        Yields
        ------
        train, test : ndarray of int
            Row indices.
        """
        yield from self._checked_folds(X, y, groups)

    def _checked_folds(
        self, X: Signals, y: Labels | None, groups: Labels | None, **where: Any
    ) -> Iterator[Fold]:
        X = as_eeg(X)
        if X is not None and y is not None:
            check_consistent_length(X, y)
        for number, (train, test) in enumerate(self._iter_folds(X, y, groups, **where)):
            for side, rows in (("training", train), ("test", test)):
                if len(rows) == 0:
                    raise ValueError(
                        f"{type(self).__name__}: fold {number} has no {side} rows; "
                        f"{self._empty_hint()}"
                    )
            yield train, test

    def _empty_hint(self) -> str:
        return "use fewer folds or give it more data."

    def _iter_folds(
        self, X: Signals, y: Labels | None, groups: Labels | None, **where: Any
    ) -> Iterator[Fold]:
        raise NotImplementedError


class TimedSplitter(EEGSplitter):
    """A splitter that requests the rows' ``onsets`` too."""

    __metadata_request__split = {"groups": True, "onsets": True}

    def split(
        self, X: Signals, y: Labels | None = None, groups: Labels | None = None,
        onsets: ArrayLike | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the folds.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data; its row table is read where ``groups`` or ``onsets`` is None.
        y : array-like, shape (n_rows,), optional
            The targets.
        groups : array-like, shape (n_rows,), optional
            One label for each row, as the class's docstring says.
        onsets : array-like, shape (n_rows,), optional
            Start of each row in seconds from the start of its run.

        Yields
        ------
        train, test : ndarray of int
            Row indices.
        """
        yield from self._checked_folds(X, y, groups, onsets=onsets)
