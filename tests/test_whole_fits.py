"""A fit that is interrupted, or fails, leaves the estimator as it was."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from pyriemann.transfer import TLRotate
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, EarlyStopping

import skbci
from skbci.baselines import (
    BandCSP,
    CCAClassifier,
    DomainTransfer,
    GalanClassifier,
    KStar,
    RotationForest,
    csp_lda,
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
from tests.interrupts import Interrupt, places, press
from tests.public_estimators import public_classes

MLPS = MLPClassifier, MLPRegressor
SMALL = {"max_epochs": 2, "random_state": 0}
NETWORKS = [
    MLPClassifier((5,), **SMALL),
    MLPClassifier((5,), batch_size=8, optimizer="adam", early_stopping=True, **SMALL),
    MLPClassifier((5,), sparsity=0.4, pruning="lottery", **SMALL),
    MLPClassifier((5,), optimizer="lm", **SMALL),
    MLPRegressor((5,), **SMALL),
    NeuralClassifier(**SMALL),
    MIN2NetClassifier(loss_weighting="alphagrad", **SMALL),
    SparseMultitaskClassifier(**SMALL),
]
LEARNERS = [
    *NETWORKS,
    CascadeClassifier(GaussianNB(), MLPClassifier((5,), **SMALL)),
    EvidenceAccumulator(GaussianNB(), 2),
    EvidenceAccumulator(MLPClassifier((5,), **SMALL), 2),
    OnlineClassifier(MLPClassifier((5,), **SMALL), batch_size=8),
    OnlineClassifier(SGDClassifier("log_loss", random_state=0), batch_size=8),
    OnlineClassifier(skbci.make_pipeline(StandardScaler(), GaussianNB()), batch_size=8),
    OnlineClassifier(
        DecoderPipeline([("scale", StandardScaler()), ("net", MLPClassifier((5,), **SMALL))]),
        batch_size=8,
    ),
]
OTHERS = [
    FBMSNetClassifier(sfreq=128, kernel_sizes=(5,), bands=((8, 12), (12, 30)), **SMALL),
    AdaptiveBatchNorm(MIN2NetClassifier(**SMALL)),
    AugmentedClassifier(GaussianNB(), "noise", random_state=0),
    MultiViewClassifier(**SMALL),
    CascadeClassifier(GaussianNB(), LogisticRegression()),
    CrossValEnsemble(GaussianNB(), 2),
    HeldOutSearch(MLPClassifier((5,), early_stopping=True, **SMALL), {"lr": [0.01, 0.1]}),
    StackedGridSearchCV(MLPClassifier((5,), **SMALL), {"lr": [0.01, 0.1]}, cv=2),
    BandCSP(n_components=4),
    CCAClassifier((8, 13), sfreq=128),
    DomainTransfer(TLRotate(None)),
    GalanClassifier(),
    KStar(),
    RotationForest(n_estimators=2, random_state=0),
    StackedRandomizedSearchCV(
        MLPClassifier((5,), **SMALL), {"lr": [0.01, 0.1]}, n_iter=2, cv=2, random_state=0
    ),
    csp_lda(2, sfreq=128),
    DecoderPipeline([("scale", StandardScaler()), ("net", MLPClassifier((5,), **SMALL))]),
    skbci.make_pipeline(WelchPSD(sfreq=128), StandardScaler(), MLPClassifier((5,), **SMALL)),
    skbci.make_pipeline(
        FeatureUnion([("raw", "passthrough"), ("pca", make_pipeline(StandardScaler(), PCA(2)))]),
        SGDClassifier(random_state=0, warm_start=True),
    ),
    BandEnergy(sfreq=128),
    BaselineCorrection(),
    Crop(),
    CausalCentering(),
    ChannelScaling(),
    ChannelNormalizer(),
    EuclideanAlignment(),
    FilterBank(sfreq=128),
    FisherSelection(),
    GroupScaler(),
    KeepRows(StandardScaler()),
    LogCovariance(),
    RankReducer(),
    RiemannianRecentering(),
    SlidingWindows(0.5, 0.5, sfreq=128),
    WelchPSD(sfreq=128),
    WindowMeans(sfreq=128),
]


def test_every_public_class_is_tried():
    tried = {type(estimator) for estimator in [*LEARNERS, *OTHERS]}
    assert public_classes() - tried == set()


def data_for(estimator, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(40) % 2
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    signals = get_tags(first).input_tags.three_d_array and not isinstance(first, MLPS)
    X = rng.normal(size=(40, 3, 128) if signals else (40, 6))
    X[y == 1] *= 1.5
    return X, y


def everything(estimator):
    """The attributes of an estimator and of those that it was given."""
    inside = [part for part in estimator.get_params().values() if hasattr(part, "fit")]
    return [(part, dict(vars(part))) for part in [estimator, *inside]]


def assert_untouched(before):
    for part, attributes in before:
        assert vars(part).keys() == attributes.keys()
        if getattr(part, "warm_start", False):  # may go on with the old arrays: they were copied
            continue
        assert all(vars(part)[name] is value for name, value in attributes.items())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", [*LEARNERS, *OTHERS], ids=lambda e: type(e).__name__)
def test_an_interrupted_fit_leaves_what_was_there(estimator):
    X, y = data_for(estimator)
    fitted = clone(estimator).fit(X, y)
    before = everything(fitted)
    for n in places(clone(estimator).fit, X, y):
        with pytest.raises(KeyboardInterrupt), Interrupt(n):
            fitted.fit(X, y)
        assert_untouched(before)
        fresh = clone(estimator)
        untouched = everything(fresh)
        with pytest.raises(KeyboardInterrupt), Interrupt(n):
            fresh.fit(X, y)
        assert_untouched(untouched)


class Broken(ClassifierMixin, BaseEstimator):
    """Is interrupted, in its second fit, after it has begun."""

    def __init__(self, warm_start=False):
        self.warm_start = warm_start

    def fit(self, X, y):
        if hasattr(self, "seen_"):
            self.seen_ += len(X)
            raise KeyboardInterrupt
        self.seen_ = np.array([len(X)])
        return self

    def transform(self, X):
        return X

    def fit_predict(self, X, y):
        return self.fit(X, y).seen_


@pytest.mark.parametrize("method", ["fit", "fit_transform", "fit_predict"])
@pytest.mark.parametrize("kept", [False, True], ids=["no cache", "cache"])
def test_the_steps_before_an_interrupted_one_are_as_before(tmp_path, method, kept):
    """scikit-learn's steps are fitted in place, and its caches put new ones there."""
    X, y = data_for(GaussianNB())
    steps = [StandardScaler(), FeatureUnion([("pca", PCA(2))]), Broken(warm_start=True)]
    pipeline = skbci.make_pipeline(*steps, memory=str(tmp_path) if kept else None).fit(X, y)
    scaler, union, _ = fitted = [step for _, step in pipeline.steps]
    mean, axes = scaler.mean_, union.transformer_list[0][1].components_
    with pytest.raises(KeyboardInterrupt):
        getattr(pipeline, method)(X[:20] + 5, y[:20])
    assert all(now is then for (_, now), then in zip(pipeline.steps, fitted))
    assert scaler.mean_ is mean
    assert union.transformer_list[0][1].components_ is axes
    assert pipeline[-1].seen_.tolist() == [40]


