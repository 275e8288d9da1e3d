"""Comparisons on several data sets combined, and the exchange of tables with MOABB."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skbci import EEGArray
from skbci.display import ForestDisplay
from skbci.evaluation import Comparison, compare, meta_analysis
from skbci.evaluation._meta_analysis import greater_p
from skbci.model_selection import LeaveSubjectsOut


def make_table(n_subjects=(5, 8, 24), pipelines=("A", "B", "C"), seed=0):
    """MOABB's columns; scores in 64ths, so that sums are exact; two sessions a subject."""
    rng = np.random.default_rng(seed)
    rows = []
    for k, n in enumerate(n_subjects):
        for subject, session, (gain, name) in itertools.product(
            range(1, n + 1), ("0", "1"), enumerate(pipelines)
        ):
            score = (32 + 2 * gain + rng.integers(0, 20)) / 64
            rows.append({
                "score": score, "time": 0.1, "samples": 80, "subject": str(subject),
                "session": session, "channels": 8, "n_sessions": 2, "dataset": f"set {k}",
                "pipeline": name, "samples_test": 20, "n_classes": 2})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def table():
    return make_table()


def paired(table, dataset, name, baseline="A"):
    """Differences of the subjects' mean scores, by plain arithmetic."""
    own = table[table["dataset"] == dataset]
    means = own.groupby(["subject", "pipeline"])["score"].mean().unstack()
    return (means[name] - means[baseline]).to_numpy()


def test_effects_of_each_set_by_arithmetic(table):
    found = meta_analysis(table, "A")
    assert found.datasets["pipeline"].tolist() == ["B"] * 3 + ["C"] * 3
    for line in found.datasets.to_dict("records"):
        d = paired(table, line["dataset"], line["pipeline"])
        assert line["n"] == len(d)
        np.testing.assert_allclose(line["smd"], d.mean() / d.std(ddof=1))
        np.testing.assert_allclose(line["difference"], d.mean())
        reach = stats.t.ppf(0.975, len(d) - 1) / np.sqrt(len(d))
        np.testing.assert_allclose(line["ci_high"] - line["smd"], reach)
        if len(d) < 20:
            signs = np.array(list(itertools.product([-1, 1], repeat=len(d))))
            p = (signs @ d >= d.sum() - 1e-12).mean()
        else:
            p = stats.wilcoxon(d[d != 0], alternative="two-sided").pvalue / 2
        np.testing.assert_allclose(line["p"], p)


def test_combination_by_stouffer_and_weights(table):
    found = meta_analysis(table, "A")
    for name, own in found.datasets.groupby("pipeline"):
        w = np.sqrt(own["n"].to_numpy())
        line = found.combined.loc[name]
        np.testing.assert_allclose(line["smd"], (w * own["smd"]).sum() / w.sum())
        z = (w * stats.norm.isf(own["p"])).sum() / np.sqrt((w**2).sum())
        np.testing.assert_allclose(line["p"], stats.norm.sf(z))
        share = w / w.sum()
        errors = (own["ci_high"] - own["smd"]) / stats.norm.ppf(0.975)
        reach = stats.norm.ppf(0.975) * np.sqrt((share**2 * errors**2).sum())
        np.testing.assert_allclose(line["ci_high"] - line["smd"], reach)
        np.testing.assert_allclose(line["smd"] - line["ci_low"], reach)
    assert found.combined["n_subjects"].tolist() == [37, 37]
    p = found.combined["p"].to_numpy()
    np.testing.assert_allclose(found.combined["p_holm"].max(), max(2 * p.min(), p.max()))
    assert "combined" in str(found)


def test_exact_p_values():
    assert greater_p(np.array([1.0, 1.0, 1.0])) == 1 / 8
    assert greater_p(np.array([-1.0, -1.0, -1.0])) == 7 / 8  # never one
    assert greater_p(np.zeros(4)) == 15 / 16
    assert greater_p(np.zeros(30)) == 0.5
    thirds = np.array([0.1, 0.2, -0.3])  # ties but for rounding
    assert greater_p(thirds) == 5 / 8
    nineteen = np.random.default_rng(0).normal(0.3, 1, 19)
    scipys = stats.permutation_test(
        (nineteen,), np.sum, permutation_type="samples", alternative="greater",
        n_resamples=20_000, rng=np.random.default_rng(0)).pvalue
    assert abs(greater_p(nineteen) - scipys) < 0.02


