"""The words that parameters are checked in."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from skbci import EEGArray
from skbci._checks import (
    check_callable,
    check_choice,
    check_count,
    check_flag,
    check_list,
    check_names,
    check_number,
    check_positive,
    check_seed,
)


class Anyone:
    """Somebody who asks."""


@pytest.mark.parametrize("check", [
    lambda value: check_names(value, "x", Anyone()),
    lambda value: check_list(value, "x", Anyone(), "names"),
    lambda value: EEGArray(np.zeros((4, 2, 8)), ch_names=value),
])
@pytest.mark.parametrize(("value", "message"), [
    ({"C3", "C4"}, "a set has no order"), (frozenset(["C3", "C4"]), "a set has no order"),
    (np.array("C3"), "must be a list of names"), ("C3", "must be a list of names"),
])
def test_what_has_no_order_is_no_list(check, value, message):
    with pytest.raises(TypeError, match=message):
        check(value)


@pytest.mark.parametrize("value", [["C3", "C4"], ("C3", "C4"), np.array(["C3", "C4"]),
                                   {"C3": 0, "C4": 1}.keys(), (c for c in ("C3", "C4"))])
def test_what_has_an_order_is_a_list(value):
    assert check_list(value, "x", Anyone(), "names") == ["C3", "C4"]


@pytest.mark.parametrize(
    ("value", "limits"),
    [(0, {"low": 0}), (1, {"low": 0, "high": 1, "closed": "right"}), (-3.5, {}),
     (0, {"low": 0, "high": 1, "closed": "left"}), (np.float32(0.5), {"low": 0, "high": 1}),
     (Fraction(1, 2), {}), (np.int64(3), {"integer": True})],
)
def test_a_number_within_its_limits_is_given_back(value, limits):
    got = check_number(value, "x", **limits)
    assert got == value
    assert type(got) is (int if limits.get("integer") else float)


@pytest.mark.parametrize(
    ("value", "limits", "error", "message"),
    [
        ("1", {}, TypeError, "Anyone: x='1' must be a number."),
        (True, {"low": 0}, TypeError, "Anyone: x=True must be a number."),
        (np.True_, {}, TypeError, f"Anyone: x={np.True_!r} must be a number."),
        (None, {"also": "None"}, TypeError, "Anyone: x=None must be a number or None."),
        ([1], {"unit": "Hz"}, TypeError, "Anyone: x=[1] must be a number in Hz."),
        (1j, {}, TypeError, "Anyone: x=1j must be a number."),
        (1.0, {"integer": True}, TypeError, "Anyone: x=1.0 must be an integer."),
        (math.nan, {"low": 0}, ValueError, "Anyone: x=nan must be a finite number, at least 0."),
        (math.inf, {}, ValueError, "Anyone: x=inf must be a finite number."),
        (-1, {"low": 0, "unit": "s"}, ValueError, "Anyone: x=-1 must be at least 0 s."),
        (0, {"low": 0, "high": 1, "closed": "right"}, ValueError,
         "Anyone: x=0 must be above 0 and at most 1."),
        (1, {"low": 0, "high": 1, "closed": "left"}, ValueError,
         "Anyone: x=1 must be at least 0 and below 1."),
        (1, {"low": 0, "high": 1, "closed": "neither", "also": "'auto'"}, ValueError,
         "Anyone: x=1 must be above 0 and below 1 or 'auto'."),
    ],
)
def test_another_one_is_refused_in_full_sentences(value, limits, error, message):
    with pytest.raises(error) as caught:
        check_number(value, "x", Anyone(), **limits)
    assert str(caught.value) == message


def test_numbers_beyond_all_floats_are_refused_in_few_words():
    for value in (10**400, 10**5000, -(10**400)):  # the longest cannot even be printed
        with pytest.raises(ValueError, match="must be a finite number") as caught:
            check_number(value, "x", "somebody")
        assert len(str(caught.value)) < 200
    with pytest.raises(ValueError, match="must be at least 1 and at most 4"):
        check_count(2**100, "n", high=4)


def test_the_short_forms_say_the_same():
    assert check_count(3, "n") == 3
    with pytest.raises(ValueError, match="^n=0 must be at least 1[.]$"):
        check_count(0, "n")
    assert check_positive(0.5, "x") == 0.5
    with pytest.raises(ValueError, match="^Anyone: x=0 must be above 0 seconds[.]$"):
        check_positive(0, "x", Anyone(), unit="seconds")


def test_choices_flags_names_and_callables():
    assert check_choice("a", "kind", "Me", ("a", None)) == "a"
    assert check_choice(None, "kind", "Me", ("a", None)) is None
    for wrong in ("b", 3, ["a"], np.array(["a", "a"]), np.nan):
        with pytest.raises(ValueError, match="Me: kind=.* is not one of 'a', None"):
            check_choice(wrong, "kind", "Me", ("a", None))
    assert check_flag(np.True_, "on", "Me") is True
    for wrong in (1, "yes", None):
        with pytest.raises(TypeError, match="Me: on=.* must be True or False"):
            check_flag(wrong, "on", "Me")
    assert check_names(("C3", np.str_("C4")), "ch_names", "Me") == ["C3", "C4"]
    for wrong in ("C3", 0, [1, 2], None):
        with pytest.raises(TypeError, match="Me: ch_names=.* must be a list of names"):
            check_names(wrong, "ch_names", "Me")
    assert check_callable(len, "how", "Me") is len
    with pytest.raises(TypeError, match="Me: how=3 must be callable"):
        check_callable(3, "how", "Me")


def test_seeds():
    found = check_seed(3, "random_state", "Me")
    assert found.randint(100) == np.random.RandomState(3).randint(100)
    for wrong in ("x", -1, 2**32, 1.5, [], True, 10**400):
        with pytest.raises(ValueError, match="Me: random_state=.* must be None, an integer"):
            check_seed(wrong, "random_state", "Me")
