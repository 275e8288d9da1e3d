"""Earlier and later sessions, and runs without labels: one notion for all who ask."""

from __future__ import annotations

import datetime
import itertools
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import KFold, LeaveOneOut
from sklearn.utils import check_random_state

from skbci import EEGArray
from skbci._eegarray.rows import row_seconds
from skbci._recording.restarts import separate_restarts
from skbci._sessions import earlier_first, recordings_in_time, session_codes
from skbci.estimators import EvidenceAccumulator, MLPClassifier, OnlineClassifier
from skbci.estimators._meta.calibration import calibration_rows
from skbci.estimators._neural.validation_split import split_validation
from skbci.evaluation import leakage_report
from skbci.features import SlidingWindows
from skbci.model_selection import PurgedKFold, SessionSplit

ORDERED = [
    ["pre", "post"], ["train", "test"], ["session_T", "session_E"], ["S1_pre", "S1_post"],
    [1, 2, 10], ["S1", "S2", "S10"], ["0train", "1test"], ["B0101T", "B0102T", "B0103E"],
    [1.5, 2.0, 11.0], ["2024-01-31", "2024-02-01"], ["31.01.2024", "01.02.2024"],
    ["day 2", "day 11"], [True, False], ["9am", "2pm"], ["10 a.m.", "1 p.m."],
    ["Q4 2020", "Q1 2021"], ["11-2020", "03-2021"], ["week 50 of 2020", "week 2 of 2021"],
    [np.datetime64("2023-12-31"), np.datetime64("2024-01-01")],
]
STATED = [
    [b"S2", b"S10"], pd.period_range("2023-12", periods=3, freq="M").tolist(),
    [pd.Timedelta("2h"), pd.Timedelta("10h")], [datetime.timedelta(2), datetime.timedelta(10)],
    [datetime.time(9, 30), datetime.time(14)], [datetime.date(2023, 12, 31),
                                                datetime.date(2024, 1, 1)],
    [Decimal("1.5"), Decimal("11")], [pd.Interval(0, 2), pd.Interval(2, 10)],
    ["S1_2021", "S2_2021"],
    [1, 2, 10], ["S1", "S2", "S10"], ["0train", "1test"], ["2024-01-31", "2024-02-01"]]


def table_of(labels, n=6):
    column = pd.Series(list(labels)).repeat(n).reset_index(drop=True)
    rng = np.random.default_rng(0)
    onset = np.tile(np.arange(n, dtype=float) * 2, len(labels))
    return EEGArray(rng.normal(size=(len(column), 2)), {"session": column, "onset": onset})


def order_by_session_split(X):
    folds = list(SessionSplit().split(X))
    labels = X.metadata["session"]
    return [*labels.iloc[folds[0][0]].unique(), *(labels.iloc[te].iloc[0] for _, te in folds)]


def last_by_early_stopping(X):
    y = np.arange(len(X)) % 2
    _, valid = split_validation(X, len(X), y, None, 0.01, check_random_state(0))
    return X.metadata["session"].iloc[valid].unique().tolist()


def last_by_online_classifier(X):
    late = calibration_rows(X, len(X), "OnlineClassifier")
    return X.metadata["session"][late].unique().tolist()


@pytest.mark.parametrize("labels", ORDERED, ids=str)
def test_everyone_has_one_notion_of_the_last_session(labels):
    X = table_of(labels)
    assert order_by_session_split(X) == list(labels)
    assert last_by_early_stopping(X) == last_by_online_classifier(X) == [labels[-1]]


