"""Every public estimator and transformer through scikit-learn's own checks.

No check is expected to fail. A class that is exported but not listed here fails a test below.
"""

from __future__ import annotations

import importlib
import warnings

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbci.baselines import BandCSP
from skbci.estimators import MLPClassifier, MLPRegressor, NeuralClassifier
from skbci.features import (
    BandEnergy,
    ChannelNormalizer,
    Crop,
    FilterBank,
    RankReducer,
    SlidingWindows,
    WelchPSD,
)

ESTIMATORS = [
    BandCSP(n_components=4),
    BandEnergy(sfreq=128),
    BandEnergy(((8, 15),), 2, sfreq=128, log=True),
    ChannelNormalizer(),
    ChannelNormalizer("l2"),
    ChannelNormalizer("zscore"),
    Crop(),
    Crop(0.0, sfreq=128),
    FilterBank(sfreq=128),
    FilterBank(sfreq=128, phase="causal", output="channels"),
    MLPClassifier(),
    MLPClassifier(random_state=0),
    MLPClassifier(optimizer="hjb-ad", criterion="binary-cross-entropy", random_state=0),
    MLPClassifier((20,), optimizer="adam", lr=0.01, random_state=0),
    MLPClassifier((5,), optimizer="evdhjb", lr=0.1, max_epochs=30, random_state=0),
    MLPClassifier((5,), optimizer="lm", lr=0.1, max_epochs=30, random_state=0),
    MLPClassifier((5,), optimizer="lf", lr=0.1, max_epochs=30, random_state=0),
    MLPRegressor(),
    MLPRegressor(random_state=0),
    NeuralClassifier(),
    NeuralClassifier(random_state=0),
    RankReducer(),
    SlidingWindows(1 / 128, 1 / 128, sfreq=128),
    WelchPSD(sfreq=128),
    WelchPSD(sfreq=128, log=True, dtype="float64"),
]

ROOMS = ["baselines", "estimators", "features"]


@parametrize_with_checks(ESTIMATORS)
def test_check_estimator(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_estimator_is_listed(room):
    module = importlib.import_module(f"skbci.{room}")
    public = {getattr(module, name) for name in getattr(module, "__all__", [])}
    estimators = {c for c in public if isinstance(c, type) and issubclass(c, BaseEstimator)}
    assert estimators <= {type(e) for e in ESTIMATORS}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_common_checks_are_not_switched_off(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.no_validation
