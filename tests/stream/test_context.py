"""Steps of one's own that ask about more than a row's numbers."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbci import EEGArray
from skbci.features import (
    BandEnergy,
    ChannelNormalizer,
    Crop,
    EuclideanAlignment,
    FilterBank,
    KeepRows,
    SlidingWindows,
    WelchPSD,
)
from skbci.stream import OnlineDecoder
from skbci.stream._stages.row_context import RowContext

SFREQ, NAMES = 64.0, ["C3", "C4"]
CUT = SlidingWindows(1.0, 0.25, sfreq=SFREQ)


def windows_of(seed, label=False, **table):
    rng = np.random.default_rng(seed)
    times = np.arange(round(80 * SFREQ)) / SFREQ
    data = rng.standard_normal((2, len(times))) * 1e-5
    data[0] += 8e-6 * np.sin(2 * np.pi * 10 * times) * (times // 2 % 2)
    windows, y = CUT.explode(data, (times // 2 % 2).astype(int))
    table = {name: [value] * len(y) for name, value in table.items()}
    table["onset"] = windows.metadata["onset"]
    X = EEGArray(np.asarray(windows), table, sfreq=SFREQ, ch_names=NAMES)
    return (X, y) if label else (X, data)


def by_rate(X):
    freqs = np.fft.rfftfreq(X.shape[-1], 1 / X.sfreq)
    power = np.abs(np.fft.rfft(np.asarray(X), axis=-1)) ** 2
    return np.log(power[..., (freqs >= 8) & (freqs <= 12)].sum(axis=-1))


def by_rate_where_it_is_known(X):
    return log_power(X) * getattr(X, "sfreq", 1.0)


def by_name(X):
    return log_power(X)[:, [X.ch_names.index("C4")]]


def by_time_of_the_row(X):
    return log_power(X) + np.arange(X.shape[-1])[None, :2] / 64 + X.tmin


def by_onset(X):
    known = isinstance(X, EEGArray)
    minutes = np.asarray(X.metadata["onset"], float) / 60 if known else np.zeros(len(X))
    return log_power(X) - minutes[:, None]


def after_a_minute(X):
    """Shows its need of the onset late."""
    late = np.asarray(X.metadata["onset"], float) > 60 if hasattr(X, "metadata") else 0
    return log_power(X) + np.reshape(late, (-1, 1))


def by_selected_rows(X):
    return by_onset(X[:, ::-1])


def log_power(X):
    return np.log(np.asarray(X).var(axis=-1))


log_power.row_context = False


class LateClassifier(ClassifierMixin, BaseEstimator):
    """Is surer of the second class the later it is."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        onset = np.asarray(X.metadata["onset"], float)
        second = 1 / (1 + np.exp(-onset / 30 + X.tmin + X.sfreq / 100))
        return np.column_stack([1 - second, second])


class Spectra(TransformerMixin, BaseEstimator):
    """Densities of a step of the house that it holds."""

    def fit(self, X, y=None):
        self.psd_ = WelchPSD(n_per_seg=32).fit(X)
        return self

    def transform(self, X):
        assert X.sfreq == SFREQ
        return np.log(self.psd_.transform(X))


PIPELINES = {
    "rate": lambda: make_pipeline(FunctionTransformer(by_rate), LDA()),
    "rate, else none": lambda: make_pipeline(FunctionTransformer(by_rate_where_it_is_known),
                                             LDA()),
    "name": lambda: make_pipeline(FunctionTransformer(by_name), LDA()),
    "time": lambda: make_pipeline(FunctionTransformer(by_time_of_the_row), LDA()),
    "onset": lambda: make_pipeline(FunctionTransformer(by_onset), LDA()),
    "late": lambda: make_pipeline(FunctionTransformer(after_a_minute), LDA()),
    "selected": lambda: make_pipeline(FunctionTransformer(by_selected_rows), LDA()),
    "classifier": LateClassifier,
    "held": lambda: make_pipeline(Spectra(), LDA()),
    "union": lambda: make_pipeline(
        FeatureUnion([("rate", FunctionTransformer(by_rate)), ("held", Spectra())]), LDA()),
    "behind a filter": lambda: make_pipeline(
        FilterBank([(4, 20)], phase="causal", output="channels"), ChannelNormalizer("l2"),
        Crop(0.25), FunctionTransformer(by_onset), LDA()),
    "features": lambda: make_pipeline(
        WelchPSD(n_per_seg=32, log=True), FunctionTransformer(lambda X: X[:, ::-1]),
        GaussianNB()),
}


@pytest.mark.parametrize("metadata", [None, {"session": 1}])
@pytest.mark.parametrize("name", PIPELINES)
def test_they_see_in_the_stream_what_they_see_offline(name, metadata):
    pipeline = PIPELINES[name]().fit(*windows_of(0, True))
    decoder = OnlineDecoder(pipeline, 1.0, 0.25, sfreq=SFREQ, ch_names=NAMES, metadata=metadata)
    X, data = windows_of(1, **(metadata or {}))
    parts = np.split(data, range(700, data.shape[1], 700), axis=1)
    found = np.concatenate([decoder.update(part)[1] for part in parts])
    np.testing.assert_allclose(found, pipeline.predict_proba(X), rtol=0, atol=1e-6)


class Reader(TransformerMixin, BaseEstimator):
    """Declares that it reads the context, as a step of a package that usually does not."""

    __module__ = "sklearn.reader"
    row_context = True


@pytest.mark.parametrize(("step", "asks"), [
    (FunctionTransformer(by_rate), True),
    (FunctionTransformer(np.abs), False),
    (FunctionTransformer(), False),
    (FunctionTransformer(log_power), False),  # it says so
    (FunctionTransformer(partial(log_power)), False),
    (FunctionTransformer(partial(by_rate)), True),
    (LateClassifier(), True),
    (StandardScaler(), False),
    (BandEnergy(), False),
    (EuclideanAlignment(), True),
    (Reader(), True),
    (FeatureUnion([("abs", FunctionTransformer(np.abs)), ("scale", StandardScaler())]), False),
    (FeatureUnion([("rate", FunctionTransformer(by_rate)), ("scale", StandardScaler())]), True),
    (KeepRows(Spectra()), True),
])
def test_rows_have_their_context_only_for_steps_that_may_read_it(step, asks):
    """A bare row is faster; a step that reads nothing gets one."""
    rows = windows_of(0, session=1)[0][:3]
    assert isinstance(RowContext(step, rows)(np.asarray(rows[:1]), 0.0), EEGArray) == asks
