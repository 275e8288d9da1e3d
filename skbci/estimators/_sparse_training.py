"""Sparsity as a hyperparameter: masks found before, and enforced during, a net's training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from skbci._training import EVALUATION_LIMIT, Rows, SlicingNet, first_output, masked
from skbci.estimators._routes import RoutedParams
from skbci.estimators._standardizer import Standardizer
from skbci.sparsity import (
    MultitaskSnip,
    PruningMethod,
    check_sparsity,
    density,
    prunable,
    resolve_pruning,
    stratified_sample,
)

# The saliency is computed on so many rows at most; fewer, where rows are large.
_MOST_ROWS, _FEWEST_ROWS = 1024, 128
# Rows that go through the network at a time with gradients, in double precision.
_PIECE = 128


class SparseTraining(RoutedParams):
    """The parameters ``sparsity`` and ``pruning`` of the neural estimators."""

    # Set by the children's __init__.
    sparsity: float
    pruning: Any

    net_: SlicingNet
    _kept_: dict[str, Tensor] | None
    _standardizer_: Standardizer | None

    @property
    def masks_(self) -> dict[str, np.ndarray]:
        """By parameter name, True where a weight is kept."""
        return {name: mask.numpy().copy() for name, mask in self._all_masks().items()}

    @property
    def density_(self) -> pd.DataFrame:
        """Share of the weights that are kept, by parameter and in total."""
        return density(self._all_masks())

    def _all_masks(self) -> dict[str, Tensor]:
        if not hasattr(self, "net_"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        if self._kept_ is not None:
            return self._kept_
        weights = prunable(self.net_.module_)
        return {name: torch.ones(w.shape, dtype=torch.bool) for name, w in weights.items()}

    # -- what children answer -------------------------------------------------------------

    def _pruning_method(self) -> PruningMethod:
        sparsity = check_sparsity(self.sparsity, self)
        method = resolve_pruning(self.pruning, sparsity, self._route("pruning"))
        if isinstance(method, MultitaskSnip):
            raise ValueError(
                f"{type(self).__name__}: pruning={self.pruning!r} is for several tasks, as in "
                "SparseMultitaskClassifier; use 'snip', 'lottery' or 'magnitude'."
            )
        return method

    def _pruning_loss(self) -> Callable[..., Tensor]:
        """Give ``loss(module, X, y, weight)`` in double precision, for the saliency."""
        criterion = copy.deepcopy(self.net_.criterion_).double()

        def loss(module: nn.Module, X: Tensor, y: Tensor, weight: Tensor) -> Tensor:
            return criterion(first_output(module(X)), y) * weight

        return loss

    def _pruning_batches(self, sample: Rows) -> Any:
        """Divide the sample for the saliency."""
        return list(pieces(sample))

    # -- finding and enforcing ------------------------------------------------------------

    def _find_masks(
        self,
        build: Callable[[], SlicingNet],
        fit: Callable[[SlicingNet], Any],
        sample: Callable[[], Rows],
    ) -> None:
        """Choose the weights that ``net_`` is going to be trained with.

        Parameters
        ----------
        build : callable
            Gives another net like ``net_``, for trainings before the one that counts.
        fit : callable
            Trains a net on the rows of this fit.
        sample : callable
            Gives rows for the saliency; called if there is anything to prune.
        """
        self._kept_ = None
        self._note_masks(None)
        method = self._ready_method()
        if not self.sparsity:
            return
        # Every training sees the mini-batches and dropouts that a dense one would have seen.
        state = torch.get_rng_state()
        module = self.net_.module_
        training = module.training

        def train(module: nn.Module, masks: dict[str, Tensor]) -> None:
            other = build()
            other.module_.load_state_dict(module.state_dict())
            torch.set_rng_state(state)
            with masked(other, masks):
                fit(other)
            module.load_state_dict(other.module_.state_dict())

        module.train()
        batches = self._pruning_batches(sample()) if method.acts == "before" else None
        loss = self._pruning_loss() if method.acts == "before" else None
        masks = method.find(module, loss, batches, train=train)
        module.train(training)
        self._kept_ = {name: mask.cpu() for name, mask in masks.items()}
        self._note_masks(method)
        torch.set_rng_state(state)

    def _ready_method(self) -> PruningMethod:
        """Give the method with what it has to know of the data."""
        return self._pruning_method()

    def _note_masks(self, method: PruningMethod | None) -> None:
        """Keep what else a method has found; None: there is nothing yet."""

    def _follow_compaction(self, before: nn.Module) -> None:
        """Give ``net_``, which is smaller than the network before, masks of its own."""
        if self._kept_ is not None:
            weights = prunable(self.net_.module_)
            self._kept_ = {name: w.detach().ne(0).cpu() for name, w in weights.items()}

    def _sample_rows(self, data: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
        """Choose rows for the saliency, whatever their order and their unit."""
        n_rows = max(_FEWEST_ROWS, min(_MOST_ROWS, EVALUATION_LIMIT // max(1, data[0].size)))
        n_rows = max(n_rows, len(np.unique(labels)))
        # Values change with the unit, and their last bits with the arithmetic; places hardly do.
        direction = np.random.default_rng(seed).standard_normal(data[0].size)
        with np.errstate(over="ignore", invalid="ignore"):  # the saliency will say so
            known = self._standardizer_ or Standardizer().fit(data)
            values = pd.Series(known.project(data, direction))
        places = values.groupby(labels).rank(method="first").to_numpy()
        return stratified_sample(places, labels, n_rows, seed)


def pieces(rows: Rows) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give (X, y, weights of mean 1) in pieces that bound the memory."""
    X, y, weight = rows
    weight = torch.ones(len(X), device=X.device) if weight is None else weight / weight.mean()
    yield from zip(X.split(_PIECE), y.split(_PIECE), weight.split(_PIECE))


def check_sparse(estimator: Any) -> dict[str, Tensor]:
    """Give the masks of a fitted neural estimator.

    Raises
    ------
    TypeError
        If it is none.
    """
    if not isinstance(estimator, SparseTraining):
        raise TypeError(
            f"{type(estimator).__name__} is none of skbci's neural estimators; it has no masks."
        )
    check_is_fitted(estimator, "net_")
    return estimator._all_masks()
