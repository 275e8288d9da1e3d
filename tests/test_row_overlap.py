"""One rule says which rows share signal, and everybody goes by it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skbci import EEGArray
from skbci._sessions import TOLERANCE_S, apart_in_time, is_apart, recording_codes, session_codes
from skbci.evaluation import leakage_report
from skbci.model_selection import PurgedKFold


def brute_force(times, recordings, rows, others, seconds):
    return np.array([
        not any(
            recordings[a] == recordings[b]
            and (times[a] == times[b] or abs(times[a] - times[b]) < seconds - TOLERANCE_S)
            for b in others
        )
        for a in rows
    ], dtype=bool)


@pytest.mark.parametrize("seed", range(5))
def test_rows_apart_are_those_without_a_near_one(seed):
    rng = np.random.default_rng(seed)
    times, recordings = rng.integers(0, 60, 80) * 0.25, rng.integers(0, 3, 80)
    rows, others = np.split(rng.permutation(80), [50])
    for seconds in (0.0, 0.25, 1.0):
        found = apart_in_time(times, recordings, rows, others, seconds)
        expected = brute_force(times, recordings, rows, others, seconds)
        assert (found == expected).all()
        assert 0 < found.sum() < 50


def test_windows_that_follow_each_other_are_apart_despite_rounding():
    onsets = np.float32(100.1) + np.float32(0.7) * np.arange(4, dtype=np.float32)
    gaps = np.diff(onsets.astype(float))
    assert (gaps != 0.7).any()
    assert is_apart(gaps, 0.7).all()
    assert not is_apart(np.array([0.0, 0.69]), 0.7).any()
    assert not is_apart(np.array([0.0]), 0.0).any()


def test_no_row_that_purging_leaves_is_called_a_leak():
    onset = np.tile(np.float32(0.1) * np.arange(40, dtype=np.float32), 2)
    table = pd.DataFrame({"run": np.repeat([1, 2], 40), "onset": onset})
    X = EEGArray(np.zeros((80, 1, 30)), table, sfreq=100)
    assert X.window == pytest.approx(0.3)
    assert not leakage_report(PurgedKFold(4), X).leaks
    assert leakage_report(PurgedKFold(4, window=0.2), X).leaks


def test_recordings_and_sessions_are_numbered_alike():
    table = pd.DataFrame({
        "subject": list("bbaab"), "session": [2, 1, 2, 2, 2], "run": list("xxyzx"),
    })
    X = EEGArray(np.zeros((5, 1, 4)), table, sfreq=2)
    assert session_codes(X, 5, "subject").tolist() == [0, 0, 1, 1, 0]
    assert session_codes(X, 5, "session").tolist() == [0, 1, 2, 2, 0]
    for by in ("subject", "session", "run"):
        assert (session_codes(X, 5, by) == recording_codes(X, 5, by=by)).all()
    assert recording_codes(X, 5).tolist() == [0, 1, 2, 3, 0]
    assert recording_codes(X, 5, groups=[0, 0, 0, 0, 1]).tolist() == [0, 1, 2, 3, 4]
    onsets = np.tile(np.arange(10.0), 2)
    assert recording_codes(None, 20, onsets=onsets).tolist() == [0] * 10 + [1] * 10
