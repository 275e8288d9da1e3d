"""The network of a `MultiViewClassifier`."""

from __future__ import annotations

import numpy as np

from skbci.estimators._neural.base import TrainingRows
from skbci.estimators._neural_classifier import NeuralClassifier


class ViewsNetwork(NeuralClassifier):
    """A `NeuralClassifier` whose held-out rows are given.

    They were chosen before the views were fitted and rows added, neither of which they may see.
    """

    _held_out: np.ndarray | None = None

    def _split(
        self, rows: TrainingRows, target: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        if self._held_out is None:
            return np.arange(len(target)), None
        return np.flatnonzero(~self._held_out), np.flatnonzero(self._held_out)

    def fit_split(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None,
        held_out: np.ndarray | None,
    ) -> ViewsNetwork:
        """Train on the rows that are not held out."""
        self._held_out = held_out
        self._fit(X, y, weight, None)
        self._held_out = None
        return self
