"""Rows that begin a little earlier or later."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_positive
from skbci._checks.frequencies import resolve_sfreq
from skbci.augmentation._base import GivenRows, NewRows, RandomAugmentation


class TimeShift(RandomAugmentation):
    """Move a row's signals in time, all channels together.

    Parameters
    ----------
    max_seconds : float, default=0.1
        Largest shift; the shift is drawn from the whole numbers of samples, both ways, up to it,
        zero left out. Less than a row's length.
    n_copies : int, default=1
        New rows of each row.
    sfreq : float, optional
        Sampling rate in Hz. By default the `EEGArray`'s.

    Raises
    ------
    ValueError
        If no sampling rate is known, or ``max_seconds`` is less than one sample or not less than a
        row.

    Notes
    -----
    What moves in from beyond the row is not known: each channel's first or last value stands there
    (edge padding). Rolling would bring a jump into the row, and the end of the trial to its start.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(6.0).reshape(1, 1, 6)
    >>> new = TimeShift(0.2, sfreq=10, n_copies=4).augment(X, ["left"], random_state=0)
    >>> new.X[:, 0].astype(int).tolist()
    [[0, 0, 1, 2, 3, 4], [0, 0, 0, 1, 2, 3], [0, 0, 0, 1, 2, 3], [0, 0, 1, 2, 3, 4]]
    """

    def __init__(
        self, max_seconds: float = 0.1, *, n_copies: int = 1, sfreq: float | None = None
    ) -> None:
        self.max_seconds = max_seconds
        self.n_copies = n_copies
        self.sfreq = sfreq

    def _check_settings(self) -> None:
        super()._check_settings()
        check_positive(self.max_seconds, "max_seconds", self, unit="seconds")

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        sfreq = resolve_sfreq(self.sfreq, rows.X, self)
        n_times = rows.data.shape[-1]
        # A shift of a whole number of samples may be a rounding below it.
        most = int(min(self.max_seconds * sfreq + 1e-6, n_times))
        if not 0 < most < n_times:
            raise ValueError(
                f"{type(self).__name__}: max_seconds={self.max_seconds:g} is "
                f"{self.max_seconds * sfreq:.3g} samples at {sfreq:g} Hz; it must be at least one "
                f"sample and less than a row, which has {n_times}."
            )
        source = self._sources(rows)
        shift = rng.randint(1, most + 1, size=len(source)) * rng.choice([-1, 1], len(source))
        times = np.clip(np.arange(n_times) - shift[:, None], 0, n_times - 1)
        times = times.reshape(len(source), *[1] * (rows.data.ndim - 2), n_times)
        return NewRows(np.take_along_axis(rows.data[source], times, axis=-1), source)
