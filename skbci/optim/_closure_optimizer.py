"""Base of the optimizers that step by the value of the loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from skbci._checks import check_list, check_number, refusal
from skbci.optim._errors import NonFiniteLossError

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT

_LARGEST = 1e30  # a setting beyond this overflows in single precision


class ClosureOptimizer(Optimizer):
    """Base of optimizers whose step needs the loss ``P``, summed over the mini-batch.

    A negative or non-finite loss (or gradient) is an error, raised before any weight changes. On
    the CPU it is raised at once. On an accelerator reading the loss would stall the queue, so the
    step is made a no-op there and the error is raised by the first later step that finds the flag
    already arrived.
    """

    loss_reduction = "sum"
    # What depends on the loss, and why that must not be negative; for messages.
    _needs_loss = "the length of its step depends on the loss value"
    _needs_sign = ", because the step is proportional to its square root"

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        for name in ("lr", "eps"):
            check_number(defaults.get(name, 1.0), name, self, low=0, high=_LARGEST)
        # R = r I is inverted.
        check_number(defaults.get("r", 1.0), "r", self, low=0, high=_LARGEST, closed="right")
        if not isinstance(params, Tensor):  # which torch refuses itself, with a remedy
            of = "tensors, or of dicts of them with settings"
            params = check_list(params, "params", self, of)
            if not params:
                raise ValueError(refusal(params, "params", self, "holds nothing to train"))
        super().__init__(params, defaults)
        self._pending: tuple[Tensor, Any] | None = None
        self._defer: bool | None = None  # None: by device

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what torch saves; the pending check belongs to the process it was made in."""
        super().__setstate__(state)
        self._pending = None
        self._defer = None

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Parameters
        ----------
        closure : callable
            Clears the gradients, computes the loss *summed* over the mini-batch, calls
            ``backward`` and returns the loss.

        Returns
        -------
        Tensor
            What ``closure`` returned.

        Raises
        ------
        TypeError
            Without a closure.
        ValueError
            If the loss is negative or not finite, or the gradient is not finite.
        """
        given = self._given(closure)
        self._before_closure()
        with torch.enable_grad():
            loss = given()
        self._update(loss.detach())
        return loss

    def _given(self, closure: Callable[[], Any] | None) -> Callable[[], Any]:
        """Return the closure, which there has to be."""
        if closure is None:
            raise TypeError(
                f"{type(self).__name__}.step needs a closure that computes the loss, calls "
                f"backward and returns the loss: {self._needs_loss}."
            )
        return closure

    def _before_closure(self) -> None:
        """Prepare the parameters before the loss is computed."""

    def _update(self, loss: Tensor) -> None:
        raise NotImplementedError

    def _gradients(self) -> list[tuple[dict[str, Any], list[Tensor], list[Tensor]]]:
        """Return each group's settings, its parameters that have a gradient, and the gradients."""
        out = []
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            grads: list[Tensor] = [p.grad for p in params]
            if any(g.is_sparse for g in grads):
                raise ValueError(f"{type(self).__name__} does not support sparse gradients.")
            if params:
                out.append((group, params, grads))
        return out

    def _check_later(self, loss: Tensor, norm: Tensor) -> None:
        """Send loss and norm to the host without waiting, and judge those that have arrived."""
        if self._pending is not None:
            values, arrived = self._pending
            if arrived is not None and not arrived.query():
                return
            self._pending = None
            loss_then, norm_then = values.tolist()
            self._check_loss(loss_then)
            self._check_norm(norm_then)
        values = torch.stack([loss, norm.to(loss.dtype)])
        if values.device.type != "cuda":
            self._pending = values.cpu(), None
            return
        host = torch.empty(2, dtype=values.dtype, pin_memory=True)
        host.copy_(values, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record()
        self._pending = host, arrived

    def _check_loss(self, loss: float) -> None:
        name = type(self).__name__
        if not math.isfinite(loss):
            raise NonFiniteLossError(f"{name}: the loss is {loss}; it must be finite.")
        if loss < 0:
            raise ValueError(
                f"{name}: the loss is {loss}; it must not be negative{self._needs_sign}."
            )

    def _check_norm(self, norm: float) -> None:
        if not math.isfinite(norm):
            raise NonFiniteLossError(
                f"{type(self).__name__}: the gradient is not finite (its norm is {norm})."
            )


def global_norm(grads: list[Tensor]) -> Tensor:
    """Euclidean norm over all tensors, as a 0-dim tensor."""
    if len(grads) == 1:
        return torch.linalg.vector_norm(grads[0])
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
