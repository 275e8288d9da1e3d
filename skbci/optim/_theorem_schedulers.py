"""The learning rates of the HJB paper's theorems as schedulers of any optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from skbci._checks import check_count, refusal
from skbci.optim._docs import fill_doc
from skbci.optim._theorem_steps import check_schedule, theorem_step


class TheoremLR(LRScheduler):
    """Base: the learning rate of step k, from the loss where that step is taken.

    The optimizer must be stepped with a closure, whose loss is looked at before the weights
    change; `step` is called after each step of the optimizer, as for torch's own schedulers.
    """

    schedule: str
    n_steps: int | None = None

    def __init__(self, optimizer: Optimizer, eps1: float = 1e-8, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            because = "must be a torch.optim.Optimizer"
            raise TypeError(refusal(optimizer, "optimizer", self, because))
        check_count(last_epoch, "last_epoch", self, low=-1)
        check_schedule(self.schedule, self.n_steps, eps1, type(self).__name__)
        self.eps1 = eps1
        self._root = 1.0
        super().__init__(optimizer, last_epoch)
        self._hook = optimizer.register_step_pre_hook(self._look)

    def get_lr(self) -> list[Any]:
        """Return the learning rates; before a step's loss is known, by that of the step before."""
        return [
            theorem_step(self.schedule, float(base), self._root, self.last_epoch + 1,
                         group.get("r", 1.0), self.n_steps)
            for base, group in zip(self.base_lrs, self.optimizer.param_groups)
        ]

    def _look(self, optimizer: Optimizer, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Wrap the closure so that the learning rates are set by its loss."""
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if closure is None:
            raise TypeError(
                f"{type(self).__name__}: optimizer.step needs a closure that returns the loss, "
                "as the learning rate depends on it."
            )
        recording = self._recording(closure)
        if len(args) > 1:
            return (args[0], recording, *args[2:]), kwargs
        return args, {**kwargs, "closure": recording}

    def _recording(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        def recording() -> Any:
            loss = closure()
            self._root = math.sqrt(max(2 * float(loss.detach()), 0.0) + self.eps1)
            for group, lr in zip(self.optimizer.param_groups, self.get_lr()):
                group["lr"] = lr
            return loss

        return recording


@fill_doc
class Theorem1LR(TheoremLR):
    r"""Learning rates of the HJB paper's theorem 1, for convex losses.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its ``lr`` is :math:`\eta_0`. It must be stepped with a closure.
    %(theorem_eps1)s
    %(last_epoch)s

    Raises
    ------
    TypeError
        At a step of the optimizer without a closure.

    See Also
    --------
    HJB : Has these learning rates as its ``lr_schedule="theorem-1"``.

    Notes
    -----
    .. math:: \eta_k = \frac{\eta_0}{\sqrt{2P + \epsilon_1}} \frac{1}{\sqrt k},

    equation (29), p. 4 of [1]_, with the loss P that the closure of step k returns.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> import torch
    >>> from skbci.optim import HJB, Theorem1LR
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> optimizer = HJB([w], lr=1.0, r=1.0, eps=0.0)
    >>> scheduler = Theorem1LR(optimizer)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * (w**2).sum()
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(4):  # steps of length 1, 1 / sqrt(2), ...
    ...     _ = optimizer.step(closure)
    ...     scheduler.step()
    >>> round(w.norm().item(), 4)
    2.2155
    """

    schedule = "theorem-1"


@fill_doc
class Theorem2LR(TheoremLR):
    r"""Learning rates of the HJB paper's theorem 2, for strongly convex losses.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its ``lr`` is :math:`\eta_0`; ``r`` is that of its parameter groups, or 1. It must be
        stepped with a closure.
    n_steps : int
        Number K of steps that will be taken.
    %(theorem_eps1)s
    %(last_epoch)s

    Raises
    ------
    TypeError
        At a step of the optimizer without a closure.

    See Also
    --------
    HJB : Has these learning rates as its ``lr_schedule="theorem-2"``.

    Notes
    -----
    .. math:: \eta_k = \frac{K(K+1)}{2} \frac{\eta_0}{\sqrt{2P + \epsilon_1}} \frac{\sqrt r}{k},

    equation (43), p. 5 of [1]_, with the loss P that the closure of step k returns.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> import torch
    >>> from skbci.optim import HJB, Theorem2LR
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> optimizer = HJB([w], lr=0.1, eps=0.0)
    >>> scheduler = Theorem2LR(optimizer, n_steps=4)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * (w**2).sum()
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(4):  # steps of length 1, 1 / 2, 1 / 3, 1 / 4
    ...     _ = optimizer.step(closure)
    ...     scheduler.step()
    >>> round(w.norm().item(), 4)
    2.9167
    """

    schedule = "theorem-2"

    def __init__(
        self, optimizer: Optimizer, n_steps: int, eps1: float = 1e-8, last_epoch: int = -1
    ) -> None:
        self.n_steps = n_steps
        super().__init__(optimizer, eps1, last_epoch)
