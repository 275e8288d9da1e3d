"""New people, two signals: the tables, their CSV, and what a decoder lives on."""

from __future__ import annotations

from types import SimpleNamespace

import _across_subjects as study
import _alphagrad_runs as runs
import alphagrad as script
import numpy as np
import pandas as pd
import pytest

from skbci import EEGArray


@pytest.mark.studies
def test_a_quick_run_has_both_tables_and_their_csv(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    monkeypatch.setattr(study, "POLICIES_OF", {"MIN2Net": ("AlphaGrad",)})
    every = study.pipelines
    monkeypatch.setattr(study, "pipelines", lambda signal: {
        name: made for name, made in every(signal).items()
        if name.split(" ")[0] in ("CSP", "slow", "MIN2Net:")})
    tables = script.main([
        "--quick", "--n-jobs", "1", "--output", str(tmp_path), "--tables", "signals",
        "--settings", "imagery, across subjects",
    ])
    printed = capsys.readouterr().out
    assert set(tables) == {"whole signal", "rhythms only"}
    for signal, table in tables.items():
        assert f"# New people, {signal}" in printed
        assert table["accuracy"].between(0, 1).all()
        assert table["training"].between(0, 1).all()
    assert "Confound report" in printed
    csv = pd.read_csv(tmp_path / "alphagrad_simulated_quick_signals.csv")
    assert list(csv.columns) == ["signal", "kind", "pipeline", "seed", "accuracy",
                                 "train_accuracy"]
    assert set(csv["kind"]) == {"network", "classical"}
    assert set(csv.loc[csv["signal"] == "whole signal", "pipeline"]) == set(
        tables["whole signal"]["pipeline"])


def test_networks_of_one_loss_are_trained_on_mirrored_rows(stand_ins, monkeypatch):
    for module in (runs, study):
        monkeypatch.setattr(module, "single_task_nets", stand_ins)
    name = "EEGNet, mirrored"
    kind, make = study.pipelines(study.RHYTHMS)[name]
    X, y, *_ = study.rows_of(None, None, True, study.RHYTHMS, 0)
    model = make(0, epochs=1).fit(X, y)
    assert kind == "network"
    assert model.score(X, y) > 0
    assert len(model.estimator_[-1].history_) == 1
    for single, wanted in ((None, True), (["EEGNet"], True), ([], False), (["ATCNet"], False)):
        args = SimpleNamespace(single=single, networks=[], policies=None)
        assert study.wanted(args, name) is wanted
        assert study.wanted(args, "CSP + LDA")


@pytest.mark.parametrize(("networks", "policies", "kept"), [
    (["MIN2Net", "FBMSNet"], None, {"MIN2Net: AlphaGrad", "FBMSNet: fixed, 1 each"}),
    (["FBMSNet"], None, {"FBMSNet: fixed, 1 each"}),
    (["MIN2Net", "FBMSNet"], ["AlphaGrad"], {"MIN2Net: AlphaGrad"}),
    ([], None, set()),
])
def test_networks_and_policies_are_those_asked_for(networks, policies, kept):
    args = SimpleNamespace(single=None, networks=networks, policies=policies)
    names = ("MIN2Net: AlphaGrad", "FBMSNet: fixed, 1 each")
    assert {name for name in names if study.wanted(args, name)} == kept
    assert all(name in study.pipelines(study.WHOLE) for name in names)


@pytest.mark.filterwarnings("error")
def test_the_table_keeps_the_order_of_the_lines():
    rng = np.random.default_rng(0)
    lines = pd.DataFrame([
        {"kind": kind, "pipeline": name, "subject": subject, "seed": seed,
         **dict(zip(["accuracy", "train_accuracy", "without_slow", "without_rhythms"],
                    rng.uniform(0.4, 0.9, 4)))}
        for kind, name in (("network", "z"), ("classical", "b"), ("network", "a"),
                           ("classical", "a"))
        for subject in (5, 3, 9, 1, 2, 8, 7) for seed in (0, 1)
    ])
    table, best = study.make_table(lines)
    assert list(zip(table["kind"], table["pipeline"])) == [
        ("network", "z"), ("classical", "b"), ("network", "a"), ("classical", "a")]
    scores = lines.pivot_table("accuracy", "subject", ["kind", "pipeline"])
    assert best == scores["classical"].mean().idxmax()
    gaps = scores.sub(scores["classical", best], axis=0).mean()
    for row in table.itertuples():
        assert row.accuracy == pytest.approx(scores[row.kind, row.pipeline].mean())
        if (row.kind, row.pipeline) != ("classical", best):
            assert table.loc[row.Index, "to linear"] == pytest.approx(
                gaps[row.kind, row.pipeline])


def test_folds_test_everybody_once(monkeypatch):
    tested = [study.rows_of(None, None, True, study.RHYTHMS, fold)[2] for fold in range(6)]
    people = [set(rows.metadata["subject"]) for rows in tested]
    assert sorted(set().union(*people)) == list(range(1, 7))
    assert sum(map(len, people)) == 6


def test_an_exchange_moves_one_part_of_the_signal():
    time = np.arange(400) / 100
    rng = np.random.default_rng(0)
    slow = rng.standard_normal(20)[:, None] * np.sin(2 * np.pi * 1.5 * time)
    fast = rng.standard_normal(20)[:, None] * np.sin(2 * np.pi * 12 * time)
    X = EEGArray((slow + fast)[:, None], {"subject": np.repeat([1, 2], 10)}, sfreq=100.0)
    inner = slice(100, 300)
    for part, kept, moved in (("slow", fast, slow), ("rhythms", slow, fast)):
        out = np.asarray(study.exchanged(X, part))[:, 0]
        np.testing.assert_allclose((out - kept)[:, inner].std(axis=1).sum(),
                                   moved[:, inner].std(axis=1).sum(), rtol=0.02)
        weight = (out - kept)[:, inner] @ moved[0, inner] / np.square(moved[0, inner]).sum()
        own = moved[:, inner] @ moved[0, inner] / np.square(moved[0, inner]).sum()
        np.testing.assert_allclose(np.sort(weight[:10]), np.sort(own[:10]), atol=0.2)
        assert np.abs(weight - own).max() > 0.1


@pytest.mark.slow
def test_decoders_of_views_say_what_they_chose():
    name = next(name for name, kind in study.ON_VIEWS.items() if kind == "linear")
    lines = study.run_one(None, None, True, study.WHOLE, 0, name, "classical", 0)
    assert {line["subject"] for line in lines} == set(
        study.rows_of(None, None, True, study.WHOLE, 0)[2].metadata["subject"])
    assert all("slow" in line["chosen"] and 0 <= line["without_slow"] <= 1 for line in lines)
