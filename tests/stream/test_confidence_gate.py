"""Answers where a decoder is sure, nothing yet elsewhere."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from skbci.stream import ConfidenceGate

TIMES = np.arange(8) / 4


def rows(second):
    return np.column_stack([1 - np.asarray(second), second])


@pytest.mark.parametrize(("settings", "second", "said"), [
    ({"threshold": 0.8}, [.5, .8, .79, .9, .1, .2, .3, .85],
     [None, 1, None, 1, 0, 0, None, 1]),
    # Half a second from the first sure window on, without interruption by doubt or another class.
    ({"threshold": 0.8, "dwell": 0.5}, [.9, .9, .7, .9, .9, .9, .1, .1],
     [None, None, None, None, None, 1, None, None]),
    # An answer begins the time of being sure anew.
    ({"threshold": 0.8, "dwell": 0.5}, [.9] * 8,
     [None, None, 1, None, None, 1, None, None]),
    # An answer begins the wait anew, whatever the class.
    ({"threshold": 0.8, "refractory": 1.0}, [.9, .9, .1, .1, .9, .9, .9, .9],
     [1, None, None, None, 1, None, None, None]),
    ({"threshold": 0.8, "idle": 0}, [.1, .1, .9, .1, .1, .9, .5, .5],
     [None, None, 1, None, None, 1, None, None]),
    ({"threshold": {0: 0.95, 1: 0.6}}, [.1, .7, .04, .5, .5, .5, .5, .65],
     [None, 1, 0, None, None, None, None, 1]),
    ({"threshold": 0.8, "dwell": 0.25, "refractory": 0.75},
     [.9, .9, .9, .9, .9, .9, .9, .9], [None, 1, None, None, 1, None, None, 1]),
])
def test_when_it_answers(settings, second, said):
    gate = ConfidenceGate([0, 1], **settings)
    assert gate.answers(TIMES, rows(second)).tolist() == said
    gate.reset()
    parts = [gate.answers(TIMES[:3], rows(second)[:3])]
    gate = pickle.loads(pickle.dumps(gate))
    parts.append(gate.answers(TIMES[3:], rows(second)[3:]))
    assert np.concatenate(parts).tolist() == said
    gate.reset()
    decisions = zip(TIMES.tolist(), rows(second))
    assert list(gate.decode(decisions)) == [(t, s) for t, s in zip(TIMES, said) if s is not None]


def test_the_rounding_of_times_delays_no_answer():
    times = 0.1 * np.arange(12)  # 0.9 - 0.6000000000000001 is less than 0.3
    gate = ConfidenceGate([0, 1], 0.8, refractory=0.3)
    answers = gate.answers(times, rows(np.where(np.arange(12) < 6, 0.5, 0.9)))
    assert np.flatnonzero(answers == 1).tolist() == [6, 9]


def test_what_no_decoder_gives_is_refused():
    gate = ConfidenceGate([0, 1])
    with pytest.raises(ValueError, match="probabilities must be from 0 to 1"):
        gate.answers([0.0], [[-1.5, 3.0]])
    with pytest.raises(ValueError, match="times must be real numbers"):
        gate.answers(["now"], [[0.5, 0.5]])
    assert gate.answer(10.0, [0.5, 0.5]) is None
    with pytest.raises(ValueError, match="5 s is before the window before it"):
        gate.answer(5.0, [0.5, 0.5])


def test_labels_are_those_of_the_decoder():
    gate = ConfidenceGate(np.array(["left", "rest", "right"]), 0.6, idle="rest")
    assert gate.answer(0.0, [0.7, 0.2, 0.1]) == "left"
    assert gate.answer(0.1, [0.1, 0.8, 0.1]) is None
    assert gate.answer(0.2, [0.4, 0.3, 0.3]) is None
    assert gate.answer(0.3, [np.nan, np.nan, np.nan]) is None


@pytest.mark.parametrize(("settings", "error", "message"), [
    ({"threshold": 1.2}, ValueError, "threshold=1.2 must be at least 0 and at most 1"),
    ({"threshold": "sure"}, TypeError, "threshold='sure' must be a number"),
    ({"threshold": {"left": 0.5}}, ValueError, r"no value for \['right'\]"),
    ({"threshold": {"left": 0.5, "right": 0.5, "up": 1}}, ValueError, "'up'.*not among the class"),
    ({"dwell": -1}, ValueError, "dwell=-1 must be at least 0"),
    ({"refractory": np.inf}, ValueError, "refractory=inf"),
    ({"idle": "rest"}, ValueError, "idle='rest' is not one of 'left', 'right'"),
    ({"classes": ["left"]}, ValueError, "at least two labels"),
    ({"classes": ["left", "left"]}, ValueError, "all different"),
    ({"classes": "left"}, TypeError, "must be a list of labels"),
    ({"classes": [1, "left"]}, ValueError, "strings only, or numbers only"),
    ({"classes": {"left", "right"}}, TypeError, "must be a list of labels: a set has no order"),
])
def test_bad_settings(settings, error, message):
    with pytest.raises(error, match=f"ConfidenceGate.*{message}"):
        ConfidenceGate(**{"classes": ["left", "right"], **settings})


def test_bad_decisions_take_nothing():
    gate = ConfidenceGate([0, 1], 0.8, dwell=0.25)
    gate.answer(1.0, [0.1, 0.9])
    for times, probabilities, message in [
        ([0.5], [[0.1, 0.9]], "0.5 s is before the window before it"),
        ([1.5, 1.4], rows([0.9, 0.9]), "in order"),
        ([1.5], [[0.9]], "one time and 2 probabilities"),
    ]:
        with pytest.raises(ValueError, match=message):
            gate.answers(times, probabilities)
    assert gate.answer(1.25, [0.1, 0.9]) == 1