@pytest.mark.parametrize("labels", STATED, ids=str)
def test_numbers_count_whatever_the_order_of_the_rows(labels):
    for turn in itertools.permutations(range(len(labels))):
        X = table_of([labels[k] for k in turn])
        assert order_by_session_split(X) == list(labels)
        assert last_by_early_stopping(X) == [labels[-1]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert last_by_online_classifier(X) == [labels[-1]]


@pytest.mark.parametrize("categories", [["pre", "mid", "post"], ["S2", "S10", "S1"], [3, 1, 2]])
def test_an_ordered_categorical_says_the_order(categories):
    for rows in (categories, categories[::-1], sorted(categories)):
        column = pd.Categorical(np.repeat(np.array(rows, dtype=object), 4), categories,
                                ordered=True)
        X = EEGArray(np.zeros((12, 2)), {"session": column})
        assert order_by_session_split(X) == categories
        assert last_by_early_stopping(X) == [categories[-1]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert last_by_online_classifier(X) == [categories[-1]]
        folds = SessionSplit().split(np.zeros((12, 2)), groups=column)
        assert [set(column[test]) for _, test in folds] == [{c} for c in categories[1:]]
        # Rows that were selected and joined again still know it.
        again = np.concatenate([X[6:], X[:6]])
        assert order_by_session_split(again) == categories


def test_without_any_order_it_is_an_error():
    X = EEGArray(np.random.default_rng(0).normal(size=(24, 2)),
                 {"session": np.tile(["pre", "post"], 12)})
    y = np.tile([0, 0, 1, 1], 6)
    for work in (
        lambda: list(SessionSplit().split(X)),
        lambda: MLPClassifier((2,), early_stopping=True, max_epochs=1).fit(X, y),
        lambda: OnlineClassifier(SGDClassifier("log_loss")).fit(X, y),
    ):
        with pytest.raises(ValueError, match="no known order.*ordered categorical.*number"):
            work()


def test_the_online_classifier_says_when_the_last_row_is_not_of_the_last_session():
    X = table_of([2, 1])
    with pytest.warns(UserWarning, match="takes session 2 for the last .* of session 1 come"):
        calibration_rows(X, len(X), "OnlineClassifier")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibration_rows(table_of([1, 2]), len(X), "OnlineClassifier")


def test_labels_that_say_nothing_keep_the_rows_order():
    names = ["b", "a", "c"]
    assert list(earlier_first(np.repeat(names, 3), "labels")) == names
    assert list(earlier_first(np.array(["x1y2", "x1y2b"]), "labels")) == ["x1y2", "x1y2b"]
    nested = EEGArray(np.zeros((8, 1)), {"subject": [1, 1, 1, 1, 2, 2, 2, 2],
                                         "session": [2, 2, 1, 1, 1, 1, 2, 2]})
    assert recordings_in_time(nested, 8).tolist() == [1, 1, 0, 0, 2, 2, 3, 3]


# -- runs without labels ---------------------------------------------------------------------

GRID = np.tile(np.arange(10) * 5.0, 3)
JITTERED = np.concatenate([
    np.random.default_rng(seed).uniform(0, 2.0, 10) + np.arange(10) * 5 for seed in (1, 2, 3)
])


def runs_of(onset, sfreq=100.0, **table):
    data = np.random.default_rng(0).normal(size=(len(onset), 2, 300))
    return EEGArray(data, {"onset": onset, **table}, sfreq=sfreq)


@pytest.mark.parametrize("onset", [GRID, JITTERED, np.tile(np.arange(10) * 0.25, 3)],
                         ids=["grid", "jittered", "overlapping windows"])
@pytest.mark.parametrize("table", [{}, {"subject": 1, "session": 1, "run": 1}],
                         ids=["bare", "ones"])
def test_runs_that_were_joined_without_labels_are_not_simultaneous(onset, table):
    X = runs_of(onset, **{key: np.full(30, value) for key, value in table.items()})
    report = leakage_report(KFold(3), X)
    assert not report.leaks
    assert "new runs" in report.verdict
    assert "3 runs" in report.verdict
    assert (report.folds["same_run"] == 0).all()
    assert [len(train) for train, _ in PurgedKFold(3).split(X)] == [20, 20, 20]
    train, valid = split_validation(X, 30, np.arange(30) % 2, None, 0.2, check_random_state(0))
    assert valid.tolist() == list(range(20, 30))
    assert train.tolist() == list(range(20))


def test_one_recording_in_another_order_is_still_one():
    onset = np.arange(60) * 0.5  # 3 s of signal every half second
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 60)
    for rows in (rng.permutation(60), np.argsort(label, kind="stable"), np.arange(60)[::-1],
                 np.r_[0:60:2, 1:60:2], np.sort(rng.integers(0, 60, 60)), rng.integers(0, 60, 60)):
        assert (separate_restarts(np.zeros(60, int), onset[rows]) == 0).all()
        assert leakage_report(LeaveOneOut(), runs_of(onset[rows])).leaks


def test_rows_out_of_order_are_mentioned():
    report = leakage_report(KFold(2), runs_of(np.array([1.0, 6.0, 1.0, 6.0])))
    assert report.leaks
    assert "label them in the metadata column 'run'" in report.verdict
    assert "run" not in leakage_report(KFold(2), runs_of(np.arange(4) * 5.0)).verdict


def test_early_stopping_compares_times_within_a_recording_only():
    """A class that one session has alone: rows are held out by class, from each one's last."""
    session = np.repeat([1, 2], 20)
    X = runs_of(np.tile(np.arange(20) * 2.0, 2), session=session)
    y = np.repeat([0, 1], 20)
    train, valid = split_validation(X, 40, y, None, 0.2, check_random_state(0))
    assert valid.tolist() == [16, 17, 18, 19, 36, 37, 38, 39]
    # 3-s rows each 2 s: only the row just before the held-out ones shares signal with them.
    assert train.tolist() == [*range(15), *range(20, 35)]


def test_calibration_lays_unlabelled_runs_end_to_end():
    session = np.repeat([1, 2], [10, 20])
    X = runs_of(np.concatenate([np.arange(10) * 3.0, np.tile(np.arange(10) * 3.0, 2)]),
                session=session)
    (train, test), = SessionSplit(calibration=36.0).split(X)
    assert train.tolist() == list(range(22))  # a run of 30 s, and 6 s of the next one
    assert test.tolist() == list(range(22, 30))


# -- numbers of sessions ----------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=str)
@pytest.mark.parametrize("column", ["subject", "session"])
def test_rows_of_nobody_knows_whom_are_named(column, missing):
    labels = pd.Series(["a", missing, "b", missing], dtype=object)
    X = EEGArray(np.zeros((4, 2)), {column: labels, "run": [1, 1, 2, 2]})
    with pytest.raises(ValueError, match=f"{column!r} has 2 missing entries .*in row 1, 3"):
        session_codes(X, 4)
    if column == "session":  # nobody asks for it
        assert session_codes(X, 4, "subject").tolist() == [0, 0, 0, 0]


def test_sessions_are_numbered_in_order_of_appearance():
    table = {"subject": ["b", "b", "a", "a", "b"], "session": [2, 1, 2, 2, 2],
             "run": [1, None, None, 1, 1]}
    X = EEGArray(np.zeros((5, 2)), table)
    assert session_codes(X, 5, "subject").tolist() == [0, 0, 1, 1, 0]
    assert session_codes(X, 5, "session").tolist() == [0, 1, 2, 2, 0]
    assert session_codes(X, 5, "run").tolist() == [0, 1, 2, 3, 0]
    assert session_codes(np.zeros((3, 2)), 3).tolist() == [0, 0, 0]


# -- onsets that are no seconds ---------------------------------------------------------------


NO_SECONDS = {
    "words": ["early", "late"] * 6,
    "time deltas": pd.to_timedelta(np.arange(12), unit="s"),
    "dates": pd.date_range("2024-01-01", periods=12, freq="s"),
}
ASKED = {
    "evidence": lambda X, y: EvidenceAccumulator(LogisticRegression()).fit(X, y).predict(X),
    "early stopping": lambda X, y: MLPClassifier(max_epochs=1, early_stopping=True).fit(X, y),
    "splitter": lambda X, y: list(PurgedKFold(2, window=1.0).split(X)),
    "windows": lambda X, y: SlidingWindows(1.0, 1.0, sfreq=2).explode(
        EEGArray(np.ones((12, 1, 4)), X.metadata, sfreq=2)),
}


@pytest.mark.parametrize("onset", NO_SECONDS.values(), ids=NO_SECONDS)
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_onsets_that_are_no_seconds_are_named(asked, onset):
    X = EEGArray(np.random.default_rng(0).normal(size=(12, 3)), {"onset": onset})
    with pytest.raises(ValueError, match="column 'onset' holds .* in row 0: .* in seconds"):
        asked(X, np.arange(12) % 2)


def test_onsets_of_every_kind_of_number_are_seconds():
    for onset in ([0, 1, 2.5], pd.array([0, 1, None], dtype="Int64"), ["0", "1", "2"]):
        found = row_seconds(EEGArray(np.zeros((3, 2)), {"onset": onset}))
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found[:2], [0, 1])
    assert row_seconds(np.zeros((3, 2))) is None


