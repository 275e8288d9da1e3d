"""What holds for every test and every example: no global random state is touched."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

_BEFORE = pytest.StashKey[dict[str, Any]]()


def global_states() -> dict[str, Any]:
    """Return the global random states, exact to a single draw."""
    kind, keys, *place = np.random.get_state()
    return {
        "Python's random": random.getstate(),
        "numpy's random": (kind, keys.tobytes(), *place),
        "torch's random": torch.get_rng_state().numpy().tobytes(),
    }


def fail_if_drawn(before: dict[str, Any]) -> None:
    """Fail the running test where a global random state is no longer what it was."""
    after = global_states()
    touched = [name for name in before if before[name] != after[name]]
    if touched:
        pytest.fail(f"the global state of {' and '.join(touched)} was touched", pytrace=False)


def guarded(test: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what hypothesis runs for each example: hypothesis itself puts the states back."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> Any:
        before = global_states()
        result = test(*args, **kwargs)
        fail_if_drawn(before)
        return result

    run.guarded = True  # type: ignore[attr-defined]
    return run


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-randomly choose the order only: seeds that it sets would hide a draw."""
    config.option.randomly_reset_seed = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that each process writes another way; guard each example of hypothesis."""
    for item in items:
        if re.search(r"\b0x[0-9a-f]{6,}", item.nodeid):
            raise pytest.UsageError(
                f"{item.nodeid}: a memory address in a test's name, which several processes "
                "(-n 2) do not agree about; give the parameter an id"
            )
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is not None and not hasattr(handle.inner_test, "guarded"):
            handle.inner_test = guarded(handle.inner_test)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Note the states before any fixture of the test."""
    item.stash[_BEFORE] = global_states()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Compare the states after the last of its fixtures."""
    result = yield
    if isinstance(item, pytest.DoctestItem):
        put_back(item.stash[_BEFORE])  # examples build modules as a reader does, and torch draws
    else:
        if item.get_closest_marker("extras"):  # Dask's threads draw when they like
            del item.stash[_BEFORE]["Python's random"]
        fail_if_drawn(item.stash[_BEFORE])
    return result


def put_back(states: dict[str, Any]) -> None:
    """Set the global random states to what they were."""
    random.setstate(states["Python's random"])
    kind, keys, *place = states["numpy's random"]
    np.random.set_state((kind, np.frombuffer(keys, dtype=np.uint32), *place))
    torch_state = bytearray(states["torch's random"])
    torch.set_rng_state(torch.frombuffer(torch_state, dtype=torch.uint8))
