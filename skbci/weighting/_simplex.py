"""The nearest weights with a given sum."""

from __future__ import annotations

import numpy as np

from skbci.weighting._evidence import Floats


def project(weights: Floats, total: float, minimum: float = 0.0) -> Floats:
    r"""Project onto :math:`\{w : w_k \ge m, \sum_k w_k = s\}` in the Euclidean sense.

    Parameters
    ----------
    weights : ndarray, shape (K,)
    total : float
        The sum s.
    minimum : float
        The bound m; K m must be smaller than s.

    Returns
    -------
    ndarray, shape (K,)

    Notes
    -----
    The projection is :math:`\max(w - \tau, m)` with the one :math:`\tau` that gives the sum. With
    the weights in falling order it follows from the largest number of them that stay above the
    bound [1]_.

    References
    ----------
    .. [1] J. Duchi, S. Shalev-Shwartz, Y. Singer, T. Chandra (2008). Efficient Projections onto
       the l1-Ball for Learning in High Dimensions. ICML. doi:10.1145/1390156.1390191

    Examples
    --------
    >>> import numpy as np
    >>> project(np.array([2.0, 1.0, -0.5]), total=2.0).tolist()
    [1.5, 0.5, 0.0]
    """
    above = weights - minimum
    rest = total - len(weights) * minimum
    falling = np.sort(above)[::-1]
    shift = (np.cumsum(falling) - rest) / np.arange(1, len(weights) + 1)
    kept = np.flatnonzero(falling > shift)[-1]
    return np.maximum(above - shift[kept], 0.0) + minimum
