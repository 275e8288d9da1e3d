"""Docstrings have the parameters of the signature and no others; shared texts are filled in."""

from __future__ import annotations

import inspect
import re

import pytest
from sklearn.base import BaseEstimator

from skbci._docs import doc_filler
from tests.public_estimators import public_modules

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in public_modules() for name in getattr(module, "__all__", [])
    if callable(getattr(module, name))
}
SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", re.MULTILINE | re.DOTALL)


def documented(doc):
    """Names of the section of parameters, without those that go to parts such as an optimizer."""
    found = SECTION.search(doc)
    lines = found[1].split("\n") if found else []
    heads = [line.split(" : ")[0] for line in lines if line and not line[0].isspace()]
    names = [name.strip().lstrip("*") for head in heads for name in head.split(",")]
    return [name for name in names if "__" not in name]


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_parameters_are_those_of_the_signature(name):
    doc = inspect.getdoc(PUBLIC[name]) or ""
    assert not re.search(r"^ *(\.\. \[\d+\] )?%\(\w+\)s", doc, re.MULTILINE)
    names = documented(doc)
    if names or (inspect.isclass(PUBLIC[name]) and issubclass(PUBLIC[name], BaseEstimator)):
        assert sorted(names) == sorted(inspect.signature(PUBLIC[name]).parameters)


def is_problem(thing):
    return inspect.isclass(thing) and issubclass(thing, Exception)


def test_all_but_errors_and_warnings_have_an_example():
    without = [name for name, thing in PUBLIC.items()
               if not is_problem(thing) and ">>> " not in (inspect.getdoc(thing) or "")]
    assert without == []


WITH_ROUTES = {name: kind for name, kind in PUBLIC.items() if hasattr(kind, "_route_prefixes")}


@pytest.mark.parametrize("name", sorted(WITH_ROUTES))
def test_routes_are_those_that_the_estimator_takes(name):
    text = SECTION.search(inspect.getdoc(WITH_ROUTES[name]))[1].split("**routes\n")[1]
    named = re.findall(r"``(\w+?)__\.\.\.``", text)
    assert sorted(named) == sorted(WITH_ROUTES[name]._route_prefixes)


def test_fragments_take_the_margin_of_their_place():
    @doc_filler({"lr": "\n        lr : float\n            Rate.\n    ", "n": "n : int"})
    def step(n, lr):
        """Take n steps of %(n)s.

        Parameters
        ----------
        %(n)s
        %(lr)s
        """

    lines = [line.strip() for line in step.__doc__.split("\n")]
    assert lines == ["Take n steps of %(n)s.", "", "Parameters", "----------", "n : int",
                     "lr : float", "Rate.", ""]
    margins = [len(line) - len(line.lstrip()) for line in step.__doc__.split("\n")]
    assert margins[6] == margins[5] + 4 == margins[4] + 4


def test_a_paper_stands_behind_its_number_with_a_hanging_indent():
    @doc_filler({"paper": "A. Author,\n\"Title\", 2000"})
    def step():
        """Step.

        References
        ----------
        .. [2] %(paper)s, section 3.
        """

    assert inspect.getdoc(step).split("\n")[-2:] == [
        ".. [2] A. Author,", '   "Title", 2000, section 3.']


def test_an_unknown_fragment_is_an_error():
    def step():
        """Step.

        %(lr)s
        """

    with pytest.raises(KeyError, match="lr"):
        doc_filler({})(step)


def test_nothing_is_filled_where_docstrings_are_stripped():
    def step():
        pass

    assert doc_filler({})(step) is step
