"""The result of `leakage_report`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from skbci.evaluation import _tables

__all__ = ["LeakageReport"]


@dataclass(frozen=True, eq=False)
class LeakageReport:
    """The leakage from test to training rows in a split.

    Made by :func:`leakage_report`. Printing it gives a table and the verdict.

    Attributes
    ----------
    folds : DataFrame
        One row for each fold: ``fold``, ``n_train``, ``n_test``; shares of the test rows, from 0
        to 1: ``in_training`` (the row itself is trained on), ``same_subject``, ``same_session``,
        ``same_run``, ``same_group`` (someone else of it is trained on; only those that are
        known), ``overlap`` (shares signal with a training row; NaN where it cannot be known);
        ``nearest_s``, the smallest distance in seconds between the onsets of a test and a
        training row of one recording (infinite where they share no recording, NaN where onsets
        are unknown); and the fold's ``verdict``.
    verdict : str
        All folds in one sentence.
    window : float or None
        Length of a row in seconds.

    See Also
    --------
    ConfoundReport : What else could have told the labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.evaluation import leakage_report
    >>> from skbci.model_selection import LeaveSubjectsOut
    >>> table = {"subject": np.repeat([1, 2], 5), "onset": np.tile(np.arange(5) * 4.0, 2)}
    >>> X = EEGArray(np.zeros((10, 3, 200)), table, sfreq=100)
    >>> print(leakage_report(LeaveSubjectsOut(2), X).verdict)
    No test row shares signal with a training row. The score tells what to expect in new subjects.
    """

    folds: pd.DataFrame
    verdict: str
    window: float | None

    @property
    def leaks(self) -> bool:
        """Return whether a test row is trained on, or shares signal with a training row."""
        return bool((self.folds["in_training"] > 0).any() or (self.folds["overlap"] > 0).any())

    def to_markdown(self, digits: int = 2) -> str:
        """Write the table and the verdict in Markdown.

        Parameters
        ----------
        digits : int, default=2
            Decimals of the shares and seconds.

        Returns
        -------
        str
        """
        header, rows = self._cells(digits)
        return "\n\n".join([_tables.markdown(header, rows), self.verdict])

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return _tables.html_table(*self._cells(2), [self.verdict])

    def _cells(self, digits: int) -> tuple[list[str], list[list[str]]]:
        columns = list(self.folds.columns)
        rows = []
        for line in self.folds.itertuples(index=False):
            row = []
            for column, value in zip(columns, line):
                exact = isinstance(value, (str, int)) or column in ("fold", "n_train", "n_test")
                row.append(str(value) if exact else _cell(float(value), digits))
            rows.append(row)
        return columns, rows


def _cell(value: float, digits: int) -> str:
    return "none" if math.isinf(value) else _tables.number(value, digits)
