"""Weights that stay."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from skbci._checks import check_array, refusal
from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence


class FixedWeights(WeightingPolicy):
    """Weights as given, from the first batch to the last.

    Parameters
    ----------
    weights : sequence of K floats, or None, default=None
        Not negative, with a positive sum; scaled to sum to K. None: all one.

    Examples
    --------
    >>> FixedWeights((1, 1, 4)).start(3).weights_.tolist()
    [0.5, 0.5, 2.0]
    """

    acts_on = "never"

    def __init__(self, weights: Sequence[float] | None = None) -> None:
        if weights is not None:
            of = "one number for each loss, not negative and not all zero"
            array = check_array(weights, "weights", self, 1, of)
            if not ((array >= 0).all() and array.sum() > 0):
                raise ValueError(refusal(weights, "weights", self, f"must be {of}"))
        self.weights = weights

    def _start(self, n_losses: int) -> None:
        if self.weights is None:
            return
        if len(self.weights) != n_losses:
            raise ValueError(
                f"FixedWeights: weights={self.weights!r} has {len(self.weights)} entries for "
                f"{n_losses} losses."
            )
        self.weights_ = rescale(self.weights)

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Return the same weights again."""
        return self.weights_
