"""Another package's transformer, without the loss of the rows' table."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from skbci._checks import check_fits
from skbci._checks.eeg import as_eeg
from skbci._eegarray.rows import carry_rows
from skbci._typing import Labels, Names, Signals
from skbci._whole import WholeFits

__all__ = ["KeepRows"]


def _has(method: str) -> Callable[[KeepRows], bool]:
    def check(self: KeepRows) -> bool:
        return hasattr(getattr(self, "transformer_", self.transformer), method)

    return check


class KeepRows(WholeFits, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Pass the row table of a transformer's input on to its output.

    scikit-learn's transformers return bare arrays. What comes after them no longer knows which
    subject, session or run a row is of: a network's early stopping would hold out the last rows
    instead of whole subjects. Wrapped in this, the table flows on.

    Parameters
    ----------
    transformer : transformer
        Gives as many rows as it takes, such as `sklearn.decomposition.PCA`; a clone is fitted.

    Attributes
    ----------
    transformer_ : transformer
        The fitted one.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the transformer gives another number of rows.

    See Also
    --------
    skbci.make_pipeline : Does it for every step of a pipeline.

    Notes
    -----
    Plain arrays come back plain. Sampling rate and channel names are not passed on, since the
    features are no channels any more.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbci.datasets import make_eye_state
    >>> from skbci.features import BandEnergy, KeepRows
    >>> eeg = make_eye_state(n_subjects=2, duration=20.0, random_state=0)
    >>> features = make_pipeline(BandEnergy(log=True), KeepRows(PCA(5))).fit_transform(eeg.X)
    >>> features.shape[1], features.metadata["subject"].unique().tolist()
    (5, [1, 2])
    """

    def __init__(self, transformer: BaseEstimator) -> None:
        self.transformer = transformer

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        for part in ("input_tags", "target_tags", "transformer_tags"):
            setattr(tags, part, copy.deepcopy(getattr(inner, part)))
        tags.non_deterministic = inner.non_deterministic
        tags.requires_fit = True
        return tags

    @property
    def n_features_in_(self) -> int:
        """Size of the second axis of the input."""
        return self.transformer_.n_features_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata the transformer gets.

        Returns
        -------
        MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=type(self).__name__).add(
            transformer=self.transformer, method_mapping=mapping
        )

    def fit(self, X: Signals, y: Labels | None = None, **params: Any) -> KeepRows:
        """Fit the transformer.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, optional
            Labels.
        **params
            Passed on, or, with metadata routing, what the transformer requests.

        Returns
        -------
        self
        """
        check_fits(self.transformer, "transformer", self, and_has="transform")
        given = process_routing(self, "fit", **params)["transformer"].fit if (
            params and _routing_enabled()) else params
        self.transformer_ = clone(self.transformer).fit(as_eeg(X), y, **given)
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Transform, and keep the rows' table.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray, or EEGArray where X is one
        """
        check_is_fitted(self)
        X = as_eeg(X)
        return self._with_table(X, self.transformer_.transform(X))

    @available_if(_has("inverse_transform"))
    def inverse_transform(self, X: Signals) -> np.ndarray:
        """Take the transformation back, and keep the rows' table.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, n_features_out)
            Transformed rows.

        Returns
        -------
        ndarray, or EEGArray where X is one
        """
        check_is_fitted(self)
        return self._with_table(X, self.transformer_.inverse_transform(X))

    @available_if(_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Return the transformer's names of its features.

        Parameters
        ----------
        input_features : array-like of str, optional

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    def _with_table(self, X: Signals, out: np.ndarray) -> np.ndarray:
        if not isinstance(out, np.ndarray):
            return out  # a data frame by set_output, or a sparse matrix
        if len(out) != (n_rows := _num_samples(X)):
            raise ValueError(
                f"KeepRows: {type(self.transformer_).__name__} gave {len(out)} rows for {n_rows}, "
                "so that the table's rows would not fit."
            )
        return carry_rows(X, np.asarray(out), sfreq=None, ch_names=None)
