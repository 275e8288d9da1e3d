"""pyRiemann's covariances and tangent space, with names of what they give."""

from __future__ import annotations

import numpy as np
from pyriemann.estimation import Covariances
from pyriemann.tangentspace import TangentSpace

from skbci._typing import Names
from skbci.baselines._checked.container import KeepsContainer


class NamedCovariances(KeepsContainer, Covariances):
    """`pyriemann.estimation.Covariances`, which says of which channels its matrices are."""

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Return the names of the matrices' rows: of the channels, as they came.

        Parameters
        ----------
        input_features : sequence of str

        Returns
        -------
        ndarray of str, shape (n_channels,)
        """
        return np.asarray([] if input_features is None else input_features, dtype=object)


class NamedTangentSpace(TangentSpace):
    """`pyriemann.tangentspace.TangentSpace`, whose columns have names."""

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Name the columns by pairs of the matrices' rows, such as ``component0-component1``.

        Parameters
        ----------
        input_features : object
            Ignored, since a data frame's columns are named without.

        Returns
        -------
        ndarray of str, shape (n_channels * (n_channels + 1) / 2,)
        """
        pairs = zip(*np.triu_indices(len(self.reference_)))
        return np.asarray([f"component{i}-component{j}" for i, j in pairs], dtype=object)
