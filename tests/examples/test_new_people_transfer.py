"""Transfer methods on new people: rows computed once, dispersion, labels and tests."""

from __future__ import annotations

import new_people_transfer as study
import numpy as np
import pandas as pd
import pytest
from pyriemann.geometry.distance import distance_riemann
from scipy.stats import wilcoxon

import skbci
from skbci import EEGArray
from skbci.baselines import csp_lda, riemann_mdm


@pytest.fixture
def simulated():
    """Aligned rows, labels, and which rows are of test people."""
    y, subject = study.labels(None, True)
    return study.covariances(None, True, study.RIEMANNIAN), y, study.in_fold(subject, 0)


@pytest.mark.studies
def test_the_quick_run(tmp_path, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    free, few = study.main(["--quick", "--n-jobs", "1", "--output", str(tmp_path)])
    assert set(free["decoder"]) == set(study.RUNS)
    plain = free[free["decoder"].eq(study.CSP) & free["transfer"].eq(study.EUCLIDEAN)]
    assert plain["accuracy"].item() > 0.6
    assert few["labelled rows"].tolist() == [0, 6, 6, 6, 0, 6, 6, 6]


@pytest.mark.studies
@pytest.mark.parametrize(("decoder", "aligned", "make"), [
    (study.CSP, study.EUCLIDEAN, lambda: csp_lda(**study._WHERE, alignment="euclidean")),
    (study.MDM, study.RIEMANNIAN, lambda: riemann_mdm(**study._WHERE, alignment="riemannian")),
])
def test_rows_that_are_aligned_once_are_those_of_a_pipeline(decoder, aligned, make):
    X, y = study.people(None, True)
    X, tested = study.signal_of(X, study.RHYTHMS), study.in_fold(X.metadata["subject"], 0)
    hits = make().fit(X[~tested], y[~tested]).predict(X[tested]) == y[tested]
    lines = pd.DataFrame(study.run_one(None, True, decoder, aligned, 0))
    assert lines.loc[lines["then"] == "", "accuracy"].mean() == pytest.approx(hits.mean())


def test_scaled_covariances_are_one_from_the_identity_in_the_mean():
    rng = np.random.default_rng(0)
    factors = np.eye(3) + rng.normal(scale=0.3, size=(40, 3, 3))
    rows = EEGArray(factors @ factors.transpose(0, 2, 1), {"subject": np.repeat([1, 2], 20)})
    out = np.asarray(skbci.make_pipeline(*study.scaled()).fit_transform(rows))
    squares = distance_riemann(out, np.eye(3), squared=True).reshape(2, 20)
    # About the identity itself; the scaler's deviations are about the mean of the logarithms.
    logs = study.to_tangent(out).reshape(2, 20, -1)
    np.testing.assert_allclose(squares.mean(axis=1) - (logs.mean(axis=1) ** 2).sum(axis=1), 1)


@pytest.mark.studies
def test_later_rows_have_no_part_in_what_is_learned(simulated):
    rows, y, tested = simulated
    one = rows.metadata["subject"].to_numpy()[tested][0]
    own = np.flatnonzero(rows.metadata["subject"] == one)
    train = np.concatenate([np.flatnonzero(~tested), own[:6]])
    vectors = EEGArray(study.to_tangent(rows), rows.metadata)
    wrong = y.copy()
    wrong[own[6:]] = y[own[6:]][::-1]
    said, again = (study.with_labels(rows, vectors, labels, train, own[:6], own[6:], one, 0.01)
                   for labels in (y, wrong))
    assert len(said) == 6
    for name, labels in said.items():
        np.testing.assert_array_equal(labels, again[name])


def test_differences_are_paired_by_person():
    rng = np.random.default_rng(1)
    scores = {name: rng.random(12) for name in (study.RAW, study.RIEMANNIAN)}
    lines = pd.DataFrame([
        {"decoder": study.MDM, "transfer": name, "subject": subject, "accuracy": value}
        for name, values in scores.items() for subject, value in enumerate(values)])
    table = study.make_table(lines, ("decoder", "transfer"), study.PLAIN).set_index("transfer")
    gap = scores[study.RAW] - scores[study.RIEMANNIAN]
    assert table.loc[study.RAW, "gap"] == pytest.approx(gap.mean())
    assert table.loc[study.RAW, "p"] == pytest.approx(wilcoxon(gap).pvalue)
    assert np.isnan(table.loc[study.RIEMANNIAN, "p"])
