"""The mental-imagery script: the paper's figures, a quick run, and the promise on real data."""

from __future__ import annotations

import hjb_mental_imagery as script
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student


def test_transcribed_figures_have_the_papers_averages():
    for algorithm, subjects in script.PAPER.items():
        for mode in (0, 1):
            mean = np.mean([subjects[s][mode] for s in (1, 2, 3)], axis=0)
            # Half a unit of the last digit, and what three rounded summands can add to it.
            np.testing.assert_allclose(mean, script.PAPER_AVERAGE[algorithm][mode], atol=0.101)


def test_figures_are_found_by_column():
    found = [script.paper_figure(*cell) for cell in (
        ("DNN with HJB", 2, "offline", "1+2+3->4"), ("DNN with HJB", 2, "online", "1+2+3->4"),
        ("[27]", 3, "offline", "2->3"), ("DNN with HJB+AD", 1, "online", "1->2"),
    )]
    np.testing.assert_allclose(found, [0.786, 0.838, 0.389, 0.832])
    # Subject 1 may lack sessions; session 4 is the competition's column all the same.
    assert script.paper_figure("[27]", 1, "offline", "1->4") == pytest.approx(0.753)
    assert np.isnan(script.paper_figure("LDA", 1, "offline", "1->2"))


def test_t_tests_pair_cells_and_leave_out_what_one_lacks():
    splits = ("1 -> 2", "1 -> 3", "2 -> 3")
    lines = [
        {"subject": str(subject), "train -> test": split, "mode": mode, "algorithm": algorithm,
         "paper": script.paper_figure(algorithm, subject, "offline", split.replace(" ", "")),
         "paper's protocol": np.nan,
         "honest, 0.5 s": 0.5 + 0.05 * subject * (algorithm == "DNN with HJB")}
        for subject in (1, 2, 3) for split in splits for mode in script.MODES
        for algorithm in ("[27]", "DNN with AD", "DNN with HJB")
    ]
    lines.append({**lines[0], "subject": "mean"})
    found = script.t_tests(pd.DataFrame(lines)).set_index(["mode", "algorithm", "against"])
    line = found.loc["offline", "DNN with HJB", "[27]"]
    hjb = np.array([script.PAPER["DNN with HJB"][s][0][:3] for s in (1, 2, 3)]).ravel()
    galan = np.array([script.PAPER["[27]"][s][0][:3] for s in (1, 2, 3)]).ravel()
    gap = hjb - galan
    t = gap.mean() / (gap.std(ddof=1) / 3)
    assert line["paper: n"] == 9
    assert line["paper: gain"] == pytest.approx(gap.mean() / 100)
    assert line["paper: p"] == pytest.approx(2 * student.sf(abs(t), 8))
    assert line["paper's protocol: n"] == 0
    assert np.isnan(line["paper's protocol: p"])
    assert line["honest, 0.5 s: gain"] == pytest.approx(0.1)


@pytest.mark.studies
def test_quick_run(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    arguments = ["--quick", "--n-jobs", "1", "--output", str(tmp_path)]
    tables = script.main(arguments)
    table = tables["table_III"]
    assert set(table["algorithm"]) == {*script.ALGORITHMS, script.LINEAR, script.VOTE,
                                       script.CHOSEN}
    assert table["train -> test"].unique().tolist() == ["1+2+3 -> 4"]
    assert table["paper"].isna().all()  # simulated sessions have no figure to be held against
    assert table["honest, 0.5 s"].between(0, 1).all()
    # Offline and online are of the same rows: the offline figure is that of their own table.
    same = tables["online"].set_index(["protocol", "algorithm", "per"])
    for mode in script.MODES:
        line = table[(table["mode"] == mode) & (table["algorithm"] == "DNN with HJB")].iloc[0]
        assert line["honest, 0.5 s"] == same.loc[("honest", "DNN with HJB", "0.5 s"), mode]
    assert table[table["algorithm"].isin(script.ALGORITHMS)]["paper's protocol"].notna().all()
    names = {path.name for path in tmp_path.iterdir()}
    stem = "hjb_mental_imagery_simulated_quick"
    for name in ("table_III", "t_tests", "online", "adaptation"):
        assert {f"{stem}_{name}.csv", f"{stem}_{name}.md"} <= names
    for picture in ("bars", "session"):
        assert (tmp_path / f"{stem}_{picture}.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "Paper's protocol" in printed
    assert "Simulated sessions" in printed
    # A second run has nothing left to do, and gives the same.
    monkeypatch.setattr(script, "run_cell", None)
    monkeypatch.setattr(script, "run_online", None)
    pd.testing.assert_frame_equal(script.main(arguments)["table_III"], table)


@pytest.mark.real_data
def test_an_hjb_cascade_reaches_the_competitions_winner(data_folder):
    """Earlier sessions -> session 4 of subject 2, causal; the winner had .703 in half a second."""
    import _mental_imagery as study
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    from skbci.estimators import EvidenceAccumulator
    from skbci.features import CausalCentering, FisherSelection

    bunch = study.load_subject(str(data_folder / "bci3_V_idiap"), 2)
    train, test = study.rows_of(bunch, "1+2+3->4")
    decoder = Pipeline([
        ("log", FunctionTransformer(np.log)),
        ("center", CausalCentering(**study.CENTERING)),
        ("select", FisherSelection(5)),  # what leaving out one training session chooses
        ("cascade", EvidenceAccumulator(study.cascade("hjb", False, "probabilities"), 8)),
    ])
    X, y = bunch.X, np.asarray(bunch.y)
    fitted = decoder.fit(X[train], y[train])
    found = study.scores(fitted, X[test], y[test], 0.0, ("unit",))["unit"]
    assert found >= script.WINNER[2] - 0.005
    np.testing.assert_array_equal(y[test][7::8], bunch.y_test8)


@pytest.mark.real_data
def test_columns_follow_the_sessions_that_are_there(data_folder):
    import _mental_imagery as study

    folder = str(data_folder / "bci3_V_idiap")
    assert study.subjects_of(folder) == [1, 2]
    assert study.splits_of(folder, 1, False) == ["1->4"]
    assert study.splits_of(folder, 2, False) == list(study.SPLITS)
