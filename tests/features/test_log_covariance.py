"""LogCovariance: the matrix logarithm, its shrinkage, its range, and rows without signal."""

from __future__ import annotations

import numpy as np
import pytest
from pyriemann.estimation import Covariances
from pyriemann.geometry.base import logm
from pyriemann.geometry.tangentspace import tangent_space
from sklearn.covariance import oas

from skbci import EEGArray
from skbci.features import EuclideanAlignment, FilterBank, LogCovariance, RiemannianRecentering


def signals(n=8, channels=4, times=60, seed=0):
    rng = np.random.default_rng(seed)
    mixing = np.eye(channels) + 0.3 * rng.normal(size=(n, channels, channels))
    return mixing @ rng.normal(size=(n, channels, times)) * 1e-5


def vector(matrix):
    return np.concatenate([
        [matrix[i, j] * (1 if i == j else 2**0.5) for j in range(i, len(matrix))]
        for i in range(len(matrix))
    ])


def test_equals_the_logarithm_of_the_covariance():
    X = signals()
    for estimator, covariance in (
        ("scm", lambda x: np.cov(x, ddof=0)), ("oas", lambda x: oas(x.T)[0]),
    ):
        wanted = [vector(logm(covariance(x))) for x in X]
        np.testing.assert_allclose(LogCovariance(estimator, tol=0).fit_transform(X), wanted,
                                   atol=1e-8)


def test_after_recentering_they_are_tangent_vectors_at_the_subjects_mean():
    X = signals(30)
    step = RiemannianRecentering(estimator="scm", tol=0)
    found = LogCovariance("scm", tol=0).fit_transform(step.fit_transform(X))
    centered = X - X.mean(axis=-1, keepdims=True)
    wanted = tangent_space(Covariances("scm").transform(centered), step.references_[()])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_common_reference_has_no_part_in_it():
    X = signals(6, 5)
    X = X - X.mean(axis=1, keepdims=True)
    basis = np.linalg.svd(np.ones((1, 5)))[2][1:].T
    found = LogCovariance().fit_transform(X)
    wanted = [vector(basis @ logm(oas((basis.T @ x).T)[0]) @ basis.T) for x in X]
    np.testing.assert_allclose(found, wanted, atol=1e-7)


def test_bands_are_blocks_and_names_say_so():
    X = EEGArray(signals(6, 3, 128), sfreq=64, ch_names=["C3", "Cz", "C4"])
    bands = FilterBank([(4, 8), (8, 12)]).fit_transform(X)
    step = LogCovariance().fit(bands)
    out = np.asarray(step.transform(bands))
    for k in range(2):
        alone = LogCovariance().fit_transform(np.asarray(bands)[:, k])
        np.testing.assert_allclose(out[:, 6 * k : 6 * k + 6], alone, atol=1e-10)
    assert step.get_feature_names_out().tolist()[5:8] == ["band0_C4-C4", "band1_C3-C3",
                                                          "band1_C3-Cz"]
    single = LogCovariance().fit(X)
    assert single.get_feature_names_out().tolist() == [
        "C3-C3", "C3-Cz", "C3-C4", "Cz-Cz", "Cz-C4", "C4-C4"]
    assert step.transform(bands).metadata.equals(bands.metadata)


def test_one_channel_is_its_log_variance():
    X = signals()[:, 0]
    np.testing.assert_allclose(LogCovariance("scm").fit_transform(X)[:, 0], np.log(X.var(axis=1)))


def test_the_unit_moves_the_diagonal_and_nothing_after_alignment():
    X = signals()
    volts, micro = (LogCovariance().fit_transform(x) for x in (X, X * 1e6))
    shift = vector(np.eye(4)) * np.log(1e12)
    np.testing.assert_allclose(micro, volts + shift, atol=1e-7)
    aligned = [LogCovariance().fit_transform(EuclideanAlignment().fit_transform(x))
               for x in (X, X * 1e6)]
    np.testing.assert_allclose(*aligned, atol=1e-7)


def test_single_precision_stays():
    X = signals()
    out = LogCovariance().fit_transform(X.astype(np.float32))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, LogCovariance().fit_transform(X), atol=1e-3)


def test_rows_without_signal_have_the_mean_and_change_no_other():
    X = signals(12)
    rest = np.delete(X, 5, axis=0)
    wanted = LogCovariance().fit_transform(rest)
    for spoiled in (0.0, 1e6):
        bad = X.copy()
        bad[5, 1] = bad[5, 1] * spoiled
        with pytest.warns(UserWarning, match=r"LogCovariance: 1 of 12 rows .*row 5 \("):
            out = LogCovariance().fit_transform(bad)
        np.testing.assert_allclose(np.delete(out, 5, axis=0), wanted)
        np.testing.assert_allclose(out[5], wanted.mean(axis=0))


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"estimator": "lwf"}, ValueError, "estimator='lwf' is not one of 'oas', 'scm'"),
    ({"tol": 1.5}, ValueError, "tol=1.5"),
    ({"tol": "no"}, TypeError, "tol='no'"),
])
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        LogCovariance(**params).fit(signals())
