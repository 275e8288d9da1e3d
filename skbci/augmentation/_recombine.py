"""Artificial trials out of the pieces of others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci._checks import check_count
from skbci.augmentation._base import GivenRows, NewRows, RandomAugmentation
from skbci.augmentation._partners import check_by, pools


class Recombine(RandomAugmentation):
    """Cut rows in time, and put segments of several rows of one class together.

    Parameters
    ----------
    n_segments : int, default=8
        Pieces that the time axis is cut into, of equal length but for one sample. At least 2.
    by : str, sequence of str or None, default="subject"
        Columns of the rows' table that mixed rows share: ``"subject"``, ``"session"``, ``"run"``
        or any other. None, and rows without a table: none.
    n_copies : int, default=1
        New rows of each row.

    Raises
    ------
    ValueError
        If rows have fewer times than ``n_segments``, or no two rows share class and ``by``.

    Notes
    -----
    A new row begins with its source's first segment; each of the others is drawn from the rows
    that share the source's class and ``by``, the source included, and keeps its place in time
    [1]_. A row that shares them with no other gives no new one.

    References
    ----------
    .. [1] F. Lotte (2015). Signal Processing Approaches to Minimize or Suppress Calibration Time
       in Oscillatory Activity-Based Brain-Computer Interfaces. Proceedings of the IEEE 103(6),
       871-890. doi:10.1109/JPROC.2015.2404941, section IV.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.repeat(np.arange(4.0), 6).reshape(4, 1, 6)
    >>> new = Recombine(3).augment(X, ["left", "left", "right", "right"], random_state=0)
    >>> new.X[:, 0].astype(int).tolist()
    [[0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 0, 0], [2, 2, 3, 3, 3, 3], [3, 3, 3, 3, 3, 3]]
    """

    needs_classes = True

    def __init__(
        self, n_segments: int = 8, *, by: str | Sequence[str] | None = "subject",
        n_copies: int = 1,
    ) -> None:
        self.n_segments = n_segments
        self.by = by
        self.n_copies = n_copies

    def _check_settings(self) -> None:
        super()._check_settings()
        check_count(self.n_segments, "n_segments", self, low=2)
        check_by(self.by, type(self).__name__)

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        name = type(self).__name__
        n_rows, n_times = len(rows.data), rows.data.shape[-1]
        if self.n_segments > n_times:
            raise ValueError(
                f"{name}: n_segments={self.n_segments} is more than the {n_times} time samples of "
                "a row."
            )
        source = self._sources(rows)
        drawn = np.tile(source[:, None], (1, self.n_segments))
        alone = np.zeros(n_rows, dtype=bool)
        for pool in pools(rows.X, n_rows, self.by, name):
            for label in np.unique(rows.y[pool]):
                members = pool[rows.y[pool] == label]
                alone[members] = len(members) == 1
                subset = np.flatnonzero(np.isin(source, members))
                drawn[subset, 1:] = rng.choice(members, (len(subset), self.n_segments - 1))
        if alone.all():
            shared = "a class" if self.by is None else f"a class and by={self.by!r}"
            raise ValueError(f"{name}: no two of the {n_rows} rows share {shared}.")
        drawn, source = drawn[~alone[source]], source[~alone[source]]
        new = np.empty((len(source), *rows.data.shape[1:]), rows.data.dtype)
        for at, times in enumerate(np.array_split(np.arange(n_times), self.n_segments)):
            piece = slice(times[0], times[-1] + 1)
            new[..., piece] = rows.data[drawn[:, at], ..., piece]
        return NewRows(new, source)
