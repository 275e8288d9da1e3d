"""scikit-learn's linear discriminant analysis, with its targets checked."""

from __future__ import annotations

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skbci._checks.labels import check_labels
from skbci._typing import Labels


class CheckedLDA(LinearDiscriminantAnalysis):
    """`LinearDiscriminantAnalysis` that refuses a single class whatever its solver."""

    def fit(self, X: np.ndarray, y: Labels) -> CheckedLDA:
        """Fit the classes' means and their covariance.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
            Features.
        y : array-like, shape (n_rows,)
            Labels.

        Returns
        -------
        CheckedLDA
        """
        return super().fit(X, check_labels(y, len(X), "LinearDiscriminantAnalysis"))
