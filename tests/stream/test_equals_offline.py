"""Whatever the pipeline and the chunks: the decoder says what the pipeline says offline."""

from __future__ import annotations

import copy
import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skbci import EEGArray
from skbci.baselines import csp_lda, eye_state_ensemble
from skbci.estimators import (
    CascadeClassifier,
    EvidenceAccumulator,
    MLPClassifier,
    NeuralClassifier,
    OnlineClassifier,
)
from skbci.features import (
    BandEnergy,
    BaselineCorrection,
    CausalCentering,
    ChannelNormalizer,
    Crop,
    EuclideanAlignment,
    FilterBank,
    FisherSelection,
    KeepRows,
    LogCovariance,
    RankReducer,
    RiemannianRecentering,
    SlidingWindows,
    WelchPSD,
    WindowMeans,
)
from skbci.stream import OnlineDecoder

SFREQ, WINDOW, HOP = 64.0, 1.0, 0.25
N_WINDOW, N_HOP = 64, 16
NAMES = ["C3", "Cz", "C4"]
CUT = SlidingWindows(WINDOW, HOP, sfreq=SFREQ)


class LogVariance(TransformerMixin, BaseEstimator):
    """A step that nobody has heard of."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        X = np.asarray(X)
        return np.log(X.var(axis=-1)).reshape(len(X), -1)


class TwoLayers(nn.Module):
    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(n_channels, 4, 5), nn.ELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
            nn.Linear(4, n_outputs),
        )

    def forward(self, X):
        return self.layers(X)


@cache
def recording(seconds=20.0, seed=0, n_classes=2):
    """A rhythm that moves from channel to channel every two seconds, and labels."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * SFREQ)) / SFREQ
    label = (times // 2).astype(int) % n_classes
    data = rng.standard_normal((3, len(times))) * 1e-5
    for k in range(n_classes):
        data[k] += 8e-6 * np.sin(2 * np.pi * 10 * times) * (label == k)
    return data, np.array(["left", "right", "feet"])[label]


def mlp(*hidden, **settings):
    return MLPClassifier(hidden, max_epochs=5, batch_size=16, random_state=0, **settings)


def welch(**settings):
    return WelchPSD(n_per_seg=32, n_overlap=24, fmin=4, fmax=30, **settings)


def evidence(estimator, window, **settings):
    return EvidenceAccumulator(estimator, window, **settings)


LDA = LinearDiscriminantAnalysis
PIPELINES = {
    "welch, network": lambda: make_pipeline(welch(), StandardScaler(), mlp(20, 10)),
    "odd segments": lambda: make_pipeline(
        WelchPSD(n_per_seg=27, n_overlap=4, log=True), mlp(10, activation="tanh")),
    "float64": lambda: make_pipeline(
        welch(dtype="float64", log=True), PCA(5, whiten=True), MinMaxScaler(), LDA()),
    "normalized": lambda: make_pipeline(
        welch(), ChannelNormalizer("l1"), SelectKBest(k=9), RobustScaler(),
        mlp(10, criterion="binary-cross-entropy", standardize=False, activation="elu")),
    "ensemble": lambda: eye_state_ensemble(
        "Ens3", max_epochs=3, random_state=0).set_params(
        energies__bands=((4, 8), (8, 15)), energies__n_subbands=3),
    "causal bands": lambda: make_pipeline(
        FilterBank([(4, 8), (8, 14), (14, 30)], phase="causal"), LogVariance(),
        StandardScaler(), LogisticRegression()),
    "causal channels, welch": lambda: make_pipeline(
        FilterBank([(0, 8), (8, 14)], phase="causal", output="channels"), welch(log=True),
        FisherSelection(8), LDA()),
    "zero phase": lambda: make_pipeline(
        FilterBank([(8, 14)], output="channels"), welch(log=True), LDA()),
    "means": lambda: make_pipeline(
        RankReducer(), BaselineCorrection(0.0, 0.2, sfreq=SFREQ), Crop(0.2, sfreq=SFREQ),
        WindowMeans(0.1), LDA()),
    "log covariance": lambda: make_pipeline(
        FilterBank([(4, 8), (8, 14)], phase="causal"), LogCovariance(), LDA()),
    "centred evidence": lambda: make_pipeline(
        welch(log=True), CausalCentering(scale=True, forgetting=0.95, prior_rows=3),
        evidence(LDA(), 5)),
    "seconds": lambda: make_pipeline(
        BandEnergy([(4, 8), (8, 14)], 2, log=True), evidence(LDA(), 1.3, unit="seconds")),
    "changes": lambda: evidence(
        make_pipeline(welch(log=True), mlp(8)), 6, change_rate="learned", exponent=0.25),
    "changes, seconds": lambda: make_pipeline(
        welch(log=True), evidence(LDA(), 2.0, unit="seconds", change_rate=0.1)),
    "cascade": lambda: make_pipeline(
        welch(log=True), StandardScaler(), CascadeClassifier(mlp(10), mlp(10), n_lags=4)),
    "cascade of trees": lambda: make_pipeline(
        welch(log=True), CascadeClassifier(
            DecisionTreeClassifier(max_depth=2, random_state=0), GaussianNB(), n_lags=3,
            stack="one-hot")),
    "cascade of probabilities": lambda: make_pipeline(
        welch(log=True),
        evidence(CascadeClassifier(make_pipeline(PCA(4), LDA()), LDA(), n_lags=5,
                                   stack="probabilities"), 3)),
    "vote": lambda: make_pipeline(welch(log=True), VotingClassifier(
        [("nb", GaussianNB()), ("none", "drop"), ("lda", make_pipeline(PCA(4), LDA())),
         ("tree", "drop")], voting="soft", weights=[1, 5, 3, 2])),
    "online": lambda: OnlineClassifier(make_pipeline(welch(), mlp(10)), random_state=0),
    "kept rows": lambda: make_pipeline(
        welch(log=True), KeepRows(make_pipeline(StandardScaler(), PCA(4))),
        evidence(LDA(), 1.5, unit="seconds")),
    "convolutions": lambda: NeuralClassifier(TwoLayers, max_epochs=2, random_state=0),
    "search": lambda: GridSearchCV(
        make_pipeline(welch(log=True), LDA()), {"lineardiscriminantanalysis__tol": [1e-4, 1e-3]},
        cv=2),
    "csp": lambda: csp_lda(n_components=2),
    "passthrough": lambda: make_pipeline("passthrough", make_pipeline(welch(), None), mlp(5)),
}


@cache
def fitted(name, n_classes=2):
    data, label = recording(n_classes=n_classes)
    windows, y = CUT.explode(EEGArray(data[np.newaxis], sfreq=SFREQ, ch_names=NAMES), label)
    return PIPELINES[name]().fit(windows, y)


@cache
def offline(name, n_classes=2):
    return np.asarray(fitted(name, n_classes).predict_proba(CUT.explode(test_data())[0]))


def test_data():
    return recording(9.0, seed=1)[0]


test_data.__test__ = False


def in_chunks(decoder, data, sizes):
    """Decisions of chunks of these sizes, over and over."""
    times, decisions, at, turn = [], [], 0, 0
    while at < data.shape[1]:
        size = sizes[turn % len(sizes)]
        for found, kept in zip(decoder.update(data[:, at : at + size]), (times, decisions)):
            kept.append(found)
        at, turn = at + size, turn + 1
    return np.concatenate(times), np.concatenate(decisions)


CHUNKS = st.lists(st.integers(0, 150), min_size=1, max_size=6).filter(any)


@pytest.mark.parametrize("name", PIPELINES)
def test_equals_the_offline_pipeline(name):
    decoder = OnlineDecoder(fitted(name), WINDOW, HOP, sfreq=SFREQ, ch_names=NAMES)
    times, decisions = decoder.update(test_data())
    assert decisions.shape == (33, 2)
    np.testing.assert_allclose(decisions, offline(name), rtol=0, atol=1e-6)
    np.testing.assert_allclose(times, (np.arange(33) * N_HOP + N_WINDOW - 1) / SFREQ)


@pytest.mark.parametrize(
    "name", ["welch, network", "causal bands", "changes", "cascade", "centred evidence"]
)
def test_three_classes(name):
    decoder = OnlineDecoder(fitted(name, 3), WINDOW, HOP)
    np.testing.assert_allclose(
        decoder.update(test_data())[1], offline(name, 3), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("later", [
    {"change_rate": None}, {"change_rate": 0.3}, {"change_rate": "learned"}, {"window": 2},
    {"window": 1}, {"exponent": 0.5}, {"window": 1.1, "unit": "seconds"},
])
@pytest.mark.parametrize("fitted_with", [None, 0.1])
def test_settings_of_evidence_after_fit(fitted_with, later):
    """What takes part in ``fit`` stays as it was there; what does not, does not."""
    windows, y = CUT.explode(*recording())
    accumulator = evidence(LDA(), 5, change_rate=fitted_with)
    pipeline = make_pipeline(welch(log=True), accumulator).fit(windows, y)
    pipeline.set_params(**{f"evidenceaccumulator__{key}": v for key, v in later.items()})
    wanted = pipeline.predict_proba(CUT.explode(test_data())[0])
    found = in_chunks(OnlineDecoder(pipeline, WINDOW, HOP), test_data(), [45])[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", PIPELINES)
@settings(max_examples=5)
@given(sizes=CHUNKS)
def test_chunk_sizes_change_nothing(name, sizes):
    decoder = OnlineDecoder(fitted(name), WINDOW, HOP, sfreq=SFREQ)
    whole = decoder.update(test_data())
    decoder.reset("subject")
    for found, wanted in zip(in_chunks(decoder, test_data(), sizes), whole):
        np.testing.assert_array_equal(found, wanted)


@st.composite
def cuts(draw):
    window = draw(st.integers(28, 130))
    return window, draw(st.integers(1, 200)), draw(CHUNKS)


@settings(max_examples=30)
@given(cut=cuts())
@pytest.mark.parametrize("phase", ["none", "causal"])
def test_any_window_and_hop(phase, cut):
    n_window, n_hop, sizes = cut
    steps = [WelchPSD(n_per_seg=27, n_overlap=11, fmin=4, log=True), LDA()]
    if phase == "causal":
        steps.insert(0, FilterBank([(4, 8), (8, 30)], phase="causal", output="channels"))
    data, label = recording()
    own = SlidingWindows(n_window / SFREQ, n_hop / SFREQ, sfreq=SFREQ)
    windows, y = CUT.explode(data, label)
    pipeline = make_pipeline(*steps).fit(windows, y)
    wanted = pipeline.predict_proba(own.explode(test_data())[0])
    decoder = OnlineDecoder(pipeline, n_window / SFREQ, n_hop / SFREQ)
    times, decisions = in_chunks(decoder, test_data(), sizes)
    np.testing.assert_allclose(decisions, wanted, rtol=0, atol=1e-6)
    wanted = (np.arange(len(wanted)) * n_hop + n_window - 1) / SFREQ
    np.testing.assert_allclose(times, wanted)


@pytest.mark.parametrize("offset", [1e-3, 1.0, -4e3])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_offset_and_unit(offset, scale):
    """Where float32 needs care, the decoder takes the same care as `WelchPSD`."""
    data, label = recording()
    data, other = (data + offset) * scale, (test_data() + offset) * scale
    windows, y = CUT.explode(data, label)
    pipeline = make_pipeline(welch(log=True), StandardScaler(), LDA()).fit(windows, y)
    decoder = OnlineDecoder(pipeline, WINDOW, HOP)
    wanted = pipeline.predict_proba(CUT.explode(other)[0])
    np.testing.assert_allclose(decoder.update(other)[1], wanted, rtol=0, atol=1e-6)


def test_one_channel_without_an_axis_of_its_own():
    data, label = recording()
    windows, y = CUT.explode(data[:1], label)
    pipeline = make_pipeline(WelchPSD(sfreq=SFREQ, n_per_seg=32), LDA())
    pipeline.fit(np.asarray(windows)[:, 0], y)
    wanted = pipeline.predict_proba(np.asarray(CUT.explode(test_data()[:1])[0])[:, 0])
    found = OnlineDecoder(pipeline, WINDOW, HOP).update(test_data()[:1])[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


# Of the house or of scikit-learn: what tests define is no importable module's.
IMPORTABLE = sorted(set(PIPELINES) - {"causal bands", "convolutions"})


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize("name", IMPORTABLE)
def test_a_copy_goes_on_where_the_decoder_is(name, copied):
    decoder = OnlineDecoder(fitted(name), WINDOW, HOP, sfreq=SFREQ, ch_names=NAMES)
    data = test_data()
    decoder.update(data[:, :300])
    other = copied(decoder)
    for stream in (decoder, other):
        found = stream.update(data[:, 300:])[1]
        np.testing.assert_allclose(found, offline(name)[15:], rtol=0, atol=1e-6)
    other.reset()
    np.testing.assert_allclose(other.update(data)[1], offline(name), rtol=0, atol=1e-6)


def test_long_streams_do_not_drift():
    data = recording(400.0, seed=2)[0]
    pipeline = fitted("causal channels, welch")
    wanted = pipeline.predict_proba(CUT.explode(data)[0])
    found = in_chunks(OnlineDecoder(pipeline, WINDOW, HOP), data, [37])[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


def test_steps_say_how_they_run():
    how = OnlineDecoder(fitted("causal bands"), WINDOW, HOP).steps
    assert how == {
        "filterbank": "carried", "logvariance": "own methods", "standardscaler": "compiled",
        "logisticregression": "compiled"}
    how = OnlineDecoder(fitted("centred evidence"), WINDOW, HOP).steps
    assert how == {"welchpsd": "incremental", "causalcentering": "carried",
                   "evidenceaccumulator": "carried"}


@pytest.mark.parametrize("follow", [welch(log=True), LogVariance()])
def test_filters_that_begin_with_the_stream(follow):
    """Equal to the other steps on windows of a recording that was filtered as one."""
    bank = FilterBank([(4, 8), (8, 14)], sfreq=SFREQ, phase="causal", output="channels")
    data, label = recording()
    windows, y = CUT.explode(bank.fit_transform(data[np.newaxis]), label)
    rest = make_pipeline(follow, LDA()).fit(windows, y)
    wanted = rest.predict_proba(CUT.explode(bank.transform(test_data()[np.newaxis]))[0])
    decoder = OnlineDecoder(make_pipeline(bank, *(s for _, s in rest.steps)), WINDOW, HOP,
                            filter_state="stream")
    found = in_chunks(decoder, test_data(), [29, 3])[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    anew = OnlineDecoder(decoder.pipeline, WINDOW, HOP).update(test_data())[1]
    assert np.abs(anew - wanted).max() > 1e-3  # the transient at each window's start


@pytest.mark.parametrize("alignment", [EuclideanAlignment, RiemannianRecentering])
def test_alignment_by_the_fitted_group(alignment):
    """Equal to the offline pipeline asked about one row at a time."""
    data, label = recording()
    windows, y = CUT.explode(data, label)
    table = {"subject": np.where(np.arange(len(y)) < 40, 1, 2)}
    X = EEGArray(np.asarray(windows), table, sfreq=SFREQ, ch_names=NAMES)
    pipeline = make_pipeline(alignment(), welch(log=True), LDA()).fit(X, y)
    other = CUT.explode(test_data())[0]
    other = EEGArray(np.asarray(other), {"subject": [2] * len(other)}, sfreq=SFREQ,
                     ch_names=NAMES)
    wanted = np.concatenate([pipeline.predict_proba(other[i : i + 1]) for i in range(len(other))])
    decoder = OnlineDecoder(pipeline, WINDOW, HOP, metadata={"subject": 2})
    found = in_chunks(decoder, test_data(), [50])[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    assert next(iter(decoder.steps.values())) == "by the fitted group"


class SubjectOffset(TransformerMixin, BaseEstimator):
    """Asks each row whose it is."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        subject = X.metadata["subject"].to_numpy(dtype=float)
        return np.log(np.asarray(X).var(axis=-1)) + subject[:, np.newaxis]


def test_unknown_steps_see_whose_rows_they_are():
    data, label = recording()
    windows, y = CUT.explode(data, label)
    X = EEGArray(np.asarray(windows), {"subject": [1.0] * len(y)}, sfreq=SFREQ)
    pipeline = make_pipeline(SubjectOffset(), LDA()).fit(X, y)
    other = np.asarray(CUT.explode(test_data())[0])
    decoder = OnlineDecoder(pipeline, WINDOW, HOP, sfreq=SFREQ, metadata={"subject": 3})
    wanted = pipeline.predict_proba(EEGArray(other, {"subject": [3.0] * len(other)}))
    np.testing.assert_allclose(decoder.update(test_data())[1], wanted, rtol=0, atol=1e-6)


def test_windows_of_a_data_frame(recwarn):
    data, label = recording()
    windows, y = CUT.explode(data, label)
    pipeline = make_pipeline(welch(log=True), GaussianNB()).set_output(transform="pandas")
    pipeline.fit(windows, y)
    wanted = pipeline.predict_proba(CUT.explode(test_data())[0])
    found = OnlineDecoder(pipeline, WINDOW, HOP).update(test_data())[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    assert not recwarn.list


@pytest.mark.real_data
def test_recorded_movements(data_folder):
    """Two runs of imagined fists, 64 channels: train on one, decode the other."""
    from skbci.datasets import load_recording

    path = data_folder / "eegmmidb" / "continuous_S001_64ch_fists.npz"
    runs = load_recording(path, picks=["C3", "Cz", "C4"])
    assert runs.X.ndim == 3
    first, second = np.asarray(runs.X[0]), np.asarray(runs.X[1])
    cut = SlidingWindows(1.0, 0.0625, sfreq=runs.sfreq)
    windows, _ = cut.explode(first)
    y = (np.arange(len(windows)) // 64) % 2
    pipeline = make_pipeline(
        WelchPSD(n_per_seg=80, n_overlap=60, fmin=8, fmax=30, log=True), CausalCentering(),
        evidence(mlp(20), 8)).fit(windows, y)
    wanted = pipeline.predict_proba(cut.explode(second)[0])
    decoder = OnlineDecoder(pipeline, 1.0, 0.0625)
    found = in_chunks(decoder, second, [10, 33])[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
