"""pyRiemann's minimum distance to mean after geodesic filtering, with its targets checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from pyriemann.classification import FgMDM

from skbci._checks.labels import check_labels
from skbci._typing import Labels, Names


class CheckedFgMDM(FgMDM):
    """`pyriemann.classification.FgMDM` that takes lists of labels and refuses a single class."""

    def fit(
        self, X: np.ndarray, y: Labels, sample_weight: ArrayLike | None = None
    ) -> CheckedFgMDM:
        """Find the geodesic filter, and each class's mean of filtered covariances.

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
        CheckedFgMDM
        """
        return super().fit(X, check_labels(y, len(X), "FgMDM"), sample_weight)

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
