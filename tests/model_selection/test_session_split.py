from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci.model_selection import SessionSplit

SESSION = np.repeat([1, 2, 3, 4], 10)
ONSET = np.tile(np.arange(10) * 0.5, 4)


def _sessions(cv, X=None, groups=SESSION, **kwargs):
    X = np.zeros((len(groups), 2)) if X is None else X
    return [(sorted(set(groups[a])), sorted(set(groups[b])))
            for a, b in cv.split(X, groups=groups, **kwargs)]


def test_each_later_session_is_tested_on_all_before_it():
    assert _sessions(SessionSplit()) == [([1], [2]), ([1, 2], [3]), ([1, 2, 3], [4])]
    assert SessionSplit().get_n_splits(groups=SESSION) == 3


def test_pairs_give_the_papers_table():
    pairs = [((1,), 2), ((1,), 3), ((2,), 3), ((1, 2), 3), ((1, 2, 3), 4)]
    cv = SessionSplit(pairs=pairs)
    assert _sessions(cv) == [(list(a), [b]) for a, b in pairs]
    assert cv.get_n_splits(groups=SESSION) == 5


def test_named_test_sessions_and_least_number_of_training_sessions():
    assert _sessions(SessionSplit(test_sessions=4)) == [([1, 2, 3], [4])]
    assert _sessions(SessionSplit(test_sessions=[3, 2])) == [([1, 2], [3]), ([1], [2])]
    assert _sessions(SessionSplit(min_train_sessions=3)) == [([1, 2, 3], [4])]


def test_numbers_inside_labels_count_as_numbers():
    groups = np.repeat(["ses-2", "ses-10", "ses-1"], 2)
    assert [(groups[a].tolist(), groups[b].tolist())
            for a, b in SessionSplit(test_sessions="ses-10").split(groups, groups=groups)] == [
        (["ses-1"] * 2 + ["ses-2"] * 2, ["ses-10"] * 2)]


@pytest.mark.parametrize("seconds", [1.0, 2.0, 2.3, 4.0])
@pytest.mark.parametrize("window", [0.0, 0.5, 1.0])
def test_calibration_rows_end_before_any_test_row_begins(seconds, window):
    cv = SessionSplit(calibration=seconds, window=window)
    plain = SessionSplit().split(SESSION, groups=SESSION)
    for (train0, test0), (train, test) in zip(plain, cv.split(SESSION, groups=SESSION,
                                                              onsets=ONSET)):
        early = train[len(train0):]
        assert np.array_equal(train[: len(train0)], train0)
        assert np.array_equal(early, test0[(ONSET[test0] + window <= seconds)
                                           & (ONSET[test0] < seconds)])
        assert np.array_equal(test, test0[ONSET[test0] >= seconds])
        assert (ONSET[early] + window).max() <= ONSET[test].min()


def test_calibration_rows_come_in_order_of_time_whatever_the_order_of_rows():
    order = np.random.RandomState(0).permutation(len(SESSION))
    session, onset = SESSION[order], ONSET[order]
    cv = SessionSplit(calibration=3, window=0.5, test_sessions=2)
    (train, test), = cv.split(session, groups=session, onsets=onset)
    early = train[session[train] == 2]
    assert np.array_equal(train[-len(early):], early)
    assert np.array_equal(onset[early], np.arange(6) * 0.5)
    assert np.array_equal(np.sort(onset[test]), np.arange(6, 10) * 0.5)


def test_runs_are_laid_end_to_end_and_the_clock_starts_with_the_first_row():
    run = np.tile(np.repeat([4, 8], 5), 4)
    onset = 100.0 + np.tile(np.tile(np.arange(5) * 0.5, 2), 4)
    X = EEGArray(np.zeros((40, 2, 50)), {"session": SESSION, "run": run, "onset": onset},
                 sfreq=100)
    (_, test), = SessionSplit(calibration=3.5, test_sessions=2).split(X)
    # The first run lasts 2 + 0.5 seconds, so one second of the second one calibrates.
    assert np.array_equal(test, np.arange(17, 20))


