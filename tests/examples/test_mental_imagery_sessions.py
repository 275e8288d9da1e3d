"""Sessions that differ: the weights of sessions, the mu band, and the script's quick run."""

from __future__ import annotations

import mental_imagery_sessions as study
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbci import EEGArray


def test_a_session_weighs_what_it_says_of_the_others():
    rng = np.random.default_rng(0)
    y = np.tile(["l", "r"], 300)
    session = np.repeat([1, 2, 3], 200)
    rows = rng.normal(size=(600, 2))
    told = session < 3
    rows[told, 0] += np.where(y[told] == "r", 2.0, -2.0)
    clf = study.SessionVote(LogisticRegression()).fit(EEGArray(rows, {"session": session}), y)
    above = {one: np.mean(clf.estimators_[one].predict(rows[session != one]) == y[session != one])
             - 0.5 for one in (1, 2, 3)}
    for one, weight in clf.weights_.items():
        assert weight == pytest.approx(max(above[one], 0) / sum(max(v, 0) for v in above.values()))
    assert clf.weights_[1] > 0.35 > clf.weights_[3]
    best = clf.classes_[clf.predict_log_proba(rows[told]).argmax(axis=1)]
    assert np.mean(best == y[told]) > 0.95


def test_mu_powers_are_three_of_each_channels_twelve():
    rows = np.arange(24.0)[None]  # channel-major, 8 to 30 Hz by 2
    np.testing.assert_array_equal(study.mu_powers(rows), [[1, 2, 3, 13, 14, 15]])


@pytest.mark.studies
def test_the_quick_run(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    table = study.main(["--quick", "--subjects", "1", "--output", str(tmp_path)])
    assert table["decoder"].tolist() == list(study.decoders())
    assert table.filter(like="session").to_numpy().min() > 1 / 3
    assert "sessions that differ" in capsys.readouterr().out
