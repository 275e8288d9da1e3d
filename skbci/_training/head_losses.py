"""A loss for each head of a module, as the mean over the rows of a batch."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skbci._settings import check_settings
from skbci._training.criteria import BinaryCrossEntropy, Criterion, CrossEntropy
from skbci._weights.means import mean_of_rows
from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss

#: Names that ``losses`` takes.
HEAD_LOSSES: dict[str, type[nn.Module]] = {
    "binary-cross-entropy": BinaryCrossEntropy,
    "center": CenterLoss,
    "cross-entropy": CrossEntropy,
    "reconstruction": ReconstructionLoss,
    "triplet": SemiHardTripletLoss,
}

# Torch's losses between two arrays of one shape; class indices would be meaningless to them.
_ELEMENTWISE = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)


class HeadLoss(nn.Module):
    """The loss of one head.

    Parameters
    ----------
    loss : nn.Module
        Compares the head with class indices, or with the input if it is a loss between arrays or
        has the attribute ``target = "input"``. It gives the mean over rows, weighted if it takes
        ``sample_weight``; else a value for each row, or a mean, to which row weights are unknown.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss
        of_input = isinstance(loss, (ReconstructionLoss, *_ELEMENTWISE))
        self.target = getattr(loss, "target", "input" if of_input else "labels")
        self.weighs = "sample_weight" in inspect.signature(loss.forward).parameters

    def forward(self, output: Tensor, y: Tensor, X: Tensor, weight: Tensor | None) -> Tensor:
        """Return the loss, averaged over rows."""
        target = X if self.target == "input" else y
        if self.weighs:
            return self.loss(output, target, weight)
        value = self.loss(output, target)
        if not value.ndim:
            return value
        rows = value.flatten(1).mean(1) if value.ndim > 1 else value
        return mean_of_rows(rows, weight)


class HeadLosses(nn.Module):
    """The losses of a module's heads.

    Parameters
    ----------
    losses : mapping of str to nn.Module or None
        In the order of the module's heads; None for a head without a loss.
    """

    def __init__(self, losses: Mapping[str, nn.Module | None]) -> None:
        super().__init__()
        self.heads = tuple(losses)
        self.names = [head for head, loss in losses.items() if loss is not None]
        # Not by name: a module's own attributes, such as "type", may not be keys of a ModuleDict.
        self.parts = nn.ModuleList(
            HeadLoss(loss) for loss in losses.values() if loss is not None
        )

    def forward(
        self, outputs: Tensor | Sequence[Tensor], y: Tensor, X: Tensor, weight: Tensor | None
    ) -> list[Tensor]:
        """Compute the loss of each head that has one."""
        outputs = as_heads(outputs)
        by_name = dict(zip(self.heads, outputs))
        return [
            part(by_name[name], y, X, weight) for name, part in zip(self.names, self.parts)
        ]


