"""What a step knows of a recording's earlier rows, from one call to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skbci._eegarray.groups import Key
from skbci._eegarray.rows import row_seconds, row_values
from skbci._sessions import LEVELS
from skbci._typing import Signals

__all__ = ["Past"]


class _End(NamedTuple):
    """Where a recording was left."""

    state: Any
    run: Key
    onset: float
    runs: frozenset[Key]


class Past:
    """What a step knows of each recording, and up to when.

    Rows go on with a recording if they begin after its last row, or are of a run that it did not
    have so far; else they are the recording from its beginning. Rows without onsets go on with
    nothing.

    Parameters
    ----------
    by : {"subject", "session", "run"}
        What has a past of its own.

    Attributes
    ----------
    row_by_row : bool
        Whether the step has been found to need no past.
    """

    def __init__(self, by: str = "run") -> None:
        self.by = by
        self.row_by_row = False
        self._ends: dict[Key, _End] = {}

    def forget(self, *, row_by_row: bool = False) -> None:
        """Forget everything; ``row_by_row`` says that the step needs to know nothing."""
        self._ends, self.row_by_row = {}, row_by_row

    def copy(self) -> Past:
        """Return a past that can go on without this one; states are shared.

        Returns
        -------
        Past
        """
        other = Past(self.by)
        other.row_by_row = self.row_by_row
        other._ends = dict(self._ends)
        return other

    def before(self, X: Signals, rows: np.ndarray) -> Any:
        """Return what is known of the recording that these rows go on with.

        Parameters
        ----------
        X : EEGArray or anything
        rows : ndarray of int
            Rows of one recording, in order of time.

        Returns
        -------
        object
            None if they go on with nothing.
        """
        onsets = row_seconds(X)
        if onsets is None or not len(rows):
            return None
        key, run = self._labels(X, rows[0])
        end = self._ends.get(key)
        if end is None:
            return None
        goes_on = onsets[rows[0]] > end.onset if run == end.run else run not in end.runs
        return end.state if goes_on else None

    def note(self, X: Signals, rows: np.ndarray, state: object) -> None:
        """Know something of a recording up to the last of these rows.

        Parameters
        ----------
        X : EEGArray or anything
        rows : ndarray of int
            Rows of one recording, in order of time.
        state : object
            What `before` gives to the rows that follow. Nobody may change it.
        """
        onsets = row_seconds(X)
        if onsets is None or not len(rows):
            return
        runs = {self._labels(X, row)[1] for row in rows} if self.by != "run" else {()}
        if self.before(X, rows) is not None:
            runs |= self._ends[self._labels(X, rows[0])[0]].runs
        key, run = self._labels(X, rows[-1])
        self._ends[key] = _End(state, run, float(onsets[rows[-1]]), frozenset(runs))

    def _labels(self, X: Signals, row: int) -> tuple[Key, Key]:
        """Return the labels of a row's recording, and of its part of it."""
        columns = [row_values(X, name) for name in LEVELS]
        labels = [None if own is None or pd.isna(own[row]) else own[row] for own in columns]
        depth = LEVELS.index(self.by) + 1
        return tuple(labels[:depth]), tuple(labels[depth:])
