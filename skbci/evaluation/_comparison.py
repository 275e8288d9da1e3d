"""The result of `compare`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from skbci.evaluation import _tables
from skbci.evaluation._moabb_table import MoabbTables

__all__ = ["Comparison"]


@dataclass(frozen=True, eq=False)
class Comparison(MoabbTables):
    """Scores of several pipelines on the same folds, with paired tests.

    Made by :func:`compare`. Printing it gives a table, a notebook shows it.

    Attributes
    ----------
    summary : DataFrame, indexed by pipeline
        ``mean`` and ``sd`` of the score over the units, further metrics by name (mean over the
        folds), ``n`` units, ``folds``, mean ``fit_s`` and ``predict_s`` of a fold in seconds.
    folds : DataFrame
        One row for each pipeline and fold: ``pipeline``, ``fold``, ``score``, further metrics by
        name, ``fit_s``, ``predict_s``, ``n_train``, ``n_test``.
    subjects : DataFrame, shape (n_subjects, n_pipelines)
        Mean score of each subject over the folds that tested it; no rows where the subjects are
        not known.
    tests : DataFrame, indexed by pipeline
        Every pipeline but the baseline against the baseline: ``n`` units, mean ``difference`` with
        its 95 % confidence interval (``ci_low``, ``ci_high``), ``p_wilcoxon`` and ``p_t`` with
        their Holm-corrected values (``p_wilcoxon_holm``, ``p_t_holm``), and the effect sizes
        ``d_z`` (Cohen) and ``rank_biserial``. No rows without a baseline.
    metric : str
        Name of the score.
    unit : str
        What the scores are averaged and paired over: ``"subject"`` (or the ``by`` that was
        passed) where more than one was tested, else ``"fold"``.
    baseline : str or None
        The pipeline that the others are tested against.
    chance : float
        Mean score of ``DummyClassifier(strategy="prior")`` (or `DummyRegressor`) on the same
        folds; for the accuracy at least that of the one class that is most frequent in them all.
        NaN where the metric cannot score it. It is a mean, not a threshold: how far a pipeline
        without any signal strays from it is for a test to say.
    chance_bound : float
        Of MOABB's results: the accuracy that a guesser exceeds in one of twenty sessions only, by
        the binomial distribution over a session's test rows. NaN where that is not known.

    See Also
    --------
    skbci.display.ComparisonDisplay : The picture of it.

    Examples
    --------
    >>> from skbci.baselines import csp_lda, riemann_mdm
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.evaluation import compare
    >>> from skbci.model_selection import LeaveSubjectsOut
    >>> eeg = make_motor_imagery(n_subjects=3, n_sessions=1, n_trials=12, random_state=0)
    >>> result = compare({"CSP": csp_lda(2), "MDM": riemann_mdm()}, eeg.X, eeg.y,
    ...                  cv=LeaveSubjectsOut(3), baseline="CSP", progress=False)
    >>> result.subjects.shape, result.unit, result.tests.index.tolist()
    ((3, 2), 'subject', ['MDM'])
    """

    summary: pd.DataFrame
    folds: pd.DataFrame
    subjects: pd.DataFrame
    tests: pd.DataFrame
    metric: str
    unit: str
    baseline: str | None
    chance: float
    chance_bound: float = math.nan

    def unit_scores(self) -> pd.DataFrame:
        """Return the scores that the summary averages.

        Returns
        -------
        DataFrame, shape (n_units, n_pipelines)
            ``subjects`` where the unit is a subject, else one row for each fold.
        """
        if self.unit != "fold":
            return self.subjects
        wide = self.folds.pivot(index="fold", columns="pipeline", values="score")
        return wide[list(self.summary.index)]

    def to_markdown(self, digits: int = 3) -> str:
        """Write the table in Markdown.

        Parameters
        ----------
        digits : int, default=3
            Decimals of scores and p-values.

        Returns
        -------
        str
            The table and a line that says what its numbers are.
        """
        header, rows = self._cells(digits)
        return "\n\n".join([_tables.markdown(header, rows), *self._notes(digits)])

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        header, rows = self._cells(3)
        return _tables.html_table(header, rows, self._notes(3))

    def _cells(self, digits: int) -> tuple[list[str], list[list[str]]]:
        fixed = ("mean", "sd", "n", "folds", "fit_s", "predict_s")
        others = [str(column) for column in self.summary if column not in fixed]
        header = ["pipeline", self.metric, *others, "fit s", "predict s"]
        if self.baseline is not None:
            header += ["difference [95 % CI]", "p Wilcoxon", "p t", "d_z"]
        rows = []
        for name, line in self.summary.to_dict("index").items():
            score = _tables.number(line["mean"], digits)
            if not math.isnan(line["sd"]):
                score += f" ± {_tables.number(line['sd'], digits)}"
            row = [str(name), score, *(_tables.number(line[m], digits) for m in others),
                   _tables.seconds(line["fit_s"]), _tables.seconds(line["predict_s"])]
            if self.baseline is not None:
                row += self._test_cells(str(name), digits)
            rows.append(row)
        return header, rows

    def _test_cells(self, name: str, digits: int) -> list[str]:
        if name == self.baseline:
            return ["baseline", "", "", ""]
        test = self.tests.loc[name].to_dict()
        low, high = (_tables.signed(test[c], digits) for c in ("ci_low", "ci_high"))
        return [
            f"{_tables.signed(test['difference'], digits)} [{low}, {high}]",
            _tables.p_value(test["p_wilcoxon_holm"], digits),
            _tables.p_value(test["p_t_holm"], digits),
            _tables.signed(test["d_z"], 2),
        ]

    def _notes(self, digits: int) -> list[str]:
        counts = self.summary["n"]
        n = str(counts.min()) if counts.min() == counts.max() else (
            f"{counts.min()} to {counts.max()}")
        plural = self.unit if n == "1" else f"{self.unit}s"
        folds = self.folds["fold"].nunique()
        notes = [
            f"{self.metric}: mean ± sd over {n} {plural}"
            + ("" if self.unit == "fold" else f", {folds} folds")
            + f"; chance {_tables.number(self.chance, digits)}."
        ]
        if self.baseline is not None:
            notes.append(
                f"Differences from {self.baseline}, paired over {plural}; p-values two-sided, "
                "Holm-corrected" + (
                    "; the t-test allows for the folds' shared training rows."
                    if self.unit == "fold" else "."
                )
            )
        return notes
