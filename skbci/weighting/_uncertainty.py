"""Weights from learned variances."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_positive
from skbci.weighting._adam import adam_step
from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence, Floats


class UncertaintyWeighting(WeightingPolicy):
    r"""Homoscedastic uncertainty: each loss is divided by a variance that is learned with it.

    Parameters
    ----------
    lr : float, default=0.025
        Learning rate of Adam on the log-variances.
    rescaled : bool, default=True
        Whether the weights are scaled to sum to K, like those of all other policies. False: as
        published.

    Notes
    -----
    With one log-variance :math:`s_k` for each loss, zero at first,

    .. math:: \min_{\theta, s} \sum_k e^{-s_k} L_k + s_k, \qquad w_k = e^{-s_k} .

    The gradient in s is :math:`1 - e^{-s_k} L_k`, so that no graph is needed; s takes one step of
    Adam in every batch. While a loss stays as it is, :math:`w_k` goes to :math:`1 / L_k`. The
    article [1]_ has :math:`e^{-s_k} L_k / 2` for regression and :math:`e^{-s_k} L_k` for
    classification, each with :math:`s_k / 2`: a factor of two between the kinds that is left out
    here. Losses must not be negative.

    References
    ----------
    .. [1] A. Kendall, Y. Gal, R. Cipolla (2018). Multi-Task Learning Using Uncertainty to Weigh
       Losses for Scene Geometry and Semantics. CVPR. doi:10.1109/CVPR.2018.00781

    Examples
    --------
    >>> policy = UncertaintyWeighting(rescaled=False).start(2)
    >>> for _ in range(500):
    ...     w = policy.update([4.0, 0.5])
    >>> w.round(2).tolist()
    [0.25, 2.0]
    """

    needs_positive = True
    memory = ("log_variances_", "_moments")

    log_variances_: Floats
    _moments: Floats

    def __init__(self, lr: float = 0.025, rescaled: bool = True) -> None:
        check_positive(lr, "lr", self)
        self.lr = lr
        self.rescaled = rescaled

    def _start(self, n_losses: int) -> None:
        self.log_variances_ = np.zeros(n_losses)
        self._moments = np.zeros((3, n_losses))

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Weigh by the variances so far."""
        gradient = 1.0 - np.exp(-self.log_variances_) * seen.losses
        self.log_variances_ = adam_step(self.log_variances_, gradient, self._moments, self.lr)
        weights = np.exp(-self.log_variances_)
        return rescale(weights) if self.rescaled else weights
