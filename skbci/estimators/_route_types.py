"""Types of the parameters with two underscores, so that type checkers see a misspelt one.

The names are those of the parts that go by name: the optimizers, pruning methods, augmentations
and policies of the toolkit, torch's losses, the callback of early stopping. A test holds them
against the parts. Parameters of a part of one's own are set by ``set_params``, or unpacked from a
dictionary.

`NeuralClassifier` takes any module, whose arguments may have any name, and so do the heads of its
``losses``. There is no type of keyword arguments that leaves ``module__...`` open and closes the
rest, so its routes are open; `get_params` and ``fit`` tell which it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

__all__ = [
    "AugmentationRoutes", "FBMSNetClassifierRoutes", "MIN2NetClassifierRoutes", "MLPRoutes",
    "MultiViewRoutes", "SparseMultitaskRoutes",
]


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
    optimizer__foreach: bool | None
    optimizer__fused: bool | None
    optimizer__initial_accumulator_value: float
    optimizer__inner: str | type
    optimizer__inner__alpha: float
    optimizer__inner__amsgrad: bool
    optimizer__inner__betas: tuple[float, float]
    optimizer__inner__capturable: bool
    optimizer__inner__centered: bool
    optimizer__inner__dampening: float
    optimizer__inner__decoupled_weight_decay: bool
    optimizer__inner__differentiable: bool
    optimizer__inner__eps: float
    optimizer__inner__foreach: bool | None
    optimizer__inner__fused: bool | None
    optimizer__inner__lr: float
    optimizer__inner__maximize: bool
    optimizer__inner__momentum: float
    optimizer__inner__nesterov: bool
    optimizer__inner__weight_decay: float
    optimizer__lr_decay: float
    optimizer__lr_schedule: str | None
    optimizer__max_gram_bytes: float
    optimizer__maximize: bool
    optimizer__momentum: float
    optimizer__mu: float
    optimizer__n_steps: int | None
    optimizer__nesterov: bool
    optimizer__r: float
    optimizer__weight_decay: float


class PruningRoutes(TypedDict, total=False):
    """Of `skbci.sparsity`."""

    pruning__arbiter: str | Callable[..., Any]
    pruning__floor: str
    pruning__n_rounds: int
    pruning__scope: str
    pruning__task_weights: Mapping[Any, float] | None


class AugmentationRoutes(TypedDict, total=False):
    """Of `skbci.augmentation`."""

    augmentation__alpha: float
    augmentation__by: str | Sequence[str] | None
    augmentation__ch_names: Sequence[str] | None
    augmentation__labels: Mapping[Any, Any] | None
    augmentation__max_seconds: float
    augmentation__n_copies: int
    augmentation__n_segments: int
    augmentation__p: float
    augmentation__scale: float
    augmentation__sfreq: float | None


class WeightingRoutes(TypedDict, total=False):
    """Of `skbci.weighting`."""

    loss_weighting__alpha: float
    loss_weighting__constraint: str
    loss_weighting__lead: int
    loss_weighting__lr: float
    loss_weighting__minimum: float
    loss_weighting__overlap: float
    loss_weighting__p: float
    loss_weighting__policy: str
    loss_weighting__pull: float
    loss_weighting__rescaled: bool
    loss_weighting__temperature: float
    loss_weighting__warmup: int
    loss_weighting__weighting: str | Callable[..., Any]
    loss_weighting__weights: Sequence[float] | None


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
    callbacks__early_stopping__sink: Callable[..., Any]
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


class MIN2NetRoutes(TypedDict, total=False):
    """Of `skbci.nets.MIN2Net`, and of the named losses of its outputs."""

    losses__latent__class_weight: Any
    losses__latent__margin: float
    losses__latent__negatives: str
    losses__latent__normalize: bool
    losses__latent__squared: bool
    losses__logits__class_weight: Any
    losses__logits__margin: float
    losses__logits__negatives: str
    losses__logits__normalize: bool
    losses__logits__squared: bool
    losses__reconstruction__class_weight: Any
    losses__reconstruction__margin: float
    losses__reconstruction__negatives: str
    losses__reconstruction__normalize: bool
    losses__reconstruction__squared: bool
    module__kernel_sizes: Sequence[int]
    module__latent_dim: int | None
    module__max_norm: bool
    module__pooling: int | None
    module__subsampling: int | None


class FBMSNetRoutes(TypedDict, total=False):
    """Of `skbci.nets.FBMSNet`, and of the named losses of its outputs."""

    losses__features__class_weight: Any
    losses__features__margin: float
    losses__features__negatives: str
    losses__features__normalize: bool
    losses__features__squared: bool
    losses__logits__class_weight: Any
    losses__logits__margin: float
    losses__logits__negatives: str
    losses__logits__normalize: bool
    losses__logits__squared: bool
    module__depth: int
    module__kernel_sizes: Sequence[int]
    module__max_norm: bool
    module__n_maps: int | None
    module__n_segments: int
    module__shared_layer: bool


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


class MIN2NetClassifierRoutes(
    MIN2NetRoutes, OptimizerRoutes, PruningRoutes, AugmentationRoutes, CallbackRoutes,
    WeightingRoutes, total=False,
):
    """Of `MIN2NetClassifier`."""


class FBMSNetClassifierRoutes(
    FBMSNetRoutes, OptimizerRoutes, PruningRoutes, AugmentationRoutes, CallbackRoutes,
    WeightingRoutes, total=False,
):
    """Of `FBMSNetClassifier`."""


class MultiViewRoutes(
    MultiViewNetRoutes, OptimizerRoutes, PruningRoutes, AugmentationRoutes, CallbackRoutes,
    WeightingRoutes, total=False,
):
    """Of `MultiViewClassifier`."""
