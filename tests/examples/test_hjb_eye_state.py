"""The eye-state study: its quick run, its protocols, its checks on recordings."""

from __future__ import annotations

import _eye_state_data as eye_data
import _eye_state_report as report
import _eye_state_runs as runs
import hjb_eye_state as script
import numpy as np
import pandas as pd
import pytest


@pytest.mark.studies
def test_the_quick_run_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    arguments = ["--quick", "--subjects", "4", "--duration", "40", "--n-jobs", "1", "--output",
                 str(tmp_path)]
    script.main(arguments)
    first = capsys.readouterr().out
    for title in ("Table IV: eye state", "What the paper says of Table IV"):
        assert f"# {title}" in first
    for row in ("K*", "RJ48F", "BP", "LF", "AD", "EVDHJB", "HJB", "HJB+AD", "Adam", "RMSprop",
                "Ens1", "Ens2", "Ens3", "Ens4"):
        assert f"| {row} " in first
    assert "78.8 / " in first  # the paper's figure stands first in its cell
    pictures = sorted(tmp_path.glob("*.png"))
    assert [p.name.split("_")[3] for p in pictures] == ["convergence", "roc"]
    lines = pd.read_csv(next(tmp_path.glob("hjb_eye_state*_splits.csv")))
    assert lines.groupby("protocol")["name"].nunique().tolist() == [14, 14]
    assert lines["test"].between(0, 100).all()
    networks = lines[lines["name"] == "HJB"]
    assert (networks["train"] > 60).all()

    def refuse(**task):
        raise AssertionError(f"{task} was run again")

    for function in ("fixed_step", "chosen_step", "other", "ensemble"):
        monkeypatch.setattr(script, function, refuse)
    script.main(arguments)
    assert capsys.readouterr().out == first


def test_the_papers_step_is_the_best_on_the_test_subjects_and_the_honest_one_is_not(
    monkeypatch
):
    fixed = pd.DataFrame({
        "optimizer": ["hjb"] * 4, "lr": [0.1, 0.1, 1.0, 1.0], "test": [60.0, 70.0, 90.0, 50.0],
    })
    assert script.best_steps(fixed) == {"hjb": 1.0}
    seen = []

    class Spy(runs.GridSearchCV):
        def fit(self, X, y, **params):
            seen.append(X.metadata["subject"].unique().tolist())
            return super().fit(X, y, **params)

    monkeypatch.setattr(runs, "GridSearchCV", Spy)
    data = eye_data.simulated(4, 40.0, 1.0)
    _, test = data.splits(1)[0]
    runs.chosen_step("hjb", 3, 0, 1, load=lambda: data)
    assert seen
    for subjects in seen:
        assert not set(subjects) & set(data.subjects[test])


def test_splits_leave_a_quarter_of_the_subjects_out():
    data = eye_data.simulated(8, 30.0, 1.0)
    splits = data.splits(4)
    assert len(splits) == 4
    for train, test in splits:
        assert len(np.unique(data.subjects[test])) == 2
        assert not set(data.subjects[train]) & set(data.subjects[test])


@pytest.mark.real_data
def test_the_recordings_have_the_emotiv_channels(data_folder):
    windows = eye_data.recorded(data_folder)
    assert windows.energies.shape == (480, 448)
    assert np.unique(windows.subjects).tolist() == [1, 15]
    assert windows.closed.sum() == 240
    # Occipital alpha says which minute is which: 10-11 Hz at O1 and O2.
    alpha = np.asarray(windows.energies).reshape(480, 14, 4, 8)[:, 6:8, 2, 2:4].mean(axis=(1, 2))
    for subject in (1, 15):
        mine = windows.subjects == subject
        assert np.median(alpha[mine & windows.closed]) > 2 * np.median(
            alpha[mine & ~windows.closed])


@pytest.mark.real_data
@pytest.mark.slow
def test_the_checks_on_recordings(data_folder, tmp_path, capsys):
    script.main(["--quick", "--data", str(data_folder), "--output", str(tmp_path)])
    out = capsys.readouterr().out
    assert "# Real recordings: trained on one subject" in out
    (line,) = [line for line in out.splitlines() if line.startswith("| 3-NN on single samples")]
    leaked, honest = (float(cell) for cell in line.split("|")[2:4])
    assert leaked > 95
    assert honest < 60


def test_fits_of_any_length_are_judged_by_one_loss():
    """A short fit that stays high has not converged, whatever its own range."""
    def line(optimizer, losses):
        return {"optimizer": optimizer, "losses": report.texts(losses),
                "durations": report.texts([0.5] * len(losses))}

    frame = pd.DataFrame([
        line("hjb", [1.0, 0.9]), line("adam", [1.0, 0.5, 0.2, 0.1, 0.1]),
        line("sgd", [1.0, 0.4, 0.19, 0.1, 0.05]),
        {"optimizer": "lf", "losses": "", "durations": ""},
    ])
    target = report.common_loss(frame)
    assert target == pytest.approx(0.1 + 0.05 * 0.9)
    found = report.times_to(frame, target)
    assert found["epochs"].tolist() == [np.inf, 4, 4, np.inf]
    assert found["seconds"].tolist() == [np.inf, 2.0, 2.0, np.inf]