@pytest.mark.parametrize("labels", [
    ["15.01.24", "01.02.24"], ["12/1/23", "1/15/24"], ["12-Jan-2024", "03-Feb-2024"],
    ["30 May", "2 June"], ["v1.10", "v1.9"], ["0.5s", "0.25s"],
])  # fmt: skip
def test_numbers_that_may_mean_another_order_do_not_count(labels):
    # In order of the rows, as labels without numbers; interleaved, it is an error.
    X = table_of(labels)
    assert order_by_session_split(X) == labels
    mixed = X[np.arange(len(X)).reshape(2, -1).T.ravel()]
    with pytest.raises(ValueError, match="no known order"):
        list(SessionSplit().split(mixed))


@pytest.mark.parametrize("labels", [["-2", "-1", "0"], ["1.5", "2.25"], ["1.8", "1.9"]])
def test_numbers_that_mean_one_order_count(labels):
    assert order_by_session_split(table_of(labels[::-1])) == labels


def test_joined_ordered_categoricals_keep_their_order():
    def part(labels, categories):
        column = pd.Categorical(labels, categories=categories, ordered=True)
        return EEGArray(np.zeros((len(labels), 1)), pd.DataFrame({"session": column}))

    whole = ["pre", "mid", "post"]
    late, early = part(["post"], ["mid", "post"]), part(["pre", "mid"], ["pre", "mid"])
    joined = np.concatenate([late, early])
    assert joined.metadata["session"].tolist() == ["post", "pre", "mid"]
    assert joined.metadata["session"].cat.categories.tolist() == whole
    assert list(earlier_first(joined.metadata["session"], "session")) == whole
    # Nothing says which of two comes first, or one says so and another the contrary.
    for others in (["pre", "late"], ["mid", "pre"]):
        one = np.concatenate([early, part(others[:1], others)])
        assert not isinstance(one.metadata["session"].dtype, pd.CategoricalDtype)
