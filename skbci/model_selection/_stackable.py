"""Which fits can be trained in a stack, and how to stop a fit right before its training."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

import torch

from skbci._training import Member, Rows, SlicingNet
from skbci.estimators import MLPClassifier, MLPRegressor

# What a stacked fit looks at, one way or the other. Any other parameter (one that a later version
# adds, say) must have its default value for a fit to be stacked.
_KNOWN = {
    "activation", "batch_size", "class_weight", "criterion", "device", "dropout",
    "early_stopping", "hidden_layer_sizes", "lr", "max_epochs", "n_iter_no_change", "optimizer",
    "random_state", "standardize", "tol", "validation_fraction",
}
_DEFAULTS = {kind: inspect.signature(kind).parameters for kind in (MLPClassifier, MLPRegressor)}


def can_stack(estimator: Any) -> bool:
    """Whether an estimator's parameters, as far as one sees before `fit`, allow for a stack."""
    defaults = _DEFAULTS.get(type(estimator))
    if defaults is None:
        return False
    if not isinstance(estimator.criterion, str):
        return False
    for name, value in estimator.get_params(deep=False).items():
        if name in _KNOWN or name.startswith("optimizer__"):
            continue
        if name not in defaults or not _same(value, defaults[name].default):
            return False
    return True


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def record(estimator: Any, fit: Callable[[], Any]) -> Member | None:
    """Run ``fit`` up to the training of ``estimator``'s net.

    All validation, encoding, splitting and seeding is the estimator's own code. If ``fit`` never
    comes to a training the estimator is fitted as usual, and None is given.
    """
    found: list[Member] = []
    start = time.perf_counter()
    estimator._net_class = _Stopping(type(estimator)._net_class, estimator, found)
    try:
        fit()
    finally:
        del estimator._net_class
    for member in found:
        member.seconds = time.perf_counter() - start
    return found[0] if found else None


class _Stopping:
    """Builds nets that note their training's arguments instead of training."""

    def __init__(self, kind: type[SlicingNet], estimator: Any, found: list[Member]) -> None:
        self.kind = kind
        self.estimator = estimator
        self.found = found

    def __call__(self, *args: Any, **kwargs: Any) -> SlicingNet:
        net = self.kind(*args, **kwargs)

        def note(train: Rows, valid: Rows | None = None, double: bool = False) -> SlicingNet:
            del net.__dict__["fit_tensors"]
            state = torch.get_rng_state()
            self.found.append(Member(self.estimator, net, train, valid, double, state))
            return net

        net.__dict__["fit_tensors"] = note
        return net
