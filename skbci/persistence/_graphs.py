"""The steps around a network in an exported graph."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

__all__ = ["Classes", "Mean", "Standardized", "TaskClasses", "Values"]


class Standardized(nn.Module):
    """A network behind the standardization of its rows.

    Parameters
    ----------
    module : nn.Module
    scaling : Standardizer or None
    divisor : float
        What rows are divided by before.
    channel : bool
        Whether rows of one axis are epochs of one channel to the module.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, module: nn.Module, scaling: Any, divisor: float, channel: bool) -> None:
        super().__init__()
        self.module, self.channel = module, channel
        mean = torch.zeros(1) if scaling is None else torch.as_tensor(scaling.mean)
        scale = torch.ones(1) if scaling is None else torch.as_tensor(scaling.scale)
        self.known = scaling is not None
        # (x / d - m) / s in one step.
        self.register_buffer("mean", mean.double() * divisor)
        self.register_buffer("scale", scale.double() * divisor)

    def forward(self, X: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Standardize, and give the network's outputs."""
        if self.channel:
            X = X.unsqueeze(1)
        mean, scale = self.mean.to(X.dtype), self.scale.to(X.dtype)
        if self.known and X.ndim > 2:
            mean, scale = mean.unsqueeze(-1), scale.unsqueeze(-1)
        return self.module(((X - mean) / scale).float())


class Classes(nn.Module):
    """The first output as probabilities."""

    def __init__(self, module: nn.Module, sigmoids: bool) -> None:
        super().__init__()
        self.module, self.sigmoids = module, sigmoids

    def forward(self, X: Tensor) -> Tensor:
        """Return probabilities whose rows sum to 1."""
        output = self.module(X)
        logits = output[0] if isinstance(output, (tuple, list)) else output
        if self.sigmoids:
            logits = nn.functional.logsigmoid(logits)
        return torch.softmax(logits, dim=1)


class TaskClasses(nn.Module):
    """Every output as the probabilities of its task."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, X: Tensor) -> tuple[Tensor, ...]:
        """Return each task's probabilities."""
        return tuple(torch.softmax(logits, dim=1) for logits in self.module(X))


class Values(nn.Module):
    """The output in the targets' unit."""

    mean: Tensor
    scale: Tensor

    def __init__(self, module: nn.Module, scale: ArrayLike, mean: ArrayLike) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("scale", torch.as_tensor(scale).float())
        self.register_buffer("mean", torch.as_tensor(mean).float())

    def forward(self, X: Tensor) -> Tensor:
        """Return predictions (n_rows, n_targets)."""
        output = self.module(X)
        values = output[0] if isinstance(output, (tuple, list)) else output
        return values * self.scale + self.mean


class Mean(nn.Module):
    """The mean of several networks' probabilities."""

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(modules)

    def forward(self, X: Tensor) -> Tensor:
        """Average."""
        return torch.stack([member(X) for member in self.members]).mean(dim=0)
