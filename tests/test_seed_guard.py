"""The guard of the global random states notices a single draw, wherever it is made."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

pytest_plugins = ["pytester"]
GUARD = (Path(__file__).parents[1] / "conftest.py").read_text()
DRAWS = {
    "Python's random": "random.random()",
    "numpy's random": "np.random.rand()",
    "numpy's random, a second normal": "np.random.randn()",  # kept beside the keys
    "torch's random": "torch.rand(1)",
}
PLACES = {
    "test": "def test_it():\n    {draw}\n",
    "fixture": "@pytest.fixture(scope='module', autouse=True)\n"
               "def it():\n    {draw}\n\ndef test_it():\n    pass\n",
    "teardown": "@pytest.fixture\ndef it():\n    yield\n    {draw}\n\n"
                "def test_it(it):\n    pass\n",
    "example": "@given(st.integers())\n@settings(max_examples=2)\n"
               "def test_it(number):\n    {draw}\n",
}
IMPORTS = (
    "import random\nimport numpy as np\nimport pytest\nimport torch\n"
    "from hypothesis import given, settings, strategies as st\n\n"
)


@pytest.fixture(autouse=True)
def states_kept():
    """The draws below are made in this process."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    yield
    random.setstate(before[0])
    np.random.set_state(before[1])
    torch.set_rng_state(before[2])


def run(pytester, source):
    pytester.makeconftest(GUARD)
    pytester.makepyfile(IMPORTS + source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("which", DRAWS)
def test_a_single_draw_is_noticed(pytester, which, place):
    np.random.randn()  # half of a pair, so that the next one draws nothing
    result = run(pytester, PLACES[place].format(draw=DRAWS[which]))
    outcomes = result.parseoutcomes()
    assert outcomes.get("errors", 0) + outcomes.get("failed", 0) >= 1
    result.stdout.fnmatch_lines([f"*global state of {which.split(',')[0]} was touched*"])


def test_generators_of_ones_own_are_nobodys_business(pytester):
    source = (
        "def test_it():\n    np.random.default_rng(0).normal()\n"
        "    np.random.RandomState(0).rand()\n    random.Random(0).random()\n"
        "    torch.rand(1, generator=torch.Generator())\n"
    )
    run(pytester, source).assert_outcomes(passed=1)


def test_names_with_an_address_are_refused(pytester):
    source = (
        "@pytest.mark.parametrize('f', [object()], ids=repr)\ndef test_it(f):\n    pass\n"
    )
    result = run(pytester, source)
    assert result.ret == pytest.ExitCode.USAGE_ERROR or "memory address" in str(result.stderr)
