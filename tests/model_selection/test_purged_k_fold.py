from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci import EEGArray
from skbci.model_selection import PurgedKFold


@settings(max_examples=40, deadline=None)
@given(
    n_rows=st.integers(20, 60),
    n_splits=st.integers(2, 5),
    hop=st.sampled_from([0.0625, 0.1, 0.5]),
    length=st.integers(0, 6),
    gap=st.sampled_from([0.0, 0.3]),
    n_runs=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_against_comparing_every_pair(n_rows, n_splits, hop, length, gap, n_runs, seed):
    random = np.random.RandomState(seed)
    run = np.sort(random.randint(0, n_runs, n_rows))
    onset = np.concatenate([np.arange((run == r).sum()) * hop for r in range(n_runs)])
    order = random.permutation(n_rows)
    run, onset = run[order], onset[order]
    window = length * hop
    cv = PurgedKFold(n_splits, window=window, gap=gap)
    try:
        folds = list(cv.split(np.zeros((n_rows, 1)), groups=run, onsets=onset))
    except ValueError as error:
        assert "no training rows" in str(error)  # noqa: PT017
        return
    assert np.array_equal(np.sort(np.concatenate([t for _, t in folds])), np.arange(n_rows))
    reach = window + gap - 1e-4
    close = (np.abs(onset[:, None] - onset) < reach) & (run[:, None] == run)
    for train, test in folds:
        others = np.setdiff1d(np.arange(n_rows), test)
        assert np.array_equal(train, others[~close[np.ix_(others, test)].any(axis=1)])


def test_blocks_are_contiguous_in_time_and_of_equal_size():
    order = np.random.RandomState(1).permutation(103)
    onset = order * 0.25
    for _, test in PurgedKFold(5, window=0.0).split(order, onsets=onset):
        assert len(test) in (20, 21)
        assert np.ptp(onset[test]) == pytest.approx(0.25 * (len(test) - 1))


def test_window_and_onsets_come_with_the_array():
    X = EEGArray(np.zeros((20, 2, 100)), {"onset": np.arange(20) * 0.5}, sfreq=100)
    (train, _), *_ = PurgedKFold(2).split(X)
    assert train.tolist() == list(range(11, 20))  # one-second windows: row 10 overlaps row 9
    (train, _), *_ = PurgedKFold(2, gap=1.0).split(X)
    assert train.tolist() == list(range(13, 20))


def test_runs_of_the_row_table_never_purge_each_other():
    table = {"onset": np.tile(np.arange(10) * 0.5, 2), "run": np.repeat(["r2", "r1"], 10)}
    X = EEGArray(np.zeros((20, 2, 300)), table, sfreq=100)
    folds = list(PurgedKFold(2).split(X))
    assert [test.tolist() for _, test in folds] == [list(range(10)), list(range(10, 20))]
    assert all(len(train) == 10 for train, _ in folds)


def test_row_and_window_of_a_rounded_hop_touch_without_overlapping():
    onset = np.arange(40) * 0.1  # 3 * 0.1 is not 0.3 in binary
    for train, test in PurgedKFold(4, window=0.3).split(onset, onsets=onset):
        inner = int(test[0] > 0) + int(test[-1] < 39)
        assert len(train) == 40 - len(test) - 2 * inner


def test_rows_of_the_same_onset_are_never_on_both_sides():
    onset = np.repeat(np.arange(5.0), 4)
    for train, test in PurgedKFold(3, window=0.0).split(onset, onsets=onset):
        assert not set(onset[train]) & set(onset[test])


@pytest.mark.parametrize(
    ("cv", "kwargs", "message"),
    [
        (PurgedKFold(9), {}, "n_splits=9 blocks need as many rows, got 8"),
        (PurgedKFold(1), {}, "n_splits=1 must be at least 2"),
        (PurgedKFold(2), {}, "how long a row's window is: pass window="),
        (PurgedKFold(2, window=-1), {}, "window=-1 must be at least 0 seconds"),
        (PurgedKFold(2, window=1, gap=float("inf")), {}, "gap=inf must be a finite"),
        (PurgedKFold(2, window=1), {"onsets": None}, r"pass onsets=.*column 'onset'"),
        (PurgedKFold(2, window=9), {}, "fold 0 has no training rows.*window=9, gap=0.0"),
        (PurgedKFold(2, window=1), {"onsets": np.arange(7)}, "onsets has shape .7,."),
        (PurgedKFold(2, window=1), {"onsets": ["a"] * 8}, "onsets must be numbers"),
        (PurgedKFold(2, window=1), {"onsets": np.arange(8).astype("m8[ns]")}, "must be numbers"),
        (PurgedKFold(2, window=1), {"onsets": np.arange(8).astype("M8[s]")}, "must be numbers"),
        (PurgedKFold(2, window=1), {"onsets": pd.to_timedelta(np.arange(8), "s")}, "seconds from"),
        (PurgedKFold(2, window=1), {"onsets": np.arange(8) + 1j}, "onsets must be numbers"),
        (PurgedKFold(2, window=1), {"groups": np.arange(7)}, "groups has shape .7,."),
    ],
)
def test_bad_input_is_named(cv, kwargs, message):
    kwargs = {"onsets": np.arange(8.0), **kwargs}
    with pytest.raises(ValueError, match=message):
        list(cv.split(np.zeros((8, 2)), **kwargs))


def test_a_leaking_neighbour_classifier_loses_its_advantage():
    """Random labels that change slowly, features that overlap: only the honest split is fair."""
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    random = np.random.RandomState(0)
    y = np.repeat(random.randint(0, 2, 60), 20)
    noise = random.standard_normal((len(y) + 15, 8))
    X = np.stack([noise[i : i + 16].mean(axis=0) for i in range(len(y))])
    X = EEGArray(X, {"onset": np.arange(len(y)) * 0.0625})
    shuffled = cross_val_score(KNeighborsClassifier(3), X, y,
                               cv=KFold(5, shuffle=True, random_state=0))
    honest = cross_val_score(KNeighborsClassifier(3), X, y, cv=PurgedKFold(5, window=1.0))
    assert shuffled.mean() > 0.9
    assert abs(honest.mean() - 0.5) < 0.1