def test_a_pipeline_that_was_not_fitted_stays_so():
    X, _ = data_for(GaussianNB())
    pipeline = skbci.make_pipeline(StandardScaler(), MLPClassifier((5,), **SMALL))
    with pytest.raises(ValueError, match="class"):
        pipeline.fit(X, np.zeros(40))
    with pytest.raises(NotFittedError):
        check_is_fitted(pipeline[0])
    with pytest.raises(NotFittedError):
        pipeline.predict(X)


def numbers_of(estimator, X):
    """All that a learner says, and will say after the same further training."""
    method = getattr(estimator, "predict_proba", estimator.predict)
    return method(X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", LEARNERS, ids=lambda e: type(e).__name__)
def test_an_interrupted_partial_fit_is_taken_back(estimator):
    X, y = data_for(estimator)
    twins = [clone(estimator).fit(X, y) for _ in range(2)]
    for twin in twins:
        twin.partial_fit(X[:20], y[:20])
    broken, whole = twins
    spare = clone(estimator).fit(X, y).partial_fit(X[:20], y[:20])
    for n in places(spare.partial_fit, X[20:], y[20:]):
        with pytest.raises(KeyboardInterrupt), Interrupt(n):
            broken.partial_fit(X[20:], y[20:])
        np.testing.assert_array_equal(numbers_of(broken, X), numbers_of(whole, X))
    for twin in twins:  # moments, random state and numbers of epochs, too
        twin.partial_fit(X[20:], y[20:])
    np.testing.assert_array_equal(numbers_of(broken, X), numbers_of(whole, X))
    if hasattr(whole, "history_"):
        assert broken.n_iter_ == whole.n_iter_ == len(broken.history_)


@pytest.mark.parametrize("estimator", [MLPClassifier((5,), **SMALL), GalanClassifier()],
                         ids=["network", "baseline"])
def test_a_failed_fit_leaves_what_was_there(estimator):
    X, y = data_for(estimator)
    fitted = clone(estimator).fit(X, y)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="class"):
        fitted.fit(X[:, :4], np.zeros(40))
    assert all(vars(fitted)[name] is value for name, value in before.items())
    fitted.predict(X)


