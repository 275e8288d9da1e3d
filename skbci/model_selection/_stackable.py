"""Which estimators can be trained in a stack, as far as their parameters tell."""

from __future__ import annotations

import inspect

from sklearn.base import BaseEstimator

from skbci.estimators import MLPClassifier, MLPRegressor

# What a stacked fit looks at, one way or the other. Any other parameter (one that a later version
# adds, say) must have its default value for a fit to be stacked.
_KNOWN = {
    "activation", "augmentation", "batch_size", "class_weight", "criterion", "device", "dropout",
    "early_stopping", "hidden_layer_sizes", "lr", "max_epochs", "n_iter_no_change", "optimizer",
    "random_state", "standardize", "tol", "validation_fraction",
}
_DEFAULTS = {kind: inspect.signature(kind).parameters for kind in (MLPClassifier, MLPRegressor)}


def can_stack(estimator: BaseEstimator) -> bool:
    """Whether an estimator's parameters, as far as one sees before `fit`, allow for a stack."""
    defaults = _DEFAULTS.get(type(estimator))
    if defaults is None:
        return False
    if not isinstance(estimator.criterion, str):
        return False
    for name, value in estimator.get_params(deep=False).items():
        if name in _KNOWN or name.startswith(("optimizer__", "augmentation__")):
            continue
        if name not in defaults or not _same(value, defaults[name].default):
            return False
    return True


def _same(value: object, default: object) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))
