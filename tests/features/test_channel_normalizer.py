"""ChannelNormalizer: norms, zero channels, blocks of columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.features import ChannelNormalizer, WelchPSD

VALUES = st.floats(-1e100, 1e100, allow_subnormal=False)


def norm_of(out, norm):
    sizes = {"l1": np.abs(out).sum(-1), "l2": np.sqrt((out**2).sum(-1)), "zscore": out.std(-1)}
    return sizes[norm]


@pytest.mark.parametrize("norm", ["l1", "l2", "zscore"])
@settings(deadline=None, max_examples=60)
@given(X=arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 6)),
                elements=VALUES))
def test_norm_is_one_or_zero_and_never_nan(norm, X):
    out = ChannelNormalizer(norm).fit_transform(X)
    assert np.isfinite(out).all()
    size = norm_of(out, norm)
    assert (np.isclose(size, 1) | (out == 0).all(axis=-1)).all()
    if norm != "zscore":
        assert ((out == 0).all(axis=-1) == (X == 0).all(axis=-1)).all()


@pytest.mark.parametrize("norm", ["l1", "l2", "zscore"])
@pytest.mark.parametrize("gain", [1e-200, 1e-6, 3.7, 1e200])
def test_gain_of_a_channel_changes_nothing(norm, gain):
    X = np.random.default_rng(0).standard_normal((4, 3, 50))
    wanted = ChannelNormalizer(norm).fit_transform(X)
    loud = X * np.array([1.0, gain, 1.0])[:, None]
    np.testing.assert_allclose(ChannelNormalizer(norm).fit_transform(loud), wanted, atol=1e-12)


@pytest.mark.parametrize("norm", ["l1", "l2", "zscore"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3])
def test_equal_values_keep_no_rounding(norm, value):
    X = np.random.default_rng(1).standard_normal((3, 2, 30))
    X[1, 0] = value
    out = ChannelNormalizer(norm).fit_transform(X)
    if norm == "zscore" or value == 0:
        assert (out[1, 0] == 0).all()
    assert np.isfinite(out).all()


def test_zscore_ignores_offset_and_idempotent():
    X = np.random.default_rng(2).standard_normal((3, 2, 40))
    once = ChannelNormalizer("zscore").fit_transform(X)
    np.testing.assert_allclose(once.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(ChannelNormalizer("zscore").fit_transform(X + 9), once)
    for norm in ("l1", "l2", "zscore"):
        once = ChannelNormalizer(norm).fit_transform(X)
        np.testing.assert_allclose(ChannelNormalizer(norm).fit_transform(once), once)


@pytest.mark.parametrize("norm", ["l1", "l2", "zscore"])
def test_blocks_of_columns_are_channels(norm):
    X = np.random.default_rng(3).random((5, 4, 12))
    wanted = ChannelNormalizer(norm).fit_transform(X).reshape(5, 48)
    flat = X.reshape(5, 48)
    found = ChannelNormalizer(norm, n_channels=4).fit_transform(flat)
    np.testing.assert_allclose(found, wanted)
    named = EEGArray(flat, {"subject": range(5)}, ch_names=["a", "b", "c", "d"])
    out = ChannelNormalizer(norm).fit_transform(named)
    np.testing.assert_allclose(np.asarray(out), wanted)
    assert out.metadata["subject"].tolist() == [0, 1, 2, 3, 4]
    whole = ChannelNormalizer(norm).fit_transform(flat)
    np.testing.assert_allclose(norm_of(whole, norm), 1)


def test_the_input_is_left_as_it_was():
    X = np.random.default_rng(4).random((5, 4, 12))
    before = X.copy()
    ChannelNormalizer("zscore").fit_transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    ("params", "shape", "message"),
    [
        ({"norm": "l3"}, (4, 6), "norm='l3' is not one of 'l1', 'l2', 'zscore'"),
        ({"n_channels": 4}, (4, 6), "6 columns cannot be divided into n_channels=4 equal blocks"),
        ({"n_channels": 3}, (4, 2, 6), "n_channels=3, but X has 2 channels"),
        ({"n_channels": 0}, (4, 6), "n_channels=0 must be at least 1"),
    ],
)
def test_bad_parameters(params, shape, message):
    with pytest.raises(ValueError, match=message):
        ChannelNormalizer(**params).fit(np.ones(shape))


def test_features_are_normalized_by_channel():
    """METHODS of the mental-imagery study: each channel's spectrum has unit norm."""
    X = EEGArray(np.random.default_rng(0).normal(size=(6, 3, 200)), sfreq=100.0,
                 ch_names=["C3", "Cz", "C4"])
    pipe = make_pipeline(WelchPSD(n_per_seg=50), ChannelNormalizer("l1"))
    blocks = np.asarray(pipe.fit_transform(X)).reshape(6, 3, -1)
    np.testing.assert_allclose(blocks.sum(axis=2), 1, rtol=1e-6)
