"""The splitters where scikit-learn calls them: every cv= there is, routing on and off."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GridSearchCV,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)

from skbci import EEGArray
from skbci.model_selection import LeaveSubjectsOut, PurgedKFold, SessionSplit, WithinSubject

N = 48
TABLE = {
    "subject": np.repeat([1, 2, 3, 4], 12),
    "session": np.tile(np.repeat([1, 2], 6), 4),
    "onset": np.tile(np.arange(6.0), 8),
}
Y = np.tile([0, 1], N // 2)
CASES = [
    (LeaveSubjectsOut(4), "subject", {}),
    (LeaveSubjectsOut(3, 2, random_state=0), "subject", {}),
    (WithinSubject(2), "subject", {}),
    (SessionSplit(calibration=2, window=1, within_subject=False), "session",
     {"onsets": TABLE["onset"]}),
    (PurgedKFold(4, window=1), "session", {"onsets": TABLE["onset"]}),
]


@pytest.mark.parametrize(("cv", "column", "extra"), CASES, ids=lambda c: type(c).__name__)
def test_groups_travel_by_metadata_routing(cv, column, extra):
    X, params = np.zeros((N, 3)), {"groups": TABLE[column], **extra}
    folds = list(cv.split(X, Y, **params))
    with config_context(enable_metadata_routing=True):
        result = cross_validate(DummyClassifier(), X, Y, cv=cv, params=params,
                                return_indices=True)
        search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "most_frequent"]}, cv=cv)
        search.fit(X, Y, **params)
    assert search.n_splits_ == len(folds)
    for (train, test), a, b in zip(folds, result["indices"]["train"], result["indices"]["test"]):
        assert np.array_equal(train, a)
        assert np.array_equal(test, b)


@pytest.mark.parametrize(("cv", "column", "extra"), CASES, ids=lambda c: type(c).__name__)
def test_row_table_is_enough_without_routing(cv, column, extra):
    X = EEGArray(np.zeros((N, 3)), TABLE)
    folds = list(cv.split(X, Y))
    assert cv.get_n_splits(X, Y) == len(folds)
    assert len(cross_val_score(DummyClassifier(), X, Y, cv=cv)) == len(folds)
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior"]}, cv=cv).fit(X, Y)
    assert search.n_splits_ == len(folds)
    assert check_cv(cv) is cv


def test_groups_by_the_old_way_without_routing():
    X = np.zeros((N, 3))
    for cv in (LeaveSubjectsOut(4), WithinSubject(2)):
        scores = cross_val_score(DummyClassifier(), X, Y, cv=cv, groups=TABLE["subject"])
        assert len(scores) == cv.get_n_splits(X, Y, TABLE["subject"])


def test_inner_search_reads_the_table_that_outer_folds_sliced():
    X = EEGArray(np.zeros((N, 3)), TABLE)
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior"]}, cv=LeaveSubjectsOut(3))
    assert len(cross_val_score(search, X, Y, cv=LeaveSubjectsOut(4))) == 4
    assert len(cross_val_predict(DummyClassifier(), X, Y, cv=WithinSubject(2))) == N


def test_epochs_with_metadata_split_like_the_array():
    info = mne.create_info(["C3", "C4"], 100.0, "eeg")
    events = np.column_stack([np.arange(N) * 100, np.zeros(N, int), Y + 1])
    data = np.random.RandomState(0).standard_normal((N, 2, 50)) * 1e-6
    epochs = mne.EpochsArray(data, info, events, metadata=pd.DataFrame(TABLE), verbose="error")
    X = EEGArray(data, TABLE, sfreq=100.0)
    for cv in (LeaveSubjectsOut(4), WithinSubject(2), SessionSplit(), PurgedKFold(3)):
        ours, theirs = list(cv.split(X, Y)), list(cv.split(epochs, Y))
        assert len(ours) == len(theirs) == cv.get_n_splits(epochs, Y)
        for a, b in zip(ours, theirs):
            assert np.array_equal(a[0], b[0])
            assert np.array_equal(a[1], b[1])
    assert len(cross_val_score(DummyClassifier(), epochs, Y, cv=LeaveSubjectsOut(2))) == 2
