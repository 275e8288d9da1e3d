"""Streams that are not like what the pipeline was fitted with."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline, make_union

from skbci.features import FilterBank, SlidingWindows, WelchPSD
from skbci.stream import OnlineDecoder

RATE = 128
SIGNAL = np.random.default_rng(0).normal(0, 1e-5, (4, 20 * RATE))
WINDOWS, _ = SlidingWindows(1.0, 0.25, sfreq=RATE).explode(SIGNAL)
LABELS = np.arange(len(WINDOWS)) % 2


def pipeline():
    return make_pipeline(WelchPSD(n_per_seg=16, sfreq=RATE), LinearDiscriminantAnalysis())


FITTED = pipeline().fit(np.asarray(WINDOWS), LABELS)


def warned(decoder, signal, stamps=None):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        decoder.update(signal, stamps)
    return " ".join(str(one.message) for one in said)


@pytest.mark.parametrize("factor", [1e6, 1e3, 1e-3])
def test_another_unit_than_that_of_fit_is_said_once(factor):
    decoder = OnlineDecoder(FITTED, 1.0, 0.25)
    assert "another unit" in warned(decoder, SIGNAL * factor)
    assert "another unit" not in warned(decoder, SIGNAL * factor)
    assert "another unit" not in warned(OnlineDecoder(FITTED, 1.0, 0.25), SIGNAL * 5)


@pytest.mark.parametrize("seconds", [0.25, 4])
def test_windows_of_another_length_than_those_of_fit_are_said_once_a_session(seconds):
    decoder = OnlineDecoder(FITTED, seconds, 0.25)
    words = f"window={seconds} s is not what the pipeline was fitted with, rows of 1 s"
    assert words in warned(decoder, SIGNAL)
    assert words not in warned(decoder, SIGNAL)
    decoder.reset("run")
    assert words not in warned(decoder, SIGNAL)
    decoder.reset()
    assert words in warned(decoder, SIGNAL)


def test_windows_like_those_of_fit_are_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        OnlineDecoder(FITTED, 1.0, 0.25).update(SIGNAL)


def test_a_filter_that_runs_with_the_stream_is_fitted_on_recordings_and_the_rest_on_windows():
    bank = FilterBank([(8, 30)], sfreq=RATE, phase="causal", output="channels")
    rest = pipeline().fit(np.asarray(WINDOWS), LABELS)
    whole = make_pipeline(bank.fit(SIGNAL[np.newaxis]), *(step for _, step in rest.steps))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        OnlineDecoder(whole, 1.0, 0.25, filter_state="stream").update(SIGNAL)
    with pytest.warns(UserWarning, match=r"window=0.25 s is not .* rows of 1 s"):
        OnlineDecoder(whole, 0.25, 0.25, filter_state="stream").update(SIGNAL)


def test_packets_that_are_all_gaps_are_said():
    decoder, said = OnlineDecoder(FITTED, 1.0, 0.25, on_gap="restart"), ""
    for start in range(0, 10 * RATE, 12):  # every packet's samples are stamped on its arrival
        stamps = 100 + start / RATE + np.arange(12) * 1e-4
        said += warned(decoder, SIGNAL[:, start : start + 12], stamps)
    assert said.count("gaps one after the other") == 1


def test_one_stamp_a_chunk_may_jitter_and_drift():
    rng = np.random.default_rng(1)
    decoder, times = OnlineDecoder(FITTED, 1.0, 0.25), []
    for start in range(0, 18 * RATE, 16):
        arrival = 50 + 1.0001 * start / RATE + rng.uniform(-0.008, 0.008)
        times += decoder.update(SIGNAL[:, start : start + 16], arrival)[0].tolist()
    assert len(times) == 69
    expected = 50 + 1.0001 * (np.arange(69) * 32 + RATE - 1) / RATE
    assert np.abs(np.array(times) - expected).max() < 0.02
    with pytest.raises(ValueError, match="a gap"):
        decoder.update(SIGNAL[:, :16], 50 + 18.2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: VotingClassifier([("a", pipeline()), ("b", pipeline())], voting="soft"),
        lambda: CalibratedClassifierCV(pipeline(), cv=2),
        lambda: StackingClassifier([("a", pipeline())], LogisticRegression(), cv=2),
        lambda: GridSearchCV(pipeline(), {"welchpsd__n_per_seg": [16]}, cv=2),
        lambda: make_pipeline(
            make_union(WelchPSD(n_per_seg=16, sfreq=RATE), WelchPSD(n_per_seg=32, sfreq=RATE)),
            LinearDiscriminantAnalysis(),
        ),
    ],
    ids=["voting", "calibrated", "stacking", "search", "union"],
)
def test_the_rate_is_found_inside_ensembles(make):
    fitted = make().fit(np.asarray(WINDOWS), LABELS)
    assert OnlineDecoder(fitted, 1.0, 0.25).sfreq == RATE


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [1.0, 1e3, 1e6], ids=["V", "mV", "uV"])
def test_a_decoder_is_made_whatever_the_unit(unit):
    """The windows that the pipeline is tried on are as loud as those of fit, not silent."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.standard_normal((40, 3, 64)) * (1e-5 * unit) * (1 + y[:, None, None])
    pipeline = make_pipeline(WelchPSD(n_per_seg=32, sfreq=64, log=True), GaussianNB()).fit(X, y)
    decoder = OnlineDecoder(pipeline, 1.0, 1.0)
    found = decoder.update(np.concatenate(X[:5], axis=1))[1]
    np.testing.assert_allclose(found, pipeline.predict_proba(X[:5]), atol=1e-9)


@pytest.mark.parametrize(("rate", "said"), [(RATE, False), (RATE * 1.01, False), (250, True)])
def test_time_stamps_of_another_rate_are_said_once(rate, said):
    decoder = OnlineDecoder(FITTED, 1.0, 0.25)
    words = f"has {rate:g} samples a second, but the pipeline was fitted at {RATE} Hz"
    half = SIGNAL.shape[1] // 2
    stamps = 100 + np.arange(2 * half) / rate
    assert (words in warned(decoder, SIGNAL[:, :half], stamps[:half])) == said
    assert words not in warned(decoder, SIGNAL[:, half:], stamps[half:])


def test_a_reset_begins_another_clock():
    decoder = OnlineDecoder(FITTED, 1.0, 0.25)
    stamps = np.arange(SIGNAL.shape[1]) / RATE
    for begin in (100.0, 100.0, 3.0):  # a recording played again
        assert not warned(decoder, SIGNAL, begin + stamps)
        decoder.reset()


def test_a_fault_that_stays_is_said_of_ten_windows_in_succession():
    decoder = OnlineDecoder(
        make_pipeline(WelchPSD(n_per_seg=16, sfreq=RATE, log=True), LinearDiscriminantAnalysis())
        .fit(np.asarray(WINDOWS), LABELS), 1.0, 0.25,
    )
    flat = SIGNAL.copy()
    flat[:, : 10 * RATE] = 0.0
    flat[2, 15 * RATE :] = 0.0
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        decoder.update(flat)
    words = [str(one.message) for one in said]
    assert sum("flat in all channels" in word for word in words) == 10
    assert sum("flat in channel 2" in word for word in words) == 10
