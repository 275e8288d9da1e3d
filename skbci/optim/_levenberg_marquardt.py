"""The Levenberg-Marquardt rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from skbci.optim._docs import fill_doc
from skbci.optim._errors import NonFiniteLossError
from skbci.optim._gram_optimizer import GramOptimizer

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


@fill_doc
class LevenbergMarquardt(GramOptimizer):
    r"""Damped Gauss-Newton steps on the output error, by mini-batches (LM).

    Parameters
    ----------
    %(params_of_module)s
    lr : float, default=1.0
        Learning rate :math:`\eta`; 1 is the full Gauss-Newton step of the rule, less learns slower
        and averages over more mini-batches.
    mu : float, default=1.0
        Damping :math:`\mu > 0`, on the scale of the eigenvalues of :math:`J J^\top`. It can differ
        between parameter groups.
    %(module)s
    %(max_gram_bytes)s

    Raises
    ------
    TypeError
        Without a module.
    ValueError
        If a setting is not allowed, a parameter is not one of the module's or is in a layer of
        another kind; at a step, if the mini-batch needs a larger Gram matrix than allowed, the
        loss is negative or not finite or depends on the parameters other than through the
        module's output, or the module couples the patterns of a mini-batch (batch normalization
        in training mode).

    See Also
    --------
    EVDHJB : The inverse square root in place of the damped inverse.

    Notes
    -----
    With the output error :math:`e = y - \hat y` of the N patterns of a mini-batch and its
    Jacobian :math:`J = \partial\hat y / \partial w`,

    .. math:: w \leftarrow w + \eta\, u, \qquad
              u = (J^\top J + \mu I)^{-1} J^\top e = J^\top (J J^\top + \mu I)^{-1} e ,

    Table II of [1]_. The right-hand form needs the Gram matrix :math:`J J^\top`, square in N times
    the output units, its Cholesky factor and one vector-Jacobian product; J itself is never built.
    As :math:`\mu` grows, :math:`\mu u` tends to BP's :math:`J^\top e`. The damping is not adapted
    and no step is taken back.

    While the closure runs the parameters have no gradient; after the step ``grad`` is
    :math:`-J^\top e`.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
    >>> torch.nn.init.zeros_(net.weight)
    Parameter containing:
    tensor([[0.]], dtype=torch.float64, requires_grad=True)
    >>> x, y = torch.tensor([[1.0], [2.0]]).double(), torch.tensor([[3.0], [6.0]]).double()
    >>> optimizer = LevenbergMarquardt(net.parameters(), mu=1.0, module=net)
    >>> def closure():
    ...     loss = 0.5 * (net(x) - y).square().sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> net.weight.item()  # J'J = 5, J'e = 15, and 15 / (5 + 1)
    2.5
    """

    _positive = ("mu",)

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1.0,
        mu: float = 1.0,
        *,
        module: nn.Module | None = None,
        max_gram_bytes: int = 2**30,
    ) -> None:
        super().__init__(params, {"lr": lr, "mu": mu}, module, max_gram_bytes)

    def _group_weights(self) -> list[float]:
        # (J'J + M)^-1 J' = M^-1 J' (J M^-1 J' + I)^-1 for the diagonal M, here scaled by mu.
        mu = self._common_mu()
        return [mu / group["mu"] for group in self.param_groups]

    def _common_mu(self) -> float:
        return max(group["mu"] for group in self.param_groups)

    def _solve(self, K: Tensor, e: Tensor) -> Tensor:
        diagonal = K.diagonal()
        diagonal += self._common_mu()
        more = torch.finfo(K.dtype).eps * float(diagonal.max())
        while math.isfinite(more):
            factor, info = torch.linalg.cholesky_ex(K)
            if not info:
                return torch.cholesky_solve(e.unsqueeze(1), factor).squeeze(1)
            # Rounding errors of the Gram matrix outweigh a small mu.
            diagonal += more
            more *= 10
        raise NonFiniteLossError("LevenbergMarquardt: the Gram matrix of the Jacobian overflows.")
