"""Four-dimensional input with the bands where the times should be, as MOABB lays it out."""

from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci.augmentation import GaussianNoise
from skbci.baselines import BandCSP, CCAClassifier
from skbci.estimators import FBMSNetClassifier, MLPClassifier
from skbci.features import BaselineCorrection, Crop, EuclideanAlignment

N, BANDS, CHANNELS, TIMES = 12, 3, 5, 80


@pytest.fixture(scope="module")
def bands_last():
    """Rows x channels x times x bands."""
    return np.random.default_rng(0).standard_normal((N, CHANNELS, TIMES, BANDS))


@pytest.fixture(scope="module")
def y():
    return np.tile([0, 1], N // 2)


ESTIMATORS = {
    "csp": BandCSP(2),
    "cca": CCAClassifier([10.0, 12.0], sfreq=100),
    "alignment": EuclideanAlignment(),
    "crop": Crop(0.0, 0.5, sfreq=100),
    "baseline": BaselineCorrection(sfreq=100),
    "network": FBMSNetClassifier(max_epochs=1, sfreq=100, random_state=0),
    "mlp": MLPClassifier(max_epochs=1, random_state=0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("kind", ["bare", "table"])
def test_bands_last_are_refused_with_the_remedy(name, kind, bands_last, y):
    X = bands_last if kind == "bare" else EEGArray(bands_last, {"subject": y}, sfreq=100)
    with pytest.raises(ValueError, match=r"np\.moveaxis\(X, -1, 1\)"):
        ESTIMATORS[name].fit(X, y)


def test_augmentations_refuse_them_too(bands_last, y):
    with pytest.raises(ValueError, match=r"np\.moveaxis\(X, -1, 1\)"):
        GaussianNoise().augment(bands_last, y, random_state=0)


def test_the_remedy_works(bands_last, y):
    X = np.moveaxis(bands_last, -1, 1)
    features = BandCSP(2).fit_transform(X, y)
    stacked = BandCSP(2, n_bands=BANDS).fit_transform(X.reshape(N, -1, TIMES), y)
    np.testing.assert_allclose(features, stacked, rtol=1e-10)


def test_names_say_which_axis_is_the_channels(y):
    """Twenty samples of forty channels are a signal, if they are said to be one."""
    X = np.random.default_rng(0).standard_normal((N, 2, 40, 20))
    aligned = EuclideanAlignment()
    with pytest.raises(ValueError, match="name the channels"):
        aligned.fit(X)
    names = [f"E{k}" for k in range(40)]
    assert aligned.fit(EEGArray(X, ch_names=names)).references_[()].shape == (2, 40, 40)


def test_long_rows_of_many_channels_are_none_of_them():
    X = np.random.default_rng(0).standard_normal((N, 2, 60, 40))
    assert EuclideanAlignment().fit(X).references_[()].shape == (2, 60, 60)
