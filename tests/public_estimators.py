"""One fitted-to-be instance, or several, of every public estimator and pipeline of the toolkit.

A class that is public but not listed here fails the tests that ask `public_classes`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from pyriemann.transfer import TLRotate
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

import skbci
import skbci.baselines
from skbci.baselines import (
    BandCSP,
    CCAClassifier,
    DomainTransfer,
    GalanClassifier,
    KStar,
    RotationForest,
    adaptive_rotation_forest,
    csp_lda,
    erp_lda,
    erp_xdawn_riemann,
    eye_state_ensemble,
    eye_state_pipeline,
    fbcsp,
    riemann_fgmdm,
    riemann_mdm,
    slow_potentials_lr,
    ssvep_cca,
    tangent_space_lr,
)
from skbci.estimators import (
    AdaptiveBatchNorm,
    AugmentedClassifier,
    CascadeClassifier,
    CrossValEnsemble,
    DecoderPipeline,
    EvidenceAccumulator,
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    MultiViewClassifier,
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
    GroupScaler,
    KeepRows,
    LogCovariance,
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
    AdaptiveBatchNorm(MIN2NetClassifier(max_epochs=2, random_state=0)),
    AugmentedClassifier(GaussianNB(), "noise", random_state=0),
    AugmentedClassifier(LogisticRegression(), ["noise", "mixup"], random_state=0),
    AugmentedClassifier(LinearDiscriminantAnalysis(), None),
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
    CrossValEnsemble(GaussianNB()),
    CrossValEnsemble(MLPClassifier((5,), random_state=0), 2),
    CausalCentering(),
    CausalCentering(scale=True, forgetting=0.99, prior_rows=10),
    ChannelNormalizer(),
    ChannelScaling(),
    ChannelNormalizer("l2"),
    ChannelNormalizer("zscore"),
    Crop(),
    Crop(0.0, sfreq=128),
    DomainTransfer(TLRotate(None)),
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
    GroupScaler(),
    GroupScaler("session", joint=True, min_rows=3),
    HeldOutSearch(
        MLPClassifier((10,), early_stopping=True, random_state=0), {"lr": [0.01, 0.1]}
    ),
    HeldOutSearch(
        MLPRegressor((10,), early_stopping=True, random_state=0), {"optimizer": ["hjb", "adam"]}
    ),
    KStar(),
    KeepRows(PCA(1, random_state=0)),
    KeepRows(StandardScaler()),
    LogCovariance(),
    LogCovariance("scm"),
    MIN2NetClassifier(max_epochs=5),
    MIN2NetClassifier(loss_weighting="alphagrad", optimizer="hjb", max_epochs=5, random_state=0),
    MIN2NetClassifier(sparsity=0.4, max_epochs=5, random_state=0),
    MLPClassifier(),
    MLPClassifier((10,), augmentation=["noise", "mixup"], random_state=0),
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
    MultiViewClassifier(random_state=0),
    MultiViewClassifier(
        [("all", "passthrough"), ("again", "passthrough")], loss_weighting="alphagrad-lead",
        hidden_units=10, n_networks=2, random_state=0,
    ),
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
        pruning="lottery", loss_weighting="alphagrad", optimizer="hjb", max_epochs=2,
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

PIPELINES = [
    adaptive_rotation_forest(2, random_state=0, n_estimators=3),
    csp_lda(2, sfreq=128),
    csp_lda(2, sfreq=128, alignment="euclidean"),
    erp_lda(sfreq=128),
    erp_xdawn_riemann(1, sfreq=128),
    eye_state_ensemble("Ens1", sfreq=128, random_state=0, max_epochs=3),
    eye_state_pipeline(sfreq=128, random_state=0, max_epochs=3),
    fbcsp(2, sfreq=128),
    skbci.make_pipeline(BandEnergy(sfreq=128, log=True), PCA(3), GaussianNB()),
    riemann_fgmdm(sfreq=128),
    riemann_mdm(sfreq=128),
    slow_potentials_lr(sfreq=128),
    ssvep_cca((5, 8, 13, 21), sfreq=128),
    tangent_space_lr(sfreq=128),
]


def public_modules():
    """The package and its rooms."""
    rooms = [room.name for room in pkgutil.iter_modules(skbci.__path__)]
    names = ["skbci", *(f"skbci.{name}" for name in rooms if not name.startswith("_"))]
    return [importlib.import_module(name) for name in names]


def public_classes():
    """Every public class that can be fitted."""
    found = set()
    for module in public_modules():
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            fits = inspect.isclass(value) and hasattr(value, "fit")
            if fits and issubclass(value, BaseEstimator):
                found.add(value)
    return found


def public_pipelines():
    """Names of the public functions of `skbci.baselines`, all of which give pipelines."""
    return {name for name in skbci.baselines.__all__ if inspect.isfunction(
        getattr(skbci.baselines, name))}
