"""Between `Comparison` and the table of results that MOABB's evaluations give."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import stats

from skbci._checks import refusal
from skbci.evaluation._collect import collect

__all__ = ["MoabbTables", "by_dataset"]

_NEEDED = ("score", "subject", "session", "dataset", "pipeline")


class MoabbTables:
    """What a `Comparison` exchanges with MOABB."""

    @classmethod
    def from_moabb(
        cls, results: pd.DataFrame, baseline: str | None = None, *, metric: str = "score",
        dataset: str | None = None,
    ) -> Self:
        """Make a comparison of the results of a MOABB evaluation.

        Parameters
        ----------
        results : DataFrame
            What ``process`` of the evaluation returned. A session of a subject is a fold, a
            subject's score the mean of its sessions'.
        baseline : str, optional
            Name of the pipeline that the others are tested against.
        metric : str, default="score"
            What the score is called; MOABB's table does not say.
        dataset : str, optional
            Which of several data sets; `meta_analysis` combines them.

        Returns
        -------
        Comparison
            ``chance`` is one over the number of classes, ``chance_bound`` what guesses exceed in
            one of twenty sessions.

        Raises
        ------
        ValueError
            If columns or scores are missing, or there are several data sets and none is named.
        """
        return cls(**_fields(results, baseline, metric, dataset))

    def to_moabb(self, dataset: str) -> pd.DataFrame:
        """Write the subjects' scores as the table of a MOABB evaluation.

        Parameters
        ----------
        dataset : str
            What the data set is called.

        Returns
        -------
        DataFrame
            A row for each subject and pipeline, with MOABB's columns: its statistics and pictures
            take it, alone or beside results of MOABB's own.

        Raises
        ------
        ValueError
            If the comparison knows no subjects.
        """
        return _rows(self, dataset)


def check_table(results: object, who: str) -> pd.DataFrame:
    """Check that a table has MOABB's columns.

    Raises
    ------
    TypeError
        If it is no DataFrame.
    ValueError
        If a column is missing, there are no rows, or a score is missing.
    """
    if not isinstance(results, pd.DataFrame):
        raise TypeError(refusal(results, "results", who, "must be the DataFrame that MOABB gives"))
    missing = [name for name in _NEEDED if name not in results]
    if missing:
        raise ValueError(
            f"{who}: results lacks the columns {missing}; it has {list(results.columns)}. Give "
            "what process() of a MOABB evaluation returns."
        )
    if results.empty:
        raise ValueError(f"{who}: results has no rows.")
    scores = pd.to_numeric(results["score"], errors="coerce")
    if scores.isna().any():
        bad = results[scores.isna()].iloc[0]
        raise ValueError(
            f"{who}: the score of pipeline {bad['pipeline']!r} on subject {bad['subject']!r} of "
            f"{bad['dataset']} is {bad['score']!r}; leave such rows out, or such subjects."
        )
    return results.assign(score=scores)


def by_dataset(results: object, who: str) -> dict[str, pd.DataFrame]:
    """Divide a table by its sets, in order of appearance."""
    table = check_table(results, who)
    return {str(name): part for name, part in table.groupby("dataset", sort=False, observed=True)}


def _fields(
    results: object, baseline: str | None, metric: str, dataset: str | None
) -> dict[str, Any]:
    """Fields of a comparison of one set's results."""
    who = "Comparison.from_moabb"
    sets = by_dataset(results, who)
    if dataset is None and len(sets) > 1:
        raise ValueError(
            f"{who}: results are of {len(sets)} data sets, {list(sets)}: name one in dataset, or "
            "combine them by meta_analysis(results, baseline)."
        )
    if dataset is not None and dataset not in sets:
        raise ValueError(f"{who}: dataset={dataset!r} is not among {list(sets)}.")
    table = sets[next(iter(sets)) if dataset is None else dataset]
    names = [str(name) for name in table["pipeline"].unique()]
    if baseline is not None and baseline not in names:
        raise ValueError(f"{who}: baseline={baseline!r} is not among the pipelines {names}.")
    people = table["subject"].to_numpy(dtype=object)
    places = table.groupby(["subject", "session"], sort=False, observed=True).ngroup()
    lines: list[tuple[dict[str, Any], dict[Any, float]]] = []
    for place, (row, fold) in enumerate(zip(table.to_dict("records"), places)):
        lines.append(({
            "pipeline": str(row["pipeline"]), "fold": int(fold), "score": float(row["score"]),
            **{str(name): _number(row[name]) for name in row if str(name).startswith("score_")},
            "fit_s": _number(row.get("time")), "predict_s": np.nan,
            "n_train": _number(row.get("samples")), "n_test": _number(row.get("samples_test")),
        }, {people[place]: float(row["score"])}))
    chance, bound = _chance(table)
    fields = collect(lines, names, "subject", people, baseline, metric, chance)
    return {**fields, "chance_bound": bound}


def _rows(comparison: Any, dataset: str) -> pd.DataFrame:
    """Rows of MOABB's table."""
    if not isinstance(dataset, str):
        raise TypeError(refusal(dataset, "dataset", "Comparison.to_moabb", "must be a name"))
    if not len(comparison.subjects):
        raise ValueError(
            "Comparison.to_moabb: MOABB's table has one row per subject, and this comparison "
            "knows no subjects: give compare an EEGArray with a table, or groups."
        )
    n_classes = np.nan if not comparison.chance > 0 else round(1 / comparison.chance)
    means = comparison.folds.groupby("pipeline", sort=False)[["fit_s", "n_train", "n_test"]].mean()
    rows = [
        {"score": score, "time": means.loc[name, "fit_s"], "samples": means.loc[name, "n_train"],
         "subject": str(subject), "session": "0", "channels": np.nan, "n_sessions": 1,
         "dataset": dataset, "pipeline": name, "samples_test": means.loc[name, "n_test"],
         "n_classes": n_classes}
        for name in comparison.subjects.columns
        for subject, score in comparison.subjects[name].dropna().items()
    ]
    return pd.DataFrame(rows)


def _chance(table: pd.DataFrame) -> tuple[float, float]:
    """The score of guessing, and its 95 % quantile over sessions."""
    classes = pd.to_numeric(table.get("n_classes", pd.Series(dtype=float)), errors="coerce")
    tested = pd.to_numeric(table.get("samples_test", pd.Series(dtype=float)), errors="coerce")
    if not len(classes) or not classes.max() > 1:
        return np.nan, np.nan
    chance = 1 / float(classes.max())
    n = int(tested.median()) if tested.notna().any() else 0
    return chance, float(stats.binom.isf(0.05, n, chance)) / n if n else np.nan


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
