"""Time stamps that are early or late: the amplifier's time is read from a line through them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.features import WelchPSD
from skbci.stream import OnlineDecoder
from skbci.stream._clock import Clock
from skbci.stream._time_line import TimeLine

RATE = 128.0


def decoder(**settings):
    rng = np.random.default_rng(0)
    X = EEGArray(rng.standard_normal((20, 2, 128)) * 1e-5, sfreq=RATE, ch_names=["C3", "C4"])
    pipeline = make_pipeline(WelchPSD(n_per_seg=64, log=True), LDA()).fit(X, np.arange(20) % 2)
    return OnlineDecoder(pipeline, 1.0, 0.25, **settings)


def signal(seconds):
    return np.random.default_rng(1).standard_normal((2, round(seconds * RATE))) * 1e-5


def run(online, data, stamps, size):
    """Times of all windows; ``stamps`` are one a sample."""
    parts = [online.update(data[:, at : at + size], stamps[at : at + size])
             for at in range(0, data.shape[1], size)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([p[1] for p in parts])


@pytest.mark.parametrize("sizes", [(1,), (7, 3), (40,)])
def test_the_line_is_the_weighted_least_squares_fit(sizes):
    rng = np.random.default_rng(0)
    line, k, taken = TimeLine(RATE), 0, []
    while k < 2500:
        n = sizes[len(taken) % len(sizes)]
        numbers = np.arange(k, k + n)
        stamps = 1e5 + 1.0003 * numbers / RATE + rng.uniform(-0.01, 0.01, n)
        line.note(numbers, stamps)
        taken.append((numbers, stamps))
        k += n
    numbers = np.concatenate([numbers for numbers, _ in taken])
    stamps = np.concatenate([stamps for _, stamps in taken])
    ends = np.concatenate([np.full(len(own), own[-1]) for own, _ in taken])
    weights = 0.5 ** ((numbers[-1] - ends) / RATE / 10.0)  # half after ten seconds
    fit = np.polynomial.Polynomial.fit(numbers / RATE, stamps - 1e5, 1, w=np.sqrt(weights))
    later = np.arange(k, k + 50)
    np.testing.assert_allclose(line.at(later), 1e5 + fit(later / RATE), rtol=0, atol=1e-8)


@pytest.mark.parametrize(("drift", "followed"), [(0.004, 0.004), (0.02, 0.005), (-0.02, -0.005)])
def test_no_clock_is_believed_to_be_off_by_more_than_half_a_per_cent(drift, followed):
    line, numbers = TimeLine(RATE), np.arange(round(20 * RATE))
    line.note(numbers, (1 + drift) * numbers / RATE)
    start, later = line.at(np.array([0, 1280]))
    assert (later - start) / 10 - 1 == pytest.approx(followed, abs=1e-9)


@pytest.mark.parametrize("size", [1, 4, 32])
@pytest.mark.parametrize("together", [True, False])
def test_stamps_may_be_as_late_as_is_said(size, together):
    """The first ones late, and those after them early: the line is late itself."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        clock = Clock(RATE, "raise", 1.5 / RATE, jitter=0.02)
        for chunk in range(150):
            late = rng.uniform(-0.02, 0.02, 1 if together else size)
            stamps = (chunk * size + np.arange(size)) / RATE + late
            assert len(clock.read(size, stamps)) == 1


@pytest.mark.parametrize("size", [3, 16, 50])
def test_stamps_of_each_sample_may_jitter(size):
    rng = np.random.default_rng(2)
    data = signal(30)
    true = 1e4 + 1.0002 * np.arange(data.shape[1]) / RATE
    stamps = true + rng.uniform(-0.015, 0.015, len(true))
    times, found = run(decoder(jitter=0.02), data, stamps, size)
    exact, wanted = run(decoder(), data, true, size)
    np.testing.assert_array_equal(found, wanted)
    late = exact > exact[0] + 5
    assert np.abs(times - exact)[late].max() < 0.003  # of stamps that are off by up to 0.015
    assert np.diff(times).min() > 0.2