# -- Ctrl-C in callbacks ----------------------------------------------------------------------


class AtEpoch(Callback):
    """Do something at the end of the second epoch."""

    def __init__(self, what):
        self.what = what

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            WHAT[self.what]()


def press_in_a_call():
    sorted([2, 1], key=lambda value: press() or value)


def wish():
    raise KeyboardInterrupt


def caught_wish():
    try:
        wish()
    finally:
        pass


WHAT = {"press": press, "press_in_a_call": press_in_a_call, "wish": wish,
        "caught_wish": caught_wish}


def handler_of_ones_own(number, frame):
    raise KeyboardInterrupt("stop it")


@pytest.mark.parametrize("what", ["press", "press_in_a_call"])
@pytest.mark.parametrize("handler", [signal.default_int_handler, handler_of_ones_own],
                         ids=["python's", "own"])
def test_ctrl_c_inside_a_callback_ends_a_search(handler, what):
    signal.signal(signal.SIGINT, handler)
    X, y = data_for(MLPClassifier())
    net = MLPClassifier((5,), callbacks=[AtEpoch(what)], random_state=0, max_epochs=4)
    search = GridSearchCV(net, {"lr": [0.1, 0.2]}, cv=2, error_score="raise")
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "best_estimator_")


@pytest.mark.parametrize("what", ["wish", "caught_wish"])
def test_a_callback_may_still_wish_to_stop(what):
    X, y = data_for(MLPClassifier())
    net = MLPClassifier((5,), callbacks=[AtEpoch(what)], random_state=0, max_epochs=4)
    assert net.fit(X, y).n_iter_ == 2
    skorchs = EarlyStopping(monitor="train_loss", patience=1, threshold=10, sink=lambda *_: None,
                            threshold_mode="abs")
    net = MLPClassifier((5,), callbacks=[skorchs], random_state=0, max_epochs=40)
    assert net.fit(X, y).n_iter_ < 40


def test_ctrl_c_in_the_stacks_early_stopping_ends_it(monkeypatch):
    from skbci._training.callbacks import ValidatedEarlyStopping

    monkeypatch.setattr(ValidatedEarlyStopping, "on_epoch_end", lambda self, net, **_: press())
    X, y = data_for(MLPClassifier())
    net = MLPClassifier((5,), early_stopping=True, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        StackedGridSearchCV(net, {"lr": [0.1, 0.2]}, cv=2).fit(X, y)


# -- partial_fit for hours --------------------------------------------------------------------


def test_the_history_of_partial_fit_is_bounded(monkeypatch):
    monkeypatch.setattr("skbci.estimators._neural.base._KEPT_PASSES", 5)
    X, y = data_for(MLPClassifier())
    net = MLPClassifier((5,), max_epochs=3, random_state=0).fit(X, y)
    of_fit = net.history_
    for _ in range(20):
        net.partial_fit(X, y)
    assert net.n_iter_ == 23
    assert net.history_["epoch"].tolist() == [1, 2, 3, 19, 20, 21, 22, 23]
    assert net.history_["train_loss"].tolist()[:3] == of_fit["train_loss"].tolist()
    assert len(net.net_.history) == 8
    assert net.fit(X, y).history_["epoch"].tolist() == [1, 2, 3]


def test_a_failed_partial_fit_of_a_pipeline_is_taken_back():
    X, y = data_for(MLPClassifier())
    inner = make_pipeline(StandardScaler(), MLPClassifier((5,), **SMALL))
    online = OnlineClassifier(inner, batch_size=8).fit(X, y)
    before = online.predict_proba(X)
    with pytest.raises(ValueError, match="labels"):
        online.partial_fit(X, np.where(np.arange(40) < 39, y, 7))
    np.testing.assert_array_equal(online.predict_proba(X), before)
