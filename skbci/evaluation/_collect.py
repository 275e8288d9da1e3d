"""From the folds' lines to the tables of a `Comparison`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._eegarray.rows import rows_by_label
from skbci._typing import Label
from skbci.evaluation import _paired

_FOLD_COLUMNS = ("pipeline", "fold", "score", "fit_s", "predict_s", "n_train", "n_test")
RESERVED = {*_FOLD_COLUMNS, "mean", "sd", "n", "folds"}
_TEST_COLUMNS = ("n", "difference", "ci_low", "ci_high", "p_wilcoxon", "p_wilcoxon_holm", "p_t",
                 "p_t_holm", "d_z", "rank_biserial")


def collect(
    results: list[tuple[dict[str, Any], dict[Any, float]]], names: list[str], person: str,
    labels: np.ndarray | None, baseline: str | None, metric: str, chance: float,
) -> dict[str, Any]:
    """Build the fields of a `Comparison` from each fold's line and its subjects' scores."""
    folds = pd.DataFrame([line for line, _ in results])
    subjects = _subject_table(results, names, person, labels)
    unit = person if len(subjects) > 1 else "fold"
    wide = subjects if unit != "fold" else folds.pivot(index="fold", columns="pipeline",
                                                       values="score")[names]
    grouped = folds.groupby("pipeline", sort=False)
    others = [column for column in folds if column not in _FOLD_COLUMNS]
    summary = pd.concat(
        [
            wide.mean().rename("mean"), wide.std(ddof=1).rename("sd"), grouped[others].mean(),
            wide.count().rename("n"), grouped.size().rename("folds"),
            grouped[["fit_s", "predict_s"]].mean(),
        ],
        axis=1,
    ).loc[names].rename_axis("pipeline")
    test_share = float((folds["n_test"] / folds["n_train"]).mean()) if unit == "fold" else 0.0
    return {
        "summary": summary, "folds": folds, "subjects": subjects,
        "tests": _test_table(wide, baseline, test_share), "metric": metric, "unit": unit,
        "baseline": baseline, "chance": chance,
    }


def _subject_table(
    results: list[tuple[dict[str, Any], dict[Any, float]]], names: list[str], person: str,
    labels: np.ndarray | None,
) -> pd.DataFrame:
    if labels is None:
        return pd.DataFrame(columns=names, index=pd.Index([], name=person), dtype=float)
    scores: dict[str, dict[Label, list[float]]] = {name: {} for name in names}
    for line, by_subject in results:
        for subject, score in by_subject.items():
            scores[line["pipeline"]].setdefault(subject, []).append(score)
    order = [subject for subject in rows_by_label(labels, f"{person} labels")
             if subject in scores[names[0]]]
    # Folds that failed, or in which the metric is undefined for a subject, do not count.
    means = {name: [float(pd.Series(own[subject]).mean()) for subject in order]
             for name, own in scores.items()}
    return pd.DataFrame(means, index=pd.Index(order, name=person))


def _test_table(wide: pd.DataFrame, baseline: str | None, test_share: float) -> pd.DataFrame:
    lines = {}
    for name in wide.columns.drop(baseline) if baseline is not None else ():
        d = _paired.differences(wide[name], wide[baseline])
        p_t, low, high = _paired.t_interval(d, test_share)
        lines[name] = {
            "n": len(d), "difference": float(d.mean()) if len(d) else np.nan, "ci_low": low,
            "ci_high": high, "p_wilcoxon": _paired.wilcoxon_p(d), "p_t": p_t,
            "d_z": _paired.cohen_dz(d), "rank_biserial": _paired.rank_biserial(d),
        }
    tests = pd.DataFrame.from_dict(lines, orient="index").reindex(columns=list(_TEST_COLUMNS))
    for p in ("p_wilcoxon", "p_t"):
        tests[f"{p}_holm"] = _paired.holm(tests[p])
    return tests.rename_axis("pipeline")
