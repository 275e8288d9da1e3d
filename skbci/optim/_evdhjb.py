"""The HJB rule by eigenvalue decomposition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from skbci.optim._docs import fill_doc
from skbci.optim._gram_optimizer import GramOptimizer
from skbci.optim._jacobian.inverse_sqrt import apply_inverse_sqrt

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


@fill_doc
class EVDHJB(GramOptimizer):
    r"""The Hamilton-Jacobi-Bellman rule that whitens the output error's directions.

    Parameters
    ----------
    %(params_of_module)s
    %(lr)s
    %(r)s
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
    HJB : The rule without the decomposition; its steps have the same length where J has full rank.

    Notes
    -----
    With the output error :math:`e = y - \hat y` of the N patterns of a mini-batch and its
    Jacobian :math:`J = \partial\hat y / \partial w`,

    .. math:: w \leftarrow w + \eta\, u, \qquad u = R^{-1} J^\top C\, e, \qquad
              C = (J R^{-1} J^\top)^{-1/2} = U \Sigma^{-1/2} U^\top ,

    equation (26) of [1]_, from [2]_. J is never built, and nothing is decomposed on the CPU: a
    step needs the Gram matrix :math:`J J^\top`, square in N times the output units, the action of
    its inverse square root on one vector, and one vector-Jacobian product.

    Since :math:`u^\top R u = e^\top e` wherever :math:`J J^\top` has full rank, the length of a
    step depends on the error only. Directions without gradient (patterns that occur twice, dead
    units, outputs with a fixed sum) are left out, as by the pseudo-inverse. So are, gradually,
    those with eigenvalues under about :math:`4 \sqrt{n}\,\varepsilon` of the largest, n being the
    matrix's size and :math:`\varepsilon` the precision of the weights' type: they are lost in
    rounding errors.

    While the closure runs the parameters have no gradient; after the step ``grad`` is
    :math:`-J^\top e`.

    References
    ----------
    .. [1] %(hjb_paper)s
    .. [2] V. Arora, L. Behera, T. Reddy, A. P. Yadav (2017). HJB equation based learning scheme
       for neural networks. International Joint Conference on Neural Networks, 2298-2305.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(2, 1, bias=False, dtype=torch.float64)
    >>> torch.nn.init.zeros_(net.weight)
    Parameter containing:
    tensor([[0., 0.]], dtype=torch.float64, requires_grad=True)
    >>> x, y = torch.tensor([[5.0, 0.0], [0.0, 0.1]]).double(), torch.ones(2, 1).double()
    >>> optimizer = EVDHJB(net.parameters(), lr=0.1, r=1.0, module=net)
    >>> def closure():
    ...     loss = 0.5 * (net(x) - y).square().sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> net.weight.tolist()  # the features' scales do not matter
    [[0.1, 0.1]]
    """

    _positive = ("r",)

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        r: float = 100.0,
        *,
        module: nn.Module | None = None,
        max_gram_bytes: int = 2**30,
    ) -> None:
        super().__init__(params, {"lr": lr, "r": r}, module, max_gram_bytes)

    def _group_weights(self) -> list[float]:
        return [1 / group["r"] for group in self.param_groups]

    def _solve(self, K: Tensor, e: Tensor) -> Tensor:
        return apply_inverse_sqrt(K, e)
