"""The skorch net and the losses of several tasks that share a trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skbci._training.head_losses import as_heads
from skbci._training.multi_head_net import MultiHeadNet
from skbci._weights.means import mean_of_rows


class TaskLosses(nn.Module):
    """Cross-entropy of each task, averaged over its rows in a batch.

    Targets are codes that name a task and a class of it: those of the first task come first, then
    those of the second, and so on.

    Parameters
    ----------
    n_classes : mapping of str to int
        Of each head.
    """

    def __init__(self, n_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.names = list(n_classes)
        self.heads = tuple(n_classes)
        self.starts = np.cumsum([0, *n_classes.values()]).tolist()

    def tasks_of(self, y: Tensor) -> Tensor:
        """Return the task of each code, as a number."""
        ends = torch.tensor(self.starts[1:], device=y.device)
        return torch.bucketize(y, ends, right=True)

    def rows(self, output: Tensor, y: Tensor, task: int) -> Tensor:
        """Return the loss of each row of one task."""
        return F.cross_entropy(output, y - self.starts[task], reduction="none")

    def forward(
        self, outputs: Tensor | Sequence[Tensor], y: Tensor, X: Tensor, weight: Tensor | None
    ) -> list[Tensor]:
        """Return each task's mean loss; zero, without effect, where the batch has no such row."""
        tasks, losses = self.tasks_of(y), []
        for task, output in enumerate(as_heads(outputs)):
            subset = (tasks == task).nonzero().flatten()
            if not len(subset):
                losses.append(output.sum() * 0)
                continue
            rows = self.rows(output[subset], y[subset], task)
            losses.append(mean_of_rows(rows, None if weight is None else weight[subset]))
        return losses


class MultitaskNet(MultiHeadNet):
    """A net each of whose rows belongs to one of its heads."""

    def shuffled(self, y: Tensor) -> Tensor:
        """Order rows at random so that every stretch of them has its share of each task."""
        tasks = self.criterion_.tasks_of(y).cpu()
        if len(self.criterion_.names) == 1:
            return super().shuffled(y)
        place = torch.empty(len(y), dtype=torch.float64)
        for task in tasks.unique():
            subset = (tasks == task).nonzero().flatten()
            spread = (torch.arange(len(subset)) + torch.rand(())) / len(subset)
            place[subset[torch.randperm(len(subset))]] = spread.double()
        return place.argsort()

    def _shares(self, y: Tensor, weight: Tensor | None) -> Tensor:
        tasks = self.criterion_.tasks_of(y)
        return torch.bincount(tasks, weight, minlength=len(self.criterion_.names))

    def _record(self, what: str, values: np.ndarray) -> None:
        super()._record(what, values)
        if what in ("train", "valid"):
            self.history.record(f"{what}_mean", float(np.nanmean(values)))
