"""Rates of self-paced interfaces, by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skbci.evaluation import information_transfer_rate, self_paced_scores


@pytest.mark.parametrize(("accuracy", "n_classes", "seconds", "rate"), [
    (1.0, 2, 60, 1.0),  # log2 2
    (1.0, 4, 1, 120.0),
    (1.0, 36, 6, 10 * math.log2(36)),
    (0.5, 2, 1, 0.0),
    (0.25, 4, 1, 0.0),
    (0.9, 2, 60, 1 - 0.4689955935892812),  # one less the binary entropy of .9
    (0.8, 5, 60, math.log2(5) + 0.8 * math.log2(0.8) + 0.2 * math.log2(0.05)),
    (0.1, 2, 1, 0.0),  # below chance
    (0.0, 2, 1, 0.0),
])
def test_bits_a_minute(accuracy, n_classes, seconds, rate):
    assert information_transfer_rate(accuracy, n_classes, seconds) == pytest.approx(rate)


def test_several_accuracies_at_once():
    rates = information_transfer_rate([[0.5, 1.0], [0.9, 0.2]], 2, 60)
    np.testing.assert_allclose(rates, [[0, 1], [1 - 0.4689955935892812, 0]])


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((1.1, 2, 1), ValueError, "accuracy=1.1 must be from 0 to 1"),
    (([0.5, np.nan], 2, 1), ValueError, "must be from 0 to 1"),
    (("good", 2, 1), TypeError, "accuracy='good' must be a number"),
    ((0.5, 1, 1), ValueError, "n_classes=1 must be at least 2"),
    ((0.5, 2, 0), ValueError, "seconds=0 must be above 0"),
])
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        information_transfer_rate(*arguments)


INTENDED = {"onset": [30.0, 10.0, 60.0, 80.0], "duration": [5.0, 10.0, 10.0, 10.0],
            "label": ["right", "left", "left", "right"]}


@pytest.mark.parametrize(("time", "rate"), [
    (9.99, 0.0), (10.0, 0.25), (20.0, 0.25), (20.01, 0.0),
])
def test_first_and_last_moment_of_an_interval_belong_to_it(time, rate):
    scores = self_paced_scores([(time, "left")], INTENDED, 100.0)
    assert scores.detection_rate == rate
    assert scores.n_false == (rate == 0)


def test_counts_by_hand():
    activations = [
        (12.0, "left"), (19.0, "right"),  # detected after 2 s; what follows does not count
        (31.0, "left"), (33.0, "right"),  # wrong at first
        (85.5, "right"),  # detected after 5.5 s
        (5.0, "left"), (71.0, "left"), (99.0, "right"),  # at rest; 71 s within the tolerance of 2
    ]
    scores = self_paced_scores(activations[::-1], INTENDED, 100.0)
    assert (scores.detection_rate, scores.wrong_rate, scores.n_false) == (0.5, 0.25, 3)
    assert scores.seconds_of_rest == 65.0
    assert scores.false_activations_per_minute == pytest.approx(3 / 65 * 60)
    assert scores.latency.tolist() == [2.0, 5.5]
    scores = self_paced_scores(activations, INTENDED, 100.0, tolerance=2.0)
    assert (scores.detection_rate, scores.n_false, scores.seconds_of_rest) == (0.75, 2, 57.0)
    assert scores.latency.tolist() == [2.0, 11.0, 5.5]


def test_nothing_said_and_nothing_intended():
    scores = self_paced_scores([], INTENDED, 100)
    assert (scores.detection_rate, scores.false_activations_per_minute) == (0.0, 0.0)
    assert len(scores.latency) == 0
    none = {"onset": [], "duration": [], "label": []}
    scores = self_paced_scores([(3.0, "a"), (4.0, "b")], none, 30)
    assert scores.false_activations_per_minute == 4.0
    assert math.isnan(scores.detection_rate)


def test_a_tolerance_ends_where_the_next_interval_begins():
    intended = {"onset": [0, 10], "duration": [10, 10], "label": ["a", "b"]}
    scores = self_paced_scores([(11.0, "a"), (12.0, "b")], intended, 20, tolerance=5)
    assert (scores.detection_rate, scores.wrong_rate, scores.seconds_of_rest) == (0.0, 0.5, 0.0)
    assert math.isnan(scores.false_activations_per_minute)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"activations": [1.0]}, TypeError, "pairs"),
    ({"activations": [("now", "left")]}, TypeError, "time='now'"),
    ({"activations": [(101.0, "left")]}, ValueError, "time=101.0 must be at least 0 and at most"),
    ({"intended": {"onset": [1]}}, ValueError, r"lacks \['duration', 'label'\]"),
    ({"intended": {"onset": [1], "duration": [0], "label": ["a"]}}, ValueError, "interval 0"),
    ({"intended": {"onset": [99], "duration": [2], "label": ["a"]}}, ValueError, "within the rec"),
    ({"intended": {"onset": ["x"], "duration": [2], "label": ["a"]}}, TypeError, "numbers"),
    ({"intended": {"onset": [1, 2], "duration": [2, 2], "label": ["a", "a"]}}, ValueError,
     "overlap"),
    ({"duration": 0}, ValueError, "duration=0"),
    ({"tolerance": -1}, ValueError, "tolerance=-1"),
])
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        self_paced_scores(**{"activations": [], "intended": INTENDED, "duration": 100, **change})
