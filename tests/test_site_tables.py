"""The tables of site and README are those that ``docs/make_tables.py`` writes."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TABLES = DOCS / "tables"
PAGES = sorted([*DOCS.glob("*.rst"), *DOCS.glob("guide/*.rst"), *DOCS.glob("papers/*.rst")])
SHARE = re.compile(r"(?<![\d.\w])-?\.\d{3}(?!\d)")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_tables", DOCS / "make_tables.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(DOCS))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(DOCS))
    return module


@pytest.fixture(scope="module")
def tables(script):
    return {name: script.read_table(name) for name in script.OWN}


def test_each_has_its_columns_and_no_row_twice(script, tables):
    for name, frame in tables.items():
        assert list(frame) == list(script.OWN[name].columns), name
        assert len(set(script.row_names(name, frame))) == len(frame), name


def test_no_cell_is_a_list_to_sphinx(tables):
    for name, frame in tables.items():
        cells = [cell for cell in frame.to_numpy().ravel() if re.match(r"[-+*](\s|$)", cell)]
        assert cells == [], name


def test_it_is_said_of_each_row_where_it_comes_from(script, tables):
    said = pd.read_csv(TABLES / "sources.csv", dtype=str, keep_default_na=False)
    there = [(name, row) for name, frame in tables.items()
             for row in script.row_names(name, frame)]
    assert list(zip(said["table"], said["row"])) == there
    for name, study in zip(said["table"], said["study"]):
        stems = {stem.split("/")[-1] for stem in script.OWN[name].studies}
        assert study == "" or Path(study).stem in stems


def test_those_that_repeat_others_have_their_figures(script, tables):
    for name, make in script.DERIVED.items():
        pd.testing.assert_frame_equal(script.read_table(name),
                                      make(tables).reset_index(drop=True))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert script.readme_table(tables) in readme
    assert script.with_readme_table(readme, script.readme_table(tables)) == readme


def test_pages_and_tables_belong_together(script):
    shown = {(page.parent / name).resolve() for page in PAGES
             for name in re.findall(r"^   :file: (.+)$", page.read_text(), re.MULTILINE)}
    there = {path for path in TABLES.glob("*.csv") if path.name != "sources.csv"}
    assert shown == there
    assert {path.stem for path in there} <= {*script.OWN, *script.DERIVED}


#: Figures of pages with tables that are in none: what they are instead.
OTHERS = {
    "choosing.rst": {".506": "guessing, from the class frequencies"},
    "sparse_multitask.rst": dict.fromkeys((".785", ".841", ".848", ".870", ".887"),
                                          "six simulated subjects"),
    "sessions.rst": {"-.018": "a difference of two cells", ".016": "another"},
    "new_people.rst": {
        ".522": "what guessing stays below", ".001": "a p-value",
        ".824": "EEGNet in the literature", ".804": "an earlier network in the literature",
        ".725": "a seed", ".728": "a seed", ".720": "a seed", ".723": "a seed",
        ".024": "ridge over the pipeline of unscaled views",
        ".844": "a fold", ".927": "a fold", ".855": "a seed", ".849": "a seed",
        ".845": "on people who chose",
        ".850": "on people who chose", ".870": "on people who chose",
        ".873": "on people who chose", ".009": "kept epoch to the best of all",
        ".060": "gain of fifty people over ten",
    },
}


@pytest.mark.parametrize("path", [ROOT / "README.md", *PAGES], ids=lambda path: path.name)
def test_figures_in_the_text_are_those_of_the_tables(tables, path):
    text = path.read_text(encoding="utf-8")
    known = {figure for frame in tables.values() for cell in frame.to_numpy().ravel()
             for figure in SHARE.findall(cell)}
    known |= {figure.lstrip("-") for figure in known}
    others = OTHERS.get(path.name, {})
    assert sorted({*SHARE.findall(text)} - known - set(others)) == []


@pytest.mark.parametrize("busy", [False, True])
def test_a_comparison_on_the_command_line_gives_its_table(script, tmp_path, busy):
    site, studies = tmp_path / "tables", tmp_path / "studies"
    shutil.copytree(TABLES, site)
    studies.mkdir()
    old = pd.DataFrame([("FBCSP", "`fbcsp`", ".1", ".1", ".42", ".012", "-.1", ".1")],
                       columns=script.OWN["within_subjects"].columns)
    old.to_csv(site / "within_subjects.csv", index=False)
    (studies / "compare_within_subjects.md").write_text(
        "| pipeline | accuracy | fit s | predict s | difference [95 % CI] | p Wilcoxon | p t |\n"
        "|----------|---------:|------:|----------:|---------------------:|-----------:|----:|\n"
        "| csp-lda  | 0.610 ± 0.174 | 0.052 | 0.0068 | baseline |  |  |\n"
        "| fbcsp    | 1.000 ± 0.149 | 3.44 | 0.013 | -0.046 [-0.117, +0.026] | 0.648 | 0.5 |\n\n"
        "accuracy: mean ± sd over 20 subjects, 100 folds; chance 0.506.\n", encoding="utf-8")
    assert script.update(studies, site, busy=busy) == ["compare_within_subjects.md"]
    table = script.read_table("within_subjects", site).set_index("pipeline")
    fbcsp = table.loc["FBCSP"].tolist()
    seconds = [".42", ".012"] if busy else ["3.4", ".013"]
    assert fbcsp == ["`fbcsp`", "1.000", ".149", *seconds, "-.046 [-.117, +.026]", ".648"]
    csp = table.loc["CSP + LDA"].tolist()
    assert csp == ["", ".610", ".174", *(["", ""] if busy else [".052", ".0068"]), "baseline", ""]


def test_a_run_replaces_its_rows_and_leaves_the_others(script, tmp_path):
    site, studies = tmp_path / "tables", tmp_path / "studies"
    site.mkdir()
    (studies / "inner").mkdir(parents=True)
    old = pd.DataFrame([("CSP + LDA", "classical", *[".500"] * 7),
                        ("ridge", "classical", ".900", *[".500"] * 6)],
                       columns=script.OWN["new_people_whole"].columns)
    old.to_csv(site / "new_people_whole.csv", index=False)
    (studies / "inner" / "alphagrad_signals_whole_signal.md").write_text(
        "# New people\n\n"
        "| pipeline  | kind      | accuracy | sd    | training | slow  | to linear | p     |\n"
        "| --------- | --------- | -------: | ----: | -------: | ----: | --------: | ----: |\n"
        "| CSP + LDA | classical |    0.681 | 0.162 |    1.000 | -0.000 |    -0.146 | 0.001 |\n"
        "| MDM       | classical |    0.666 | 0.157 |    0.683 |       |    -0.161 | 0.002 |\n"
        "\nProtocol.\n", encoding="utf-8")
    new = script.merged("new_people_whole", old, script.OWN["new_people_whole"].studies[
        "alphagrad_signals_whole_signal"](script.read_study(script.newest(
            studies, "alphagrad_signals_whole_signal")), old)).set_index("pipeline")
    assert new.loc["CSP + LDA", ["accuracy", "sd", "training", "slow"]].tolist() == [
        ".681", ".162", "1.000", ".000"]
    # The run has not seen the best linear pipeline: what it compares with is another one.
    assert new.loc["CSP + LDA", ["to linear", "p"]].tolist() == [".500", ".500"]
    assert new.loc["MDM", ["accuracy", "slow", "to linear"]].tolist() == [".666", "", ""]
    assert new.loc["ridge", "accuracy"] == ".900"


def test_all_is_written_and_the_sources_are_said(script, tmp_path):
    site, studies = tmp_path / "tables", tmp_path / "studies"
    site.mkdir()
    studies.mkdir()
    for path in TABLES.glob("*.csv"):
        (site / path.name).write_bytes(path.read_bytes())
    (studies / "defaults.csv").write_text("set,skorch\niris,0.25\nnew,0.5\n")
    before = (ROOT / "README.md").read_bytes()
    assert script.update(studies, site) == ["defaults.csv"]
    table = script.read_table("defaults", site).set_index("set")
    assert table.loc["iris", "skorch"] == ".250"
    assert table.loc["iris", "skbci, Adam"] == script.read_table("defaults").set_index(
        "set").loc["iris", "skbci, Adam"]
    assert table.loc["new"].tolist() == ["", "", "", ".500"]
    said = pd.read_csv(site / "sources.csv", dtype=str, keep_default_na=False)
    said = said[said["table"] == "defaults"].set_index("row")["study"]
    assert said["iris"] == said["new"] == "defaults.csv"
    assert said["moons"] == pd.read_csv(TABLES / "sources.csv", dtype=str, keep_default_na=False
                                        ).query("table == 'defaults' and row == 'moons'"
                                                )["study"].item()
    for name in ("across_subjects", "loss_weighting"):
        assert (site / f"{name}.csv").read_bytes() == (TABLES / f"{name}.csv").read_bytes()
    assert (ROOT / "README.md").read_bytes() == before


def test_of_two_runs_the_later_counts_and_more_fits_are_apart(script, tmp_path):
    for age, folder in enumerate(("more", "published", "new", "old")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "alphagrad_ERP.csv"
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "new" / "alphagrad_ERP.md").touch()
    assert script.newest(tmp_path, "alphagrad_ERP") == tmp_path / "new" / "alphagrad_ERP.csv"
    assert script.newest(tmp_path, "more/alphagrad_ERP").parent.name == "more"
    published = script.newest(tmp_path, "published/alphagrad_ERP")
    assert published.parent.name == "published"
    assert script.newest(tmp_path, "alphagrad_SSVEP") is None
