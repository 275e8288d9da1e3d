"""The skorch net of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from torch import Tensor

from skbci._training.net import SlicingNet


class ClassifierNet(ClassifierMixin, SlicingNet):
    """A net over class indices that scikit-learn's scorers, in skorch's callbacks, understand."""

    def __init__(self, *args: Any, n_classes: int, **kwargs: Any) -> None:
        self.n_classes = n_classes
        super().__init__(*args, **kwargs)

    @property
    def classes_(self) -> np.ndarray:
        """Class indices; the labels are the estimator's business."""
        return np.arange(self.n_classes)

    def predict(self, X: np.ndarray | Tensor) -> np.ndarray:
        """Return the most probable class index of each row."""
        return self.predict_proba(X).argmax(axis=1)
