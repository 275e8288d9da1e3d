"""What a search delegates to its best candidate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbci._typing import Labels, Signals
from skbci._whole import WholeFits
from skbci.model_selection._sklearn import routing_enabled

_ROUTED = (
    "fit", "predict", "predict_proba", "decision_function", "transform", "inverse_transform",
    "score",
)


def _has(method: str) -> Callable[[BaseEstimator], bool]:
    return lambda self: hasattr(getattr(self, "best_estimator_", self.estimator), method)


class BestCandidate(WholeFits, MetaEstimatorMixin, BaseEstimator):
    """Tags of the estimator, methods of ``best_estimator_``, and metadata on its way there."""

    estimator: BaseEstimator
    best_estimator_: BaseEstimator

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator)
        tags.estimator_type = own.estimator_type
        tags.classifier_tags = own.classifier_tags
        tags.regressor_tags = own.regressor_tags
        tags.target_tags = own.target_tags
        tags.input_tags = own.input_tags
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata the estimator gets.

        Returns
        -------
        MetadataRouter
        """
        mapping = MethodMapping()
        for method in _ROUTED:
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator, method_mapping=mapping
        )

    def _routed(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """What the estimator's method gets of the metadata."""
        if not routing_enabled():
            return params
        return process_routing(self, method, **params).estimator[method]

    @property
    def classes_(self) -> np.ndarray:
        """The labels."""
        return self._best("classes_")

    @property
    def n_features_in_(self) -> int:
        """Size of the second axis of the input."""
        return self._best("n_features_in_")

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the input had some."""
        return self._best("feature_names_in_")

    def _best(self, attribute: str) -> Any:
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(f"{type(self).__name__} has no {attribute} before fit.")
        return getattr(self.best_estimator_, attribute)

    def _call(self, method: str, *args: Any, **params: Any) -> Any:
        check_is_fitted(self, "best_estimator_")
        return getattr(self.best_estimator_, method)(*args, **self._routed(method, params))

    @available_if(_has("predict"))
    def predict(self, X: Signals, **params: Any) -> np.ndarray:
        """Return the best candidate's predictions.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        **params : dict
            What else the estimator's method takes, such as ``task``.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_targets)
        """
        return self._call("predict", X, **params)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Signals, **params: Any) -> np.ndarray:
        """Return the best candidate's probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        **params : dict
            What else the estimator's method takes, such as ``task``.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._call("predict_proba", X, **params)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Signals, **params: Any) -> np.ndarray:
        """Return the best candidate's decision values.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        **params : dict
            What else the estimator's method takes, such as ``task``.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_classes)
        """
        return self._call("decision_function", X, **params)

    @available_if(_has("transform"))
    def transform(self, X: Signals, **params: Any) -> np.ndarray:
        """Return the best candidate's latent.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        **params : dict
            What else the estimator's method takes, such as ``task``.

        Returns
        -------
        ndarray, shape (n_rows, n_latent)
        """
        return self._call("transform", X, **params)

    @available_if(_has("inverse_transform"))
    def inverse_transform(self, X: Signals, **params: Any) -> np.ndarray:
        """Return the best candidate's reconstruction of a latent.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_latent)
        **params : dict
            What else the estimator's method takes.

        Returns
        -------
        ndarray, shape (n_rows, ...)
        """
        return self._call("inverse_transform", X, **params)

    @available_if(_has("score"))
    def score(self, X: Signals, y: Labels, **params: Any) -> float:
        """Return the best candidate's score: accuracy of classifiers, R² of regressors.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
        **params : dict
            ``sample_weight`` and what else the estimator's method takes.

        Returns
        -------
        float
        """
        return self._call("score", X, y, **params)
