"""Base of the named networks: classifiers of epochs that also give a latent."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from torch import Tensor, nn

from skbci._checks.eeg import as_eeg
from skbci._eegarray.rows import carry_rows
from skbci._training import HeadPlan, LossPlan, as_heads
from skbci._typing import Signals
from skbci.estimators import _setting_types as like
from skbci.estimators._neural.classifier import BaseNeuralClassifier


class LatentClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseNeuralClassifier
):
    """A classifier of epochs that is also a transformer to its network's latent."""

    _route_prefixes = (
        "module", "optimizer", "pruning", "augmentation", "callbacks", "losses", "loss_weighting",
    )
    _early_stopping_words = ("auto",)
    _reads_epochs = True
    _latent_head: str
    _paper_losses: dict[str, str]
    losses: like.Losses
    center_lr: float | None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Rows of features are read as a channel's samples in time, with weights of bounded norm.
        tags.classifier_tags.poor_score = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def transform(self, X: Signals) -> np.ndarray:
        """Return the latent that the classifier sees.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.

        Returns
        -------
        ndarray or EEGArray of float, shape (n_rows, latent_dim)
            In the precision of X; with the row table of an `EEGArray`.
        """
        out = self._predicted(X, lambda rows: self._apply(self._latent, rows), mark=False)
        return carry_rows(
            as_eeg(X), out.cpu().numpy(), sfreq=None, ch_names=None, tmin=0.0, info=None
        )

    @property
    def _n_features_out(self) -> int:
        return self.net_.module_.classifier.in_features

    def _loss_plan(self) -> LossPlan:
        losses = self._paper_losses if self.losses is None else self.losses
        return HeadPlan(losses, self._route("losses"), *self._weighting(), self.center_lr)

    def _settings_of(self, *names: str) -> dict[str, Any]:
        """Return arguments of the network, over which ``module__...`` routes go."""
        return {**{name: getattr(self, name) for name in names}, **self._route("module")}

    def _logits(self, module: nn.Module, X: Tensor) -> Tensor:
        return as_heads(module(X))[0]

    def _latent(self, module: Any, X: Tensor) -> Tensor:
        return as_heads(module(X))[module.head_names.index(self._latent_head)]

    def _network_output(self, rows: Tensor) -> Tensor:
        return self._apply(self._logits, rows)
