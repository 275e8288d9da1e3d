"""Classifiers whose network has several heads, each with a loss."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import Tensor, nn

from skbci._checks import check_count, check_number
from skbci._training import (
    ClassifierNet,
    MultiHeadNet,
    PlateauLR,
    Rows,
    SlicingNet,
    resolve_losses,
)
from skbci.estimators._base import TrainingRows
from skbci.estimators._base_classifier import BaseNeuralClassifier
from skbci.optim import resolve_optimizer
from skbci.weighting import WeightingPolicy, resolve_policy

# Up to so many times the rows, weights that are whole numbers are taken as counts.
_MOST_REPEATS = 10
# early_stopping="auto" holds out at least so many rows, or none: fewer say nothing.
_FEWEST_VALID = 6


class BaseMultiHeadClassifier(BaseNeuralClassifier):
    """Loss weighting, the monitored column and the falling step size."""

    _route_prefixes: tuple[str, ...] = (
        "module", "criterion", "optimizer", "pruning", "callbacks", "losses", "loss_weighting",
    )
    _early_stopping_words = ("auto",)

    # Set by the children's __init__.
    losses: Any
    loss_weighting: Any
    center_lr: float | None
    monitor: str | None
    lr_patience: int | None
    lr_factor: float
    min_lr: float

    loss_weighting_: WeightingPolicy
    _first_head_: str

    def _losses_or_none(self) -> Any:
        """Give the losses to train with; None for the criterion on the first output."""
        return self.losses

    @property
    def _net_class(self) -> type[SlicingNet]:  # type: ignore[override]
        return ClassifierNet if self._losses_or_none() is None else MultiHeadNet

    def _policy(self) -> WeightingPolicy:
        return resolve_policy(self.loss_weighting, self._route("loss_weighting"))

    def _net_settings(self) -> dict[str, Any]:
        settings = super()._net_settings()
        if self._losses_or_none() is not None:
            settings["policy"] = self._policy()
            settings["loss_lr"] = self.center_lr
        return settings

    def _build_criterion(self, module: nn.Module, shape: tuple[int, ...]) -> nn.Module:
        losses = self._losses_or_none()
        if losses is None:
            return super()._build_criterion(module, shape)
        resolved = resolve_losses(
            losses, self._route("losses"), module, shape, len(self.classes_)
        )
        self._first_head_ = resolved.heads[0]
        return resolved

    def _class_loss(self) -> Any:
        losses = self._losses_or_none()
        return self.criterion if losses is None else losses[self._first_head_]

    def _monitored(self, validated: bool) -> str:
        if self.monitor is not None:
            return self.monitor
        losses = self._losses_or_none()
        if losses is None or losses[self._first_head_] is None:
            return super()._monitored(validated)
        return f"{'valid' if validated else 'train'}_{self._first_head_}"

    def _extra_callbacks(self) -> list[tuple[str, Callback]]:
        callbacks = super()._extra_callbacks()
        if self.lr_patience is None:
            return callbacks
        columns = [self._monitored(validated) for validated in (True, False)]
        plateau = PlateauLR(columns, self.lr_patience, self.lr_factor, self.min_lr, self.tol)
        return [*callbacks, ("lr_plateau", plateau)]

    def _split(
        self, rows: TrainingRows, target: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        few = round(self.validation_fraction * len(target)) < _FEWEST_VALID
        if not (isinstance(self.early_stopping, str) and few):
            return super()._split(rows, target, seed)
        if self._losses_or_none() is not None and self._policy().needs_validation:
            raise ValueError(
                f"{type(self).__name__}: {type(self._policy()).__name__} needs validation rows, "
                f"but with {len(target)} rows early_stopping='auto' holds out none; set "
                "early_stopping=True or give more rows."
            )
        return np.arange(len(target)), None

    def _count_rows(
        self,
        rows: TrainingRows,
        target: np.ndarray,
        weight: np.ndarray | None,
        train: np.ndarray,
        valid: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        if rows.weight is None or self._losses_or_none() is None:
            return weight, train, valid
        counts = rows.weight.astype(int)
        if (counts != rows.weight).any() or counts.sum() > _MOST_REPEATS * len(counts):
            return weight, train, valid
        train = np.repeat(train, counts[train])
        valid = None if valid is None else np.repeat(valid, counts[valid])
        return self._row_weights(target, None), train, valid

    def _pruning_loss(self) -> Any:
        net = self.net_
        if not isinstance(net, MultiHeadNet):
            return super()._pruning_loss()
        criterion = copy.deepcopy(net.criterion_).double()
        factors = net.policy_.weights_.tolist()  # as they are at the start

        def loss(module: nn.Module, X: Tensor, y: Tensor, weight: Tensor) -> Tensor:
            losses = criterion(module(X), y, X, weight)
            return torch.stack([f * own for f, own in zip(factors, losses)]).sum()

        return loss

    def _pruning_batches(self, sample: Rows) -> Any:
        # In one piece: a triplet loss compares rows with each other.
        parts = super()._pruning_batches(sample)
        if self._losses_or_none() is None:
            return parts
        return [tuple(torch.cat(values) for values in zip(*parts))]

    def _summarize(self) -> None:
        super()._summarize()
        self.__dict__.pop("loss_weighting_", None)
        if isinstance(self.net_, MultiHeadNet):
            self.loss_weighting_ = self.net_.policy_

    # -- settings -------------------------------------------------------------------------

    def _check_settings(self) -> None:
        super()._check_settings()
        name = type(self).__name__
        self._check_plateau()
        if self._losses_or_none() is None:
            self._refuse_settings_of_losses(name)
            return
        policy = self._policy()
        if policy.needs_validation and not self.early_stopping:
            raise ValueError(
                f"{name}: {type(policy).__name__} compares training and validation losses, but "
                "early_stopping=False leaves no rows to validate on. Set early_stopping=True; "
                "n_iter_no_change=max_epochs then keeps it from stopping."
            )
        factory, _ = resolve_optimizer(self.optimizer, self._route("optimizer"))
        if getattr(factory, "needs_module", False):
            raise ValueError(
                f"{name}: optimizer={self.optimizer!r} steps by the error of one output and "
                "cannot train the losses of several heads; use for example 'hjb' or 'adam'."
            )
        if getattr(self, "criterion", "cross-entropy") != "cross-entropy" or self._route(
            "criterion"
        ):
            raise ValueError(
                f"{name}: criterion={self.criterion!r} is not used when losses are given; name "
                "the loss of the logits among the losses."
            )

    def _refuse_settings_of_losses(self, name: str) -> None:
        given = [f"losses__{key}" for key in self._route("losses")]
        given += [f"loss_weighting__{key}" for key in self._route("loss_weighting")]
        unset = isinstance(self.loss_weighting, str) and self.loss_weighting == "fixed"
        if not unset:
            given.append(f"loss_weighting={self.loss_weighting!r}")
        if self.center_lr is not None:
            given.append(f"center_lr={self.center_lr!r}")
        if given:
            raise ValueError(
                f"{name}: {given[0]} is about several losses, but losses=None trains the "
                "criterion alone; name a loss for each of the module's heads."
            )

    def _check_plateau(self) -> None:
        if self.lr_patience is not None:
            check_count(self.lr_patience, "lr_patience", self, also="None")
        check_number(self.lr_factor, "lr_factor", self, low=0, high=1, closed="neither")
        check_number(self.min_lr, "min_lr", self, low=0)
        if self.center_lr is not None:
            check_number(self.center_lr, "center_lr", self, low=0, also="None")
