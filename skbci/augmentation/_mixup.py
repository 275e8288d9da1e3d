"""Weighted means of pairs of rows (mixup)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci._checks import check_number
from skbci.augmentation._base import GivenRows, NewRows, RandomAugmentation
from skbci.augmentation._partners import check_by, pools


class Mixup(RandomAugmentation):
    r"""Take weighted means of two rows, and of their labels.

    .. math::

        x = \lambda x_i + (1 - \lambda) x_j, \qquad \lambda \sim \mathrm{Beta}(\alpha, \alpha)

    Parameters
    ----------
    alpha : float, default=0.2
        The smaller, the nearer to one of the two rows. From 0.001 to 1000.
    by : str, sequence of str or None, default="subject"
        Columns of the rows' table that mixed rows share: ``"subject"``, ``"session"``, ``"run"``
        or any other. None, and rows without a table: none.
    n_copies : int, default=1
        Mixtures of each row.

    Notes
    -----
    The mean of two labels is no label. A mixture is therefore two new rows of the same x, one
    after the other: one with the label of i and the weight :math:`\lambda`, one with the label of
    j and the weight :math:`1 - \lambda`, times the rows' own weights. Their cross-entropy is that
    of the mixed label of [1]_. So any classifier with ``sample_weight`` takes them, and their
    ``source`` are i and j.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz (2018). mixup: Beyond Empirical Risk
       Minimization. International Conference on Learning Representations. arXiv:1710.09412

    Examples
    --------
    >>> import numpy as np
    >>> new = Mixup(1.0).augment(np.array([[0.0], [1.0]]), ["a", "b"], random_state=0)
    >>> new.X[:, 0].round(2).tolist(), new.y.tolist(), new.sample_weight.round(2).tolist()
    ([0.55, 0.55, 0.02, 0.02], ['a', 'b', 'b', 'a'], [0.45, 0.55, 0.02, 0.98])
    """

    _input_ndim = (2, 3, 4)

    def __init__(
        self, alpha: float = 0.2, *, by: str | Sequence[str] | None = "subject", n_copies: int = 1
    ) -> None:
        self.alpha = alpha
        self.by = by
        self.n_copies = n_copies

    def _check_settings(self) -> None:
        super()._check_settings()
        check_number(self.alpha, "alpha", self, low=1e-3, high=1e3)
        check_by(self.by, type(self).__name__)

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        n_rows = len(rows.data)
        first = self._sources(rows)
        second = first.copy()
        for pool in pools(rows.X, n_rows, self.by, type(self).__name__):
            if len(pool) > 1:
                subset = np.flatnonzero(np.isin(first, pool))
                # Another row of the pool: so many places further, around its end.
                further = rng.randint(1, len(pool), size=len(subset))
                place = np.searchsorted(pool, first[subset])
                second[subset] = pool[(place + further) % len(pool)]
        share = rng.beta(self.alpha, self.alpha, size=len(first))
        factor = share.reshape(-1, *[1] * (rows.data.ndim - 1)).astype(rows.data.dtype)
        mixed = factor * rows.data[first] + (1 - factor) * rows.data[second]
        return NewRows(
            np.repeat(mixed, 2, axis=0),
            np.stack([first, second], axis=1).ravel(),
            share=np.stack([share, 1 - share], axis=1).ravel(),
        )
