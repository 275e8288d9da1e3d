"""The comparison of HJB under Adam: its p-values, its quick run."""

from __future__ import annotations

import inspect

import hjb_inner as script
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skbci.estimators import MLPClassifier
from skbci.optim import resolve_optimizer


def test_methods_are_at_their_defaults():
    assert inspect.signature(MLPClassifier).parameters["lr"].default is None
    assert script.METHODS[script.FIRST] == ("hjb-adam", 1e-3)
    assert [script.METHODS[name][1] for name in ("Adam", "HJB+AD", "HJB")] == [1e-3, 0.01, 0.1]
    for optimizer, _ in script.METHODS.values():
        resolve_optimizer(optimizer, {})
    assert len(script.FILES) == 6
    assert len(script.EEG) == 2


def test_p_values_are_those_of_the_paired_t_test():
    random = np.random.RandomState(0)
    lines = [
        {"set_name": name, "method": method, "seed": seed, "error": random.uniform(1, 9)}
        for name in ("a", "b", "c") for seed in range(5) for method in script.METHODS
    ]
    frame = pd.DataFrame(lines)
    table = script.make_table(frame).set_index("set")
    one = frame[(frame["set_name"] == "b")].pivot(index="seed", columns="method", values="error")
    gap = one["HJB with Adam"] - one["Adam"]
    t = gap.mean() / (gap.std(ddof=1) / np.sqrt(5))
    p = 2 * stats.t.sf(abs(t), 4)
    assert float(table.loc["b", "p, Adam"]) == pytest.approx(p, abs=6e-4)
    assert float(table.loc["b", "Adam"]) == pytest.approx(one["Adam"].mean(), abs=6e-3)
    means = frame.groupby(["set_name", "method"])["error"].mean().unstack()
    better = (means["HJB with Adam"] < means["HJB"]).sum()
    assert table.loc["all sets", "p, HJB"].startswith(f"better on {better} of 3")


@pytest.mark.studies
def test_the_quick_run_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    monkeypatch.setattr(script, "EEG", ("eye state",))
    arguments = ["--quick", "--n-jobs", "1", "--output", str(tmp_path)]
    table = script.main(arguments)
    first = capsys.readouterr().out
    assert table["set"].tolist() == ["8-BP", "Mod-2", "eye state", "all sets"]
    assert "2 seeds" in first
    assert "simulated people" in first

    def refuse(**task):
        raise AssertionError(f"{task} was run again")

    monkeypatch.setattr(script, "run_one", refuse)
    script.main(arguments)
    assert capsys.readouterr().out == first
