"""Losses by name, as one value for each row."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skbci._settings import check_settings

#: A loss by its name, class or instance.
Criterion: TypeAlias = str | nn.Module | type[nn.Module]


class CrossEntropy(nn.Module):
    """Softmax cross-entropy of logits, one value per row."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare logits (n, n_classes) with class indices (n,)."""
        return F.cross_entropy(output, target, reduction="none")


class BinaryCrossEntropy(nn.Module):
    """Sigmoid cross-entropy of one unit per class, summed over the units."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare logits (n, n_classes) with class indices (n,)."""
        hot = F.one_hot(target, output.shape[1]).to(output.dtype)
        return F.binary_cross_entropy_with_logits(output, hot, reduction="none").sum(1)


class SquaredError(nn.Module):
    """Half the squared error, summed over the outputs."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare outputs (n, n_outputs) with targets of the same shape."""
        return 0.5 * (output - target).square().flatten(1).sum(1)


class RowLoss(nn.Module):
    """Any torch loss, reduced to one value per row."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Average the loss over all axes but the first; spread a scalar loss over the rows."""
        value = self.loss(output, target)
        if value.ndim == 0:
            return value.expand(len(output))
        return value.flatten(1).mean(1) if value.ndim > 1 else value


CLASSIFICATION = {"cross-entropy": CrossEntropy, "binary-cross-entropy": BinaryCrossEntropy}
REGRESSION = {"squared-error": SquaredError}


def resolve_criterion(
    criterion: Criterion, names: Mapping[str, type[nn.Module]], settings: dict[str, Any]
) -> nn.Module:
    """Turn a name, a torch loss class or an instance into a module that gives one loss per row.

    Raises
    ------
    ValueError
        If the name or a setting is unknown; the message lists the valid ones.
    TypeError
        If ``criterion`` is neither a name nor a torch module.
    """
    if isinstance(criterion, str):
        if criterion not in names:
            raise ValueError(
                f"criterion={criterion!r} is unknown; use one of {sorted(names)} or a torch loss."
            )
        check_settings(settings, (), f"criterion {criterion!r}", "criterion__")
        return names[criterion]()
    if isinstance(criterion, nn.Module):
        if settings:
            raise ValueError(
                f"criterion__{next(iter(settings))} cannot be set on an instance; give the class."
            )
        loss = copy.deepcopy(criterion)
        if hasattr(loss, "reduction"):
            loss.__dict__["reduction"] = "none"
        return RowLoss(loss)
    if not (isinstance(criterion, type) and issubclass(criterion, nn.Module)):
        raise TypeError(
            f"criterion={criterion!r} must be a name or a torch.nn.Module class or instance."
        )
    known = inspect.signature(criterion).parameters
    check_settings(settings, known, f"criterion {criterion.__name__}", "criterion__")
    reduction = {"reduction": "none"} if "reduction" in known else {}
    return RowLoss(criterion(**{**settings, **reduction}))


def class_probabilities(output: Tensor, criterion: Criterion | None) -> Tensor:
    """Turn logits into probabilities that fit the loss; rows sum to 1."""
    if criterion == "binary-cross-entropy":
        # Normalized in the log domain, so that rows far outside of every class stay finite.
        return torch.softmax(F.logsigmoid(output), dim=1)
    return torch.softmax(output, dim=1)