def test_comparisons_are_combined_as_tables_are(table):
    sets = {name: Comparison.from_moabb(table, dataset=name) for name in table["dataset"].unique()}
    by_table, by_sets = meta_analysis(table, "A"), meta_analysis(sets, "A")
    pd.testing.assert_frame_equal(by_table.datasets, by_sets.datasets)
    pd.testing.assert_frame_equal(by_table.combined, by_sets.combined)


def test_pipelines_that_some_sets_lack(table):
    fewer = table[~((table["pipeline"] == "C") & (table["dataset"] == "set 1"))]
    found = meta_analysis(fewer, "A")
    assert found.combined["n_datasets"].to_dict() == {"B": 3, "C": 2}
    without = table[~((table["pipeline"] == "A") & (table["dataset"] == "set 1"))]
    with pytest.raises(ValueError, match="not among the pipelines of set 1"):
        meta_analysis(without, "A")


def test_a_table_of_moabb_is_a_comparison(table):
    own = table[table["dataset"] == "set 1"]
    result = Comparison.from_moabb(own, "A", metric="accuracy")
    assert (result.unit, result.metric, result.chance) == ("subject", "accuracy", 0.5)
    assert result.subjects.index.tolist() == [str(k) for k in range(1, 9)]
    means = own.groupby(["subject", "pipeline"])["score"].mean().unstack()
    pd.testing.assert_frame_equal(result.subjects, means, check_names=False)
    assert len(result.folds) == 48
    d = paired(table, "set 1", "B")
    np.testing.assert_allclose(result.tests.loc["B", "p_t"], stats.ttest_1samp(d, 0).pvalue)
    # Fifteen of twenty right happens to guessers in 2 % of sessions, fourteen in 6 %.
    assert result.chance_bound == 14 / 20
    assert stats.binom.sf(14, 20, 0.5) < 0.05 < stats.binom.sf(13, 20, 0.5)


def test_there_and_back():
    X = EEGArray(np.random.default_rng(0).standard_normal((60, 3)),
                 {"subject": np.repeat([1, 2, 3], 20)})
    result = compare({"LR": LogisticRegression(), "NN": KNeighborsClassifier()}, X,
                     np.tile([0, 1], 30), cv=LeaveSubjectsOut(3), progress=False)
    table = result.to_moabb("mine")
    assert table["dataset"].unique().tolist() == ["mine"]
    assert table["n_classes"].unique().tolist() == [2]
    back = Comparison.from_moabb(table)
    np.testing.assert_array_equal(back.subjects.to_numpy(), result.subjects.to_numpy())
    no_subjects = compare({"LR": LogisticRegression()}, np.asarray(X), np.tile([0, 1], 30),
                          progress=False)
    with pytest.raises(ValueError, match="knows no subjects"):
        no_subjects.to_moabb("mine")


def test_bad_tables_are_named(table):
    with pytest.raises(ValueError, match="3 data sets"):
        Comparison.from_moabb(table)
    with pytest.raises(ValueError, match="lacks the columns"):
        Comparison.from_moabb(table.drop(columns="session"))
    failed = table.assign(score=table["score"].where(table.index != 3))
    with pytest.raises(ValueError, match="the score of pipeline"):
        meta_analysis(failed, "A")
    with pytest.raises(ValueError, match=r"1 subject\(s\)"):
        meta_analysis(table[table["subject"] == "1"], "A")
    with pytest.raises(ValueError, match="no pipeline but the baseline"):
        meta_analysis(table[table["pipeline"] == "A"], "A")


def test_forest_plot_shows_the_numbers(table):
    import matplotlib.pyplot as plt

    found = meta_analysis(table, "A")
    display = ForestDisplay.from_meta_analysis(found, "C")
    own = found.datasets[found.datasets["pipeline"] == "C"]
    np.testing.assert_allclose(display.squares_.get_offsets()[:, 0], own["smd"])
    corners = display.diamond_.get_xy()[:, 0]
    line = found.combined.loc["C"]
    np.testing.assert_allclose([corners.min(), corners.max()], [line["ci_low"], line["ci_high"]])
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == ["set 0 (5)", "set 1 (8)", "set 2 (24)", "combined (37)"]
    with pytest.raises(ValueError, match=r"must be one of \['B', 'C'\]"):
        ForestDisplay.from_meta_analysis(found)
    plt.close(display.figure_)
