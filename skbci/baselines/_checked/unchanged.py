"""A step that passes everything through, whatever its dimensions."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from skbci._typing import Names


class Unchanged(FunctionTransformer, auto_wrap_output_keys=None):  # type: ignore[call-arg]
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

    def set_output(self, *, transform: str | None = None) -> Unchanged:
        """Leave the container as it is.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional

        Returns
        -------
        self
        """
        return self
