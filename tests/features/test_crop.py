"""Crop: whose time axis, which samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci import EEGArray
from skbci.features import Crop


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 98), st.integers(1, 99), st.sampled_from([100.0, 128.0, 160.0, 512 / 3]),
    st.sampled_from([0.0, -0.5, 1 / 3]),
)
def test_start_included_end_excluded(start, length, sfreq, t0):
    stop = min(start + length, 100)
    X = EEGArray(np.arange(100.0)[None, None].repeat(2, axis=1), sfreq=sfreq, tmin=t0)
    out = Crop(t0 + start / sfreq, t0 + stop / sfreq).fit_transform(X)
    np.testing.assert_array_equal(np.asarray(out)[0, 0], np.arange(start, stop))
    assert out.tmin == pytest.approx(t0 + start / sfreq)


def test_the_rows_own_time_axis_counts():
    X = np.random.default_rng(0).standard_normal((3, 2, 450))
    epochs = EEGArray(X, {"subject": [1, 2, 3]}, sfreq=100, tmin=-0.5)
    out = Crop(0.5, 3.5).fit(epochs).transform(epochs)
    np.testing.assert_array_equal(np.asarray(out), X[..., 100:400])
    assert out.metadata["subject"].tolist() == [1, 2, 3]
    # Plain arrays begin at 0 in fit, and in transform where the fitted rows began.
    np.testing.assert_array_equal(Crop(0.5, 3.5, sfreq=100).fit_transform(X), X[..., 50:350])
    np.testing.assert_array_equal(Crop(0.5, 3.5).fit(epochs).transform(X), X[..., 100:400])


def test_crops_add_up():
    X = EEGArray(np.random.default_rng(1).standard_normal((3, 2, 400)), sfreq=100)
    twice = Crop(0.5, 1).fit_transform(Crop(0.25, 3).fit_transform(X))
    np.testing.assert_array_equal(np.asarray(twice), np.asarray(Crop(0.5, 1).fit_transform(X)))
    halves = [np.asarray(Crop(*times).fit_transform(X)) for times in ((None, 1.5), (1.5, None))]
    np.testing.assert_array_equal(np.concatenate(halves, axis=-1), np.asarray(X))


def test_no_times_need_no_rate():
    X = np.random.default_rng(2).standard_normal((3, 2, 10))
    np.testing.assert_array_equal(Crop().fit_transform(X), X)
    with pytest.raises(ValueError, match="Crop needs a sampling rate"):
        Crop(0.5).fit(X)


def test_names_of_rows_by_times_follow():
    crop = Crop(0.02, 0.05, sfreq=100).fit(np.random.default_rng(3).random((3, 8)))
    assert crop.get_feature_names_out().tolist() == ["x2", "x3", "x4"]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ((-0.1, 1), r"tmin=-0\.1 s lies outside of the rows, which go from 0 s to 4 s"),
        ((0, 4.5), r"tmax=4\.5 s lies outside of the rows"),
        ((2, 2), "no sample between tmin=2 and tmax=2 s"),
        ((3, 2), "tmin must be smaller than tmax"),
    ],
)
def test_bad_times(times, message):
    with pytest.raises(ValueError, match=message):
        Crop(*times, sfreq=100).fit(np.random.default_rng(4).random((3, 2, 400)))


def test_filter_bank_epochs_are_cropped_band_by_band():
    X = np.random.default_rng(0).normal(size=(5, 3, 2, 100))
    cropped = Crop(0.2, 0.7, sfreq=100).fit_transform(X)
    assert np.array_equal(cropped, X[..., 20:70])
