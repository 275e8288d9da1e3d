"""Zero mean and unit variance, constant features included."""

from __future__ import annotations

import numpy as np

__all__ = ["standardized"]


def standardized(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale each feature to zero mean and unit variance; constant ones become zero.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_features)

    Returns
    -------
    scaled : ndarray, shape (n_rows, n_features)
    mean, spread : ndarray, shape (n_features,)
        What was subtracted, and divided by: 1 where a feature is constant.
    """
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    constant = spread <= 1e-12 * np.abs(rows).max(axis=0)
    spread = np.where(constant, 1.0, spread)
    scaled = (rows - mean) / spread
    scaled[:, constant] = 0.0
    return scaled, mean, spread
