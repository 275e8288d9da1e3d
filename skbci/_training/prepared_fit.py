"""A fit whose net is built and seeded, and whose training is still to come."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from skbci._training.criteria import BinaryCrossEntropy, CrossEntropy, SquaredError
from skbci._training.net import ClassifierNet, SlicingNet
from skbci._training.seeding import seeded
from skbci.optim import HJBUnder

Rows = tuple[Tensor, Tensor, Tensor | None]

_LOSSES = (CrossEntropy, BinaryCrossEntropy, SquaredError)
_CALLBACKS = {"epoch_timer", "early_stopping"}


@dataclass(eq=False)
class Member:
    """A fit whose net is built and seeded, and whose training is still to come."""

    estimator: Any
    net: SlicingNet
    train: Rows
    valid: Rows | None
    double: bool
    state: Tensor
    seconds: float = 0.0
    sizes: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        none = torch.empty(len(self.train[0]), 0)
        batches = self.net._batches(none, none, None, shuffle=False)
        self.sizes = tuple(len(batch[0]) for batch in batches)
        self.net.plan_steps(len(self.sizes))

    @property
    def stackable(self) -> bool:
        """Whether the net is one that the stack knows how to train."""
        net = self.net
        return (
            type(net) in (SlicingNet, ClassifierNet)
            and net.engine_ is not None
            and type(net.criterion_) in _LOSSES
            and {name for name, _ in net.callbacks_} <= _CALLBACKS
            and len(net.optimizer_.param_groups) == 1
            and not _has_step_sizes_of_its_own(net.optimizer_)
        )

    def shape(self) -> Hashable:
        """Members of equal shape go into one stack."""
        X, y, weight = self.train
        engine = self.net.engine_
        assert engine is not None
        return (
            str(X.device),
            self.double,
            tuple(tuple(layer.weight.shape) for layer in engine.linear),
            tuple(repr(activation) for activation in engine.activations),
            type(self.net.criterion_),
            len(self.sizes),
            self.sizes[0],
            (y.dtype, y.shape[1:]),
            weight is None,
        )

    def n_bytes(self) -> int:
        """Memory that the member needs in a stack, besides what it may share with others."""
        engine = self.net.engine_
        assert engine is not None
        hidden = sum(layer.out_features for layer in engine.linear)
        # Gradient, two epochs' copies, three vectors of the optimizer's, two to spare.
        weights = 8 * engine.flat.numel()
        batch = self.sizes[0] * (2 * engine.linear[0].in_features + 6 * hidden)
        return (8 if self.double else 4) * (weights + batch)

    @property
    def n_rates(self) -> int:
        """How many rates of dropout there are."""
        assert self.net.engine_ is not None
        return len(set(self.net.engine_.dropout) - {0.0})

    def train_alone(self) -> None:
        """Do what `fit` would have done without the stop."""
        start = time.perf_counter()
        with seeded(self.state, str(self.train[0].device)):
            self.net.fit_tensors(self.train, self.valid, double=self.double)
        self.estimator._summarize()
        self.seconds += time.perf_counter() - start


def _has_step_sizes_of_its_own(optimizer: Any) -> bool:
    """Whether networks that share torch's optimizer would each need another step size."""
    scheduled = optimizer.param_groups[0].get("lr_schedule") is not None
    return scheduled and isinstance(optimizer, HJBUnder)
