"""pyRiemann's xDAWN covariances, with their targets checked."""

from __future__ import annotations

import numpy as np
from pyriemann.estimation import XdawnCovariances

from skbci._checks import check_count
from skbci._checks.labels import check_labels
from skbci._typing import Labels, Names
from skbci.baselines._checked.container import KeepsContainer


class CheckedXdawnCovariances(KeepsContainer, XdawnCovariances):
    """`pyriemann.estimation.XdawnCovariances` that takes lists of labels and refuses one class."""

    def fit(self, X: np.ndarray, y: Labels) -> CheckedXdawnCovariances:
        """Estimate each class's spatial filters and mean response.

        Parameters
        ----------
        X : ndarray, shape (n_rows, n_channels, n_times)
            Signals.
        y : array-like, shape (n_rows,)
            Labels.

        Returns
        -------
        CheckedXdawnCovariances
        """
        check_count(self.nfilter, "nfilter", "XdawnCovariances")
        labels = check_labels(y, len(X), "XdawnCovariances")
        self.n_times_ = np.shape(X)[-1]
        super().fit(np.asarray(X, dtype=np.float64), labels)
        self.n_components_ = self.transform(X[:1]).shape[-1]
        return self

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Name the rows of the matrices: mean responses and filtered signals, one by one.

        Parameters
        ----------
        input_features : object
            Ignored, exists for compatibility.

        Returns
        -------
        ndarray of str, shape (n_components,)
        """
        return np.asarray([f"xdawn{k}" for k in range(self.n_components_)], dtype=object)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Covariances of the filtered row and the mean responses, stacked.

        Parameters
        ----------
        X : ndarray, shape (n_rows, n_channels, n_times)
            Signals.

        Returns
        -------
        ndarray, shape (n_rows, n_components, n_components)
        """
        if np.shape(X)[-1] != self.n_times_:
            raise ValueError(
                f"X has {np.shape(X)[-1]} time samples a row, but XdawnCovariances was fitted "
                f"with {self.n_times_}: epochs must be as long as in fit."
            )
        return super().transform(np.asarray(X, dtype=np.float64))
