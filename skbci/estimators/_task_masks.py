"""Masks of a network that several tasks share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from skbci._training import Rows
from skbci.estimators._sparse_training import SparseTraining, pieces
from skbci.nets import DualTaskNet
from skbci.sparsity import (
    PruningMethod,
    Snip,
    check_sparsity,
    density,
    overlap,
    prunable,
    resolve_pruning,
)

NETWORK = "network"


class TaskMasks(SparseTraining):
    """What each task asked for, and what is kept in the end."""

    _heads_: dict[Any, str]
    _task_kept_: dict[str, dict[str, Tensor]] | None

    def _pruning_method(self) -> PruningMethod:
        sparsity = check_sparsity(self.sparsity, self)
        return resolve_pruning(self.pruning, sparsity, self._route("pruning"))

    def _ready_method(self) -> PruningMethod:
        method = self._pruning_method()
        if not isinstance(method, Snip):
            return method
        given = method.task_weights
        if given is None:  # those of the losses, as they are at the start
            started = self.net_.policy_.weights_.tolist()
            method.task_weights = dict(zip(self.net_.criterion_.names, started))
        elif set(given) == set(self._heads_):
            method.task_weights = {self._heads_[name]: factor for name, factor in given.items()}
        else:
            raise ValueError(
                f"{type(self).__name__}: pruning__task_weights names the tasks {list(given)}, but "
                f"there are rows of {list(self._heads_)}."
            )
        return method

    def _pruning_loss(self) -> Callable[..., Tensor]:
        losses = self.net_.criterion_

        def loss(module: nn.Module, X: Tensor, y: Tensor, weight: Tensor, task: str) -> Tensor:
            return losses.rows(module(X, task), y, losses.names.index(task)) * weight

        return loss

    def _pruning_batches(self, sample: Rows) -> dict[str, Any]:
        X, y, weight = sample
        tasks = self.net_.criterion_.tasks_of(y)
        batches = {}
        for number, head in enumerate(self._heads_.values()):
            mine = tasks == number
            batches[head] = list(pieces((X[mine], y[mine],
                                         None if weight is None else weight[mine])))
        return batches

    def _note_masks(self, method: PruningMethod | None) -> None:
        found = getattr(method, "task_masks_", None)
        self._task_kept_ = None if found is None else {
            head: {name: mask.cpu() for name, mask in own.items()} for head, own in found.items()
        }

    def _follow_compaction(self, before: nn.Module) -> None:
        super()._follow_compaction(before)
        if self._task_kept_ is not None:
            self._task_kept_ = {
                head: _left_of(own, before) for head, own in self._task_kept_.items()
            }

    def _masks_by_task(self) -> dict[Any, dict[str, Tensor]]:
        final = self._all_masks()
        if self._task_kept_ is not None:
            return {name: self._task_kept_[head] for name, head in self._heads_.items()}
        module = self.net_.module_
        used = {
            name: {*module.shared_names(), *module.private_names(head)}
            for name, head in self._heads_.items()
        }
        return {
            name: {key: mask for key, mask in final.items() if key in used[name]}
            for name in self._heads_
        }

    @property
    def task_masks_(self) -> dict[Any, dict[str, np.ndarray]]:
        """By task and parameter name, True for the weights that the task asked for."""
        return {
            task: {name: mask.numpy().copy() for name, mask in own.items()}
            for task, own in self._masks_by_task().items()
        }

    @property
    def density_(self) -> pd.DataFrame:
        """Share of the weights that are kept, by parameter, for each task and in the end."""
        final = self._all_masks()
        table = density({**self._masks_by_task(), NETWORK: final})
        return table.loc[[*final, table.index[-1]]]

    @property
    def overlap_(self) -> pd.DataFrame:
        """Jaccard index of what two tasks asked for, by shared parameter."""
        masks = self._masks_by_task()
        return pd.DataFrame({
            f"{a} & {b}": overlap(masks[a], masks[b]) for a, b in combinations(masks, 2)
        })


@torch.no_grad()
def _left_of(masks: dict[str, Tensor], before: nn.Module) -> dict[str, Tensor]:
    """Cut a task's masks to the units that compaction leaves.

    Which ones those are depends on which weights are zero. A network with zeros in the same
    places, and larger values where the task's mask is True, carries the mask through it.
    """
    marked = copy.deepcopy(before).double()
    assert isinstance(marked, DualTaskNet)
    for name, weight in prunable(marked).items():
        weight.copy_(weight.ne(0).double())
        if name in masks:
            weight.mul_(1 + masks[name].to(weight))
    smaller = marked.without_dead_units()
    return {name: smaller.get_parameter(name).cpu() > 1 for name in masks}
