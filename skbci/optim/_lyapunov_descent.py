"""The Lyapunov-function rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from skbci.optim._docs import fill_doc
from skbci.optim._jacobian.forward_tap import ForwardTap
from skbci.optim._output_error import OutputErrorOptimizer

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


@fill_doc
class LyapunovDescent(OutputErrorOptimizer):
    r"""Gradient descent whose length makes the squared output error fall at a given rate (LF).

    Parameters
    ----------
    params : iterable of Tensor or of dict
        Parameters to optimize, or parameter groups; all of ``module``. BP's direction is not
        changed, so any kind of layer will do, batch normalization included.
    %(lr)s
    mu : float, default=1.0
        Rate :math:`\mu`: a step takes the share :math:`2\eta\mu` off the squared output error, to
        first order. Only the product of the two matters.
    eps : float, default=1e-4
        Added to the gradient's norm. Where the gradient vanishes and the error does not, the
        printed rule's step has no bound.
    %(module)s

    Raises
    ------
    TypeError
        Without a module.
    ValueError
        If a setting is not allowed, or a parameter is not one of the module's; at a step, if the
        loss is negative or not finite, or depends on the parameters other than through the
        module's output.

    See Also
    --------
    HJB : The same direction with the length :math:`\sqrt{2P/r}`.

    Notes
    -----
    With the output error :math:`e = y - \hat y` of the mini-batch and its Jacobian
    :math:`J = \partial\hat y / \partial w`,

    .. math:: w \leftarrow w + \eta\, u, \qquad
              u = \mu \frac{\lVert e\rVert^2}{(\lVert J^\top e\rVert + \epsilon)^2} J^\top e .

    Then :math:`e^\top J u = \mu \lVert e\rVert^2` (as :math:`\epsilon` goes to 0), so that
    :math:`V = \frac12 e^\top e` falls as :math:`\dot V = -2 \mu V` in continuous time. The rule
    is in Table II of [1]_, the derivation in [2]_. Near a minimum with a remaining error, as with
    mini-batches of classes that overlap, steps grow instead of shrinking: take ``lr * mu`` small.

    While the closure runs the parameters have no gradient; after the step ``grad`` is
    :math:`-J^\top e`.

    References
    ----------
    .. [1] %(hjb_paper)s
    .. [2] L. Behera, S. Kumar, A. Patnaik (2006). On adaptive learning rate that guarantees
       convergence in feedforward networks. IEEE Transactions on Neural Networks 17(5),
       1116-1125.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
    >>> torch.nn.init.zeros_(net.weight)
    Parameter containing:
    tensor([[0.]], dtype=torch.float64, requires_grad=True)
    >>> x, y = torch.tensor([[1.0], [2.0]]).double(), torch.tensor([[3.0], [6.0]]).double()
    >>> optimizer = LyapunovDescent(net.parameters(), lr=0.1, eps=0.0, module=net)
    >>> def closure():
    ...     loss = 0.5 * (net(x) - y).square().sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> net.weight.item()  # a tenth of the way from 0 to 3
    0.3
    """

    _positive = ("mu",)

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        mu: float = 1.0,
        eps: float = 1e-4,
        *,
        module: nn.Module | None = None,
    ) -> None:
        super().__init__(params, {"lr": lr, "mu": mu, "eps": eps}, module)

    def _move(self, tap: ForwardTap, error: Tensor, squared: float, params: list[Tensor]) -> None:
        norm = self._keep_gradients(params, tap.pull_back(-error, params))
        if norm == 0:
            return
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            if moved:
                factor = -group["mu"] * squared / (norm + group["eps"]) ** 2
                gradients: list[Any] = [p.grad for p in moved]
                torch._foreach_add_(moved, gradients, alpha=group["lr"] * factor)
