"""Which rows go on with a recording that is known."""

from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci._past import Past


def rows(run, *onsets, session=1):
    n = len(onsets)
    table = {"session": [session] * n, "run": [run] * n, "onset": np.array(onsets, dtype=float)}
    return EEGArray(np.zeros((n, 2)), table)


@pytest.mark.parametrize(
    ("by", "X", "known"),
    [
        ("run", rows(1, 3.0), True),
        ("run", rows(1, 2.0), False),  # no later than the last one
        ("run", rows(2, 3.0), False),
        ("session", rows(1, 3.0), True),
        ("session", rows(1, 1.5, 2.5), False),  # the run once more
        ("session", rows(2, 0.0), True),  # the session's next run
        ("session", rows(0, 9.0), False),  # a run that was before
        ("session", rows(1, 3.0, session=2), False),
        ("subject", rows(0, 9.0, session=2), True),
    ],
)
def test_who_goes_on(by, X, known):
    past = Past(by)
    for X_before in (rows(0, 1.0, 5.0), rows(1, 1.0, 2.0)):
        past.note(X_before, np.arange(2), "state")
    assert past.before(X, np.arange(len(X))) == ("state" if known else None)


def test_a_recording_begun_anew_forgets_its_runs():
    past = Past("session")
    for X in (rows(0, 1.0), rows(1, 1.0), rows(0, 1.0)):
        past.note(X, np.arange(1), "state")
    assert past.before(rows(1, 1.0), np.arange(1)) == "state"


def test_rows_without_onsets_go_on_with_nothing():
    past, X = Past(), EEGArray(np.zeros((3, 2)), {"session": [1, 1, 1]})
    past.note(X, np.arange(3), "state")
    assert past.before(X, np.arange(3)) is None
    past.note(np.zeros((3, 2)), np.arange(3), "state")
    assert past.before(np.zeros((3, 2)), np.arange(3)) is None


def test_a_copy_goes_on_by_itself():
    past = Past()
    past.note(rows(1, 1.0), np.arange(1), "first")
    past.copy().note(rows(1, 2.0), np.arange(1), "second")
    assert past.before(rows(1, 3.0), np.arange(1)) == "first"


def test_a_missing_label_is_one_label():
    past = Past()
    past.note(rows(np.nan, 1.0), np.arange(1), "state")
    assert past.before(rows(np.nan, 2.0), np.arange(1)) == "state"
