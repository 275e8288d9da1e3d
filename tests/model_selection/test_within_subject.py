from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold

from skbci import EEGArray
from skbci.model_selection import PurgedKFold, WithinSubject

SUBJECT = np.random.RandomState(0).permutation(np.repeat(["S1", "S2", "S10"], [20, 30, 40]))
Y = np.random.RandomState(1).randint(0, 2, 90)


def test_equals_the_inner_splitter_on_each_subject_alone():
    folds = iter(WithinSubject(4, random_state=3).split(Y, Y, SUBJECT))
    for name in ["S1", "S2", "S10"]:
        rows = np.flatnonzero(name == SUBJECT)
        inner = StratifiedKFold(4, shuffle=True, random_state=3)
        for train, test in inner.split(rows, Y[rows]):
            ours = next(folds)
            assert np.array_equal(ours[0], rows[train])
            assert np.array_equal(ours[1], rows[test])
    assert next(folds, None) is None


def test_each_row_is_tested_once_and_folds_are_counted():
    cv = WithinSubject(5)
    folds = list(cv.split(Y, Y, SUBJECT))
    assert len(folds) == cv.get_n_splits(Y, Y, SUBJECT) == 15
    assert np.array_equal(np.sort(np.concatenate([t for _, t in folds])), np.arange(90))


def test_inner_splitter_sees_the_row_table():
    table = {"subject": [1] * 20 + [2] * 20, "onset": np.tile(np.arange(20) * 0.5, 2)}
    X = EEGArray(np.zeros((40, 2, 100)), table, sfreq=100)
    folds = list(WithinSubject(PurgedKFold(2)).split(X))
    assert [len(train) for train, _ in folds] == [9] * 4
    assert WithinSubject(PurgedKFold(2)).get_n_splits(X) == 4


def test_inner_groups_and_several_columns():
    table = {"subject": np.repeat([1, 2], 12), "run": np.tile(np.repeat([4, 8, 12], 4), 2)}
    X = EEGArray(np.zeros((24, 2)), table)
    cv = WithinSubject(LeaveOneGroupOut(), inner_by="run")
    folds = list(cv.split(X))
    assert len(folds) == cv.get_n_splits(X) == 6
    assert [set(table["run"][test]) for _, test in folds] == [{4}, {8}, {12}] * 2
    by_run = WithinSubject(2, by=["subject", "run"])
    folds = list(by_run.split(X, np.tile([0, 1], 12)))
    assert len(folds) == 12
    for train, test in folds:
        rows = np.concatenate([train, test])
        assert len(set(table["run"][rows])) == len(set(table["subject"][rows])) == 1


def test_without_targets_or_with_continuous_ones_folds_are_not_stratified():
    assert len(list(WithinSubject(3).split(SUBJECT, None, SUBJECT))) == 9
    assert len(list(WithinSubject(3).split(SUBJECT, np.linspace(0, 1, 90), SUBJECT))) == 9


def test_errors_name_the_subject():
    with pytest.raises(ValueError, match=r"subject 2 \(2 rows\): .*n_splits=5"):
        list(WithinSubject(5).split(np.zeros(12), np.tile([0, 1], 6), [1] * 10 + [2] * 2))


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        (WithinSubject([(np.arange(2), np.arange(2))]), TypeError, "must be an integer or a spl"),
        (WithinSubject(2, inner_by="run"), ValueError, "inner_by=.* each row's run"),
        (WithinSubject(2, by="session"), ValueError, "pass groups=.*'session'"),
        (WithinSubject(2, by=("subject", "session")), ValueError, "subject and session"),
    ],
)
def test_bad_input_is_named(cv, error, message):
    X = EEGArray(np.zeros((8, 2)), {"subject": np.repeat([1, 2], 4)})
    with pytest.raises(error, match=message):
        list(cv.split(X, np.tile([0, 1], 4)))


def test_groups_of_the_wrong_length():
    with pytest.raises(ValueError, match=r"groups has shape \(3,\), but there are 90 rows"):
        list(WithinSubject(2).split(Y, Y, [1, 2, 3]))
