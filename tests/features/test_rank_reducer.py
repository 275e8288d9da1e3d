"""RankReducer: rank, power, units, full-rank covariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci import EEGArray
from skbci.features import RankReducer


def average_referenced(seed, n=20, n_channels=6, n_times=80, unit=1e-5):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((n_channels, n_channels))
    X = mixing @ rng.standard_normal((n, n_channels, n_times)) * unit
    return X - X.mean(axis=1, keepdims=True)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 10), st.booleans())
def test_an_average_reference_costs_one_rank(seed, n_channels, single):
    X = average_referenced(seed, n_channels=n_channels)
    reducer = RankReducer().fit(X.astype(np.float32) if single else X)
    assert reducer.rank_ == n_channels - 1
    assert reducer.transform(X).shape == (20, n_channels - 1, 80)


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_rank_is_the_number_of_sources(rank):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, rank)) @ rng.standard_normal((10, rank, 50))
    assert RankReducer().fit(X).rank_ == rank


def test_components_are_orthonormal_strongest_first_and_signed():
    reducer = RankReducer().fit(average_referenced(1))
    v = reducer.components_
    np.testing.assert_allclose(v @ v.T, np.eye(5), atol=1e-12)
    assert (np.diff(reducer.explained_variance_) <= 0).all()
    assert (v[np.arange(5), np.abs(v).argmax(axis=1)] > 0).all()


def test_total_power_and_distances_are_kept():
    X = average_referenced(2)
    reducer = RankReducer().fit(X)
    out = reducer.transform(X)
    np.testing.assert_allclose((out**2).sum(axis=1) * reducer.scale_**2, (X**2).sum(axis=1))
    np.testing.assert_allclose(reducer.components_.T @ out * reducer.scale_, X, atol=1e-18)
    centered = X - X.mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(reducer.scale_, np.sqrt((centered**2).mean()))
    np.testing.assert_allclose(reducer.explained_variance_.sum() / 6, reducer.scale_**2)


@pytest.mark.parametrize("unit", [1e6, 1e-8, 2.0**20])
def test_volts_and_microvolts_give_one_output(unit):
    X = average_referenced(3)
    volts = RankReducer().fit(X)
    other = RankReducer().fit(X * unit)
    assert volts.rank_ == other.rank_
    np.testing.assert_allclose(other.transform(X * unit), volts.transform(X), atol=1e-9)


def test_offsets_of_electrodes_do_not_hide_the_signal():
    X = average_referenced(4)
    offset = np.linspace(-1, 1, 6)[:, None]  # a volt, five orders above the signal
    reducer = RankReducer().fit(X + offset)
    np.testing.assert_allclose(reducer.scale_, RankReducer().fit(X).scale_, rtol=1e-6)
    assert reducer.rank_ == 5


def test_every_rows_covariance_has_full_rank():
    out = RankReducer().fit_transform(average_referenced(5))
    for row in out:
        assert np.linalg.matrix_rank(row @ row.T) == 5


def test_permuting_channels_or_rows_changes_components_only_in_order():
    X = average_referenced(6)
    order = [3, 1, 5, 0, 4, 2]
    a, b = RankReducer().fit(X), RankReducer().fit(X[:, order])
    np.testing.assert_allclose(b.components_, a.components_[:, order], atol=1e-9)
    np.testing.assert_allclose(RankReducer().fit(X[::-1]).components_, a.components_, atol=1e-9)


def test_rows_travel_without_channel_names():
    X = average_referenced(7)
    eeg = EEGArray(X, {"subject": np.arange(20)}, sfreq=160, ch_names=list("abcdef"), tmin=0.5)
    out = RankReducer().fit_transform(eeg)
    assert (out.ch_names, out.sfreq, out.tmin) == (None, 160, 0.5)
    assert out.metadata["subject"].tolist() == list(range(20))


def test_one_channel_is_only_scaled():
    X = np.random.default_rng(8).standard_normal((10, 50)) * 1e-6
    out = RankReducer().fit_transform(X)
    np.testing.assert_allclose(out / X, (out / X)[0, 0])
    np.testing.assert_allclose((out - out.mean(axis=1, keepdims=True)).std(), 1)


@pytest.mark.parametrize("tol", [-0.1, 1.0, np.nan])
def test_bad_tolerance(tol):
    with pytest.raises(ValueError, match="tol=.* must be .*at least 0 and below 1"):
        RankReducer(tol).fit(average_referenced(9))
