"""Rows of new people as they arrive."""

from __future__ import annotations

import new_people_online as study
import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from skbci import EEGArray


class Counts:
    """Says how many rows a call has, and of the last one its value."""

    def predict(self, X):
        return np.array([f"{len(X)}: {value}" for value in np.asarray(X)[:, 0]])


def test_a_row_is_predicted_with_those_before_it_only():
    X = EEGArray(np.arange(6.0)[:, None], {"subject": [1] * 6})
    assert study.arriving(Counts(), X, np.array([0, 4])).tolist() == ["1: 0.0", "5: 4.0"]


def test_p_is_that_of_pairs_of_people():
    rng = np.random.default_rng(0)
    online, transductive = rng.random((2, 9))
    lines = pd.DataFrame({"subject": rng.permutation(9), "online": online,
                          "transductive": transductive})
    assert study.loss_p(lines) == pytest.approx(wilcoxon(online - transductive).pvalue)


@pytest.mark.studies
def test_the_quick_run(tmp_path, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    table = study.main(["--quick", "--n-jobs", "1", "--output", str(tmp_path), "--pipelines",
                        "CSP + LDA"])
    assert table["pipeline"].tolist() == ["CSP + LDA"]
    assert table[["transductive", "online"]].to_numpy().min() > 0.5
