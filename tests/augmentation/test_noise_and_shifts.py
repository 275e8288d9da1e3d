"""Noise, lost channels, and shifts in time."""

from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci.augmentation import ChannelDropout, GaussianNoise, TimeShift

RNG = np.random.default_rng(0)
SIZES = np.array([1e-6, 1e-5, 3.0])[:, None]
LABELS = np.tile([0, 1], 4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_noise_has_the_stated_deviation_of_each_channel(dtype):
    X = (SIZES * (RNG.normal(size=(8, 3, 4000)) + 5)).astype(dtype)
    new = GaussianNoise(0.3).augment(X, LABELS, random_state=0)
    assert new.X.dtype == dtype
    noise = new.X.astype(float) - X
    # The deviation of 4000 samples is known to 1.1 % (one sigma).
    np.testing.assert_allclose(noise.std(axis=2) / X.std(axis=2), 0.3, rtol=0.06)
    np.testing.assert_allclose(noise.mean(axis=2) / X.std(axis=2), 0, atol=0.3 * 5 / 60)
    flat = (noise / X.std(axis=2, keepdims=True)).reshape(24, -1)
    assert np.abs(np.corrcoef(flat) - np.eye(24)).max() < 0.1


def test_noise_of_features_goes_by_the_feature():
    X = RNG.normal(size=(4000, 3)) * [1.0, 10.0, 0.0] + 7
    new = GaussianNoise(0.5, n_copies=2).augment(X, np.arange(4000) % 2, random_state=0)
    noise = new.X - X[new.source]
    np.testing.assert_allclose(noise.std(axis=0), [0.5, 5.0, 0.0], rtol=0.05)


def test_noise_of_scale_zero_is_none():
    X = RNG.normal(size=(8, 3, 40))
    np.testing.assert_array_equal(GaussianNoise(0).augment(X, LABELS).X, X)


@pytest.mark.parametrize("ndim", [3, 4])
def test_dropout_zeroes_whole_channels(ndim):
    shape = (200, 5, 12) if ndim == 3 else (200, 2, 5, 12)
    X = RNG.normal(size=shape) + 10
    new = ChannelDropout(0.3, n_copies=3).augment(X, np.arange(200) % 2, random_state=0)
    kept = X[new.source] == new.X
    lost = new.X == 0
    assert (kept ^ lost).all()
    by_channel = np.moveaxis(lost, -2, 1).reshape(600, 5, -1)
    assert (by_channel.all(axis=2) == by_channel.any(axis=2)).all()
    # 3000 draws of p = 0.3: sigma is 0.0084.
    assert by_channel[..., 0].mean() == pytest.approx(0.3, abs=0.03)
    assert not by_channel.all(axis=(1, 2)).any()


def test_dropout_leaves_one_channel():
    X = np.ones((500, 3, 2))
    new = ChannelDropout(0.99).augment(X, np.arange(500) % 2, random_state=0).X[..., 0]
    assert (new.sum(axis=1) >= 1).all()
    assert (new.sum(axis=0) > 100).all()  # whichever
    np.testing.assert_array_equal(ChannelDropout(0).augment(X, np.arange(500) % 2).X, X)


@pytest.mark.parametrize("ndim", [3, 4])
def test_shifts_hold_the_value_at_the_end(ndim):
    shape = (8, 3, 50) if ndim == 3 else (8, 2, 3, 50)
    X = RNG.normal(size=shape)
    new = TimeShift(0.5, sfreq=10, n_copies=40).augment(X, LABELS, random_state=0)
    found = []
    for made, source in zip(new.X, new.source):
        row = X[source]
        for shift in range(-5, 6):
            later = np.concatenate([np.repeat(row[..., :1], max(shift, 0), -1), row,
                                    np.repeat(row[..., -1:], max(-shift, 0), -1)], axis=-1)
            cut = later[..., :50] if shift >= 0 else later[..., -50:]
            if np.array_equal(cut, made):
                found.append(shift)
    assert len(found) == len(new.X)
    assert set(found) == {-5, -4, -3, -2, -1, 1, 2, 3, 4, 5}


def test_shifts_know_the_rate():
    X = EEGArray(RNG.normal(size=(8, 3, 50)), sfreq=20)
    np.testing.assert_array_equal(
        np.asarray(TimeShift(0.25).augment(X, LABELS, random_state=0).X),
        TimeShift(0.25, sfreq=20).augment(np.asarray(X), LABELS, random_state=0).X,
    )
    # 0.3 * 10 is a little less than 3.
    shifted = TimeShift(0.3, sfreq=10, n_copies=20).augment(
        np.tile(np.arange(50.0), (8, 1, 1)), LABELS, random_state=0).X
    assert np.abs(shifted - np.arange(50)).max() == 3


@pytest.mark.parametrize(("shift", "message"), [
    (TimeShift(), "TimeShift needs a sampling rate"),
    (TimeShift(0.01, sfreq=10), "is 0.1 samples at 10 Hz; it must be at least one sample"),
    (TimeShift(5.0, sfreq=10), "less than a row, which has 50"),
    (TimeShift(0.0, sfreq=10), "max_seconds=0.0 must be above 0"),
])
def test_shifts_refused(shift, message):
    with pytest.raises(ValueError, match=message):
        shift.augment(RNG.normal(size=(8, 3, 50)), LABELS)


@pytest.mark.parametrize("wrong", [
    GaussianNoise(-0.1), GaussianNoise(np.inf), GaussianNoise(1000.0), ChannelDropout(1.0),
    ChannelDropout(-0.5), GaussianNoise(n_copies=0), ChannelDropout(n_copies=-1),
])
def test_settings_refused(wrong):
    with pytest.raises(ValueError, match="(scale|p|n_copies)=.* must be"):
        wrong.augment(RNG.normal(size=(8, 3, 50)), LABELS)
