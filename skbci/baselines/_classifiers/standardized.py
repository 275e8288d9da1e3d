"""Zero mean and unit variance, constant features included."""

from __future__ import annotations

import numpy as np

__all__ = ["standardized"]


def standardized(
    rows: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale each feature to zero mean and unit variance; constant ones become zero.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_features)
    weight : ndarray, shape (n_rows,), optional
        How much each row counts.

    Returns
    -------
    scaled : ndarray, shape (n_rows, n_features)
    mean, spread : ndarray, shape (n_features,)
        What was subtracted, and divided by: 1 where a feature is constant.
    """
    if weight is None:
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
    else:
        mean = np.average(rows, axis=0, weights=weight)
        spread = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight))
    constant = spread <= 1e-12 * np.abs(rows).max(axis=0)
    spread = np.where(constant, 1.0, spread)
    scaled = (rows - mean) / spread
    scaled[:, constant] = 0.0
    return scaled, mean, spread
