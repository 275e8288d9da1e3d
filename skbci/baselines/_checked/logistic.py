"""scikit-learn's logistic regression, with its targets checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression

from skbci._checks import check_positive
from skbci._checks.labels import check_labels
from skbci._typing import Labels


class CheckedLogisticRegression(LogisticRegression):
    """`LogisticRegression` that names the rows whose labels are missing."""

    def fit(
        self, X: np.ndarray, y: Labels, sample_weight: ArrayLike | None = None
    ) -> CheckedLogisticRegression:
        """Fit the weights.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
            Features.
        y : array-like, shape (n_rows,)
            Labels.
        sample_weight : array-like, shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        CheckedLogisticRegression
        """
        check_positive(self.C, "C", "LogisticRegression")
        return super().fit(X, check_labels(y, len(X), "LogisticRegression"), sample_weight)
