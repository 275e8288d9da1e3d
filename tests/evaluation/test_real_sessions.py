"""The mental-imagery set of the HJB study: what a shuffled split leaks, and the honest splits."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from skbci.datasets import load_recording
from skbci.evaluation import compare, leakage_report
from skbci.model_selection import PurgedKFold, SessionSplit

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def recording(data_folder):
    return load_recording(data_folder / "bci3_V_idiap" / "subject2.npz")


def _session(recording, number):
    rows = recording.metadata["session"].to_numpy() == number
    return np.log(recording.X[rows]), recording.y[rows]


def test_a_shuffled_split_inside_a_session_is_a_mirage(recording):
    X, y = _session(recording, 1)
    neighbours = KNeighborsClassifier(3)
    shuffled = KFold(5, shuffle=True, random_state=0)
    honest = PurgedKFold(5, window=1.0)
    assert leakage_report(shuffled, X, window=1.0).leaks
    assert leakage_report(shuffled, X, window=1.0).folds["overlap"].min() > 0.99
    assert not leakage_report(honest, X, window=1.0).leaks
    assert cross_val_score(neighbours, X, y, cv=shuffled).mean() > 0.98
    assert cross_val_score(neighbours, X, y, cv=honest).mean() < 0.75


def test_the_papers_session_pairs_and_the_first_minute(recording):
    X = np.log(recording.X)
    pairs = [((1,), 2), ((1,), 3), ((2,), 3), ((1, 2), 3), ((1, 2, 3), 4)]
    cv = SessionSplit(pairs=pairs, calibration=60.0, window=1.0)
    report = leakage_report(cv, X, window=1.0)
    assert not report.leaks
    session, onset = (recording.metadata[c].to_numpy() for c in ("session", "onset"))
    for (train, test), (earlier, later) in zip(cv.split(X), pairs):
        assert set(session[train]) == {*earlier, later}
        assert set(session[test]) == {later}
        early = train[session[train] == later]
        assert len(early) == 16 * 59 + 1  # one-second windows that end within the minute
        assert onset[test].min() == 60.0
        assert np.array_equal(early, train[-len(early):])
        assert np.array_equal(onset[early], np.sort(onset[early]))


def test_lda_on_the_test_session_reaches_the_figure_measured_for_this_set(recording):
    result = compare({"LDA": LinearDiscriminantAnalysis()}, np.log(recording.X), recording.y,
                     cv=SessionSplit(test_sessions=4), progress=False)
    assert result.summary.loc["LDA", "mean"] == pytest.approx(0.600, abs=0.005)
