"""What the estimators around other estimators share."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, Tags, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.validation import _check_method_params

from skbci._checks.labels import check_weighted_classes, label_column
from skbci._typing import Labels, Signals, Splitter
from skbci._weights import readable_weights
from skbci._whole import Undo, WholeFits, undo_all, undo_attributes, undo_training
from skbci.eegarray import EEGArray
from skbci.pipeline import last_step

# What reaches the inner fit without metadata routing, as in scikit-learn's own meta-estimators.
_ALWAYS = ("sample_weight", "groups")


class MetaClassifier(WholeFits, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier around others: their tags, and metadata on its way to their ``fit``.

    Children name their inner estimators in `_inner` and say with ``_remembers`` whether a row's
    result depends on the rows before it.
    """

    _remembers = False
    _takes_sparse = True

    def _inner(self) -> dict[str, Any]:
        raise NotImplementedError

    def _undo_training(self) -> Undo:
        names = [name + "_" for name in self._inner() if hasattr(self, name + "_")]
        inside = [undo_training(getattr(self, name)) for name in names]
        return undo_all([undo_attributes(self), *inside])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        parts = [get_tags(estimator) for estimator in self._inner().values()]
        first = parts[0]
        if first.classifier_tags is not None:
            tags.classifier_tags = copy.deepcopy(first.classifier_tags)
        tags.input_tags.three_d_array = first.input_tags.three_d_array
        tags.input_tags.sparse = self._takes_sparse and first.input_tags.sparse
        tags.input_tags.allow_nan = all(part.input_tags.allow_nan for part in parts)
        # scikit-learn has no tag for rows with a history; this one leaves out the checks that
        # shuffle the rows or take them one at a time.
        tags.non_deterministic = self._remembers or any(part.non_deterministic for part in parts)
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata the inner estimators get.

        Returns
        -------
        MetadataRouter
        """
        router = MetadataRouter(owner=type(self).__name__)
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for name, estimator in self._inner().items():
            router.add(**{name: estimator}, method_mapping=mapping)
        return router

    def _routed(
        self, y: Labels, params: Mapping[str, Any], groups: Labels | None = None
    ) -> Bunch:
        """Each inner estimator's share of what ``fit`` was given, ``groups`` if it asks for them.

        Without metadata routing, the argument is for the division of the rows alone, and groups
        in ``params`` are for the last step.

        Raises
        ------
        TypeError
            If it takes none.
        """
        label_column(y, None, self)
        if (weight := params.get("sample_weight")) is not None:
            readable_weights(weight)
        check_weighted_classes(self, y, weight)
        _raise_for_params(dict(params), self, "fit", allow=list(_ALWAYS))
        if _routing_enabled():
            if groups is not None and any(map(_asks_for_groups, self._inner().values())):
                params = {**params, "groups": groups}
            return process_routing(self, "fit", **params)
        shared = {key: value for key, value in params.items() if key != "groups"}
        given = params.get("groups")
        return Bunch(**{
            name: Bunch(fit=shared | self._share_of_groups(estimator, given))
            for name, estimator in self._inner().items()
        })

    def _share_of_groups(self, estimator: BaseEstimator, groups: Labels | None) -> dict[str, Any]:
        if groups is None:
            return {}
        route = route_to_learner(estimator, "groups")
        if route is None:
            learner = type(last_step(estimator)).__name__
            raise TypeError(
                f"{type(self).__name__}: groups were given, but {learner} takes none. They tell a "
                "network that stops early, or a splitter, whose rows are whose."
            )
        return {route: groups}


class DividesRows(MetaClassifier):
    """A classifier that divides its training rows by ``cv``, and is given groups for that."""

    cv: Splitter

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata the inner estimators get, and that ``fit`` takes ``groups``.

        Returns
        -------
        MetadataRouter
        """
        router = super().get_metadata_routing()
        if self.cv is None or _asks_for_groups(self.cv, "split"):
            mapping = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=GroupKFold(), method_mapping=mapping)
        return router


class AroundOneClassifier(MetaClassifier):
    """A classifier around one other, ``estimator``, fitted as ``estimator_``."""

    estimator: BaseEstimator
    estimator_: BaseEstimator

    def _inner(self) -> dict[str, Any]:
        return {"estimator": self.estimator}

    @property
    def classes_(self) -> np.ndarray:
        """The labels, in the order of the probabilities."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Size of the second axis of the input."""
        return self.estimator_.n_features_in_


def _asks_for_groups(part: Any, method: str = "fit") -> bool:
    """Whether metadata routing hands groups to a part of an estimator."""
    known = hasattr(part, "get_metadata_routing")
    return known and bool(get_routing_for_object(part).consumes(method, ["groups"]))


def route_to_learner(estimator: BaseEstimator, name: str) -> str | None:
    """Return what the last step's parameter is called in ``fit``; None where it takes none."""
    path = [name]
    while isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        path.insert(len(path) - 1, step)
    parameters = inspect.signature(estimator.fit).parameters
    kinds = [parameter.kind for parameter in parameters.values()]
    takes = name in parameters or inspect.Parameter.VAR_KEYWORD in kinds
    return "__".join(path) if takes else None


def params_of_rows(X: Signals, params: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Metadata of some rows."""
    return dict(_check_method_params(X, dict(params), indices=rows))


def can(method: str, *names: str) -> Callable[[BaseEstimator], bool]:
    """Whether all the named estimators, fitted where they are, have a method."""

    def check(self: BaseEstimator) -> bool:
        return all(
            hasattr(getattr(self, name + "_", getattr(self, name)), method) for name in names
        )

    return check


def has_partial_fit(estimator: BaseEstimator) -> bool:
    """Whether the estimator, or a pipeline's last step, can go on learning."""
    return hasattr(last_step(estimator), "partial_fit")


def take_rows(X: Signals, rows: np.ndarray) -> np.ndarray:
    """Return rows of an array, with their table where they have one."""
    return X[rows] if isinstance(X, EEGArray) else np.asarray(X)[rows]
