"""A pipeline that is fitted anew while a decoder has it: taken over at reset."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skbci import EEGArray
from skbci.estimators import (
    CascadeClassifier,
    EvidenceAccumulator,
    MLPClassifier,
    NeuralClassifier,
    OnlineClassifier,
)
from skbci.features import CausalCentering, FilterBank, SlidingWindows, WelchPSD
from skbci.nets import MLP
from skbci.stream import OnlineDecoder

SFREQ, NAMES = 64.0, ["C3", "C4"]
CUT = SlidingWindows(1.0, 0.25, sfreq=SFREQ)


def recording(seed=0, n_channels=2, seconds=12, sfreq=SFREQ):
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * sfreq)) / sfreq
    data = rng.standard_normal((n_channels, len(times))) * 1e-5
    data[0] += 8e-6 * np.sin(2 * np.pi * 10 * times) * (times // 2 % 2)
    return data, (times // 2 % 2).astype(int)


def windows_of(data, label=None, names=NAMES, sfreq=SFREQ, **table):
    windows, y = SlidingWindows(1.0, 0.25, sfreq=sfreq).explode(data, label)
    table = {name: [value] * len(windows) for name, value in table.items()}
    X = EEGArray(np.asarray(windows), {**table, "onset": windows.metadata["onset"]},
                 sfreq=sfreq, ch_names=names)
    return (X, y) if label is not None else X


X, Y = windows_of(*recording())
OTHER = recording(1)[0]
FLIPPED = 1 - Y


def welch(**settings):
    return WelchPSD(**{"n_per_seg": 32, "fmin": 4, "log": True, "dtype": "float64", **settings})


def network(**settings):
    return MLPClassifier((6,), max_epochs=3, batch_size=8, random_state=0, **settings)


def bank(*bands):
    return FilterBank(bands, phase="causal", output="channels")


def vote(*members):
    return VotingClassifier([(f"m{i}", member) for i, member in enumerate(members)],
                            voting="soft")


REFITS = {
    "classifier": (lambda: make_pipeline(welch(), LDA()), {}),
    "network": (lambda: make_pipeline(welch(), StandardScaler(), network()), {}),
    "module": (lambda: NeuralClassifier(
        MLP, module__hidden_layer_sizes=(4,), max_epochs=2, random_state=0), {}),
    "evidence": (lambda: make_pipeline(welch(), EvidenceAccumulator(LDA(), 4)), {}),
    "changes": (lambda: make_pipeline(
        welch(), EvidenceAccumulator(LDA(), 4)), {"evidenceaccumulator__change_rate": 0.1}),
    "no changes": (
        lambda: make_pipeline(welch(), EvidenceAccumulator(LDA(), 4, change_rate=0.1)),
        {"evidenceaccumulator__change_rate": None}),
    "vote": (lambda: make_pipeline(welch(), vote(LDA(), GaussianNB())), {}),
    "cascade": (lambda: make_pipeline(
        welch(), CascadeClassifier(GaussianNB(), make_pipeline(CausalCentering(), LDA()),
                                   n_lags=3)),
        {"cascadeclassifier__n_lags": 5}),
    "online": (lambda: OnlineClassifier(make_pipeline(welch(), network()), random_state=0), {}),
    "search": (lambda: GridSearchCV(make_pipeline(welch(), LDA()), {"welchpsd__fmax": [20]},
                                    cv=2), {"param_grid": {"welchpsd__fmax": [12, 14]}}),
    "frequencies": (lambda: make_pipeline(welch(), LDA()), {"welchpsd__fmax": 14}),
    "segments": (lambda: make_pipeline(welch(), LDA()), {"welchpsd__n_per_seg": 20}),
    "taper": (lambda: make_pipeline(welch(), LDA()), {"welchpsd__window": "boxcar"}),
    "precision": (lambda: make_pipeline(welch(), LDA()), {"welchpsd__dtype": "float32"}),
    "bands": (lambda: make_pipeline(bank((4, 8), (8, 14)), welch(), LDA()),
              {"filterbank__bands": [(6, 9), (14, 30)]}),
    "number of bands": (lambda: make_pipeline(bank((4, 8)), welch(), LDA()),
                        {"filterbank__bands": [(6, 9), (14, 30), (9, 14)]}),
    "phase": (lambda: make_pipeline(bank((4, 8)), welch(), LDA()), {"filterbank__phase": "zero"}),
    "clip": (lambda: make_pipeline(welch(), MinMaxScaler(), LDA()), {"minmaxscaler__clip": True}),
    "another step": (lambda: make_pipeline(welch(), StandardScaler(), LDA()),
                     {"standardscaler": CausalCentering()}),
    "another classifier": (lambda: make_pipeline(welch(), LDA()),
                           {"lineardiscriminantanalysis": GaussianNB()}),
    "no step": (lambda: make_pipeline(welch(), StandardScaler(), LDA()),
                {"standardscaler": "passthrough"}),
}


@pytest.mark.parametrize("level", ["run", "session", "subject"])
@pytest.mark.parametrize("name", REFITS)
def test_a_refit_is_taken_over_at_reset(name, level):
    make, changes = REFITS[name]
    pipeline = make().fit(X, Y)
    decoder = OnlineDecoder(pipeline, 1.0, 0.25)
    before = decoder.update(OTHER)[1]
    pipeline.set_params(**changes).fit(X, FLIPPED)
    decoder.reset(level)
    found = decoder.update(OTHER)[1]
    np.testing.assert_allclose(found, pipeline.predict_proba(windows_of(OTHER)), atol=1e-6)
    assert np.abs(found - before).max() > 1e-3
    assert decoder.steps == OnlineDecoder(pipeline, 1.0, 0.25).steps


def test_new_classes_are_taken_over():
    pipeline = make_pipeline(welch(), LDA()).fit(X, Y)
    decoder = OnlineDecoder(pipeline, 1.0, 0.25)
    pipeline.fit(X, np.array(["feet", "left", "right"])[np.arange(len(Y)) % 3])
    decoder.reset()
    assert decoder.classes_.tolist() == ["feet", "left", "right"]
    found = decoder.update(OTHER)[1]
    np.testing.assert_allclose(found, pipeline.predict_proba(windows_of(OTHER)), atol=1e-6)


def test_other_channels_are_taken_over_unless_the_stream_has_named_its_own():
    pipeline = make_pipeline(welch(), LDA()).fit(X, Y)
    free = OnlineDecoder(pipeline, 1.0, 0.25)
    bound = OnlineDecoder(pipeline, 1.0, 0.25, ch_names=NAMES)
    bound.update(OTHER[:, :100])
    names = ["C3", "Cz", "C4"]
    pipeline.fit(*windows_of(*recording(n_channels=3), names=names))
    free.reset()
    assert (free.n_channels, free.ch_names) == (3, names)
    other = recording(1, n_channels=3)[0]
    wanted = pipeline.predict_proba(windows_of(other, names=names))
    np.testing.assert_allclose(free.update(other)[1], wanted, atol=1e-6)
    with pytest.raises(ValueError, match="ch_names has 2 names, but the pipeline was fitted with"):
        bound.reset()
    pipeline.fit(X, Y)
    bound.reset()  # nothing is broken
    wanted = pipeline.predict_proba(windows_of(OTHER))
    np.testing.assert_allclose(bound.update(OTHER)[1], wanted, atol=1e-6)


def test_another_rate_is_refused():
    pipeline = make_pipeline(welch(), LDA()).fit(X, Y)
    decoder = OnlineDecoder(pipeline, 1.0, 0.25)
    pipeline.fit(*windows_of(*recording(sfreq=128.0), sfreq=128.0))
    with pytest.raises(ValueError, match="stream has sfreq=64 Hz, .* was fitted at 128 Hz"):
        decoder.reset()


@pytest.mark.parametrize("nested", [False, True])
def test_a_new_run_keeps_the_session_unless_its_mean_is_of_another_fit(nested):
    inner = make_pipeline(CausalCentering(), LDA())
    pipeline = make_pipeline(welch(), vote(inner, LDA()) if nested else inner)
    pipeline.fit(X, Y)
    decoder = OnlineDecoder(pipeline, 1.0, 0.25)
    decoder.update(recording(2)[0])
    decoder.reset("run")
    both = np.concatenate([windows_of(data, session=1, run=run)
                           for run, data in enumerate([recording(2)[0], OTHER])])
    kept = pipeline.predict_proba(both)[-len(windows_of(OTHER)) :]
    np.testing.assert_allclose(decoder.update(OTHER)[1], kept, atol=1e-6)
    pipeline.set_params(welchpsd__fmax=14).fit(X, Y)
    decoder.reset("run")
    wanted = pipeline.predict_proba(windows_of(OTHER))
    np.testing.assert_allclose(decoder.update(OTHER)[1], wanted, atol=1e-6)


def test_learning_goes_on_with_the_refitted_step():
    learner = SGDClassifier(loss="log_loss", random_state=0)
    pipeline = GridSearchCV(make_pipeline(welch(), StandardScaler(), learner),
                            {"welchpsd__fmax": [20]}, cv=2)
    decoder = OnlineDecoder(pipeline.fit(X, Y), 1.0, 0.25)
    pipeline.fit(X, FLIPPED)  # another best estimator
    decoder.reset()
    before = pipeline.predict_proba(X)
    decoder.partial_fit(*recording(3))
    decoder.reset()
    assert np.abs(pipeline.predict_proba(X) - before).max() > 1e-3
    wanted = pipeline.predict_proba(windows_of(OTHER))
    np.testing.assert_allclose(decoder.update(OTHER)[1], wanted, atol=1e-6)
