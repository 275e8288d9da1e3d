"""HJB under AdaGrad."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skbci.optim._closure_optimizer import ClosureOptimizer, global_norm


class HJBAD(ClosureOptimizer):
    r"""AdaGrad applied to the HJB update.

    Parameters
    ----------
    params : iterable of Tensor or of dict
        Parameters to optimize, or parameter groups.
    lr : float, default=0.01
        Step size :math:`\eta`.
    r : float, default=100.0
        Weight of the control effort, :math:`R = r I`. It cancels as ``eps`` goes to 0.
    eps : float, default=1e-4
        Added to both denominators.
    accumulate : {"parameter", "norm"}, default="parameter"
        What the accumulated squares are taken of: each parameter's own update, or the whole
        update's norm (the equation as printed).

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

    References
    ----------
    .. [1] T. K. Reddy, V. Arora, L. Behera (2018). HJB-Equation-Based Optimal Learning Scheme for
       Neural Networks With Applications in Brain-Computer Interface. IEEE Transactions on
       Emerging Topics in Computational Intelligence. doi:10.1109/TETCI.2018.2858761

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
        params: Any,
        lr: float = 0.01,
        r: float = 100.0,
        eps: float = 1e-4,
        accumulate: str = "parameter",
    ) -> None:
        if accumulate not in ("parameter", "norm"):
            raise ValueError(
                f"HJBAD: accumulate={accumulate!r} is unknown; use 'parameter' or 'norm'."
            )
        super().__init__(params, {"lr": lr, "r": r, "eps": eps, "accumulate": accumulate})

    def _update(self, loss: Tensor) -> None:
        for group, params, grads, factor in self._hjb_factors(loss):
            updates = list(torch._foreach_mul(grads, factor))
            if group["accumulate"] == "parameter":
                self._adagrad(group, params, updates)
            else:
                self._adagrad_norm(group, params, updates)

    def _adagrad(self, group: dict[str, Any], params: list[Tensor], updates: list[Tensor]) -> None:
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
        torch._foreach_addcdiv_(params, updates, denominators, value=group["lr"])

    def _adagrad_norm(
        self, group: dict[str, Any], params: list[Tensor], updates: list[Tensor]
    ) -> None:
        # One number for the group; it is kept with the group's first parameter.
        state = self.state[group["params"][0]]
        squared = global_norm(updates) ** 2
        state["sum"] = state["sum"] + squared if "sum" in state else squared
        denominator = torch.sqrt(state["sum"]) + group["eps"]
        factor = torch.where(denominator > 0, group["lr"] / denominator, 0)
        torch._foreach_add_(params, torch._foreach_mul(updates, factor))
