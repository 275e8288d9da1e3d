"""Masks of a network that several tasks share."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from skbci.estimators._neural.sparse import all_masks
from skbci.nets import DualTaskNet
from skbci.sparsity import prunable

NETWORK = "network"


def head_weights(estimator: BaseEstimator, given: Mapping[Any, float] | None) -> dict[str, float]:
    """Return the weights of the tasks' saliencies by head, from those given by task.

    Raises
    ------
    ValueError
        If there are other tasks.
    """
    if given is None:  # those of the losses, as they are at the start
        started = estimator.net_.policy_.weights_.tolist()
        return dict(zip(estimator.net_.criterion_.names, started))
    heads = estimator._heads_
    if set(given) != set(heads):
        raise ValueError(
            f"{type(estimator).__name__}: pruning__task_weights names the tasks {list(given)}, "
            f"but there are rows of {list(heads)}."
        )
    return {heads[name]: factor for name, factor in given.items()}


def masks_by_task(estimator: BaseEstimator) -> dict[Any, dict[str, Tensor]]:
    """Return, by task, the weights that it asked for; of a common mask, what it uses."""
    final = all_masks(estimator)
    if estimator._task_kept_ is not None:
        return {name: estimator._task_kept_[head] for name, head in estimator._heads_.items()}
    module = estimator.net_.module_
    used = {
        name: {*module.shared_names(), *module.private_names(head)}
        for name, head in estimator._heads_.items()
    }
    return {
        name: {key: mask for key, mask in final.items() if key in used[name]}
        for name in estimator._heads_
    }


@torch.no_grad()
def left_of(masks: dict[str, Tensor], before: nn.Module) -> dict[str, Tensor]:
    """Cut a task's masks to the units that compaction leaves.

    Which ones those are depends on which weights are zero. A network with zeros in the same
    places, and larger values where the task's mask is True, carries the mask through it.
    """
    if not isinstance(before, DualTaskNet):
        raise TypeError(f"{type(before).__name__} has no tasks: a DualTaskNet is needed.")
    marked = copy.deepcopy(before).double()
    for name, weight in prunable(marked).items():
        weight.copy_(weight.ne(0).double())
        if name in masks:
            weight.mul_(1 + masks[name].to(weight))
    smaller = marked.without_dead_units()
    return {name: smaller.get_parameter(name).cpu() > 1 for name in masks}
