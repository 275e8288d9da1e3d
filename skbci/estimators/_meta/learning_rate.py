"""Another learning rate for as long as a context is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

if TYPE_CHECKING:
    from skorch import NeuralNet

__all__ = ["scaled_learning_rate"]


@contextmanager
def scaled_learning_rate(learner: BaseEstimator, factor: float, who: str) -> Iterator[None]:
    """Multiply the learning rate of every network in a fitted estimator, then put it back.

    Raises
    ------
    ValueError
        If the factor is not 1 and there is no network.
    """
    if factor == 1.0:
        yield
        return
    groups = [group for net in _nets(learner) for group in net.optimizer_.param_groups]
    if not groups:
        raise ValueError(
            f"{who}: lr_factor={factor:g} changes the learning rate of skbci's networks, but "
            f"{type(learner).__name__} has no network; use lr_factor=1."
        )
    before = [group["lr"] for group in groups]
    for group in groups:
        group["lr"] *= factor
    try:
        yield
    finally:
        for group, lr in zip(groups, before):
            group["lr"] = lr


def _nets(estimator: BaseEstimator) -> list[NeuralNet]:
    """Return the skorch nets inside an estimator, its steps and the estimators it fitted."""
    if isinstance(estimator, Pipeline):
        return [net for _, step in estimator.steps for net in _nets(step)]
    if hasattr(estimator, "net_"):
        return [estimator.net_]
    parts = [getattr(estimator, name, None) for name in ("estimator_", "initial_", "terminal_")]
    return [net for part in parts if part is not None for net in _nets(part)]
