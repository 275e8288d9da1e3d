"""Warnings show the line that called the library, however deep they arise."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skbci
from skbci._warning import warn
from skbci.features import FisherSelection

X = np.random.default_rng(0).standard_normal((12, 4))
ALIKE = np.repeat(["left", "Left"], 6)


def module(name, source, **known):
    """Functions of a module of that name."""
    space = {"__name__": name, **known}
    exec(source, space)
    return space


def test_the_nearest_line_outside_is_shown():
    inner = module("skbci.room", "def check(): warn('odd')", warn=warn)["check"]
    between = module("sklearn.pipeline", "def fit(): check()", check=inner)["fit"]
    for call in (inner, between):
        with pytest.warns(UserWarning, match="odd") as found:
            call()
        line = sys._getframe().f_lineno - 1
        assert (found[0].filename, found[0].lineno) == (__file__, line)


def test_a_name_that_only_begins_like_the_library_is_outside():
    user = module("skbci_of_mine", "def mine(): warn('odd')", warn=warn)["mine"]
    with pytest.warns(UserWarning, match="odd") as found:
        user()
    assert found[0].filename == "<string>"


def test_without_any_line_outside_the_outermost_is_shown(monkeypatch):
    monkeypatch.setattr("skbci._warning._is_inside", lambda frame: True)
    with pytest.warns(UserWarning, match="odd"):
        warn("odd")


def test_a_warning_keeps_its_kind():
    with pytest.warns(FutureWarning, match="soon"):
        warn(FutureWarning("soon"))
    with pytest.warns(FutureWarning, match="soon"):
        warn("soon", FutureWarning)


@pytest.mark.parametrize("estimator", [
    FisherSelection(2), make_pipeline(StandardScaler(), FisherSelection(2)),
], ids=["alone", "in a pipeline"])
def test_a_fit_is_warned_of_where_it_is_called(estimator):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        estimator.fit(X, ALIKE)
    assert [one.filename for one in found if "capitals" in str(one.message)] == [__file__]


def test_no_file_counts_calls_by_itself():
    counting = [path.name for path in Path(skbci.__file__).parent.rglob("*.py")
                if "stacklevel=" in path.read_text()]
    assert counting == ["_warning.py"]
