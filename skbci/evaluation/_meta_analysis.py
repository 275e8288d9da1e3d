"""Several data sets' comparisons, as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from skbci._checks import refusal
from skbci._docs import fill_references
from skbci.evaluation import _paired, _tables
from skbci.evaluation._comparison import Comparison
from skbci.evaluation._moabb_table import by_dataset

__all__ = ["MetaAnalysis", "meta_analysis"]

# Up to so many subjects, all signs of the differences are tried: 2^19 sums.
_EXACT = 19


@dataclass(frozen=True, eq=False)
class MetaAnalysis:
    """Effects of pipelines against a baseline, data set by data set and combined.

    Made by :func:`meta_analysis`. Printing it gives a table.

    Attributes
    ----------
    datasets : DataFrame
        A row for each pipeline and data set: ``pipeline``, ``dataset``, ``n`` subjects, mean
        ``difference``, the standardized mean difference ``smd`` with its 95 % interval
        (``ci_low``, ``ci_high``), and ``p`` that the pipeline is no better.
    combined : DataFrame, indexed by pipeline
        ``n_datasets``, ``n_subjects``, ``smd``, ``ci_low``, ``ci_high``, Stouffer's ``p`` and
        Holm's correction of it over the pipelines, ``p_holm``.
    baseline : str
        What the pipelines are compared with.

    See Also
    --------
    skbci.display.ForestDisplay : The picture of it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbci.evaluation import meta_analysis
    >>> scores = {"CSP": [0.6, 0.7, 0.8, 0.7], "TS": [0.7, 0.7, 0.9, 0.8]}
    >>> table = pd.concat([
    ...     pd.DataFrame({"score": values, "pipeline": name, "subject": list("abcd"),
    ...                   "session": "0", "dataset": dataset})
    ...     for dataset in ("one", "two") for name, values in scores.items()])
    >>> found = meta_analysis(table, "CSP")
    >>> found.baseline, found.combined.loc["TS", ["n_datasets", "n_subjects"]].astype(int).tolist()
    ('CSP', [2, 8])
    """

    datasets: pd.DataFrame
    combined: pd.DataFrame
    baseline: str

    def __str__(self) -> str:
        header = ["pipeline", "data set", "n", "SMD [95 % CI]", "p"]
        rows = []
        for name, own in self.datasets.groupby("pipeline", sort=False):
            rows += [[str(name), str(line["dataset"]), str(line["n"]), _interval(line),
                      _tables.p_value(line["p"], 3)] for line in own.to_dict("records")]
            line = self.combined.loc[name].to_dict()
            rows.append([str(name), "combined", str(int(line["n_subjects"])), _interval(line),
                         _tables.p_value(line["p_holm"], 3)])
        note = (
            f"Standardized mean differences from {self.baseline}, over subjects; p that a "
            "pipeline is no better, combined by Stouffer's method, there Holm-corrected."
        )
        return f"{_tables.markdown(header, rows)}\n\n{note}"


@fill_references
def meta_analysis(results: pd.DataFrame | Mapping[str, Comparison], baseline: str) -> MetaAnalysis:
    r"""Combine comparisons on several data sets.

    Parameters
    ----------
    results : dict of str to Comparison, or DataFrame
        Comparisons by the names of their data sets, with subjects; or the table of results that
        MOABB's evaluations give. Of each pipeline, the sets that have it are combined.
    baseline : str
        The pipeline that the others are compared with, on all sets.

    Returns
    -------
    MetaAnalysis

    Raises
    ------
    ValueError
        If there are no results, a set has fewer than two subjects or lacks the baseline, or a
        score is missing.
    TypeError
        If ``results`` are something else.

    Notes
    -----
    On set s with :math:`n_s` subjects, the paired differences d of a pipeline's scores from the
    baseline's give :math:`\mathrm{smd}_s = \bar d / \mathrm{sd}(d)`, and one-sided p-values:
    exact, over all signs of the differences, for fewer than 20 subjects, else Wilcoxon's. With
    :math:`w_s = \sqrt{n_s}`,

    .. math:: \mathrm{smd} = \frac{\sum_s w_s\, \mathrm{smd}_s}{\sum_s w_s}, \qquad
        z = \frac{\sum_s w_s\, \Phi^{-1}(1 - p_s)}{\sqrt{\sum_s w_s^2}}, \qquad p = 1 - \Phi(z),

    as in MOABB [1]_. Intervals are those of a mean in units of its standard deviation,
    :math:`t_{0.975} / \sqrt{n_s}`, and for the combined effect what follows from them for
    independent sets. Sessions of a subject are averaged.

    References
    ----------
    .. [1] %(moabb_paper)s.
    .. [2] S. A. Stouffer et al., "The American Soldier, vol. 1", Princeton University Press, 1949.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skbci.evaluation import meta_analysis
    >>> scores = {"CSP": [0.6, 0.7, 0.8, 0.7], "TS": [0.7, 0.7, 0.9, 0.8]}
    >>> table = pd.concat([
    ...     pd.DataFrame({"score": values, "pipeline": name, "subject": list("abcd"),
    ...                   "session": "0", "dataset": dataset})
    ...     for dataset in ("one", "two") for name, values in scores.items()])
    >>> found = meta_analysis(table, "CSP")
    >>> found.datasets[["dataset", "smd", "p"]].round(3).to_numpy().tolist()
    [['one', 1.5, 0.125], ['two', 1.5, 0.125]]
    >>> round(float(found.combined.loc["TS", "p"]), 3)
    0.052
    """
    who = "meta_analysis"
    if isinstance(results, Mapping):
        sets = dict(results)
        for name, one in sets.items():
            if not isinstance(one, Comparison):
                raise TypeError(f"{who}: results[{name!r}] is a {type(one).__name__}, not a "
                                "Comparison.")
    elif isinstance(results, pd.DataFrame):
        parts = by_dataset(results, who)
        sets = {name: Comparison.from_moabb(part) for name, part in parts.items()}
    else:
        because = "must be a dict of Comparisons, or MOABB's table"
        raise TypeError(refusal(results, "results", who, because))
    if not sets:
        raise ValueError(f"{who}: results is empty; give at least one data set's.")
    if not isinstance(baseline, str):
        raise TypeError(refusal(baseline, "baseline", who, "must be a pipeline's name"))
    lines = [line for name, one in sets.items() for line in _effects(str(name), one, baseline)]
    if not lines:
        raise ValueError(f"{who}: there is no pipeline but the baseline {baseline!r}.")
    table = pd.DataFrame(lines)
    names = list(table["pipeline"].unique())
    table["pipeline"] = pd.Categorical(table["pipeline"], names)
    table = table.sort_values("pipeline", kind="stable").astype({"pipeline": object})
    table = table.reset_index(drop=True)
    combined = pd.DataFrame.from_dict(
        {name: _combined(own) for name, own in table.groupby("pipeline", sort=False)},
        orient="index",
    ).rename_axis("pipeline")
    combined["p_holm"] = _paired.holm(combined["p"])
    return MetaAnalysis(table, combined, baseline)


def _effects(dataset: str, comparison: Comparison, baseline: str) -> list[dict[str, Any]]:
    scores = comparison.subjects
    if baseline not in scores.columns:
        raise ValueError(
            f"meta_analysis: baseline={baseline!r} is not among the pipelines of {dataset}: "
            f"{list(scores.columns)}."
        )
    out = []
    for name in scores.columns.drop(baseline):
        d = _paired.differences(scores[name], scores[baseline])
        if len(d) < 2:
            raise ValueError(
                f"meta_analysis: {dataset} has {len(d)} subject(s) with a score of {name!r} and "
                f"of {baseline!r}; a spread needs two."
            )
        smd = _paired.cohen_dz(d)
        reach = float(stats.t.ppf(0.975, len(d) - 1)) / np.sqrt(len(d))
        out.append({
            "pipeline": name, "dataset": dataset, "n": len(d), "difference": float(d.mean()),
            "smd": smd, "ci_low": smd - reach, "ci_high": smd + reach, "p": greater_p(d),
        })
    return out


def greater_p(difference: np.ndarray) -> float:
    """One-sided p-value of paired differences, strictly between 0 and 1.

    Parameters
    ----------
    difference : ndarray, shape (n,)

    Returns
    -------
    float
    """
    n = len(difference)
    if n <= _EXACT:
        sums = np.zeros(1)
        for d in difference:
            sums = np.concatenate([sums + d, sums - d])
        # Sums that differ by rounding only are ties.
        count = int((sums >= sums[0] - 1e-9 * (1 + abs(sums[0]))).sum())
        return min(count, 2**n - 1) / 2**n
    if not difference.any():
        return 0.5
    p = _paired.wilcoxon_p(difference) / 2
    p = 1 - p if difference.mean() < 0 else p
    return float(np.clip(p, np.nextafter(0, 1), np.nextafter(1, 0)))


def _combined(own: pd.DataFrame) -> dict[str, Any]:
    weights = np.sqrt(own["n"].to_numpy(dtype=float))
    share = weights / weights.sum()
    smd = float(share @ own["smd"].to_numpy())
    errors = (own["ci_high"] - own["smd"]).to_numpy() / stats.norm.ppf(0.975)
    error = float(np.sqrt((share**2) @ (errors**2)))
    reach = float(stats.norm.ppf(0.975)) * error
    p = float(own["p"].iloc[0])
    if len(own) > 1:
        p = float(stats.combine_pvalues(own["p"].tolist(), "stouffer", weights.tolist()).pvalue)
    return {
        "n_datasets": len(own), "n_subjects": int(own["n"].sum()), "smd": smd,
        "ci_low": smd - reach, "ci_high": smd + reach, "p": p,
    }


def _interval(line: Mapping[Any, Any]) -> str:
    low, high = (_tables.signed(line[name], 2) for name in ("ci_low", "ci_high"))
    return f"{_tables.signed(line['smd'], 2)} [{low}, {high}]"
