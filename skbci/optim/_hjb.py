"""The eigendecomposition-free HJB rule."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skbci.optim._closure_optimizer import ClosureOptimizer


class HJB(ClosureOptimizer):
    r"""Weight update that solves the Hamilton-Jacobi-Bellman equation in closed form.

    Parameters
    ----------
    params : iterable of Tensor or of dict
        Parameters to optimize, or parameter groups.
    lr : float, default=0.01
        Step size :math:`\eta`.
    r : float, default=100.0
        Weight of the control effort, :math:`R = r I`. It can differ between parameter groups.
    eps : float, default=1e-4
        Added to the gradient's norm.

    Raises
    ------
    ValueError
        If a setting is negative or not finite; at a step, if the loss is negative or not finite.

    See Also
    --------
    HJBAD : The same direction under AdaGrad's per-parameter step sizes.

    Notes
    -----
    With the loss :math:`P` **summed** over the mini-batch and :math:`g = \nabla_w P`,

    .. math:: w \leftarrow w + \eta\, u, \qquad
              u = -\frac{\sqrt{2 P}}{\lVert g \rVert + \epsilon} R^{-1/2} g .

    The length of a step, :math:`\eta\sqrt{2P/r}`, does not depend on the scale of the gradient.
    With a mean instead of a sum it is shorter by the square root of the batch size, and the
    published settings then learn about ten times slower. The norm is taken over all parameters
    of all groups. The rule keeps no state.

    The equation is (22) of [1]_, which calls it *HJB with time optimality*. With a matching output
    (softmax and cross-entropy, sigmoid and binary cross-entropy, identity and half the squared
    error) :math:`-g` is the :math:`J^T e` of that equation.

    References
    ----------
    .. [1] T. K. Reddy, V. Arora, L. Behera (2018). HJB-Equation-Based Optimal Learning Scheme for
       Neural Networks With Applications in Brain-Computer Interface. IEEE Transactions on
       Emerging Topics in Computational Intelligence. doi:10.1109/TETCI.2018.2858761

    Examples
    --------
    >>> import torch
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> optimizer = HJB([w], lr=0.1, r=1.0, eps=0.0)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * (w**2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()  # sqrt(2 P) = |w| here: the step is a tenth of w
    12.5
    >>> w.tolist()
    [2.7, 3.6]
    """

    def __init__(self, params: Any, lr: float = 0.01, r: float = 100.0, eps: float = 1e-4) -> None:
        super().__init__(params, {"lr": lr, "r": r, "eps": eps})

    def _update(self, loss: Tensor) -> None:
        for group, params, grads, factor in self._hjb_factors(loss):
            if isinstance(factor, float):
                torch._foreach_add_(params, grads, alpha=group["lr"] * factor)
            else:
                torch._foreach_add_(params, torch._foreach_mul(grads, group["lr"] * factor))
