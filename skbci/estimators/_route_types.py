"""Types of the parameters with two underscores, so that type checkers see a misspelt one.

The names are those of the parts that go by name: the optimizers, pruning methods, augmentations
and policies of the toolkit, torch's losses, the callback of early stopping. A test holds them
against the parts. Parameters of a part of one's own are set by ``set_params``, or unpacked from a
dictionary.
"""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = ["AugmentationRoutes", "MLPRoutes", "MultiViewRoutes", "SparseMultitaskRoutes"]


class OptimizerRoutes(TypedDict, total=False):
    """Of `skbci.optim` and of torch's optimizers that have names."""

    optimizer__accumulate: str
    optimizer__alpha: float
    optimizer__amsgrad: bool
    optimizer__averaging: bool
    optimizer__betas: tuple[float, float]
    optimizer__capturable: bool
    optimizer__centered: bool
    optimizer__dampening: float
    optimizer__decoupled_weight_decay: bool
    optimizer__differentiable: bool
    optimizer__eps: float
    optimizer__eps1: float
    optimizer__foreach: Any
    optimizer__fused: Any
    optimizer__initial_accumulator_value: float
    optimizer__inner: Any
    optimizer__inner__alpha: float
    optimizer__inner__amsgrad: bool
    optimizer__inner__betas: tuple[float, float]
    optimizer__inner__capturable: bool
    optimizer__inner__centered: bool
    optimizer__inner__dampening: float
    optimizer__inner__decoupled_weight_decay: bool
    optimizer__inner__differentiable: bool
    optimizer__inner__eps: float
    optimizer__inner__foreach: Any
    optimizer__inner__fused: Any
    optimizer__inner__lr: float
    optimizer__inner__maximize: bool
    optimizer__inner__momentum: float
    optimizer__inner__nesterov: bool
    optimizer__inner__weight_decay: float
    optimizer__lr_decay: float
    optimizer__lr_schedule: Any
    optimizer__max_gram_bytes: float
    optimizer__maximize: bool
    optimizer__momentum: float
    optimizer__mu: float
    optimizer__n_steps: Any
    optimizer__nesterov: bool
    optimizer__r: float
    optimizer__weight_decay: float


class PruningRoutes(TypedDict, total=False):
    """Of `skbci.sparsity`."""

    pruning__arbiter: Any
    pruning__floor: str
    pruning__n_rounds: int
    pruning__scope: str
    pruning__task_weights: Any


class AugmentationRoutes(TypedDict, total=False):
    """Of `skbci.augmentation`."""

    augmentation__alpha: float
    augmentation__by: Any
    augmentation__ch_names: Any
    augmentation__labels: Any
    augmentation__max_seconds: float
    augmentation__n_copies: int
    augmentation__n_segments: int
    augmentation__p: float
    augmentation__scale: float
    augmentation__sfreq: Any


class WeightingRoutes(TypedDict, total=False):
    """Of `skbci.weighting`."""

    loss_weighting__alpha: float
    loss_weighting__constraint: str
    loss_weighting__lead: int
    loss_weighting__lr: float
    loss_weighting__minimum: float
    loss_weighting__overlap: float
    loss_weighting__p: float
    loss_weighting__policy: Any
    loss_weighting__pull: float
    loss_weighting__rescaled: bool
    loss_weighting__temperature: float
    loss_weighting__warmup: int
    loss_weighting__weighting: Any
    loss_weighting__weights: Any


class CriterionRoutes(TypedDict, total=False):
    """Of torch's losses."""

    criterion__delta: float
    criterion__ignore_index: int
    criterion__label_smoothing: float
    criterion__pos_weight: Any
    criterion__reduction: str
    criterion__weight: Any


class CallbackRoutes(TypedDict, total=False):
    """Of the callback that stops early."""

    callbacks__early_stopping__load_best: bool
    callbacks__early_stopping__lower_is_better: bool
    callbacks__early_stopping__monitor: str
    callbacks__early_stopping__patience: int
    callbacks__early_stopping__sink: Any
    callbacks__early_stopping__threshold: float
    callbacks__early_stopping__threshold_mode: str


class DualTaskNetRoutes(TypedDict, total=False):
    """Of `skbci.nets.DualTaskNet`."""

    module__dropout: float
    module__kernel_size: int
    module__map_pooling: int
    module__max_norm: bool
    module__n_filters: int
    module__n_hidden: int
    module__n_maps: int
    module__pooling: int
    module__separable_size: int


class MultiViewNetRoutes(TypedDict, total=False):
    """Of `skbci.nets.MultiViewNet`."""

    module__dropout: float
    module__hidden_units: int
    module__kernel_size: int
    module__n_filters: int
    module__view_dropout: float


class MLPRoutes(
    OptimizerRoutes, PruningRoutes, AugmentationRoutes, CriterionRoutes, CallbackRoutes,
    total=False,
):
    """Of `MLPClassifier` and `MLPRegressor`."""


class SparseMultitaskRoutes(
    DualTaskNetRoutes, OptimizerRoutes, PruningRoutes, AugmentationRoutes, CallbackRoutes,
    WeightingRoutes, total=False,
):
    """Of `SparseMultitaskClassifier`."""


class MultiViewRoutes(
    MultiViewNetRoutes, OptimizerRoutes, PruningRoutes, AugmentationRoutes, CallbackRoutes,
    WeightingRoutes, total=False,
):
    """Of `MultiViewClassifier`."""
