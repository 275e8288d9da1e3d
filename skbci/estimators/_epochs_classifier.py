"""What the networks of epochs have in common, feature rows among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from skbci.estimators._base import TrainingRows
from skbci.estimators._base_multi_head import BaseMultiHeadClassifier


class EpochsClassifier(BaseMultiHeadClassifier):
    """A classifier of epochs; rows x times of one channel are taken as epochs, too."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Rows of features are read as a channel's samples in time, with weights of bounded norm.
        tags.classifier_tags.poor_score = True
        return tags

    def _apply(self, function: Any, X: Tensor) -> Tensor:
        # Rows of features are few and small: in double precision, whatever theirs is.
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
