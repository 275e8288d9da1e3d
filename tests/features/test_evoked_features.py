"""BaselineCorrection and WindowMeans."""

from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci.features import BaselineCorrection, WindowMeans


@pytest.fixture
def X():
    data = np.random.default_rng(0).standard_normal((6, 2, 60)) * 1e-5
    return EEGArray(data, {"subject": [1] * 6}, sfreq=50, tmin=-0.2, ch_names=["Cz", "Pz"])


@pytest.mark.parametrize(("tmin", "tmax", "samples"), [
    (None, 0.0, slice(0, 10)), (-0.1, 0.1, slice(5, 15)), (None, None, slice(None)),
])
def test_baseline_is_the_mean_over_its_times(X, tmin, tmax, samples):
    out = BaselineCorrection(tmin, tmax).fit_transform(X)
    data = np.asarray(X)
    np.testing.assert_allclose(out, data - data[..., samples].mean(axis=-1, keepdims=True))
    assert out.metadata.equals(X.metadata)
    assert out.tmin == X.tmin
    again = BaselineCorrection(tmin, tmax).fit_transform(out + 3.0)
    np.testing.assert_allclose(again, out, atol=1e-12)


def test_baseline_equals_mne(X):
    import mne

    epochs = X.to_epochs()
    theirs = epochs.copy().apply_baseline((None, -0.02), verbose="error").get_data()
    np.testing.assert_allclose(BaselineCorrection(None, 0.0).fit_transform(epochs), theirs)
    assert isinstance(epochs, mne.BaseEpochs)


def test_a_baseline_outside_of_the_rows_is_named(X):
    with pytest.raises(ValueError, match="BaselineCorrection: tmax=5 s lies outside"):
        BaselineCorrection(None, 5.0).fit(X)
    with pytest.raises(ValueError, match="BaselineCorrection: no sample between"):
        BaselineCorrection(0.1, 0.0).fit(X)
    with pytest.raises(ValueError, match="BaselineCorrection needs a sampling rate"):
        BaselineCorrection(None, 0.0).fit(np.asarray(X))
    with pytest.raises(ValueError, match="BaselineCorrection: sfreq=60 Hz was given"):
        BaselineCorrection(None, 0.0, sfreq=60).fit(X)


def test_window_means_are_means_by_channel_and_time(X):
    step = WindowMeans(0.1)
    out = np.asarray(step.fit_transform(X))
    assert out.shape == (6, 24)
    np.testing.assert_allclose(out[:, 12 + 3], np.asarray(X)[:, 1, 15:20].mean(axis=1))
    names = step.get_feature_names_out()
    assert names[0] == "Cz_-0.2--0.1s"
    assert names[15] == "Pz_0.1-0.2s"
    np.testing.assert_allclose(step.times_[:3], [-0.2, -0.1, 0.0], atol=1e-12)


def test_samples_after_the_last_whole_window_are_not_used(X):
    out = WindowMeans(0.14).fit(X).transform(X)  # 7 samples: 8 windows of 60 samples
    assert out.shape == (6, 16)
    changed = X.copy()
    changed[..., 56:] = 1.0
    np.testing.assert_array_equal(out, WindowMeans(0.14).fit(X).transform(changed))


def test_windows_longer_than_a_row_are_the_row(X):
    out = WindowMeans(9.0).fit_transform(X)
    np.testing.assert_allclose(out, np.asarray(X).mean(axis=-1))


@pytest.mark.parametrize(("width", "error"), [(0, ValueError), (np.inf, ValueError),
                                              ("0.1", TypeError), (True, TypeError)])
def test_bad_widths_are_named(X, width, error):
    with pytest.raises(error, match="width=.* must be (a .*number in|above 0) seconds"):
        WindowMeans(width).fit(X)


def test_other_lengths_are_named(X):
    with pytest.raises(ValueError, match="X has 50 time samples"):
        WindowMeans().fit(X).transform(X[..., :50])
