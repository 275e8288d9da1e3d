"""Noise on top of signals or features."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_number
from skbci.augmentation._base import GivenRows, NewRows, RandomAugmentation


class GaussianNoise(RandomAugmentation):
    """Add white Gaussian noise in proportion to what is there.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation of the noise, in units of the standard deviation that the channel has
        within the row (of rows of features: that the feature has over the rows). At most 100.
    n_copies : int, default=1
        New rows of each row.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(2, 3, 5000)) * [[[1], [10], [100]]]
    >>> new = GaussianNoise(0.5).augment(X, ["left", "right"], random_state=0)
    >>> (new.X - X).std(axis=2).round(1).tolist()
    [[0.5, 5.0, 49.7], [0.5, 5.0, 50.0]]
    """

    _input_ndim = (2, 3, 4)

    def __init__(self, scale: float = 0.1, *, n_copies: int = 1) -> None:
        self.scale = scale
        self.n_copies = n_copies

    def _check_settings(self) -> None:
        super()._check_settings()
        check_number(self.scale, "scale", self, low=0, high=100)

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        source = self._sources(rows)
        features = rows.data.ndim == 2
        deviation = rows.data.std(axis=0 if features else -1, keepdims=True, dtype=np.float64)
        new = rows.data[source]
        noise = rng.standard_normal(new.shape)
        noise *= self.scale * (deviation if features else deviation[source])
        new += noise.astype(new.dtype)
        return NewRows(new, source)
