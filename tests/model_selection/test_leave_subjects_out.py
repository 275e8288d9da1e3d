from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV

from skbci import EEGArray
from skbci.model_selection import LeaveSubjectsOut


def _rows(n_subjects: int, seed: int = 0) -> np.ndarray:
    """Unequal numbers of rows a subject, in mixed order."""
    random = np.random.RandomState(seed)
    subject = np.repeat(np.arange(n_subjects), random.randint(1, 6, n_subjects))
    return random.permutation(subject)


@settings(max_examples=30, deadline=None)
@given(n_subjects=st.integers(2, 15), n_splits=st.integers(2, 15), seed=st.integers(0, 99))
def test_partition_tests_each_row_once_and_no_subject_twice(n_subjects, n_splits, seed):
    n_splits = min(n_splits, n_subjects)
    subject = _rows(n_subjects, seed)
    folds = list(LeaveSubjectsOut(n_splits, random_state=seed).split(subject, groups=subject))
    assert len(folds) == n_splits
    assert np.array_equal(np.sort(np.concatenate([t for _, t in folds])), np.arange(len(subject)))
    sizes = [len(np.unique(subject[test])) for _, test in folds]
    assert max(sizes) - min(sizes) <= 1
    for train, test in folds:
        assert not set(subject[train]) & set(subject[test])
        assert np.array_equal(np.union1d(train, test), np.arange(len(subject)))


def test_the_papers_protocol_four_draws_of_five_out_of_twenty():
    subject = _rows(20)
    folds = list(LeaveSubjectsOut(4, 5, random_state=1).split(subject, groups=subject))
    tested = [tuple(np.unique(subject[test])) for _, test in folds]
    assert len(set(tested)) == 4
    for (train, _), names in zip(folds, tested):
        assert len(names) == 5
        assert len(np.unique(subject[train])) == 15
        assert not set(subject[train]) & set(names)


def test_draws_are_all_different_even_when_all_of_them_are_asked_for():
    subject = np.arange(5)
    folds = LeaveSubjectsOut(10, 2, random_state=0).split(subject, groups=subject)
    assert len({tuple(test) for _, test in folds}) == 10


def test_same_seed_same_draws_and_no_seed_other_draws():
    subject = np.arange(30)

    def draw(seed):
        return [t.tolist() for _, t in LeaveSubjectsOut(3, 9, random_state=seed).split(
            subject, groups=subject)]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)
    assert draw(None) != draw(None)  # 14 million possible first draws


def test_partition_without_seed_keeps_natural_order():
    subject = np.array([f"S{i}" for i in range(1, 13)])
    tests = [subject[t].tolist() for _, t in LeaveSubjectsOut(4).split(subject, groups=subject)]
    assert tests == [[f"S{i}" for i in range(k, k + 3)] for k in (1, 4, 7, 10)]


def test_row_table_speaks_where_groups_are_silent_and_groups_win():
    table = {"subject": [1, 1, 2, 2]}
    X = EEGArray(np.zeros((4, 2)), table)
    assert [t.tolist() for _, t in LeaveSubjectsOut(2).split(X)] == [[0, 1], [2, 3]]
    by_group = LeaveSubjectsOut(2).split(X, groups=["b", "a", "b", "a"])
    assert [t.tolist() for _, t in by_group] == [[1, 3], [0, 2]]


@pytest.mark.parametrize(
    ("cv", "groups", "message"),
    [
        (LeaveSubjectsOut(3), [1, 1, 2, 2], "n_splits=3 folds need at least as many .* 2"),
        (LeaveSubjectsOut(1), [1, 1, 2, 2], "n_splits=1 must be at least 2"),
        (LeaveSubjectsOut(1, 2), [1, 1, 2, 2], "test_subjects=2 leaves no training subject"),
        (LeaveSubjectsOut(3, 1), [1, 1, 2, 2], "3 different draws of 1 out of 2 .* there are 2"),
        (LeaveSubjectsOut(2, 0), [1, 1, 2, 2], "test_subjects=0 must be at least 1"),
        (LeaveSubjectsOut(2), [1, 2, 2], "groups has shape .3,., but there are 4 rows"),
        (LeaveSubjectsOut(2), [1, np.nan, 2, 2], "groups has 1 missing"),
        (LeaveSubjectsOut(2), [1, None, 2, 2], "groups has 1 missing"),
        (LeaveSubjectsOut(2), [1, "b", 2, 2], None),
    ],
)
def test_bad_input_is_named(cv, groups, message):
    groups = np.array(groups, dtype=object) if message is None or None in groups else groups
    with pytest.raises(ValueError, match=message or "mixes labels"):
        list(cv.split(np.zeros((4, 2)), groups=groups))


def test_without_any_labels_both_ways_are_named():
    with pytest.raises(ValueError, match=r"pass groups=.*EEGArray or mne.Epochs.*'subject'"):
        list(LeaveSubjectsOut(2).split(np.zeros((4, 2))))


def test_n_splits_of_the_wrong_type():
    with pytest.raises(TypeError, match=r"n_splits=2\.5 must be an integer"):
        list(LeaveSubjectsOut(2.5).split(np.zeros(4), groups=[1, 1, 2, 2]))


def test_repr_and_clone():
    cv = LeaveSubjectsOut(4, 5, random_state=3)
    assert repr(cv) == "LeaveSubjectsOut(n_splits=4, random_state=3, test_subjects=5)"
    assert repr(clone(cv, safe=False)) == repr(cv)


@pytest.mark.parametrize(
    ("settings", "taken"),
    [({}, True), ({"random_state": 3}, True), ({"test_subjects": 1, "random_state": 3}, True),
     ({"test_subjects": 1}, False), ({"random_state": np.random.RandomState(0)}, False)],
)
def test_a_search_by_halving_takes_folds_that_stay_the_same(settings, taken):
    cv = LeaveSubjectsOut(2, **settings)
    X, y = np.random.default_rng(0).normal(size=(80, 3)), np.tile([0, 1], 40)
    search = HalvingGridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=cv, random_state=0,
                                 min_resources=80)
    groups = np.repeat([1, 2, 3, 4], 20)
    if taken:
        search.fit(X, y, groups=groups)
    else:
        with pytest.raises(ValueError, match="consistent splits|consistent"):
            search.fit(X, y, groups=groups)
