"""The arguments of the MLP that an estimator's parameters give."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator


def mlp_settings(estimator: BaseEstimator) -> dict[str, Any]:
    """Return what `skbci.nets.MLP` needs besides shapes."""
    return {
        "hidden_layer_sizes": estimator.hidden_layer_sizes,
        "activation": estimator.activation,
        "dropout": estimator.dropout,
    }