def test_each_subject_has_its_own_splits():
    subject = np.tile(np.repeat(["b", "a"], 5), 4)
    X = EEGArray(np.zeros((40, 2)), {"subject": subject, "session": SESSION, "onset": ONSET})
    folds = list(SessionSplit().split(X))
    assert len(folds) == SessionSplit().get_n_splits(X) == 6
    for (train, test), name in zip(folds, "aaabbb"):
        assert set(subject[train]) == set(subject[test]) == {name}
        assert SESSION[train].max() < SESSION[test].min()


def test_pooled_subjects_share_their_splits_but_not_their_clocks():
    subject = np.tile(np.repeat(["a", "b"], 5), 4)
    onset = ONSET + 100.0 * (subject == "b")
    X = EEGArray(np.zeros((40, 2)), {"subject": subject, "session": SESSION, "onset": onset})
    cv = SessionSplit(within_subject=False, calibration=1, window=0.5)
    folds = list(cv.split(X))
    assert len(folds) == cv.get_n_splits(X) == 3
    for number, (train, test) in enumerate(folds, start=2):
        assert set(SESSION[test]) == {number}
        before = train[SESSION[train] < number]
        assert sorted(before) == [row for row in range(40) if SESSION[row] < number]
        early = train[SESSION[train] == number]
        assert [(subject[early] == name).sum() for name in "ab"] == [2, 2]
        assert [(subject[test] == name).sum() for name in "ab"] == [3, 3]


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (SessionSplit(calibration=5, window=0.5), "leaves no test rows in session 2.*last 5 sec"),
        (SessionSplit(calibration=50, window=0.5), "leaves no test rows in session 2"),
        (SessionSplit(calibration=0.4, window=0.5), "no whole window to calibrate with"),
        (SessionSplit(calibration=-1), "calibration=-1 must be at least 0 seconds"),
        (SessionSplit(calibration=1), "how long a row's window is: pass window="),
        (SessionSplit(test_sessions=7), "session 7 needs at least 1 .*in order: .1, 2, 3, 4"),
        (SessionSplit(test_sessions=1), "session 1 needs at least 1 session"),
        (SessionSplit(test_sessions=[]), "test_sessions is empty"),
        (SessionSplit(min_train_sessions=4), "4 session.s. .*cannot be split into 4"),
        (SessionSplit(pairs=[((1, 9), 2)]), r"names \[9\]; the sessions are"),
        (SessionSplit(pairs=[((1, 2), 2)]), "tests on a session that it trains on"),
        (SessionSplit(pairs=[((), 2)]), "names no training session"),
        (SessionSplit(pairs=[3]), "3 in pairs is not a pair"),
        (SessionSplit(pairs=[((1, 1), 2)]), r"pair \(\(1, 1\), 2\) trains on session 1 twice"),
        (SessionSplit(test_sessions=[2, 3, 2]), "test_sessions names session 2 twice"),
    ],
)
def test_bad_input_is_named(cv, message):
    with pytest.raises(ValueError, match=message):
        list(cv.split(np.zeros((40, 2)), groups=SESSION, onsets=ONSET))


def test_calibration_of_the_wrong_type():
    with pytest.raises(TypeError, match="calibration='60' must be a number in seconds"):
        list(SessionSplit(calibration="60").split(SESSION, groups=SESSION))


def test_calibration_without_onsets_names_both_ways():
    cv = SessionSplit(calibration=1, window=0.5)
    with pytest.raises(ValueError, match=r"pass onsets=.*column 'onset'"):
        list(cv.split(np.zeros((40, 2)), groups=SESSION))


@pytest.mark.parametrize("onsets", [ONSET[:-1], np.where(ONSET == 0, np.nan, ONSET)])
def test_bad_onsets(onsets):
    cv = SessionSplit(calibration=1, window=0.5)
    with pytest.raises(ValueError, match="onsets has"):
        list(cv.split(np.zeros((40, 2)), groups=SESSION, onsets=onsets))


def test_one_session_names_the_subject():
    X = EEGArray(np.zeros((4, 2)), {"subject": [1, 1, 2, 2], "session": [1, 2, 1, 1]})
    with pytest.raises(ValueError, match=r"1 session\(s\) of subject 2"):
        list(SessionSplit().split(X))


def test_without_sessions_both_ways_are_named():
    with pytest.raises(ValueError, match=r"pass groups=.*'session'"):
        list(SessionSplit().split(np.zeros((4, 2))))
