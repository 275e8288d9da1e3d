"""Times of samples by their stamps; the right ones are known, since stamps are made from them."""

from __future__ import annotations

import numpy as np
import pytest

from skbci.datasets._mne.stamps import even_stamps

RATE = 250.0


def taken(seconds=60, lost=(), rate=RATE):
    """Times of samples that were taken; ``lost`` are stretches as (begin, seconds)."""
    times = 1000 + np.arange(round(seconds * RATE)) / rate
    kept = np.ones(len(times), dtype=bool)
    for begin, length in lost:
        kept[round(begin * RATE) : round((begin + length) * RATE)] = False
    return times[kept]


def gaps(times, rate):
    return np.flatnonzero(np.diff(times) > 1.5 / rate) + 1


@pytest.mark.parametrize("lost", [[], [(30, 0.2)], [(30, 0.03)], [(10, 0.05), (40, 0.1)],
                                  [(20, 5)], [(0.3, 0.2)], [(59.3, 0.2)]])
@pytest.mark.parametrize("rate", [RATE, 249.0])
def test_lost_samples_begin_another_stretch(lost, rate):
    true = taken(lost=lost, rate=rate)
    stamps = true + np.random.default_rng(0).normal(0, 0.003, len(true))
    times, own = even_stamps(stamps)
    assert own == pytest.approx(rate, rel=2e-3)
    np.testing.assert_allclose(times, true, atol=1e-3)
    assert gaps(times, own).tolist() == gaps(true, rate).tolist()


@pytest.mark.parametrize("stall", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("jitter", [0, 0.003])
def test_samples_that_come_late_and_catch_up_are_no_gap(stall, jitter):
    true = taken()
    stamps = true + np.random.default_rng(0).normal(0, jitter, len(true))
    late = (true > 1030) & (true < 1030 + stall * 4 / 3)
    stamps[late] = np.maximum(true[late], 1030 + stall + (true[late] - 1030) / 4)
    times, rate = even_stamps(stamps)
    assert len(gaps(times, rate)) == 0
    np.testing.assert_allclose(times, true, atol=0.015)
    assert (np.diff(times) > 0).all()


def test_chunks_that_are_late_together_are_no_gaps():
    true = taken(seconds=600)
    delay = np.abs(np.random.default_rng(0).normal(0, 0.01, len(true) // 25)).repeat(25)
    times, rate = even_stamps(true + delay)
    assert len(gaps(times, rate)) == 0
    assert np.ptp(times - true) < 1e-3


@pytest.mark.parametrize("stamps", [np.full(50, 3.0), np.array([5.0, 4.0]), np.arange(50.0)[::-1]])
def test_stamps_that_do_not_go_on_have_no_rate(stamps):
    assert even_stamps(stamps)[1] == np.inf
