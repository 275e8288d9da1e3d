"""Weights in proportion to mean gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_number
from skbci._docs import fill_references
from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence


@fill_references
class AdaMT(WeightingPolicy):
    r"""AdaMT: weights in proportion to the mean over the elements of each loss's gradient.

    Parameters
    ----------
    minimum : float, default=0.1
        Weights are clipped from below here, as shares of one, before they are scaled to sum to K.

    Notes
    -----
    In every batch, with :math:`\theta` the weight of the last layer that all heads share,

    .. math:: m_k = \operatorname{mean}\bigl(\nabla_\theta (w_k L_k)\bigr), \qquad
              u_k = \max\Bigl(\frac{m_k}{\sum_j m_j + 10^{-7}},\ \text{minimum}\Bigr), \qquad
              w \leftarrow \frac{K u}{\sum_j u_j} .

    Means of gradients may have any sign, and their sum may be near zero: the weights can jump from
    one batch to the next. This is the rule as AlphaGrad's authors compare with it [1]_. If the
    denominator is exactly zero, the weights stay.

    References
    ----------
    .. [1] %(alphagrad_paper)s

    Examples
    --------
    >>> policy = AdaMT().start(2)
    >>> policy.update([1.0, 1.0], gradients=[[3.0, 3.0], [1.0, 1.0]]).round(3).tolist()
    [1.5, 0.5]
    """

    uses_gradients = True

    def __init__(self, minimum: float = 0.1) -> None:
        check_number(minimum, "minimum", self, low=0, high=1, closed="neither")
        self.minimum = minimum

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Compute the clipped shares of the mean gradients."""
        means = self.weights_ * seen.gradients.means()
        total = means.sum() + 1e-7
        if total == 0:
            return self.weights_
        return rescale(np.maximum(means / total, self.minimum))
