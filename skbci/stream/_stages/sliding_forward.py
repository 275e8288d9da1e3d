"""The forward recursion of a hidden Markov model over a window that moves on."""

from __future__ import annotations

from collections import deque

import numpy as np

__all__ = ["SlidingForward"]


class SlidingForward:
    """Class probabilities after the last rows, at a cost that does not grow with their number.

    Leaving out the oldest row changes every step of the recursion. Products of its matrices are
    therefore kept in two stacks, newer rows from the left and older ones from the right, so that a
    row costs a few products on average.

    Parameters
    ----------
    moves : ndarray, shape (n_classes, n_classes)
        Probabilities of each class (column) after each class (row).
    prior : ndarray, shape (n_classes,)
        Class probabilities before the window's first row.
    """

    def __init__(self, moves: np.ndarray, prior: np.ndarray) -> None:
        self.moves, self.prior = moves, prior
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._rows: deque[np.ndarray] = deque()
        self._newer: list[np.ndarray] = []
        self._older: list[np.ndarray] = []
        self._product = np.eye(len(self.prior))

    def push(self, likelihood: np.ndarray) -> None:
        """Take the next row's likelihoods, shape (n_classes,)."""
        if self._rows:
            step = self.moves * likelihood
            self._newer.append(step)
            self._product = _scaled(self._product @ step)
        self._rows.append(likelihood)

    def pop(self) -> None:
        """Leave out the oldest row; the window then begins at the next one."""
        self._rows.popleft()
        if not self._rows:
            return
        if not self._older:
            product = np.eye(len(self.prior))
            for step in reversed(self._newer):
                product = _scaled(step @ product)
                self._older.append(product)
            self._newer, self._product = [], np.eye(len(self.prior))
        self._older.pop()

    def belief(self) -> np.ndarray:
        """Compute the class probabilities at the last row."""
        now = self.prior * self._rows[0]
        if self._older:
            now = now @ self._older[-1]
        now = now @ self._product
        return now / now.sum()


def _scaled(product: np.ndarray) -> np.ndarray:
    return product / product.max()
