"""The eigendecomposition-free HJB rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from skbci.optim._docs import fill_doc
from skbci.optim._hjb_rule import HJBRule

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


@fill_doc
class HJB(HJBRule):
    r"""Weight update that solves the Hamilton-Jacobi-Bellman equation in closed form.

    Parameters
    ----------
    %(params)s
    %(lr)s
    %(r)s
    eps : float, default=1e-4
        Added to the gradient's norm.
    %(lr_schedule)s
    %(n_steps)s
    %(eps1)s
    %(averaging)s

    Raises
    ------
    ValueError
        If a setting is negative or not finite; at a step, if the loss is negative or not finite.

    See Also
    --------
    HJBAD : The same direction under AdaGrad's per-parameter learning rates.
    HJBUnder : The same update in the gradient's place of any other optimizer.
    Theorem1LR, Theorem2LR : The theorems' learning rates as schedulers, for any optimizer.

    Notes
    -----
    With the loss :math:`P` **summed** over the mini-batch and :math:`g = \nabla_w P`,

    .. math:: w \leftarrow w + \eta\, u, \qquad
              u = -\frac{\sqrt{2 P}}{\lVert g \rVert + \epsilon} R^{-1/2} g .

    The length of a step, :math:`\eta\sqrt{2P/r}`, does not depend on the scale of the gradient.
    With a mean instead of a sum it is shorter by the square root of the batch size, and the
    published settings then learn about ten times slower. The norm is taken over all parameters
    of all groups. The rule keeps no state but the number of steps and, if asked to, an average.

    The equation is (22) of [1]_, which calls it *HJB with time optimality*. With a matching output
    (softmax and cross-entropy, sigmoid and binary cross-entropy, identity and half the squared
    error) :math:`-g` is the :math:`J^T e` of that equation.

    The theorems (section II-C, p. 4 of [1]_) have the learning rates

    .. math:: \eta_k = \frac{\eta_0}{\sqrt{2P + \epsilon_1}} \frac{1}{\sqrt k}
              \quad (29), \qquad
              \eta_k = \frac{K(K+1)}{2} \frac{\eta_0}{\sqrt{2P + \epsilon_1}} \frac{\sqrt r}{k}
              \quad (43)

    for convex and for strongly convex losses, P that of step k. The loss cancels in both: the k-th
    step has the length :math:`\eta_0 / \sqrt{r k}`, or :math:`\eta_0 K (K + 1) / (2 k)`, which
    takes an :math:`\eta_0` of the order of :math:`1 / K^2`. The theorems' conditions (28) and (42)
    bound :math:`\sum_k k\, \eta_k^2\, 2P` and :math:`\sum_k k^2 \eta_k^2\, 2P`; with these step
    sizes they grow as :math:`\eta_0^2 K` and :math:`\eta_0^2 r K^5 / 4`, so that they hold for a
    given K and not in the limit. What is to converge is the averaged iterate of (30),
    :math:`\frac{2}{K(K+1)} \sum_{k=1}^K k\, w_k`, here with :math:`w_k` what the k-th step arrives
    at, as (38) has it.

    References
    ----------
    .. [1] %(hjb_paper)s

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

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        r: float = 100.0,
        eps: float = 1e-4,
        *,
        lr_schedule: str | None = None,
        n_steps: int | None = None,
        eps1: float = 1e-8,
        averaging: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "r": r, "eps": eps, "lr_schedule": lr_schedule, "n_steps": n_steps,
            "eps1": eps1, "averaging": averaging,
        })

    def _update(self, loss: Tensor) -> None:
        for _, params, grads, factor, lr in self._hjb_factors(loss):
            if isinstance(factor, float):
                torch._foreach_add_(params, grads, alpha=lr * factor)
            else:
                torch._foreach_add_(params, torch._foreach_mul(grads, lr * factor))
