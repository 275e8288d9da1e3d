"""Evidence about a class that changes now and then."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax


def forward_filter(
    logs: np.ndarray, first: np.ndarray, change_rate: float, prior: np.ndarray
) -> np.ndarray:
    """Compute the class probabilities at each row from the rows of its window.

    Parameters
    ----------
    logs : ndarray, shape (n_rows, n_classes)
        Log-likelihoods of the rows, up to a constant a row.
    first : ndarray of int, shape (n_rows,)
        The first row of each row's window; does not decrease.
    change_rate : float
        Probability that a row's class is not that of the row before; the other classes are then
        as probable as ``prior`` says.
    prior : ndarray, shape (n_classes,)
        Class probabilities at the beginning of each window.

    Returns
    -------
    ndarray, shape (n_rows, n_classes)
        Rows sum to 1.
    """
    likelihood = softmax(logs, axis=1)
    moves = transitions(change_rate, prior)
    place = np.arange(len(logs))
    belief = np.tile(prior, (len(logs), 1))
    # All windows go through their rows at once, the last one last.
    for back in range(int((place - first).max()), -1, -1):
        rows = np.flatnonzero(place - back >= first)
        begins = (place[rows] - back == first[rows])[:, None]
        before = np.where(begins, belief[rows], belief[rows] @ moves)
        now = before * likelihood[rows - back]
        belief[rows] = now / now.sum(axis=1, keepdims=True)
    return belief


def transitions(change_rate: float, prior: np.ndarray) -> np.ndarray:
    """Probabilities of each class (column) after each class (row)."""
    others = np.tile(prior, (len(prior), 1))
    np.fill_diagonal(others, 0.0)
    moves = change_rate * others / others.sum(axis=1, keepdims=True)
    np.fill_diagonal(moves, 1.0 - change_rate)
    return moves
