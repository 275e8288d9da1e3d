"""Classifiers by distances to the classes' mean covariances: what they check and give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks.labels import check_labels
from skbci._typing import Labels, Names

__all__ = ["CheckedDistances"]


class CheckedDistances:
    """Mixin that takes lists of labels, refuses a single class, and names the distances."""

    if TYPE_CHECKING:
        classes_: np.ndarray

    def fit(self, X: np.ndarray, y: Labels, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate each class's mean covariance; FgMDM finds its geodesic filter first.

        Parameters
        ----------
        X : ndarray, shape (n_rows, n_channels, n_channels)
            Covariance matrices.
        y : array-like, shape (n_rows,)
            Labels.
        sample_weight : ndarray, shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        self
        """
        parent: Any = super()
        name = type(self).__name__.removeprefix("Checked")
        return parent.fit(X, check_labels(y, len(X), name), sample_weight)

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Name the distances that ``transform`` gives by their classes.

        Parameters
        ----------
        input_features : object
            Ignored, exists for compatibility.

        Returns
        -------
        ndarray of str, shape (n_classes,)
        """
        return np.asarray([f"distance_{label}" for label in self.classes_], dtype=object)
