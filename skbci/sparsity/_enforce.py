"""Keeping pruned weights at zero, whatever trains the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from skbci.sparsity._docs import fill_doc


@torch.no_grad()
@fill_doc
def apply_masks(module: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set pruned weights to zero, in place.

    Parameters
    ----------
    module : nn.Module
    %(masks)s

    Raises
    ------
    ValueError, TypeError
        If a mask belongs to no parameter, or is not a bool Tensor of its shape.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> _ = torch.nn.init.ones_(net.weight)
    >>> apply_masks(net, {"weight": torch.tensor([[True, False]])})
    >>> net.weight.tolist()
    [[1.0, 0.0]]
    """
    for weight, dropped in masked_parameters(module, masks):
        weight.masked_fill_(dropped, 0)


@fill_doc
class MaskedTraining:
    r"""Enforce masks during a training.

    Parameters
    ----------
    module : nn.Module
        Its pruned weights are set to zero by `attach`.
    %(masks)s
    optimizer : torch.optim.Optimizer, optional
        May also be given to `attach`. It may hold the module's parameters, or anything that they
        are views of, such as one flat vector.

    Raises
    ------
    ValueError, TypeError
        If a mask belongs to no parameter, or is not a bool Tensor of its shape.

    Notes
    -----
    Around every step of the optimizer, the gradient of pruned weights is set to zero before the
    weights change (after the closure, where there is one), and after it the weights are.

    The second alone would keep them at zero. The first makes the optimizer solve the masked
    problem: with :math:`\ell(c \odot w)` for the mask c, the gradient is :math:`c \odot g`. For
    rules that treat weights one by one it makes no difference, but the HJB rule's step has the
    length :math:`\eta \sqrt{2P/r}`, divided by the norm of the *whole* gradient: if pruned weights
    counted there, part of each step would be spent on them and lost. Momentum and other state of
    pruned weights stay zero, too, if the optimizer is new.

    Rules that compute their step from the Jacobian (``EVDHJB``, ``LevenbergMarquardt``) do not ask
    for the gradient; they count all weights in their Gram matrix, and the part of the step that
    falls on pruned ones is dropped.

    Zero is written, not multiplied in: a penalty whose gradient is NaN or infinite at zero, such
    as a norm of each unit's weights, does no harm to pruned weights.

    Hooks are not saved with an optimizer: after unpickling, attach again. Weights that are changed
    other than by the optimizer's step, in a way that could move them off zero, need `mask_weights`
    afterwards; a max-norm projection, which scales weights, does not.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(2, 1)
    >>> optimizer = torch.optim.Adam(net.parameters(), weight_decay=0.1)
    >>> masks = {"weight": torch.tensor([[True, False]])}
    >>> with MaskedTraining(net, masks, optimizer):
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         net(torch.ones(4, 2)).square().mean().backward()
    ...         optimizer.step()
    >>> net.weight[0, 1].item()
    0.0
    """

    def __init__(
        self,
        module: nn.Module,
        masks: Mapping[str, Tensor],
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        self.optimizer = optimizer
        self._pairs = masked_parameters(module, masks)
        self._handles: list[RemovableHandle] = []

    def attach(self, optimizer: torch.optim.Optimizer | None = None) -> MaskedTraining:
        """Set pruned weights to zero and keep them there; again if it was done before.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer, optional
            By default the one given at the start. With none, call `mask_gradients` before and
            `mask_weights` after every step.

        Returns
        -------
        self
        """
        self.detach()
        self.optimizer = self.optimizer if optimizer is None else optimizer
        self.mask_weights()
        if self.optimizer is not None:
            self._handles = [
                self.optimizer.register_step_pre_hook(self._before_step),
                self.optimizer.register_step_post_hook(self._after_step),
            ]
        return self

    def detach(self) -> None:
        """Let the optimizer change all weights again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> MaskedTraining:
        return self.attach()

    def __exit__(self, *_: object) -> None:
        self.detach()

    @torch.no_grad()
    def mask_weights(self) -> None:
        """Set pruned weights to zero."""
        for weight, dropped in self._pairs:
            weight.masked_fill_(dropped, 0)

    @torch.no_grad()
    def mask_gradients(self) -> None:
        """Set the gradient of pruned weights to zero."""
        for weight, dropped in self._pairs:
            if weight.grad is not None:
                weight.grad.masked_fill_(dropped, 0)

    def _before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]] | None:
        """Mask what is there, or wrap the closure that is going to compute it."""
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is None:
            self.mask_gradients()
            return None

        def masked() -> object:
            loss = closure()
            self.mask_gradients()
            return loss

        if "closure" in kwargs:
            return args, {**kwargs, "closure": masked}
        return (args[0], masked, *args[2:]), kwargs

    def _after_step(self, *_: object) -> None:
        self.mask_weights()


def masked_parameters(
    module: nn.Module, masks: Mapping[str, Tensor]
) -> list[tuple[nn.Parameter, Tensor]]:
    """Pair parameters with what is dropped of them; those that lose nothing are left out."""
    named = dict(module.named_parameters())
    pairs = []
    for name, mask in masks.items():
        if name not in named:
            raise ValueError(
                f"masks has {name!r}, which is not a parameter of {type(module).__name__}; its "
                f"parameters are {list(named)}."
            )
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
            raise TypeError(f"masks[{name!r}] must be a bool Tensor, got {kind}.")
        weight = named[name]
        if mask.shape != weight.shape:
            raise ValueError(
                f"masks[{name!r}] has the shape {tuple(mask.shape)}, but the parameter "
                f"{tuple(weight.shape)}."
            )
        if not mask.all():
            pairs.append((weight, ~mask.to(weight.device)))
    return pairs
