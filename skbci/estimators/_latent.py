"""What the named networks add: epochs in, a latent out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skbci._validation import as_eeg, carry_rows
from skbci.estimators._base import TrainingRows
from skbci.estimators._base_multi_head import BaseMultiHeadClassifier
from skbci.estimators._head_losses import as_heads
from skbci.estimators._torch_state import one_thread


class LatentClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseMultiHeadClassifier
):
    """A classifier of epochs that is also a transformer to its network's latent.

    Rows x times of one channel are taken as epochs, too.
    """

    _route_prefixes = ("module", "optimizer", "callbacks", "losses", "loss_weighting")
    _latent_head: str
    _paper_losses: dict[str, str]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        # Rows of features are read as a channel's samples in time, with weights of bounded norm.
        tags.classifier_tags.poor_score = True
        return tags

    def transform(self, X: Any) -> np.ndarray:
        """Give the latent that the classifier sees.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.

        Returns
        -------
        ndarray or EEGArray of float32, shape (n_rows, latent_dim)
            With the row table of an `EEGArray`.
        """
        check_is_fitted(self, "net_")
        with one_thread():
            out = self._apply(self._latent, self._input_rows(X))
        return carry_rows(
            as_eeg(X), out.cpu().numpy(), sfreq=None, ch_names=None, tmin=0.0, info=None
        )

    @property
    def _n_features_out(self) -> int:
        return self.net_.module_.classifier.in_features

    def _losses_or_none(self) -> Any:
        return self._paper_losses if self.losses is None else self.losses

    def _logits(self, module: Any, X: Tensor) -> Tensor:
        return as_heads(module(X))[0]

    def _latent(self, module: Any, X: Tensor) -> Tensor:
        return as_heads(module(X))[module.head_names.index(self._latent_head)]

    def _output(self, X: Any) -> Tensor:
        check_is_fitted(self, "net_")
        with one_thread():
            return self._apply(self._logits, self._input_rows(X))

    def _apply(self, function: Any, X: Tensor) -> Tensor:
        # Rows of features are few and small: a row's output shall not depend on its neighbours'.
        return self.net_.in_pieces(X, function, double=self._takes_features())

    def _takes_features(self) -> bool:
        return len(self.input_shape_) == 1 and self.device == "cpu"

    def _fits_one_batch(self, data: np.ndarray, train: np.ndarray) -> bool:
        small = self.batch_size == -1 or len(train) <= self.batch_size
        return small and self._takes_features()

    def _count_rows(
        self,
        rows: TrainingRows,
        target: np.ndarray,
        weight: np.ndarray | None,
        train: np.ndarray,
        valid: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        weight, train, valid = super()._count_rows(rows, target, weight, train, valid)
        if self._fits_one_batch(rows.data, train):
            # Nor shall rounding know the rows' order: a bias beneath a batch normalization has a
            # gradient of rounding errors only, of which Adam makes whole steps.
            flat = rows.data[train].reshape(len(train), -1)
            train = train[np.lexsort((*flat.T, target[train]))]
        return weight, train, valid

    def _settings_of(self, *names: str) -> dict[str, Any]:
        """Give arguments of the network, over which ``module__...`` routes go."""
        return {**{name: getattr(self, name) for name in names}, **self._route("module")}

