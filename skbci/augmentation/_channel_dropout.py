"""Electrodes that have lost contact."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_number
from skbci.augmentation._base import GivenRows, NewRows, RandomAugmentation


class ChannelDropout(RandomAugmentation):
    """Set whole channels of a row to zero.

    Parameters
    ----------
    p : float, default=0.2
        Probability of each channel of each row, in [0, 1). In rows with an axis of bands, a
        channel is lost in all of them. One channel, drawn, is left where all would be lost.
    n_copies : int, default=1
        New rows of each row.

    Notes
    -----
    `skbci.estimators.DecoderPipeline`, and so the pipelines of `skbci.baselines`, sets rows with a
    flat channel aside, with a warning; ``on_bad_rows="ignore"`` lets it learn from them.

    Examples
    --------
    >>> import numpy as np
    >>> new = ChannelDropout(0.5).augment(np.ones((3, 4, 8)), [0, 1, 0], random_state=0)
    >>> new.X[..., 0].tolist()
    [[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 1.0]]
    """

    def __init__(self, p: float = 0.2, *, n_copies: int = 1) -> None:
        self.p = p
        self.n_copies = n_copies

    def _check_settings(self) -> None:
        super()._check_settings()
        check_number(self.p, "p", self, low=0, high=1, closed="left")

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        source = self._sources(rows)
        new = rows.data[source]
        n_channels = new.shape[-2]
        lost = rng.random_sample((len(new), n_channels)) < self.p
        left = rng.randint(n_channels, size=len(new))
        whole = np.flatnonzero(lost.all(axis=1))
        lost[whole, left[whole]] = False
        row, channel = np.nonzero(lost)
        new[row, ..., channel, :] = 0
        return NewRows(new, source)
