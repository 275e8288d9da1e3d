"""The tabular study: its table as printed, its protocols, its quick run."""

from __future__ import annotations

import _hjb_paper as paper
import _tabular_report as report
import _tabular_sets as sets
import hjb_tabular as script
import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch


def test_the_papers_table_in_figures_that_its_text_repeats():
    assert paper.TABLE_V.shape == (11, 7)
    errors, times = paper.paper_errors(), paper.paper_times()
    assert errors.loc["BC", ["HJB", "HJB+AD"]].tolist() == [3.14, 2.85]
    assert errors.loc["MMG", ["HJB", "HJB+AD"]].tolist() == [16.14, 16.87]
    assert errors.loc["HTRU2", ["HJB", "HJB+AD"]].tolist() == [2.08, 2.94]
    assert (errors.loc["8-BP"] == 0.25).all()
    assert times.loc["WS"].idxmin() == "BP"
    assert times.loc["IJCNN", "HJB"] == 739.7
    assert paper.TABLE_IV.shape == (14, 6)
    assert paper.TABLE_IV["test"].idxmax() == "Ens1"
    assert paper.TABLE_IV["seconds"].idxmin() == "HJB+AD"


def test_batches_by_size_and_errors_of_constant_answers():
    sizes = {name: sets.load_set(name, None) for name in sets.FUNCTIONS}
    assert {name: data.batch_size for name, data in sizes.items()} == {
        "8-BP": 8, "Mod-2": 8, "Gabor-2D": 8,
    }
    assert sizes["8-BP"].constant_error == 0.25
    assert sizes["Mod-2"].constant_error == pytest.approx(20 / 81)
    table = sets.TabularSet("BC", np.zeros((700, 2)), np.repeat([0, 1], [500, 200]),
                            np.zeros(2, bool))
    assert table.batch_size == 128
    assert table.constant_error == pytest.approx(100 * 2 / 7)


def test_who_never_arrives_is_later():
    nan = np.nan
    pair = pd.DataFrame({"HJB": [1.0, 2.0, 3.0, nan, nan, nan], "Adam": [2, 6, nan, 1, 5, nan]})
    assert report.sooner(pair) == "3 of 5; median ratio 2.50 of the 2 where both arrive"
    assert report.sooner(pair[["Adam", "HJB"]]).startswith("2 of 5;")
    assert report.sooner(pair.iloc[:2]) == "2 of 2; median ratio 2.50"
    assert report.sooner(pair.iloc[5:]) == "-"


def test_fetched_sets_stand_in_the_papers_rows(monkeypatch):
    assert [sets.paper_name(name) for name in ("covertype-binary", "Covtype", "webspam", "x")] == [
        "Covtype", "Covtype", "WS", "x"
    ]
    assert set(sets.FETCHED) <= set(paper.TABLE_V.index)
    asked = []

    def fetch(name):
        asked.append(name)
        return Bunch(X=np.zeros((4, 2)), y=np.array([0, 1, 0, 1]))

    monkeypatch.setattr(sets, "fetch_tabular", fetch)
    found = sets.load_set.__wrapped__("Covtype", None)
    assert asked == ["covertype-binary"]
    assert found.name == "Covtype"


def test_missing_values_get_a_code_of_their_own():
    X = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, 7.0]])
    coded = sets.OwnCode().fit_transform(X)
    np.testing.assert_array_equal(coded, [[1, 4], [3, 5], [0, 7]])


def test_the_honest_encoder_learns_nothing_from_test_rows():
    """A test row, however extreme, leaves the prediction of the others alone."""
    random = np.random.RandomState(0)
    X = np.column_stack([random.standard_normal((60, 2)), random.randint(0, 3, 60)])
    data = sets.TabularSet("BM", X, (X[:, 0] > 0).astype(int), np.array([False, False, True]))
    net = sets.network(data, "hjb", 0.1, 5, 0, True).fit(X[:40], data.y[:40])
    test = X[40:].copy()
    before = net.predict_proba(test)
    test[0] = [1e9, -1e9, 7]
    np.testing.assert_allclose(net.predict_proba(test)[1:], before[1:], rtol=1e-5)
    assert net[0].transform(test).shape == (20, 5)


@pytest.mark.studies
def test_a_study_on_functions_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    arguments = ["--quick", "--sets", "Mod-2", "Gabor-2D", "--n-jobs", "1", "--output",
                 str(tmp_path)]
    script.main(arguments)
    first = capsys.readouterr().out
    assert "only the synthetic functions" in first
    for title in ("Table V: test errors", "Table V: seconds", "What the paper says about speed"):
        assert f"# {title}" in first
    for name in ("times", "stability"):
        picture = tmp_path / f"hjb_tabular_{name}_quick.png"
        assert picture.read_bytes().startswith(b"\x89PNG")
    trials = pd.read_csv(tmp_path / "hjb_tabular_trials_quick.csv")
    assert set(trials["protocol"]) == {"paper", "honest"}
    assert np.isfinite(trials["error"]).all()
    assert len(trials) == 2 * 2 * 7
    assert set(trials.loc[trials["protocol"] == "paper", "lr"]) <= set(script.STEPS)
    assert trials["lr"].between(min(script.STEPS), max(script.STEPS)).all()

    def refuse(**task):
        raise AssertionError(f"{task} was run again")

    for function in ("paper_protocol", "honest_protocol", "timed_fit"):
        monkeypatch.setattr(script, function, refuse)
    script.main(arguments)
    again = capsys.readouterr().out
    assert again.split("# What")[0] == first.split("# What")[0]


def test_unknown_sets_are_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        script.main(["--sets", "BC", "XYZ", "--data", str(tmp_path), "--output", str(tmp_path)])
    assert "['BC', 'XYZ'] are not there; choose of ['8-BP'" in capsys.readouterr().err


@pytest.mark.real_data
def test_real_sets_are_the_papers(data_folder):
    table = {"BC": (699, 9), "MMG": (961, 5), "BM": (4521, 16), "HTRU2": (17898, 8),
             "ADU": (32561, 14), "IJCNN": (141691, 22)}
    for name, shape in table.items():
        assert sets.load_set(name, data_folder).X.shape == shape
    drawn = sets.load_set("IJCNN", data_folder, 1000)
    assert len(drawn.y) == 1000
    assert drawn.y.mean() == pytest.approx(sets.load_set("IJCNN", data_folder).y.mean(), abs=1e-3)
    variants = {name: sets.mammographic(name, data_folder) for name in sets.MAMMOGRAPHIC}
    assert len(variants["complete rows"].y) == 830
    assert variants["no BI-RADS"].X.shape == (961, 4)
    assert np.nanmax(variants["as filed"].X[:, 0]) == 55
    assert np.nanmax(variants["own code"].X[:, 0]) == 6


@pytest.mark.real_data
@pytest.mark.slow
def test_the_quick_run_on_real_sets(data_folder, tmp_path, capsys):
    script.main(["--quick", "--data", str(data_folder), "--output", str(tmp_path)])
    out = capsys.readouterr().out
    assert "# Mammographic mass: what the preparation does" in out
    trials = pd.read_csv(tmp_path / "hjb_tabular_trials_quick.csv")
    mean = trials.groupby(["set_name", "protocol"])["error"].mean()
    assert mean["BC", "honest"] < 6
    assert mean["MMG", "honest"] < 21
    assert mean["HTRU2", "honest"] < 5
