"""The result of `confound_report`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from skbci._typing import AxesLike
from skbci.evaluation import _tables
from skbci.evaluation._confounding.picture import draw_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ConfoundReport"]


@dataclass(frozen=True, eq=False)
class ConfoundReport:
    """Sources of the labels, the claimed signal and all others.

    Made by :func:`confound_report`. Printing it gives the findings and the verdict.

    Attributes
    ----------
    table : DataFrame
        One row for each way to decode: ``kind`` ("everything", "cell", "alone", "all but",
        "order", "amplitude", "permuted"), ``name``, ``band``, ``window``, ``group`` ("all" where
        it is not one of them), ``start`` and ``stop`` of the window in seconds, ``n_features``,
        ``accuracy``, ``chance``, ``n_effective`` (number of independent guesses that stray from
        chance as far as this accuracy does under permuted labels), ``threshold`` (accuracy that
        they stay below with probability ``1 - alpha``), ``difference`` with its 95 % confidence
        interval ``ci_low``, ``ci_high`` (paired over units; from everything for "all but", else
        from chance), ``p`` (one-sided, binomial with ``n_effective``), ``tested`` (whether the
        row is none of the claimed signal, and its p-value one of the family) and ``p_holm``.
    findings : DataFrame
        One row for each mechanism found: ``mechanism``, ``band``, ``window``, ``group``,
        ``channels``, ``accuracy``, ``chance``, ``p_holm``, ``verdict``.
    verdict : str
        All findings in words, with remedies.
    notes : list of str
        What could not be looked at, and why.
    chance : float
        Accuracy of guessing on the same folds.
    threshold : float
        Accuracy that guessing stays below with probability ``1 - alpha``: of as many independent
        guesses as there are test rows. The table's thresholds know of folds, and are higher.
    alpha : float
        Probability of any false finding.
    unit : str
        What intervals are paired over: "subject", "group" or "fold".

    See Also
    --------
    LeakageReport : Whether the split leaks.

    Examples
    --------
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.evaluation import confound_report
    >>> data = make_motor_imagery(n_subjects=2, n_sessions=1, n_trials=20, random_state=0)
    >>> report = confound_report(data.X, data.y, n_permutations=0)
    >>> report.confounded
    False
    >>> print(report.verdict)
    No confound found: in none of ... tests could the labels be told from anything but mu and
    beta after the cue.
    """

    table: pd.DataFrame
    findings: pd.DataFrame
    verdict: str
    notes: list[str]
    chance: float
    threshold: float
    alpha: float
    unit: str

    @property
    def confounded(self) -> bool:
        """Return whether anything but the claimed signal tells the labels."""
        return len(self.findings) > 0

    def to_markdown(self, digits: int = 2) -> str:
        """Write the findings, the verdict and the notes in Markdown.

        Parameters
        ----------
        digits : int, default=2
            Decimals of the accuracies.

        Returns
        -------
        str
        """
        header, rows = self._cells(digits)
        return "\n\n".join([_tables.markdown(header, rows), self.verdict, *self.notes])

    def plot(self, axes: AxesLike = None) -> Figure:
        """Draw accuracies by band, window and group of channels, and from other sources.

        Parameters
        ----------
        axes : array of matplotlib Axes, optional
            One for each group of channels, and one more; new ones by default.

        Returns
        -------
        matplotlib Figure
        """
        return draw_report(self, axes)

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return _tables.html_table(*self._cells(2), [self.verdict, *self.notes])

    def _cells(self, digits: int) -> tuple[list[str], list[list[str]]]:
        header = ["decoded from", "accuracy", "chance", "95 % CI", "p (Holm)"]
        shown = self.table[self.table["kind"].isin(["everything", "alone", "order", "amplitude",
                                                    "permuted"])]
        rows = []
        for _, line in shown.iterrows():
            low, high = (_tables.signed(line[c], digits) for c in ("ci_low", "ci_high"))
            rows.append([
                line["name"], _tables.number(line["accuracy"], digits),
                _tables.number(line["chance"], digits), f"[{low}, {high}]",
                _tables.p_value(line["p_holm"], 3) if line["tested"] else "",
            ])
        return header, rows