def as_heads(outputs: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    """Return a module's output as a sequence of heads."""
    return outputs if isinstance(outputs, (tuple, list)) else (outputs,)


def resolve_losses(
    losses: Mapping[str, Criterion | None],
    settings: dict[str, Any],
    module: nn.Module,
    shape: Sequence[int],
    n_classes: int,
) -> HeadLosses:
    """Turn what ``losses`` names into modules.

    Parameters
    ----------
    losses : dict of str to str, nn.Module class or instance, or None
    settings : dict
        The ``losses__head__...`` parameters, without ``losses__``.
    module : nn.Module
        Names what it gives in ``head_names``.
    shape : sequence of int
        Of a row of the module's input.
    n_classes : int

    Raises
    ------
    ValueError
        If heads and losses do not match, or a name or a setting is unknown.
    TypeError
        If ``losses`` is no dict, a loss is neither a name nor a torch module, or the module
        gives something else than tensors.
    """
    if not isinstance(losses, Mapping):
        raise TypeError(
            f"losses={losses!r} must be a dict of a loss for each of the module's heads, or None."
        )
    heads = _head_names(losses, module)
    given: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        head, _, setting = name.partition("__")
        if losses.get(head) is None or not setting:
            having = [f"losses__{h}__..." for h in heads if losses[h] is not None]
            raise ValueError(
                f"losses__{name} belongs to no loss; settings are {', '.join(having)}."
            )
        given.setdefault(head, {})[setting] = value
    if all(loss is None for loss in losses.values()):
        raise ValueError("losses names no loss at all: every head has None.")
    outputs = _probe(module, shape, heads)
    resolved: dict[str, nn.Module | None] = {}
    for head, output in zip(heads, outputs):
        known = {"n_classes": n_classes, "n_features": output[0].numel()}
        resolved[head] = _resolve(head, losses[head], given.get(head, {}), known)
    return HeadLosses(resolved)


def _head_names(losses: Mapping[str, Any], module: nn.Module) -> tuple[str, ...]:
    if not losses:
        raise ValueError("losses is empty; name a loss for each of the module's heads, or None.")
    name = type(module).__name__
    heads = getattr(module, "head_names", None)
    if heads is None:
        raise ValueError(
            f"losses names the heads {', '.join(map(repr, losses))}, but module {name} has no "
            "attribute head_names, which says what its outputs are."
        )
    heads = tuple(heads)
    foreign = [head for head in losses if head not in heads]
    if foreign:
        raise ValueError(
            f"losses names {', '.join(map(repr, foreign))}, which module {name} does not give; "
            f"its heads are {', '.join(map(repr, heads))}."
        )
    left = [head for head in heads if head not in losses]
    if left:
        raise ValueError(
            f"losses has no entry for {', '.join(map(repr, left))} of module {name}; name a loss, "
            "or None to train without one."
        )
    return heads


@torch.no_grad()
def _probe(module: nn.Module, shape: Sequence[int], heads: Sequence[str]) -> Sequence[Tensor]:
    """Look at what the module gives for two rows of zeros."""
    module.eval()
    parameter = next(module.parameters(), torch.empty(0))
    outputs = as_heads(module(torch.zeros(2, *shape, device=parameter.device)))
    if foreign := [output for output in outputs if not isinstance(output, Tensor)]:
        raise TypeError(
            f"module {type(module).__name__} gives a {type(foreign[0]).__name__}; a module of "
            "several heads gives a tuple of tensors, in the order of its head_names."
        )
    if len(outputs) != len(heads):
        raise ValueError(
            f"module {type(module).__name__} gives {len(outputs)} outputs, but its head_names are "
            f"{', '.join(map(repr, heads))}."
        )
    return outputs


def _resolve(
    head: str, loss: Any, settings: dict[str, Any], known: dict[str, Any]
) -> nn.Module | None:
    if loss is None:
        return None
    if isinstance(loss, nn.Module):
        if settings:
            raise ValueError(
                f"losses__{head}__{next(iter(settings))} cannot be set on an instance of "
                f"{type(loss).__name__}; give its name or class."
            )
        return _averaging(copy.deepcopy(loss))
    if isinstance(loss, str):
        if loss not in HEAD_LOSSES:
            raise ValueError(
                f"losses: {loss!r} of head {head!r} is unknown; use one of "
                f"{sorted(HEAD_LOSSES)}, a torch loss, or None."
            )
        kind: Any = HEAD_LOSSES[loss]
    elif isinstance(loss, type) and issubclass(loss, nn.Module):
        kind = loss
    else:
        raise TypeError(
            f"losses: {loss!r} of head {head!r} must be a name, a torch.nn.Module class or "
            "instance, or None."
        )
    parameters = [] if kind.__init__ is nn.Module.__init__ else list(
        inspect.signature(kind).parameters
    )
    allowed = [name for name in parameters if name not in ("reduction", "reduce", "size_average")]
    label = loss if isinstance(loss, str) else kind.__name__
    check_settings(
        settings, allowed, f"losses: {label!r} of head {head!r}", f"losses__{head}__"
    )
    arguments = {name: value for name, value in known.items() if name in parameters}
    return _averaging(kind(**{**arguments, **settings}))


def _averaging(loss: nn.Module) -> nn.Module:
    """Have a loss give its weighted mean, or one value per row for others to average."""
    if hasattr(loss, "reduction"):
        weighs = "sample_weight" in inspect.signature(loss.forward).parameters
        loss.__dict__["reduction"] = "mean" if weighs else "none"
    return loss
