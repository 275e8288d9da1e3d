"""A decoder that was interrupted while it learned, as it was before."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.base import BaseEstimator

from skbci._whole import Undo, undo_training, whole
from skbci.stream._compile import find_learner

__all__ = ["or_undone", "undo_learning"]

F = TypeVar("F", bound=Callable[..., Any])


def undo_learning(decoder: BaseEstimator) -> Undo:
    """Return a function that restores a decoder's stream and learner as they are now."""
    _, learner, _ = find_learner("", decoder.pipeline)
    training = undo_training(learner)
    before = copy.deepcopy(vars(decoder), _of_the_pipeline(decoder.pipeline))

    def undo() -> None:
        training()
        vars(decoder).clear()
        vars(decoder).update(before)
        if decoder._engine is not None:
            decoder._engine.refresh()  # its stages may share arrays that the learner wrote into

    return undo


def or_undone(method: F) -> F:
    """Make a decoder's method leave it as it was where it fails or is interrupted."""
    return whole(method, undo_learning)


def _of_the_pipeline(pipeline: BaseEstimator) -> dict[int, object]:
    """Return a pipeline's estimators and what they hold, by identity: these are not copied."""
    found: dict[int, object] = {}
    waiting = [pipeline]
    while waiting:
        part = waiting.pop()
        if id(part) in found:
            continue
        found[id(part)] = part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
        elif hasattr(part, "get_params") and hasattr(part, "__dict__"):
            waiting += vars(part).values()
    return found
