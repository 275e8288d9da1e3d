"""A running mean and spread that can be carried from chunk to chunk."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from skbci._usable import Unusable, report_unusable

# So many rows in succession, far off and alike, are no faults.
CONFIRMED = 10
NOT_COUNTED = "Such rows become zero and do not count for the running mean."

__all__ = ["NOT_COUNTED", "CenteringStream"]


class CenteringStream:
    r"""One session's running mean: what `CausalCentering` keeps between two chunks of rows.

    Parameters
    ----------
    forgetting : float
        Factor by which a row's weight falls with each later row.
    scale : bool
        Whether to divide by the running standard deviation.
    prior_rows : float
        How many rows the prior counts for when the session begins.
    prior_mean, prior_var : ndarray of the shape of a row
        Mean and variance that a session is expected to have.
    limit : ndarray of the shape of a row
        How far from the running mean a row may lie that counts for it.

    Attributes
    ----------
    n_rows_ : int
        Rows seen.
    """

    def __init__(
        self, forgetting: float, scale: bool, prior_rows: float, prior_mean: np.ndarray,
        prior_var: np.ndarray, limit: np.ndarray,
    ) -> None:
        self.forgetting, self.scale, self.prior_rows = forgetting, scale, prior_rows
        self.prior_mean, self.prior_var, self.limit = prior_mean, prior_var, limit
        self._aside: np.ndarray | None = None
        self._n_aside = 0
        self.n_rows_ = 0
        self._origin = self._sum = self._square = np.zeros_like(prior_mean)
        self._weight = np.zeros(())

    @property
    def mean_(self) -> np.ndarray:
        """Running mean, after the rows seen so far.

        Returns
        -------
        ndarray of the shape of a row
        """
        if self._weight == 0:
            raise ValueError("no rows yet: the running mean begins with the session's first row.")
        return self._origin + self._sum / self._weight

    def update(self, rows: np.ndarray) -> np.ndarray:
        """Take the session's next rows and center each by the rows up to it.

        Parameters
        ----------
        rows : ndarray, shape (n_rows, ...)
            In order of time; any number of them.

        Returns
        -------
        ndarray of float64, of the same shape
        """
        out, far = self.center(rows)
        found = Unusable(np.zeros_like(far), far)
        report_unusable(found, "CausalCentering", then=NOT_COUNTED, what="feature")
        return out

    def center(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Do what `update` does, and say what lies too far off instead of warning.

        Parameters
        ----------
        rows : ndarray, shape (n_rows, ...)
            In order of time.

        Returns
        -------
        out : ndarray of float64, of the same shape
        far : ndarray of bool, shape (n_rows, n_features)
        """
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim < 2 or rows.shape[1:] != self.prior_mean.shape:
            raise ValueError(
                f"rows of shape {self.prior_mean.shape} are needed, got an array of shape "
                f"{rows.shape}."
            )
        if len(rows) == 0:
            return rows.copy(), np.zeros((0, self.limit.size), dtype=bool)
        if self.n_rows_ == 0:
            self._begin(rows[0])
        center = self.mean_ if self._weight > 0 else rows[0]
        # Running means lie between this one and the rows: nothing then comes near the limit.
        with np.errstate(over="ignore", invalid="ignore"):
            near = (np.abs(rows - center) <= self.limit / 2).all()
        far = np.zeros((len(rows), self.limit.size), dtype=bool)
        if near:
            self._aside = None
            return self._counted(rows), far
        out = np.zeros_like(rows)
        for i in range(len(rows)):
            row = rows[i : i + 1]
            if self._weight > 0:
                far[i] = (np.abs(row[0] - self.mean_) > self.limit).reshape(-1)
            if far[i].any() and not self._is_shift(row[0]):
                self.n_rows_ += 1  # its place is the mean
                continue
            far[i] = False
            self._aside = None
            out[i : i + 1] = self._counted(row)
        return out, far

    def _is_shift(self, row: np.ndarray) -> bool:
        """Return whether so many rows have been far off, all alike, that the session has moved.

        The mean then begins anew.
        """
        if self._aside is None or (np.abs(row - self._aside) > self.limit).any():
            self._aside, self._n_aside = row.copy(), 0
        self._n_aside += 1
        if self._n_aside < CONFIRMED:
            return False
        self._begin(row)
        return True

    def _counted(self, rows: np.ndarray) -> np.ndarray:
        """Center rows that count for the mean."""
        self.n_rows_ += len(rows)
        apart = rows - self._origin
        weight, self._weight = self._accumulate(np.ones(len(rows)), self._weight)
        total, self._sum = self._accumulate(apart, self._sum)
        weight = weight.reshape(-1, *[1] * (rows.ndim - 1))
        mean = total / weight
        out = apart - mean
        if self.scale:
            square, self._square = self._accumulate(apart**2, self._square)
            spread = np.sqrt(np.maximum(square / weight - mean**2, 0))
            # Of one row, or of equal rows, there is nothing to divide by.
            rounding = 1e-7 * np.sqrt(square / weight)
            out = np.divide(out, spread, out=np.zeros_like(out), where=spread > rounding)
        return out

    def _begin(self, first: np.ndarray) -> None:
        # Sums are taken from the first row on: a large offset does not cost digits.
        self._origin = first.copy()
        apart = self.prior_mean - first
        self._weight = np.array(self.prior_rows)
        self._sum = self.prior_rows * apart
        self._square = self.prior_rows * (self.prior_var + apart**2)

    def _accumulate(self, values: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decaying sums after each row, and the last of them."""
        start = self.forgetting * np.asarray(before)[None]
        sums, _ = lfilter([1.0], [1.0, -self.forgetting], values, axis=0, zi=start)
        return sums, sums[-1].copy()
