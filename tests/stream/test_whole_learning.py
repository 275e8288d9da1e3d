"""Learning from a stream that is interrupted, or fails, leaves decoder and pipeline as before."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from skbci import make_pipeline
from skbci.estimators import (
    CascadeClassifier,
    DecoderPipeline,
    EvidenceAccumulator,
    MLPClassifier,
    OnlineClassifier,
)
from skbci.features import CausalCentering, FilterBank, WelchPSD
from skbci.stream import OnlineDecoder
from tests.interrupts import Interrupt, places

SFREQ, N_WINDOW, N_HOP = 64, 64, 16


def psd():
    return WelchPSD(sfreq=SFREQ, n_per_seg=32, log=True)


def network():
    return MLPClassifier((5,), max_epochs=2, random_state=0)


def linear():
    return SGDClassifier("log_loss", random_state=0)


PIPELINES = {
    "network": lambda: make_pipeline(WelchPSD(sfreq=SFREQ, n_per_seg=32), network()),
    "centering": lambda: make_pipeline(psd(), CausalCentering(), StandardScaler(), linear()),
    "causal filter, evidence": lambda: make_pipeline(
        FilterBank(((8, 12), (12, 30)), sfreq=SFREQ, phase="causal", output="channels"),
        psd(), EvidenceAccumulator(network(), 4),
    ),
    "cascade": lambda: make_pipeline(psd(), CascadeClassifier(network(), network())),
    "guarded": lambda: DecoderPipeline([("psd", psd()), ("online", OnlineClassifier(linear()))]),
}


def decoder_of(name):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.standard_normal((40, 3, N_WINDOW)) * (1 + y[:, None, None])
    pipeline = PIPELINES[name]().fit(X, y)
    return OnlineDecoder(pipeline, N_WINDOW / SFREQ, N_HOP / SFREQ, sfreq=SFREQ, batch_size=4)


def stream(n, seed=1):
    return np.random.default_rng(seed).standard_normal((3, n))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PIPELINES)
def test_an_interrupted_chunk_can_be_given_again(name):
    first, second, third = np.split(stream(700), [200, 450], axis=1)
    broken, whole, spare = (decoder_of(name) for _ in range(3))
    for decoder in (broken, whole, spare):
        decoder.partial_fit(first, 0)
    for n in places(spare.partial_fit, second, 1):
        with pytest.raises(KeyboardInterrupt), Interrupt(n):
            broken.partial_fit(second, 1)
    for took, wanted in zip(broken.partial_fit(second, 1), whole.partial_fit(second, 1)):
        np.testing.assert_array_equal(took, wanted)
    for decoder in (broken, whole):  # what is left over is learned; the session goes on
        decoder.reset("run")
    for took, wanted in zip(broken.update(third), whole.update(third)):
        np.testing.assert_array_equal(took, wanted)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["network", "centering"])
def test_an_interrupted_calibration_or_end_is_taken_back(name):
    windows = stream(20 * N_WINDOW).reshape(3, 20, N_WINDOW).swapaxes(0, 1)
    broken, whole, spare = (decoder_of(name) for _ in range(3))
    for decoder in (broken, whole, spare):
        decoder.partial_fit(stream(120), 0)
    for n in places(spare.partial_fit_windows, windows, 1):
        with pytest.raises(KeyboardInterrupt), Interrupt(n):
            broken.partial_fit_windows(windows, 1)
    for n in places(spare.reset):
        with pytest.raises(KeyboardInterrupt), Interrupt(n):
            broken.reset()
    for took, wanted in zip(broken.update(stream(90)), whole.update(stream(90))):
        np.testing.assert_array_equal(took, wanted)
    for decoder in (broken, whole):
        decoder.partial_fit_windows(windows, 1).reset()
    for took, wanted in zip(broken.update(stream(200)), whole.update(stream(200))):
        np.testing.assert_array_equal(took, wanted)


@pytest.mark.filterwarnings("ignore")
def test_a_learner_that_fails_costs_no_samples():
    decoder, whole = decoder_of("centering"), decoder_of("centering")
    learner = decoder.pipeline[-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(learner), "partial_fit", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            decoder.partial_fit(stream(200), 0)
    again = decoder.partial_fit(stream(200), 0)
    for took, wanted in zip(again, whole.partial_fit(stream(200), 0)):
        np.testing.assert_array_equal(took, wanted)
    assert decoder.pipeline[-1] is learner
