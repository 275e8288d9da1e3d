"""The loss-weighting study: its quick run, its splits, its tests."""

from __future__ import annotations

import argparse

import _alphagrad_data as study_data
import _alphagrad_runs as runs
import alphagrad as script
import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon
from sklearn.base import clone

from skbci.model_selection import HeldOutSearch


@pytest.mark.studies
def test_the_quick_run_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    arguments = ["--quick", "--n-jobs", "1", "--output", str(tmp_path), "--networks", "MIN2Net",
                 "--settings", "imagery, later sessions", "SSVEP", "ERP"]
    tables = script.main(arguments)
    printed = capsys.readouterr().out
    for setting, table in tables.items():
        assert f"# Loss weighting: {setting}" in printed
        policies = table.loc[table["method"] == "MIN2Net", "policy"].tolist()
        assert policies == [*runs.POLICIES, runs.SEARCHED]
        assert table["accuracy"].between(0, 1).all()
    assert "best classical pipeline of the table" in printed.replace("\n", " ")
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert {"alphagrad_simulated_quick_SSVEP.png",
            "alphagrad_simulated_quick_SSVEP_weights.png"} <= pictures
    # Quick, simulated and real runs in one folder do not overwrite each other's.
    histories = list((tmp_path / "alphagrad_simulated_quick_histories").iterdir())
    assert len(histories) == 3 * len(runs.POLICIES)
    assert "valid_accuracy" in pd.read_csv(histories[0])

    def refuse(**task):
        raise AssertionError(f"{task} was run again")

    for function in ("run_classical", "run_network", "run_deep", "run_single"):
        monkeypatch.setattr(script, function, refuse)
    again = script.main(arguments)
    for setting in tables:
        pd.testing.assert_frame_equal(again[setting], tables[setting])


@pytest.mark.parametrize("name", list(study_data.SETTINGS))
def test_splits_share_no_rows_and_respect_their_names(name):
    setting = study_data.SETTINGS[name]
    bunch = study_data.load(name, None, True)
    X, y = bunch.X, np.asarray(bunch.y)
    splits = setting.splits(X, y, 2)
    assert splits
    table = X.metadata
    for train, test in splits:
        assert not set(train) & set(test)
        if name == "imagery, across subjects":
            assert not set(table["subject"].iloc[train]) & set(table["subject"].iloc[test])
        else:
            assert table["subject"].iloc[np.r_[train, test]].nunique() == 1
        if "session" in name:
            assert table["session"].iloc[train].max() < table["session"].iloc[test].min()
        assert np.array_equal(np.unique(y[train]), np.unique(y))


def test_networks_differ_in_nothing_but_the_policy():
    setting = study_data.SETTINGS["imagery, across subjects"]
    for network in runs.NETWORKS:
        one, *others = (
            runs.deep(network, setting, True, policy, 3, 0)[-1].get_params()
            for policy in runs.policies(network)
        )
        for other in others:
            changed = {key for key in one if key in other and repr(one[key]) != repr(other[key])}
            assert changed <= {"losses", "loss_weighting", "callbacks"}


@pytest.mark.parametrize("tolerance", [0.0, 0.01, 1.0])
def test_what_is_searched_is_what_a_search_finds(tmp_path, monkeypatch, tolerance):
    monkeypatch.setattr(script, "TOLERANCE", tolerance)
    name, keys = "imagery, later sessions", {"network": "MIN2Net", "align": True, "seed": 0}
    lines = pd.DataFrame([
        {**line, "method": "MIN2Net", "align": True, "policy": policy, "split": split, "seed": 0}
        for split in range(2) for policy in (runs.FIXED, runs.LED)
        for line in runs.run_deep(None, True, name, split, 2, policy=policy, epochs=12,
                                  device="cpu", histories=tmp_path, **keys)
    ])
    found = script.searched(lines, tmp_path, name)
    setting, bunch = study_data.SETTINGS[name], study_data.load(name, None, True)
    for split, (train, test) in enumerate(setting.splits(bunch.X, bunch.y, 2)):
        pipeline = runs.deep("MIN2Net", setting, True, runs.FIXED, 12, 0)
        search = HeldOutSearch(
            pipeline, {"classifier__loss_weighting": ["alphagrad-lead", "fixed"]},
            monitor="valid_accuracy", lower_is_better=False, tol=tolerance)
        search.fit(bunch.X[train], bunch.y[train])
        (row,) = found[found["split"] == split].to_dict("records")
        assert row["accuracy"] == search.score(bunch.X[test], bunch.y[test])
        assert row["policy"] == runs.SEARCHED
    assert script.searched(lines[lines["policy"] == runs.LED], tmp_path, name).empty


def test_splits_and_seeds_are_those_that_the_protocol_names():
    budget = script.Budget(3, {"MIN2Net": (2, 5, 7)})
    for given, found in ((None, 2), (1, 1), (3, 3), (50, 3)):
        args = argparse.Namespace(
            splits=given, seeds=None, networks=["MIN2Net"], policies=[runs.LED], data=None,
            quick=False, device="cpu", histories=None)
        tasks = script.make_tasks(args, "SSVEP", budget)["deep"]
        assert {task["split"] for task in tasks} == set(range(found))
        plural = "split" if found == 1 else "splits"
        assert script.budget_words(args, budget, "split") == [
            f"MIN2Net, {found} {plural}, 5 seeds a fit, 7 epochs"]
    with pytest.raises(argparse.ArgumentTypeError, match="at least 1, got 0"):
        script.at_least_one("0")


def test_the_kept_epoch_is_that_of_early_stopping():
    assert script.kept_epoch(pd.Series([3.0, 1.0, 0.99995, 2.0])) == 1
    assert script.kept_epoch(pd.Series([np.nan, 0.5, 0.4])) == 2


@pytest.mark.studies
def test_networks_of_one_loss_stand_beside(stand_ins, monkeypatch, tmp_path):
    for module in (runs, script):
        monkeypatch.setattr(module, "single_task_nets", stand_ins)
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    tables = script.main(["--quick", "--n-jobs", "1", "--output", str(tmp_path), "--networks",
                          "MIN2Net", "--settings", "imagery, later sessions"])
    table = tables["imagery, later sessions"].set_index("method")
    assert table.loc["EEGNet", "accuracy"] > 0
    assert np.isfinite(table.loc["EEGNet", "to classical"])


def test_pipelines_can_be_cloned():
    for setting in study_data.SETTINGS.values():
        for align in (False, True):
            clone(runs.feature_network(setting, align, 1))
            for pipeline in runs.classical(setting, align).values():
                clone(pipeline)


def test_paired_tests_are_over_the_subjects_that_both_have():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [["a", "b"], ["x"], [True], range(8)], names=[*script.KEYS, "subject"])
    subjects = pd.Series(rng.uniform(size=16), index=index)[:-1]
    a, b = subjects["a", "x", True][:7], subjects["b", "x", True]
    mean, p = script.difference(subjects, ("a", "x", True), ("b", "x", True))
    assert p == pytest.approx(wilcoxon(a, b).pvalue)
    assert mean == pytest.approx((a - b).mean())
    assert np.isnan(script.difference(subjects, ("a", "x", True), ("c", "x", True))).all()
    few = subjects[subjects.index.get_level_values("subject") < 4]
    mean, p = script.difference(few, ("a", "x", True), ("b", "x", True))
    assert np.isfinite(mean)
    assert np.isnan(p)


def test_holms_correction():
    corrected = script.holm([0.01, np.nan, 0.04, 0.03, 0.9])
    np.testing.assert_allclose(corrected, [0.04, np.nan, 0.09, 0.09, 0.9])