def test_packets_that_are_stamped_on_arrival():
    rng = np.random.default_rng(3)
    data, size = signal(30), 12
    sent = np.arange(data.shape[1]) // size * size / RATE + size / RATE
    stamps = 50 + sent + rng.exponential(0.01, len(sent) // size).repeat(size)[: len(sent)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        times, _ = run(decoder(jitter=0.15), data, stamps, size)
    assert len(times) == 117
    steps = np.diff(times)[20:]
    np.testing.assert_allclose(steps, 0.25, atol=0.005)


def test_a_line_of_single_stamps_is_better_than_they_are():
    rng = np.random.default_rng(4)
    data = signal(40)
    online, found = decoder(), []
    for at in range(0, data.shape[1], 16):
        stamp = 7.0 + 1.0001 * at / RATE + rng.uniform(-0.009, 0.009)
        found += online.update(data[:, at : at + 16], stamp)[0].tolist()
    exact = 7.0 + 1.0001 * (127 + 32 * np.arange(len(found))) / RATE
    assert np.abs(found - exact)[40:].max() < 0.003


@pytest.mark.parametrize("size", [5, 64, 4000])
def test_lost_samples_are_still_a_gap(size):
    rng = np.random.default_rng(5)
    data = signal(20)
    stamps = np.arange(data.shape[1]) / RATE + rng.uniform(-0.01, 0.01, data.shape[1])
    stamps[1280:] += 0.3
    with pytest.raises(ValueError, match=r"a gap: 10.3\d* s comes 0.3\d* s after"):
        run(decoder(jitter=0.02), data, stamps, size)
    times, found = run(decoder(jitter=0.02, on_gap="restart"), data, stamps, size)
    apart = [decoder().update(data[:, :1280])[1], decoder().update(data[:, 1280:])[1]]
    np.testing.assert_array_equal(found, np.concatenate(apart))
    assert times[len(apart[0])] == pytest.approx((1280 + 127) / RATE + 0.3, abs=0.01)
    stamps[1280:] -= 5.0
    with pytest.raises(ValueError, match=r"run backwards: 5.3\d* s comes after"):
        run(decoder(jitter=0.02), data, stamps, size)


def test_a_single_stamp_far_off_is_no_gap():
    stamps = np.arange(100) / RATE
    stamps[50] += 3.0
    clock = Clock(RATE, "raise", 1.5 / RATE, jitter=0.02)
    (stretch,) = clock.read(100, stamps)
    assert stretch.time(99) == pytest.approx(99 / RATE, abs=1e-9)


def test_times_never_run_back_where_the_line_moves():
    rng = np.random.default_rng(6)
    clock, last = Clock(1000.0, "raise", 0.0015, jitter=0.05), -1.0
    for at in range(0, 2000, 5):
        (stretch,) = clock.read(5, np.arange(at, at + 5) / 1000 + rng.uniform(-0.04, 0.04))
        assert stretch.time(0) > last
        last = stretch.time(4)
    assert last == pytest.approx(1.999, abs=0.02)


def test_stamps_that_are_held_back_are_not_ahead_of_time():
    """A clock that was ahead waits for the others, as those of the Lab Streaming Layer do."""
    clock = Clock(100.0, "raise", 0.015, jitter=0.05)
    clock.read(100, np.arange(100) / 100)
    held = 0.991 + 1e-6 * np.arange(20)
    (stretch,) = clock.read(20, held)
    times = [stretch.time(0), stretch.time(19)]
    assert 0.99 < times[0] < times[1] < 1.2
    (stretch,) = clock.read(100, 0.992 + np.arange(100) / 100)
    assert times[1] < stretch.time(0)
    assert stretch.time(99) == pytest.approx(1.982, abs=0.1)


def test_an_error_leaves_the_line_as_it_was():
    stamps = np.arange(400) / RATE
    clocks = [Clock(RATE, "raise", 1.5 / RATE, jitter=0.02) for _ in range(2)]
    for clock in clocks:
        clock.read(200, stamps[:200])
    with pytest.raises(ValueError, match="a gap"):
        clocks[0].read(200, stamps[200:] + 1.0)
    assert clocks[0].read(200, stamps[200:])[0].time(7) == clocks[1].read(
        200, stamps[200:])[0].time(7)


def test_a_line_that_moves_back_steps_on_by_half_a_sample_at_least():
    clock, n = Clock(RATE, "raise", 0.1, jitter=0.02), 4
    times = []
    for chunk, late in enumerate([0.0, 0.018, -0.018, 0.018, -0.018, -0.018]):
        stamps = (chunk * n + np.arange(n)) / RATE + late
        (stretch,) = clock.read(n, stamps)
        times += [stretch.time(k) for k in range(n)]
    steps = np.diff(times) * RATE
    assert steps.min() == pytest.approx(0.5, abs=1e-6)  # the bound is reached, and holds
