"""Every public estimator and transformer through scikit-learn's own checks.

No check is expected to fail but two that scikit-learn's own pipeline fails. A class that is
exported but not listed here fails a test below.
"""

from __future__ import annotations

import importlib
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbci.baselines import BandCSP, CCAClassifier, GalanClassifier, KStar, RotationForest
from skbci.estimators import (
    CascadeClassifier,
    DecoderPipeline,
    EvidenceAccumulator,
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    NeuralClassifier,
    OnlineClassifier,
    SparseMultitaskClassifier,
)
from skbci.features import (
    BandEnergy,
    BaselineCorrection,
    CausalCentering,
    ChannelNormalizer,
    ChannelScaling,
    Crop,
    EuclideanAlignment,
    FilterBank,
    FisherSelection,
    KeepRows,
    RankReducer,
    RiemannianRecentering,
    SlidingWindows,
    WelchPSD,
    WindowMeans,
)
from skbci.model_selection import (
    HeldOutSearch,
    StackedGridSearchCV,
    StackedRandomizedSearchCV,
)

ESTIMATORS = [
    BandCSP(n_components=4),
    BandEnergy(sfreq=128),
    BandEnergy(((8, 15),), 2, sfreq=128, log=True),
    BaselineCorrection(),
    BaselineCorrection(0.0, sfreq=128),
    CCAClassifier((5, 8, 13, 21), sfreq=128),
    DecoderPipeline([("scale", StandardScaler()), ("lda", LinearDiscriminantAnalysis())]),
    CascadeClassifier(GaussianNB(), LogisticRegression()),
    CascadeClassifier(GaussianNB(), GaussianNB(), 3, stack="probabilities"),
    CascadeClassifier(
        MLPClassifier((10,), random_state=0), MLPClassifier((10,), random_state=0)
    ),
    CausalCentering(),
    CausalCentering(scale=True, forgetting=0.99, prior_rows=10),
    ChannelNormalizer(),
    ChannelScaling(),
    ChannelNormalizer("l2"),
    ChannelNormalizer("zscore"),
    Crop(),
    Crop(0.0, sfreq=128),
    EuclideanAlignment(),
    EuclideanAlignment("session", estimator="oas"),
    EvidenceAccumulator(LogisticRegression(), 1),
    EvidenceAccumulator(LinearDiscriminantAnalysis()),
    EvidenceAccumulator(LinearDiscriminantAnalysis(), change_rate="learned", exponent=0.5),
    FBMSNetClassifier(sfreq=128, depth=2, max_epochs=3),
    FBMSNetClassifier(
        sfreq=128, kernel_sizes=(5, 9), bands=((8, 12), (12, 30)), shared_layer=True,
        loss_weighting="alphagrad", optimizer="hjb", max_epochs=3, random_state=0,
    ),
    FilterBank(sfreq=128),
    FilterBank(sfreq=128, phase="causal", output="channels"),
    FisherSelection(),
    FisherSelection(2, across="weakest"),
    GalanClassifier(),
    GalanClassifier(2),
    HeldOutSearch(
        MLPClassifier((10,), early_stopping=True, random_state=0), {"lr": [0.01, 0.1]}
    ),
    HeldOutSearch(
        MLPRegressor((10,), early_stopping=True, random_state=0), {"optimizer": ["hjb", "adam"]}
    ),
    KStar(),
    KeepRows(PCA(1, random_state=0)),
    KeepRows(StandardScaler()),
    MIN2NetClassifier(max_epochs=5),
    MIN2NetClassifier(loss_weighting="alphagrad", optimizer="hjb", max_epochs=5, random_state=0),
    MIN2NetClassifier(sparsity=0.4, max_epochs=5, random_state=0),
    MLPClassifier(),
    MLPClassifier(random_state=0),
    MLPClassifier(optimizer="hjb-ad", criterion="binary-cross-entropy", random_state=0),
    MLPClassifier((20,), optimizer="adam", lr=0.01, random_state=0),
    MLPClassifier((20,), sparsity=0.5, random_state=0),
    MLPClassifier((20,), sparsity=0.5, pruning="lottery", optimizer="adam", random_state=0),
    MLPClassifier((5,), optimizer="evdhjb", lr=0.1, max_epochs=30, random_state=0),
    MLPClassifier((5,), optimizer="lm", lr=0.1, max_epochs=30, random_state=0),
    MLPClassifier((5,), optimizer="lf", lr=0.1, max_epochs=30, random_state=0),
    MLPRegressor(),
    MLPRegressor(random_state=0),
    MLPRegressor((50,), sparsity=0.5, pruning="magnitude", random_state=0),
    NeuralClassifier(),
    NeuralClassifier(random_state=0),
    NeuralClassifier(sparsity=0.4, random_state=0),
    OnlineClassifier(GaussianNB(), replay=4, random_state=0),
    OnlineClassifier(MLPClassifier((10,), random_state=0)),
    RankReducer(),
    RiemannianRecentering(),
    RotationForest(n_estimators=5, random_state=0),
    SlidingWindows(1 / 128, 1 / 128, sfreq=128),
    SparseMultitaskClassifier(max_epochs=5),
    SparseMultitaskClassifier(max_epochs=5, random_state=0),
    SparseMultitaskClassifier(
        pruning="lottery", loss_weighting="alphagrad", optimizer="hjb", max_epochs=5,
        random_state=0,
    ),
    StackedGridSearchCV(MLPClassifier((10,), random_state=0), {"lr": [0.01, 0.1]}, cv=2),
    StackedRandomizedSearchCV(
        MLPRegressor((10,), random_state=0), {"lr": [0.01, 0.1]}, n_iter=2, cv=2, random_state=0
    ),
    WelchPSD(sfreq=128),
    WelchPSD(sfreq=128, log=True, dtype="float64"),
    WindowMeans(sfreq=128),
]

ROOMS = ["baselines", "estimators", "features", "model_selection"]


@contextmanager
def the_checks_own_draws(check):
    """Seed the one check that draws, its permutation, from numpy's global state."""
    if check.func.__name__ != "check_methods_sample_order_invariance":
        yield
        return
    before = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(before)


def expected_to_fail(estimator):
    """Checks that a pipeline of scikit-learn's fails: fitted steps take the place of the given."""
    if not isinstance(estimator, Pipeline):
        return {}
    return dict.fromkeys(["check_estimators_overwrite_params", "check_dont_overwrite_parameters"],
                         "as sklearn.pipeline.Pipeline does")


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_to_fail)
def test_check_estimator(estimator, check):
    with warnings.catch_warnings(), the_checks_own_draws(check):
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
    # What wraps another estimator takes what that takes; Fisher's criterion is about features.
    parts = {"estimator", "initial", "transformer", "steps"}
    wraps = parts & set(estimator.get_params(deep=False))
    if not wraps and not isinstance(estimator, FisherSelection):
        assert tags.input_tags.three_d_array
    assert not tags.no_validation
