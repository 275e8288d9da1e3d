"""HJB under AdaGrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from skbci._checks import check_choice
from skbci.optim._closure_optimizer import global_norm
from skbci.optim._docs import fill_doc
from skbci.optim._hjb_rule import HJBRule

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


@fill_doc
class HJBAD(HJBRule):
    r"""AdaGrad applied to the HJB update.

    Parameters
    ----------
    %(params)s
    %(lr)s
    r : float, default=100.0
        Weight of the control effort, :math:`R = r I`. It cancels as ``eps`` goes to 0.
    eps : float, default=1e-4
        Added to both denominators.
    accumulate : {"parameter", "norm"}, default="parameter"
        What the accumulated squares are taken of: each parameter's own update, or the whole
        update's norm (the equation as printed).
    %(lr_schedule)s
    %(n_steps)s
    %(eps1)s
    %(averaging)s

    Raises
    ------
    ValueError
        If a setting is not allowed; at a step, if the loss is negative or not finite.

    See Also
    --------
    HJB : The update that is accumulated here.

    Notes
    -----
    With the HJB update :math:`u(t)` and all operations element-wise,

    .. math:: w \leftarrow w + \frac{\eta}{\sqrt{\sum_{t' \le t} u(t')^2} + \epsilon}\, u(t) .

    The paper [1]_ describes this per-parameter form in its text, while its equation (25) divides
    by the accumulated *norm*, :math:`\sqrt{\sum_{t'} \lVert u(t')\rVert^2}`. That form
    (``accumulate="norm"``) cannot move farther than :math:`2\eta\sqrt{T}` in T steps, and with
    the printed :math:`\eta = 0.01` it hardly learns. Per-parameter is therefore the default.

    The learning rates of the theorems, equations (29) and (43), take the place of :math:`\eta`;
    see `HJB`. No theorem of the paper speaks of them together with AdaGrad.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> import torch
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> optimizer = HJBAD([w], lr=0.1, eps=0.0)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * (w**2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> w.tolist()  # the first step of AdaGrad has the length lr in each coordinate
    [2.9, 3.9]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        r: float = 100.0,
        eps: float = 1e-4,
        accumulate: str = "parameter",
        *,
        lr_schedule: str | None = None,
        n_steps: int | None = None,
        eps1: float = 1e-8,
        averaging: bool = False,
    ) -> None:
        check_choice(accumulate, "accumulate", "HJBAD", ("parameter", "norm"))
        super().__init__(params, {
            "lr": lr, "r": r, "eps": eps, "accumulate": accumulate, "lr_schedule": lr_schedule,
            "n_steps": n_steps, "eps1": eps1, "averaging": averaging,
        })

    def _update(self, loss: Tensor) -> None:
        for group, params, grads, factor, lr in self._hjb_factors(loss):
            updates = list(torch._foreach_mul(grads, factor))
            if group["accumulate"] == "parameter":
                self._adagrad(group, params, updates, lr)
            else:
                self._adagrad_norm(group, params, updates, lr)

    def _adagrad(
        self, group: dict[str, Any], params: list[Tensor], updates: list[Tensor], lr: Any
    ) -> None:
        sums = []
        for p in params:
            state = self.state[p]
            if "sum" not in state:
                state["sum"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            sums.append(state["sum"])
        torch._foreach_addcmul_(sums, updates, updates)
        denominators = torch._foreach_sqrt(sums)
        # Where nothing was accumulated yet the update is zero too: any positive number will do.
        torch._foreach_add_(denominators, group["eps"] or torch.finfo(params[0].dtype).tiny)
        if isinstance(lr, Tensor):
            torch._foreach_mul_(updates, lr)
            lr = 1.0
        torch._foreach_addcdiv_(params, updates, denominators, value=lr)

    def _adagrad_norm(
        self, group: dict[str, Any], params: list[Tensor], updates: list[Tensor], lr: Any
    ) -> None:
        # One number for the group; it is kept with the group's first parameter.
        state = self.state[group["params"][0]]
        squared = global_norm(updates) ** 2
        state["sum"] = state["sum"] + squared if "sum" in state else squared
        denominator = torch.sqrt(state["sum"]) + group["eps"]
        factor = torch.where(denominator > 0, lr / denominator, 0)
        torch._foreach_add_(params, torch._foreach_mul(updates, factor))
