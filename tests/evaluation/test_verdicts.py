"""What the confound report concludes from a table of accuracies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skbci.evaluation._confounding.verdicts import find_confounds, place_of

NOWHERE = {"channels": [], "region": None, "words": ""}


def cell(start, band="slow", p=0.01, accuracy=0.7, tested=True):
    return {"kind": "cell", "name": "", "tested": tested, "p_holm": p, "band": band,
            "window": f"{start:g} s", "start": start, "stop": start + 0.5, "group": "central",
            "accuracy": accuracy, "chance": 0.5}


def found(*lines):
    table = pd.DataFrame(lines)
    return find_confounds(table, dict.fromkeys(table["window"], NOWHERE), alpha=0.05)


@pytest.mark.parametrize(("start", "mechanism"), [
    (0.0, "cue-evoked potentials or eye movement"),
    (0.5, "cue-evoked potentials or eye movement"),
    (1.0, "sustained slow potentials"),
    (2.0, "sustained slow potentials"),
])
def test_slow_signal_is_the_cues_in_the_first_second_and_sustained_from_then_on(start, mechanism):
    assert found(cell(start))["mechanism"].tolist() == [mechanism]


def test_only_tested_cells_below_alpha_count_and_the_best_one_is_shown():
    lines = [cell(0.0, p=0.05), cell(0.0, tested=False), cell(2.0, "gamma", accuracy=0.6),
             cell(2.5, "gamma", accuracy=0.8), cell(3.0, "gamma", accuracy=0.7)]
    result = found(*lines)
    assert result[["mechanism", "accuracy"]].to_numpy().tolist() == [["muscle", 0.8]]
    assert "(accuracy .80, by guessing .50)" in result["verdict"][0]


def test_theta_is_named_only_where_slower_signal_does_not_tell():
    assert found(cell(1.0, "theta"))["mechanism"].tolist() == ["theta rhythm"]
    both = found(cell(0.0), cell(1.0, "theta"))
    assert both["mechanism"].tolist() == ["cue-evoked potentials or eye movement"]


def classes_apart(by, loudness=(1.0, 1.0)):
    """Rows of two subjects whose classes differ by so much in each channel."""
    y, subjects = np.tile([0, 1], 20), np.repeat([0, 1], 20)
    values = np.where(y == 1, 0.5, -0.5)[:, None] * np.asarray(by)
    return (values * np.asarray(loudness)[subjects, None])[..., None], y, subjects


def test_channels_named_are_those_near_the_largest_difference():
    rows = classes_apart([1.0, 0.75, 0.65, 0.1, 0.9])
    assert place_of(*rows, ["a", "b", "c", "d", "e"], None)["channels"] == ["a", "e", "b"]
    rows = classes_apart([1.0] * 6)
    assert place_of(*rows, list("abcdef"), None)["channels"] == list("abcd")  # four at the most


def test_a_loud_subject_does_not_decide_for_all():
    """The second, a thousand times louder, has the difference in another channel."""
    y, subjects = np.tile([0, 1], 20), np.repeat([0, 0, 0, 1], 10)
    sign = np.where(y == 1, 0.5, -0.5)
    values = np.stack([sign * (subjects == 0), 1000 * sign * (subjects == 1),
                       0.9 * sign * np.where(subjects == 0, 1, 1000)], axis=1)[..., None]
    assert place_of(values, y, subjects, ["a", "b", "c"], None)["channels"][0] == "c"


@pytest.mark.parametrize(("place", "words"), [
    ((0.0, 0.08, 0.0), "frontal sites (a)"),
    ((0.0, -0.08, 0.0), "posterior sites (a)"),
    ((0.0, 0.0, 0.1), "central sites (a)"),
    ((-0.06, 0.0, 0.05), "lateral central sites (a)"),
])
def test_the_place_is_that_of_the_largest_differences(place, words):
    positions = np.array([place, (0.0, 0.0, 0.1), (np.nan,) * 3])
    found = place_of(*classes_apart([1.0, 0.2, 0.1]), ["a", "b", "c"], positions)
    assert found["words"] == words
    assert found["region"] == words.split()[-3]
