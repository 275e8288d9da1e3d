"""Whether what a row gives depends on the rows before it."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skbci.estimators._meta.cascade import CascadeClassifier
from skbci.estimators._meta.evidence import EvidenceAccumulator
from skbci.features import CausalCentering, EuclideanAlignment, RiemannianRecentering
from skbci.pipeline import last_step

__all__ = ["holds_cascade", "may_look_back"]

_LOOK_BACK = (
    CascadeClassifier, CausalCentering, EuclideanAlignment, EvidenceAccumulator,
    RiemannianRecentering,
)


def may_look_back(estimator: Any) -> bool:
    """Say whether a step goes by earlier rows, or is of a package that may."""
    if isinstance(estimator, Pipeline):
        return any(may_look_back(step) for _, step in estimator.steps)
    if estimator in ("passthrough", None):
        return False
    package = type(estimator).__module__.split(".")[0]
    if isinstance(estimator, (*_LOOK_BACK, FunctionTransformer)) or (
        package not in ("sklearn", "skbci")
    ):
        return True
    inner = estimator.get_params(deep=True).values()  # of voting, stacking, wrappers
    return any(may_look_back(part) for part in inner if isinstance(part, BaseEstimator))


def holds_cascade(estimator: Any) -> bool:
    """Whether an estimator is a cascade, or holds one in its last step."""
    last = last_step(estimator)
    inner = getattr(last, "estimator", None)
    return isinstance(last, CascadeClassifier) or (inner is not None and holds_cascade(inner))
