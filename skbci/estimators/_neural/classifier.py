"""Base of the classifying networks: labels, class weights and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback
from torch import Tensor

from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_class_weight, check_classes, check_labels
from skbci._training import (
    ACCURACY,
    CLASSIFICATION,
    ClassifierNet,
    LossPlan,
    OneLoss,
    PlateauLR,
    ValidAccuracy,
    class_probabilities,
)
from skbci._typing import ClassWeight, Labels, Signals
from skbci.estimators import _setting_types as like
from skbci.estimators._neural.base import BaseNeural
from skbci.estimators._neural.relevance import gradient_times_input
from skbci.estimators._neural.silent_rows import is_marked
from skbci.weighting import WeightingPolicy


class BaseNeuralClassifier(ClassifierMixin, BaseNeural):
    """`fit`, `partial_fit`, `predict` and `predict_proba` of the neural classifiers."""

    # Set by the children's __init__, where they have them.
    class_weight: ClassWeight
    criterion: like.Criterion
    loss_weighting: like.Weighting
    lr_patience: int | None
    lr_factor: float
    min_lr: float
    loss_weighting_: WeightingPolicy

    def fit(
        self, X: Signals, y: Labels, sample_weight: ArrayLike | None = None,
        groups: Labels | None = None,
    ) -> BaseNeuralClassifier:
        """Train the network.

        Parameters
        ----------
        X : array-like, EEGArray, mne.Epochs or list of mne.Epochs
            Rows of features (n_rows, n_features), epochs (n_rows, n_channels, n_times), or
            filter-bank epochs (n_rows, n_bands, n_channels, n_times), in any unit.
        y : array-like, shape (n_rows,)
            Labels of any kind; at least two classes.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses; rows of weight zero are left out.
        groups : array-like, shape (n_rows,), optional
            With early stopping, whole groups are held out for validation.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On NaN or infinity, a constant channel, fewer than two classes or rows, or an unknown
            name or setting.
        """
        self._fit(X, y, sample_weight, groups)
        return self

    def partial_fit(
        self, X: Signals, y: Labels, classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> BaseNeuralClassifier:
        """Go on training for one pass over the rows, in the order given.

        The input's standardization stays as it was learned at first. Of settings changed since,
        ``lr`` and ``class_weight`` count at once; the others, such as the losses and how they are
        weighed, wait for the next `fit`.

        Parameters
        ----------
        X : array-like
            As in `fit`.
        y : array-like, shape (n_rows,)
            Labels, all among ``classes_``.
        classes : array-like, optional
            All labels; needed in the first call unless `fit` came before or ``y`` has them all.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If ``y`` has labels that are not among the classes, or ``classes`` changed.
        """
        first = not hasattr(self, "net_")
        if first:
            labels = check_labels(y if classes is None else classes, None, self, least_classes=1)
            self.classes_ = check_classes(np.unique(labels), self)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes={np.unique(classes).tolist()} differ from those of the first call, "
                f"{self.classes_.tolist()}."
            )
        self._partial_fit(X, y, sample_weight, first)
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        output = self._output(X)
        best = output.argmax(dim=1).cpu().numpy()
        best[is_marked(output).cpu().numpy()] = self.prior_.argmax()
        return self.classes_[best]

    def predict_proba(self, X: Signals) -> np.ndarray:
        """Compute class probabilities.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Columns in the order of ``classes_``; rows sum to 1. In the precision of X, in which
            they are computed.
        """
        return self._probabilities(self._output(X))

    def _probabilities(self, output: Tensor) -> np.ndarray:
        """Return class probabilities of the network's output; the prior where it is marked."""
        proba = class_probabilities(output, self._class_loss()).cpu().numpy()
        if (silent := is_marked(output).cpu().numpy()).any():
            proba[silent] = self.prior_
        return proba

    def _monitored(self, validated: bool) -> str:
        monitor = getattr(self, "monitor", None)
        return super()._monitored(validated) if monitor is None else monitor

    def _extra_callbacks(self) -> list[tuple[str, Callback]]:
        callbacks: list[tuple[str, Callback]] = []
        if self._monitored(True) == ACCURACY:
            callbacks.append((ACCURACY, ValidAccuracy()))
        patience = getattr(self, "lr_patience", None)
        if patience is not None:
            columns = [self._monitored(validated) for validated in (True, False)]
            plateau = PlateauLR(columns, patience, self.lr_factor, self.min_lr, self.tol)
            callbacks.append(("lr_plateau", plateau))
        return callbacks

    def input_relevance(self, X: Signals, y: Labels | None = None) -> np.ndarray:
        r"""Compute how much each input value adds to the logit of a class: gradient times input.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.
        y : array-like, shape (n_rows,), optional
            The class that is asked about, for each row; by default the predicted one.

        Returns
        -------
        ndarray, of the network's input shape
            :math:`x \, \partial (z_y - \bar z_{\neq y}) / \partial x` of the standardized
            input x, with the logit :math:`z_y` and the mean of the other classes' logits. Summed
            over a row of a linear network it is the difference of the logits without their
            intercepts.

        Raises
        ------
        ValueError
            If the network is not fitted, X is not of its shape, or y has unknown labels.

        References
        ----------
        .. [1] A. Shrikumar, P. Greenside and A. Kundaje, "Learning important features through
           propagating activation differences", ICML 2017 (gradient times input).
        """
        check_is_fitted(self, "net_")
        X = as_eeg(X)
        wanted = None
        if y is not None:
            labels = check_labels(y, len(X), self, least_classes=1)
            wanted = torch.as_tensor(self._encode_target(labels, None, False))
        done = 0

        def relevance(rows: Tensor) -> Tensor:
            nonlocal done
            asked = None if wanted is None else wanted[done : done + len(rows)]
            done += len(rows)
            return gradient_times_input(self.net_.module_, rows, asked)

        return self._predicted(X, relevance, mark=False).cpu().numpy()

    def _class_loss(self) -> like.Criterion | None:
        """Return the loss that says how logits become probabilities."""
        return self._plan_.class_loss

    def _one_loss(self, of_several: Sequence[str] = ()) -> OneLoss:
        """Return the plan of the estimator's criterion alone."""
        return OneLoss(
            self.criterion, CLASSIFICATION, self._route("criterion"), ClassifierNet, of_several
        )

    def _loss_plan(self) -> LossPlan:
        return self._one_loss()

    def _weighting(self) -> tuple[Any, dict[str, Any]]:
        """Return how the losses are to be weighed, and its settings."""
        return self.loss_weighting, self._route("loss_weighting")

    def _read_target(self, y: Labels, n_rows: int) -> np.ndarray:
        return check_labels(y, n_rows, self, least_classes=1)

    def _encode_target(
        self, y: np.ndarray, weight: np.ndarray | None, reset: bool
    ) -> np.ndarray:
        if reset:
            self.classes_ = check_classes(np.unique(y), self)
        index = np.searchsorted(self.classes_, y).clip(0, len(self.classes_) - 1)
        foreign = self.classes_[index] != y
        if foreign.any():
            raise ValueError(
                f"y has labels {np.unique(y[foreign]).tolist()} that are not among the classes "
                f"{self.classes_.tolist()}."
            )
        return index.astype(np.int64)

    def _net_settings(self) -> dict[str, Any]:
        return {
            "n_classes": len(self.classes_),
            "predict_nonlinearity": partial(class_probabilities, criterion=self._class_loss()),
        }

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _row_weights(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weight
        by_class = check_class_weight(self.class_weight, self.classes_, self)
        factors = compute_sample_weight(by_class, self.classes_[y])
        return factors if weight is None else factors * weight
