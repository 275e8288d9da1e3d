"""Base of the optimizers that step by the output error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from skbci._checks import check_number, check_positive
from skbci.optim._closure_optimizer import ClosureOptimizer, global_norm
from skbci.optim._errors import NonFiniteLossError
from skbci.optim._jacobian.forward_tap import ForwardTap

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


class OutputErrorOptimizer(ClosureOptimizer):
    """Base of optimizers whose step needs the output error ``e`` and products with ``J'``.

    The error is minus the gradient of the closure's loss, summed over the mini-batch, with respect
    to the output of ``module``: ``y - y_hat`` with a matching output (softmax and cross-entropy,
    sigmoid and binary cross-entropy, identity and half the squared error), where ``J`` is the
    Jacobian of the logits.

    While the closure runs, the graph is cut at the module's output, so the parameters have no
    gradient yet when it returns; after the step their ``grad`` is ``-J'e``, the loss's gradient.
    A loss that depends on the parameters in another way too, such as by a penalty on weights, is
    refused, as is a closure that calls the module more than once with gradients enabled.
    """

    needs_module = True
    _needs_loss = "the step depends on the output error"
    _needs_sign = ": it is to measure the output error, whose smallest value is zero"
    _positive: tuple[str, ...] = ()

    def __init__(self, params: ParamsT, defaults: dict[str, Any], module: Any) -> None:
        name = type(self).__name__
        if not isinstance(module, nn.Module):
            given = "" if module is None else f", not a {type(module).__name__}"
            raise TypeError(
                f"{name} needs the torch module that it trains{given}: "
                f"{name}(net.parameters(), module=net)."
            )
        self.module = module
        super().__init__(params, defaults)

    def __getstate__(self) -> dict[str, Any]:
        """Keep the module: torch saves the parameter groups only."""
        return {**super().__getstate__(), "module": self.module}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group.

        Parameters
        ----------
        param_group : dict
            ``params`` and the settings that differ from the defaults.

        Raises
        ------
        ValueError
            If a setting is not allowed, or a parameter is not one of the module's.
        """
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        name = type(self).__name__
        check_number(group["lr"], "lr", name, low=0)
        for key in self._positive:
            check_positive(group[key], key, name)
        known = {id(p) for p in self.module.parameters()}
        for p in group["params"]:
            if id(p) not in known:
                raise ValueError(
                    f"{name}: a parameter of shape {tuple(p.shape)} does not belong to the module "
                    f"{type(self.module).__name__}; the step is known for its parameters only."
                )

    @torch.no_grad()
    def step(
        self, closure: Callable[[], Any] | None = None, row_weights: Tensor | None = None
    ) -> Any:
        """Take one step.

        Parameters
        ----------
        closure : callable
            Calls the module once, computes the loss *summed* over the mini-batch, calls
            ``backward`` and returns the loss.
        row_weights : Tensor, shape (n_rows,), optional
            Weights that the closure's loss gives to the patterns. The rule cannot tell a weight
            from an error of that size otherwise; with it, a pattern of weight two counts as two.

        Returns
        -------
        Tensor
            What ``closure`` returned.

        Raises
        ------
        TypeError
            Without a closure.
        ValueError
            If the loss is negative or not finite, the error or the gradient is not finite, or the
            loss depends on the parameters other than through the module's output.
        """
        name = type(self).__name__
        given = self._given(closure)
        params = [p for group in self.param_groups for p in group["params"]]
        for p in params:
            p.grad = None
        layers = self._layers()
        with ForwardTap(self.module, layers, name, row_weights) as tap, torch.enable_grad():
            loss = given()
        self._check_loss(float(loss))
        tap.finish()
        self._refuse_other_gradients(params)
        error = tap.error()
        squared = float(error @ error)
        if not math.isfinite(squared):
            raise NonFiniteLossError(f"{name}: the output error is not finite.")
        self._move(tap, error, squared, [p for p in params if p.requires_grad])
        return loss

    def _layers(self) -> list[nn.Module]:
        """Return the layers whose input and output are recorded."""
        return []

    def _move(self, tap: ForwardTap, error: Tensor, squared: float, params: list[Tensor]) -> None:
        """Change the weights, given e, e'e and the parameters to train."""
        raise NotImplementedError

    def _keep_gradients(self, params: list[Tensor], gradients: list[Tensor | None]) -> float:
        """Store -J'e as the parameters' gradients; give its norm."""
        for p, g in zip(params, gradients):
            p.grad = g
        present = [g for g in gradients if g is not None]
        norm = float(global_norm(present)) if present else 0.0
        self._check_norm(norm)
        return norm

    def _refuse_other_gradients(self, params: list[Tensor]) -> None:
        for p in params:
            if p.grad is not None and bool(p.grad.any()):
                raise ValueError(
                    f"{type(self).__name__}: the loss depends on a parameter of shape "
                    f"{tuple(p.shape)} other than through the module's output (by a penalty on "
                    "the weights?); the step is known for losses of the output only."
                )
