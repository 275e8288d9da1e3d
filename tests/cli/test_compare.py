"""`skbci compare` and its report."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_predict

from skbci.baselines import csp_lda, riemann_mdm
from skbci.cli import main
from skbci.cli._confusion import confusion_scorers, take_confusions
from skbci.datasets import make_motor_imagery
from skbci.evaluation import compare
from skbci.model_selection import WithinSubject
from tests.cli.conftest import continuous


def test_the_table_is_that_of_the_library(recordings, capsys):
    assert main(["compare", str(recordings), "--tmax", "2", "--pipelines", "csp-lda", "mdm",
                 "--split", "leave-subjects-out", "--no-confounds"]) == 0
    out = capsys.readouterr().out
    from skbci.cli._recordings import expand, read_files
    from skbci.model_selection import LeaveSubjectsOut

    X, y = read_files(expand([str(recordings)]), tmax=2.0)
    assert X.metadata["subject"].tolist() == np.repeat([1, 2, 3], 16).tolist()
    result = compare({"csp-lda": csp_lda(), "mdm": riemann_mdm()}, X, y, cv=LeaveSubjectsOut(3),
                     baseline="csp-lda", progress=False)
    for name, mean in result.summary["mean"].items():
        assert re.search(rf"^\| {name} +\| +{mean:.3f} ", out, re.MULTILINE)
    assert "Leakage: No test row shares signal with a training row." in out
    assert "Confounds: not looked for" in out


def test_a_file_that_is_given_twice_is_taken_once(recordings):
    from skbci.cli._recordings import expand

    file = recordings / "sub-02_raw.fif"
    with pytest.warns(UserWarning, match="1 files were given more than once"):
        found = expand([str(file), str(recordings)])
    assert [path.name for path in found] == [f"sub-0{n}_raw.fif" for n in (2, 1, 3)]


def test_files_that_name_their_events_differently_are_said(recordings, tmp_path):
    from skbci.cli._recordings import expand, read_files

    raw = continuous(2)
    raw.annotations.rename({"left": "T1", "right": "T2"})
    raw.save(tmp_path / "sub-02_raw.fif", verbose="error")
    files = [str(recordings / "sub-01_raw.fif"), str(tmp_path)]
    with pytest.warns(UserWarning, match=r"no label in common \('left', 'right'; 'T1', 'T2'\)"):
        read_files(expand(files), tmax=2.0)


def test_confusions_are_those_of_the_predictions():
    data = make_motor_imagery(n_subjects=2, n_sessions=1, n_trials=12, random_state=0)
    cv = WithinSubject(3)
    scoring = {"accuracy": "accuracy", **confusion_scorers(["left_hand", "right_hand"])}
    result = compare({"CSP": csp_lda(2)}, data.X, data.y, cv=cv, scoring=scoring, progress=False)
    plain, confusions = take_confusions(result, ["left_hand", "right_hand"])
    predicted = cross_val_predict(csp_lda(2), data.X, data.y, cv=list(cv.split(data.X, data.y)))
    assert confusions["CSP"].tolist() == confusion_matrix(data.y, predicted).tolist()
    assert list(plain.summary) == ["mean", "sd", "n", "folds", "fit_s", "predict_s"]


@pytest.mark.parametrize(
    ("more", "n_pictures"),
    [(["--no-confounds"], 3), pytest.param([], 4, marks=pytest.mark.slow)],
)
def test_the_report_holds_everything(more, n_pictures, recordings, tmp_path, capsys):
    page = tmp_path / "report.html"
    command = ["compare", str(recordings), "--tmax", "2", "--pipelines", "csp-lda",
               "--split", "leave-subjects-out", "--report", str(page), *more]
    assert main(command) == 0
    text = html.unescape(page.read_text(encoding="utf-8"))
    for title in ("Comparison", "Scores", "Confusion matrices", "Patterns: csp-lda", "Leakage",
                  "Confounds", "Recordings", "Repeat"):
        assert title in text
    out = capsys.readouterr().out
    (leakage,) = re.findall("^Leakage: (.*)$", out, re.MULTILINE)
    (confounds,) = re.findall("^Confounds: (.*)$", out, re.MULTILINE)
    assert leakage in text
    assert confounds in text
    assert "skbci " + " ".join(command) in text
    assert len(re.findall('<img width="[0-9]+" alt', text)) == n_pictures
    for package in ("scikit-learn", "torch", "pyriemann"):
        assert f"<th>{package}</th>" in text


def test_eyes_among_the_channels_are_said_once_and_heads_drawn_without_them(
        tmp_path, capsys):
    for subject in (1, 2):
        raw = continuous(subject)  # EDF knows no types: the eyes are EEG to MNE
        raw = raw.add_channels([raw.copy().pick(["Pz"]).rename_channels({"Pz": "EOG"})])
        raw.save(tmp_path / f"sub-{subject}_raw.fif", verbose="error")
    page = tmp_path / "page.html"
    assert main(["compare", str(tmp_path), "--tmax", "2", "--pipelines", "csp-lda", "--split",
                 "leave-subjects-out", "--no-confounds", "--report", str(page)]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "EOG" in line]
    assert len(said) == 2
    assert "sub-1_raw.fif: the channels ['EOG']" in said[0]
    assert "Leave them out with --exclude." in said[0]
    assert said[1].startswith("skbci: warning: 1 more file: the channels ['EOG']")
    text = html.unescape(page.read_text(encoding="utf-8"))
    assert "sub-1_raw.fif and 1 more file: the channels ['EOG']" in text
    assert "Patterns: csp-lda" in text
    assert "Not drawn: EOG" in text


def test_one_channel_can_be_left_out(recordings, tmp_path, capsys):
    rows = continuous(9)
    rows.add_channels([rows.copy().pick(["Pz"]).rename_channels({"Pz": "HEOG"})])
    rows.save(tmp_path / "sub-09_raw.fif", verbose="error")
    command = ["compare", str(recordings / "sub-01_raw.fif"), str(tmp_path), "--tmax", "2",
               "--pipelines", "csp-lda", "--folds", "2", "--no-confounds"]
    assert main(command) == 1
    assert "--picks or --exclude" in capsys.readouterr().err
    assert main([*command, "--exclude", "HEOG"]) == 0  # the other file has no such channel
    said = capsys.readouterr()
    assert "sub-01_raw.fif: --exclude names ['HEOG'], which are none of its" in said.err
    from skbci.cli._recordings import expand, read_files

    with pytest.warns(UserWarning, match="HEOG"):
        X, _ = read_files(expand(command[1:3]), tmax=2.0, exclude=["HEOG"])
    assert X.ch_names == ["C3", "Cz", "C4", "Pz"]


@pytest.mark.parametrize("wanted", [["--picks", "C3", "C4"], ["--resample", "62"],
                                    ["--exclude", "Pz", "Cz"]])
def test_files_are_read_as_asked(wanted, recordings, capsys):
    file = str(recordings / "sub-01_raw.fif")
    assert main(["compare", file, "--tmax", "2", "--pipelines", "csp-lda", "--folds", "2",
                 "--no-confounds", *wanted]) == 0
    assert "| csp-lda" in capsys.readouterr().out


def test_fits_are_kept_in_a_folder(recordings, tmp_path, capsys):
    kept = tmp_path / "kept"
    command = ["compare", str(recordings), "--tmax", "2", "--pipelines", "csp-lda", "--split",
               "within-subject", "--folds", "2", "--no-confounds", "--cache", str(kept)]
    tables = []
    for _ in range(2):
        assert main(command) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]  # the times of the fits, too
    assert list(kept.rglob("*"))


def test_files_of_other_channels_are_named(recordings, tmp_path, capsys):
    from tests.cli.conftest import continuous

    path = tmp_path / "sub-09_raw.fif"
    continuous(9).drop_channels(["Cz"]).save(path, verbose="error")
    assert main(["compare", str(recordings / "sub-01_raw.fif"), str(path), "--tmax", "2"]) == 1
    assert f"{path} has 3 channels (C3 C4 Pz)" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_said_before_the_work(recordings, tmp_path, capsys):
    (tmp_path / "folder.html").mkdir()
    wanted = ["compare", str(recordings / "sub-01_raw.fif"), "--report"]
    assert main([*wanted, str(tmp_path / "folder.html")]) == 1
    assert "folder.html: it is a folder; name a file in it" in capsys.readouterr().err


def test_a_report_that_fails_leaves_the_old_one(recordings, tmp_path, monkeypatch):
    page = tmp_path / "report.html"
    page.write_text("the old one")

    def half(self, target, **_):
        with open(target, "w") as file:
            file.write("<html>")
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr("mne.Report.save", half)
    assert main(["compare", str(recordings), "--tmax", "2", "--pipelines", "csp-lda", "--split",
                 "leave-subjects-out", "--no-confounds", "--report", str(page)]) == 1
    assert page.read_text() == "the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
