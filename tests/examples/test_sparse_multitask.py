"""The study of sparse multitask learning: its quick run, its folds, its tests."""

from __future__ import annotations

import _sparse_multitask_runs as runs
import numpy as np
import pandas as pd
import pytest
import sparse_multitask as script
from scipy.stats import wilcoxon


@pytest.mark.studies
def test_the_quick_run_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    monkeypatch.setattr(script, "QUICK", script.Budget(2, 1, 3, 1))
    arguments = ["--quick", "--n-jobs", "1", "--output", str(tmp_path)]
    table = script.main(arguments)
    printed = capsys.readouterr().out
    assert "2 simulated subjects" in printed
    assert len(table) == len(runs.TASKS) * len(runs.cells())
    assert table["accuracy"].between(0, 1).all()
    names = {path.name for path in tmp_path.iterdir()}
    stem = "sparse_multitask_simulated_quick"
    assert {f"{stem}.png", f"{stem}_convergence.png", f"{stem}_density.png", f"{stem}.md",
            f"{stem}.csv"} <= names

    # The budgets are met, and by task more is kept, which the comparison at equal size allows for.
    kept = table.set_index(["task", "method", "sparsity %"])["kept"].xs("imagery")
    assert kept[runs.DENSE, 0] == 1
    for level in (20, 40, 80):
        for method in (runs.TICKET, runs.SNIP):
            assert kept[method, level] == pytest.approx(1 - level / 100, abs=1e-3)
        assert kept[runs.OURS, level] > 1 - level / 100
        assert kept[runs.ALIKE, level] == pytest.approx(kept[runs.OURS, level], abs=1e-3)
    published = table.dropna(subset="paper")
    assert len(published) == 2 * len(script.PAPER)

    def refuse(**task):
        raise AssertionError(f"{task} was run again")

    for function in ("run", "run_history"):
        monkeypatch.setattr(script, function, refuse)
    pd.testing.assert_frame_equal(script.main(arguments), table)


def test_folds_have_every_class_of_both_tasks():
    X, y = runs.of_subject(None, True, runs.subjects(None, True)[0])
    task = X.metadata["task"].to_numpy()
    tested = []
    for train, test in runs.folds(X, y, 3, 0):
        assert not set(train) & set(test)
        tested.extend(test)
        for rows in (train, test):
            assert len({*zip(task[rows], y[rows])}) == 4
    assert sorted(tested) == list(range(len(y)))


def test_classifiers_differ_in_nothing_but_the_pruning():
    one, *others = (runs.classifier(method, 0.4, 5, 0).get_params() for method in runs.METHODS)
    for other in others:
        changed = {name for name in {*one, *other} if repr(one.get(name)) != repr(other.get(name))}
        assert all(name.startswith("pruning") for name in changed)


def test_paired_tests_and_holms_correction():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([["a", "b"], [0.4], range(8)],
                                       names=["method", "sparsity", "subject"])
    scores = pd.Series(rng.uniform(size=16), index=index)
    gap, p = script.difference(scores, ("a", 0.4), ("b", 0.4))
    assert p == pytest.approx(wilcoxon(scores["a", 0.4], scores["b", 0.4]).pvalue)
    assert gap == pytest.approx(scores["a"].mean() - scores["b"].mean())
    assert np.isnan(script.difference(scores, ("a", 0.4), ("a", 0.4))).all()
    assert np.isnan(script.difference(scores, ("a", 0.4), ("c", 0.4))).all()
    few = scores[scores.index.get_level_values("subject") < 4]
    assert np.isnan(script.difference(few, ("a", 0.4), ("b", 0.4))[1])
    np.testing.assert_allclose(script.holm(np.array([0.01, np.nan, 0.04, 0.03, 0.9])),
                               [0.04, np.nan, 0.09, 0.09, 0.9])
