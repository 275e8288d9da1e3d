"""A step that passes everything through, whatever its dimensions."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from skbci._typing import Names
from skbci.baselines._checked.container import KeepsContainer


class Unchanged(KeepsContainer, FunctionTransformer):
    """scikit-learn's `FunctionTransformer` without a function, for signals, too."""

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Return the names as they came.

        Parameters
        ----------
        input_features : sequence of str, optional

        Returns
        -------
        ndarray of str
        """
        if input_features is None:
            input_features = [f"x{k}" for k in range(self.n_features_in_)]
        return np.asarray(input_features, dtype=object)
