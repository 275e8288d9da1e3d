"""Early stopping's validation set follows groups and time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils import check_random_state

from skbci import EEGArray
from skbci.estimators import MLPClassifier
from skbci.estimators._neural.validation_split import split_validation


def split(X, y, groups=None, fraction=0.2, seed=0):
    return split_validation(X, len(y), y, groups, fraction, check_random_state(seed))


def windows(**table):
    n = len(next(iter(table.values())))
    return EEGArray(np.zeros((n, 2, 100)), table, sfreq=100.0)


@pytest.mark.parametrize("seed", range(5))
def test_whole_subjects_are_held_out(seed):
    subject = np.repeat(np.arange(10), 12)
    y = np.tile([0, 1], 60)
    train, valid = split(windows(subject=subject), y, seed=seed)
    assert not set(subject[train]) & set(subject[valid])
    assert len(train) + len(valid) == 120
    assert len(valid) >= 0.2 * 120


def test_groups_given_at_fit_come_before_the_table():
    subject = np.repeat(np.arange(4), 10)
    groups = np.tile(np.arange(5), 8)
    train, valid = split(windows(subject=subject), np.tile([0, 1], 20), groups)
    assert not set(groups[train]) & set(groups[valid])


def test_the_last_session_is_held_out():
    session = np.repeat([1, 2, 3], 10)
    train, valid = split(windows(subject=np.ones(30), session=session), np.tile([0, 1], 15))
    assert set(session[valid]) == {3}
    assert set(session[train]) == {1, 2}


def test_without_groups_each_class_gives_its_last_rows():
    y = np.repeat([0, 1], [40, 60])
    train, valid = split(None, y)
    assert valid.tolist() == [*range(32, 40), *range(88, 100)]
    assert not set(train) & set(valid)


def test_overlapping_windows_are_purged():
    onset = np.arange(80) * 0.25  # windows of 1 s
    y = (np.arange(80) // 20) % 2
    train, valid = split(windows(onset=onset), y)
    gap = np.abs(onset[train][:, None] - onset[valid][None]).min()
    assert gap >= 1.0
    assert len(train) < 80 - len(valid)


def test_features_remember_the_window_that_overlaps():
    onset = np.arange(80) * 0.25
    features = windows(onset=onset).with_data(np.zeros((80, 5)), sfreq=None, ch_names=None)
    train, valid = split(features, (np.arange(80) // 20) % 2)
    assert np.abs(onset[train][:, None] - onset[valid][None]).min() >= 1.0


@pytest.mark.parametrize("names", [["1", "2", "9", "10"], ["run1", "run2", "run9", "run10"]])
def test_the_last_session_is_the_last_by_number(names):
    session = np.repeat(names, 10)
    _, valid = split(windows(session=session), np.tile([0, 1], 20))
    assert set(session[valid]) == {names[-1]}


def test_a_class_never_leaves_training():
    subject = np.repeat([1, 2, 3], 10)
    y = np.repeat([0, 1, 2], 10)  # a class a subject: no whole subject can be held out
    train, valid = split(windows(subject=subject), y)
    assert set(y[train]) == set(y[valid]) == {0, 1, 2}


def test_too_few_rows_say_so():
    with pytest.raises(ValueError, match="cannot hold out validation_fraction"):
        split(None, np.array([0, 1]))


def test_the_estimator_uses_it():
    rng = np.random.default_rng(0)
    X = EEGArray(rng.normal(size=(60, 2, 20)), {"subject": np.repeat(np.arange(6), 10)}, sfreq=100)
    y = np.tile([0, 1], 30)
    clf = MLPClassifier((4,), early_stopping=True, max_epochs=2, random_state=0)
    clf.fit(X, y)
    assert clf.history_["valid_loss"].notna().all()
    with pytest.raises(ValueError, match="groups has shape"):
        clf.fit(X, y, groups=[1, 2])


@pytest.mark.parametrize(("fraction", "n_held"), [(0.2, 1), (0.21, 2), (0.4, 2), (0.99, 4)])
def test_no_more_groups_are_held_out_than_the_fraction_asks_for(fraction, n_held):
    groups = np.repeat(np.arange(5), 4)
    y = np.tile([0, 1], 10)
    _, valid = split(np.zeros((20, 3)), y, groups, fraction)
    assert len(np.unique(groups[valid])) == n_held
