from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold

from skbci import EEGArray
from skbci.evaluation import leakage_report
from skbci.model_selection import LeaveSubjectsOut, PurgedKFold, SessionSplit, WithinSubject

TABLE = {
    "subject": np.repeat([1, 2, 3, 4], 40),
    "session": np.tile(np.repeat([1, 2], 20), 4),
    "onset": np.tile(np.arange(20) * 0.5, 8),
}
X = EEGArray(np.zeros((160, 2, 100)), TABLE, sfreq=100)


@settings(max_examples=25, deadline=None)
@given(
    n_rows=st.integers(8, 40),
    window=st.sampled_from([0.0, 0.5, 1.3]),
    seed=st.integers(0, 999),
)
def test_against_comparing_every_pair(n_rows, window, seed):
    random = np.random.RandomState(seed)
    run = random.randint(0, 3, n_rows)
    onset = random.randint(0, 30, n_rows) * 0.25
    data = EEGArray(np.zeros((n_rows, 2)), {"run": run, "onset": onset})
    cv = ShuffleSplit(3, random_state=seed)
    report = leakage_report(cv, data, window=window)
    for (train, test), (_, line) in zip(cv.split(data), report.folds.iterrows()):
        same = run[test][:, None] == run[train]
        distance = np.where(same, np.abs(onset[test][:, None] - onset[train]), np.inf)
        close = (distance < window - 1e-4) | (distance == 0)
        assert line["overlap"] == pytest.approx(close.any(axis=1).mean())
        assert line["nearest_s"] == distance.min()
        assert line["same_run"] == pytest.approx(same.any(axis=1).mean())
        assert line["in_training"] == 0


@pytest.mark.parametrize(
    ("cv", "kind"),
    [
        (LeaveSubjectsOut(4), "new subjects"),
        (SessionSplit(), "new sessions of known subjects"),
        (SessionSplit(calibration=2.0), "known recordings"),
        (PurgedKFold(6), "known recordings"),
        (WithinSubject(PurgedKFold(3)), "known recordings"),
    ],
)
def test_this_houses_splitters_never_leak_and_the_verdict_says_what_they_test(cv, kind):
    report = leakage_report(cv, X)
    assert not report.leaks
    assert (report.folds["overlap"] == 0).all()
    assert kind in report.verdict
    assert "No test row shares signal with a training row" in report.verdict
    assert report.window == 1.0


def test_a_shuffled_split_of_overlapping_windows_leaks():
    report = leakage_report(KFold(4, shuffle=True, random_state=0), X)
    assert report.leaks
    assert (report.folds["overlap"] > 0.8).all()
    assert report.verdict.startswith("LEAKS: in 4 of 4 folds test rows share signal")
    assert set(report.folds["verdict"]) == {"leaks: shares signal with training"}


def test_shares_of_known_subjects_and_sessions():
    train, test = np.arange(60), np.arange(50, 120)  # of subjects 1, 2 | 2, 3; ten rows on both
    line = leakage_report([(train, test)], X).folds.iloc[0]
    assert line["in_training"] == pytest.approx(10 / 70)
    assert line["same_subject"] == pytest.approx(30 / 70)
    assert line["same_session"] == pytest.approx(10 / 70)
    assert line["nearest_s"] == 0
    assert line["verdict"] == "leaks: test rows are trained on"


def test_rows_on_both_sides_leak_even_without_onsets():
    report = leakage_report([(np.arange(5), np.arange(4, 8))], np.zeros((8, 2)))
    assert report.leaks
    assert "test rows are training rows too (25 %" in report.verdict


def test_groups_part_recordings_only_where_the_table_does_not():
    onset, groups = np.tile(np.arange(10.0), 2), np.repeat(["a", "b"], 10)
    folds = [(np.arange(10), np.arange(10, 20))]
    plain = leakage_report(folds, np.zeros((20, 2)), groups, onset, window=1)
    assert not plain.leaks
    assert plain.folds["nearest_s"].tolist() == [np.inf]
    assert plain.folds["same_group"].tolist() == [0]
    trial = np.arange(20) // 2  # groups finer than the run cannot hide an overlap
    data = EEGArray(np.zeros((20, 2)), {"run": np.ones(20), "onset": np.arange(20) * 0.5})
    shuffled = leakage_report(KFold(2, shuffle=True, random_state=0), data, trial, window=1)
    assert shuffled.leaks


def test_what_is_unknown_is_said():
    no_onsets = leakage_report(KFold(2), np.zeros((8, 2)))
    assert not no_onsets.leaks
    assert "pass onsets=" in no_onsets.verdict
    assert no_onsets.folds["overlap"].isna().all()
    no_window = leakage_report(KFold(2), np.zeros((8, 2)), onsets=np.arange(8.0))
    assert "pass window=" in no_window.verdict
    assert (no_window.folds["nearest_s"] == 1.0).all()


def test_targets_reach_a_stratified_splitter_and_integers_mean_folds():
    y = np.tile([0, 1], 80)
    a = leakage_report(StratifiedKFold(4), X, y=y).folds
    b = leakage_report(4, X, y=y).folds
    assert a.equals(b)


def test_many_rows_need_no_pairwise_table():
    n = 200_000  # all pairs would be 4e10
    data = EEGArray(np.zeros((n, 1)), {"onset": np.arange(n) / 16})
    report = leakage_report(KFold(2, shuffle=True, random_state=0), data, window=1)
    assert (report.folds["overlap"] > 0.99).all()


def test_text_and_html():
    report = leakage_report(LeaveSubjectsOut(2), X)
    assert "same_subject" in str(report)
    assert str(report).endswith(report.verdict)
    assert report._repr_html_().count("<tr>") == 3


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"groups": [1, 2]}, "groups has shape"),
        ({"onsets": [1.0, 2.0]}, "onsets has shape"),
        ({"onsets": np.arange(160).astype("m8[ms]")}, "onsets must be numbers: seconds"),
        ({"window": -1}, "window=-1 must be at least 0 seconds"),
        ({"cv": []}, "gives no folds"),
    ],
)
def test_bad_input_is_named(kwargs, message):
    given = {"cv": KFold(2), "X": X, **kwargs}
    with pytest.raises(ValueError, match=message):
        leakage_report(given.pop("cv"), given.pop("X"), **given)
