"""Weights from how fast losses fall."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_positive
from skbci.weighting._base import WeightingPolicy
from skbci.weighting._evidence import Evidence


class DynamicWeightAverage(WeightingPolicy):
    r"""Dynamic weight average: more weight to losses that fall slowly, epoch by epoch.

    Parameters
    ----------
    temperature : float, default=2.0
        The larger, the more even the weights.

    Notes
    -----
    With :math:`\bar L_k(t)` the mean training loss of epoch t,

    .. math:: r_k(t) = \frac{\bar L_k(t)}{\bar L_k(t-1)}, \qquad
              w_k(t+1) = K \frac{e^{r_k(t)/\tau}}{\sum_j e^{r_j(t)/\tau}} ;

    all ones until two epochs are over [1]_. A loss that was zero the epoch before counts as
    unchanged. Losses must not be negative.

    References
    ----------
    .. [1] S. Liu, E. Johns, A. J. Davison (2019). End-To-End Multi-Task Learning With Attention.
       CVPR. doi:10.1109/CVPR.2019.00197

    Examples
    --------
    >>> policy = DynamicWeightAverage().start(2)
    >>> policy.on_epoch([1.0, 1.0]).tolist()
    [1.0, 1.0]
    >>> policy.on_epoch([0.9, 0.5]).round(3).tolist()
    [1.1, 0.9]
    """

    acts_on = "epoch"
    needs_positive = True
    memory = ("_last",)

    def __init__(self, temperature: float = 2.0) -> None:
        check_positive(temperature, "temperature", self)
        self.temperature = temperature

    def _start(self, n_losses: int) -> None:
        self._last = None

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Weigh by the last two epochs' ratio."""
        assert seen.train_losses is not None
        last, now = self._last, seen.train_losses.mean(axis=0)
        self._last = now
        if last is None:
            return self.weights_
        ratio = np.divide(now, last, out=np.ones_like(now), where=last > 0)
        softmax = np.exp((ratio - ratio.max()) / self.temperature)
        return len(ratio) * softmax / softmax.sum()
