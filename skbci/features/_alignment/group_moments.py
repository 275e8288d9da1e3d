"""Means and variances of groups of rows, which further rows can be added to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from skbci._eegarray.groups import Key

__all__ = ["Moments", "nearest_relatives"]

T = TypeVar("T")


@dataclass(frozen=True)
class Moments:
    """Sum of the rows' weights, mean and variance, the latter two of the shape of a row."""

    weight: float
    mean: np.ndarray
    var: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, weight: np.ndarray | None = None) -> Moments:
        """Moments of rows, in double precision."""
        if weight is None:
            mean = rows.mean(axis=0, dtype=np.float64)
            return cls(float(len(rows)), mean, np.square(rows - mean).mean(axis=0))
        total = float(weight.sum())
        mean = np.average(rows, axis=0, weights=weight)
        return cls(total, mean, np.average(np.square(rows - mean), axis=0, weights=weight))

    def plus(self, other: Moments) -> Moments:
        """Moments of both parts' rows [1]_.

        References
        ----------
        .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise
           algorithm for computing sample variances", COMPSTAT, 1982.
        """
        total = self.weight + other.weight
        share = other.weight / total
        apart = other.mean - self.mean
        var = (1 - share) * self.var + share * other.var + share * (1 - share) * apart**2
        return Moments(total, self.mean + share * apart, var)

    def towards(self, prior: Moments, share: float) -> Moments:
        """Mixture with another group's moments, of which these have a share."""
        return Moments(
            self.weight,
            (1 - share) * prior.mean + share * self.mean,
            (1 - share) * prior.var + share * self.var,
        )


def nearest_relatives(of_groups: dict[Key, T], key: Key) -> list[T]:
    """Return what is known of a group's nearest relatives, itself left out if there are others.

    Of a new session these are the same subject's sessions, of a new subject everybody.
    """
    others = {other: known for other, known in of_groups.items() if other != key}
    for depth in range(len(key), -1, -1):
        related = [known for other, known in others.items() if other[:depth] == key[:depth]]
        if related:
            return related
    return list(of_groups.values())
