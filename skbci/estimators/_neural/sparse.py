"""Sparsity as a hyperparameter: masks that are found before a net's training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from skbci._training import EVALUATION_LIMIT, LossPlan, Rows, SlicingNet, masked, rewinding
from skbci.estimators._neural.standardizer import Standardizer
from skbci.sparsity import (
    MultitaskSnip,
    PruningMethod,
    check_sparsity,
    prunable,
    resolve_pruning,
    stratified_sample,
)

# The saliency is computed on so many rows at most; fewer, where rows are large.
_MOST_ROWS, _FEWEST_ROWS = 1024, 128


def pruning_method(estimator: BaseEstimator, several_tasks: bool = False) -> PruningMethod:
    """Return the method that an estimator's ``sparsity`` and ``pruning`` name."""
    sparsity = check_sparsity(estimator.sparsity, estimator)
    method = resolve_pruning(estimator.pruning, sparsity, estimator._route("pruning"))
    if isinstance(method, MultitaskSnip) and not several_tasks:
        raise ValueError(
            f"{type(estimator).__name__}: pruning={estimator.pruning!r} is for several tasks, as "
            "in SparseMultitaskClassifier; use 'snip', 'lottery' or 'magnitude'."
        )
    return method


def all_masks(estimator: BaseEstimator) -> dict[str, Tensor]:
    """Return the masks of a fitted estimator; all True where nothing is pruned."""
    if not hasattr(estimator, "net_"):
        raise AttributeError(f"This {type(estimator).__name__} is not fitted yet.")
    if estimator._kept_ is not None:
        return estimator._kept_
    weights = prunable(estimator.net_.module_)
    return {name: torch.ones(w.shape, dtype=torch.bool) for name, w in weights.items()}


def find_masks(
    net: SlicingNet,
    method: PruningMethod,
    plan: LossPlan,
    build: Callable[[], SlicingNet],
    fit: Callable[[SlicingNet], None],
    sample: Callable[[], Rows],
) -> dict[str, Tensor]:
    """Choose the weights that a net is going to be trained with.

    Parameters
    ----------
    net : SlicingNet
    method : PruningMethod
    plan : LossPlan
        What the net is trained by.
    build : callable
        Gives another net like this, for trainings before the one that counts.
    fit : callable
        Trains a net on the rows of this fit.
    sample : callable
        Gives rows for the saliency.

    Returns
    -------
    dict of str to Tensor of bool
        By parameter name, True where a weight is kept.
    """
    # Every training sees the mini-batches and dropouts that a dense one would have seen.
    rewind = rewinding(net.device)
    module = net.module_
    training = module.training

    def train(module: nn.Module, masks: dict[str, Tensor]) -> None:
        other = build()
        other.module_.load_state_dict(module.state_dict())
        rewind()
        with masked(other, masks):
            fit(other)
        module.load_state_dict(other.module_.state_dict())

    module.train()
    batches = plan.pruning_batches(net, sample()) if method.acts == "before" else None
    loss = plan.pruning_loss(net) if method.acts == "before" else None
    masks = method.find(module, loss, batches, train=train)
    module.train(training)
    rewind()
    return {name: mask.cpu() for name, mask in masks.items()}


def sample_rows(
    data: np.ndarray, labels: np.ndarray, standardizer: Standardizer | None, seed: int
) -> np.ndarray:
    """Choose rows for the saliency, whatever their order and their unit."""
    n_rows = max(_FEWEST_ROWS, min(_MOST_ROWS, EVALUATION_LIMIT // max(1, data[0].size)))
    n_rows = max(n_rows, len(np.unique(labels)))
    # Values change with the unit, and their last bits with the arithmetic; places hardly do.
    direction = np.random.default_rng(seed).standard_normal(data[0].size)
    with np.errstate(over="ignore", invalid="ignore"):  # the saliency will say so
        known = standardizer or Standardizer().fit(data)
        values = pd.Series(known.project(data, direction))
    places = values.groupby(labels).rank(method="first").to_numpy()
    return stratified_sample(places, labels, n_rows, seed)
