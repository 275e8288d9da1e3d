"""Weights that bring gradients to one rate of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_number, check_positive
from skbci.weighting._adam import adam_step
from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence, Floats


class GradNorm(WeightingPolicy):
    r"""GradNorm: weighted gradients of one size, larger for losses that train slowly.

    Parameters
    ----------
    lr : float, default=0.025
        Learning rate of Adam on the weights.
    alpha : float, default=1.5
        How strongly losses that train slowly are favoured; 0 asks for equal gradients.
    minimum : float, default=1e-4
        Weights are clipped from below here, before they are scaled to sum to K.

    Notes
    -----
    With :math:`n_k = \lVert \nabla_\theta L_k \rVert` at the last shared layer and
    :math:`\rho_k = L_k / L_k(0)` how much of a loss is left,

    .. math:: G_k = w_k n_k, \qquad
              T_k = \bar G \Bigl( \frac{\rho_k}{\bar \rho} \Bigr)^{\alpha}, \qquad
              \min_w \sum_k \lvert G_k - T_k \rvert ,

    bars being means over the losses, and :math:`T_k` held fixed [1]_. The gradient in
    :math:`w_k` is :math:`n_k \operatorname{sign}(G_k - T_k)`, so that no second-order graph is
    needed; the weights take one step of Adam in every batch and are scaled to sum to K.
    :math:`L_k(0)` is the first value of a loss that is not zero; until then
    :math:`\rho_k = 1`. Losses must not be negative.

    References
    ----------
    .. [1] Z. Chen, V. Badrinarayanan, C.-Y. Lee, A. Rabinovich (2018). GradNorm: Gradient
       Normalization for Adaptive Loss Balancing in Deep Multitask Networks. ICML.
       https://proceedings.mlr.press/v80/chen18a.html

    Examples
    --------
    >>> policy = GradNorm(alpha=0.0).start(2)
    >>> for _ in range(400):
    ...     w = policy.update([1.0, 1.0], gradients=[[3.0], [1.0]])
    >>> w.round(1).tolist()
    [0.5, 1.5]
    """

    uses_gradients = True
    needs_positive = True
    memory = ("_first", "_moments")

    _first: Floats
    _moments: Floats

    def __init__(self, lr: float = 0.025, alpha: float = 1.5, minimum: float = 1e-4) -> None:
        check_positive(lr, "lr", self)
        check_number(alpha, "alpha", self, low=0)
        check_number(minimum, "minimum", self, low=0, high=1, closed="neither")
        self.lr = lr
        self.alpha = alpha
        self.minimum = minimum

    def _start(self, n_losses: int) -> None:
        self._first = np.zeros(n_losses)
        self._moments = np.zeros((3, n_losses))

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Take one step toward the targets."""
        losses = seen.losses
        assert losses is not None
        assert self.gradient_norms_ is not None
        self._first = np.where(self._first > 0, self._first, losses)
        left = np.divide(losses, self._first, out=np.ones_like(losses), where=self._first > 0)
        mean_left = left.mean()
        rate = left / mean_left if mean_left > 0 else np.ones_like(left)
        pull = self.weights_ * self.gradient_norms_
        target = pull.mean() * rate**self.alpha
        gradient = self.gradient_norms_ * np.sign(pull - target)
        stepped = adam_step(self.weights_, gradient, self._moments, self.lr)
        return rescale(np.maximum(stepped, self.minimum))
