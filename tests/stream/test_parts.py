"""The decoder's parts against what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from skbci.estimators._meta.markov import forward_filter, transitions
from skbci.features import FilterBank, WelchPSD
from skbci.stream._sources.buffer import SampleBuffer
from skbci.stream._sources.filtered import FilteredSamples
from skbci.stream._sources.welch_segments import WelchSegments
from skbci.stream._stages.sliding_forward import SlidingForward


@given(
    seed=st.integers(0, 999), n_classes=st.integers(2, 4), window=st.integers(1, 9),
    change_rate=st.floats(0.01, 0.99), sure=st.floats(0.0, 16.0),
)
def test_sliding_forward_equals_the_whole_recursion(seed, n_classes, window, change_rate, sure):
    rng = np.random.default_rng(seed)
    logs = sure * rng.uniform(-1, 0, (30, n_classes))
    prior = rng.dirichlet(np.ones(n_classes)) * 0.9 + 0.1 / n_classes
    first = np.maximum(np.arange(30) - window + 1, 0)
    wanted = forward_filter(logs, first, change_rate, prior)
    sliding = SlidingForward(transitions(change_rate, prior), prior)
    for row, likelihood in enumerate(softmax(logs, axis=1)):
        sliding.push(likelihood)
        if row >= window:
            sliding.pop()
        np.testing.assert_allclose(sliding.belief(), wanted[row], rtol=1e-9, atol=1e-12)


def test_sliding_forward_does_not_underflow():
    prior = np.array([0.5, 0.5])
    sliding = SlidingForward(transitions(1e-6, prior), prior)
    for _ in range(5000):
        sliding.push(np.array([1e-7, 1 - 1e-7]))
    np.testing.assert_allclose(sliding.belief(), [0, 1], atol=1e-6)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(50, 90))
def test_buffer_gives_back_the_last_samples(sizes, n_kept):
    data = np.random.default_rng(0).standard_normal((2, sum(sizes)))
    buffer = SampleBuffer(2, n_kept)
    for size in sizes:
        buffer.append(data[:, buffer.end : buffer.end + size])
        start = max(0, buffer.end - n_kept)
        np.testing.assert_array_equal(
            buffer.read(start, buffer.end), data[:, start : buffer.end])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hop", [16, 24, 37, 300])
def test_segments_are_rounded_as_by_transform_and_forgotten(dtype, hop):
    data = np.random.default_rng(0).standard_normal((3, 4000)) * 1e-5
    psd = WelchPSD(sfreq=100, n_per_seg=64, n_overlap=48, fmin=5, dtype=dtype)
    psd.fit(data[np.newaxis, :, :256])
    segments = WelchSegments(psd, 3, 256, hop)
    for start in range(0, 4000 - 256, hop):
        found = segments(data[:, start : start + 256], start)
        wanted = psd.transform(data[np.newaxis, :, start : start + 256])
        np.testing.assert_allclose(found, wanted, rtol=1e-6 if dtype == "float32" else 1e-10)
        assert len(segments._known) <= {16: 13, 24: 25, 37: 0, 300: 0}[hop]


@pytest.mark.parametrize("restart", [True, False])
def test_filters_keep_no_more_than_a_window_needs(restart):
    data = np.random.default_rng(0).standard_normal((2, 3000))
    bank = FilterBank([(8, 30)], sfreq=100, phase="causal").fit(data[np.newaxis])
    samples = SampleBuffer(2, 100)
    filtered = FilteredSamples(samples, 2, bank._filters, 100, 10, restart)
    for stop in range(100, 3001, 10):
        samples.append(data[:, samples.end : stop])
        filtered.advance(stop)
        filtered.window(stop - 100, stop)
        assert len(filtered._at_start) <= 10
    whole = bank.transform(data[np.newaxis])[0, 0]
    if not restart:
        np.testing.assert_array_equal(filtered.window(2900, 3000), whole[:, 2900:])
