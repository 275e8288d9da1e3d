"""A fit whose net is built and seeded, and whose training is still to come."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from skbci._training.classifier_net import ClassifierNet
from skbci._training.criteria import BinaryCrossEntropy, CrossEntropy, SquaredError
from skbci._training.dense.engine import DenseEngine
from skbci._training.masks import masked
from skbci._training.mini_batches import Rows, batch_sizes
from skbci._training.net import SlicingNet
from skbci._training.seeding import cuda_state, seeded
from skbci.optim import HJBUnder

if TYPE_CHECKING:
    from torch.optim import Optimizer

# What a stack of networks knows how to train.
_LOSSES = (CrossEntropy, BinaryCrossEntropy, SquaredError)
_CALLBACKS = {"epoch_timer", "early_stopping"}


class PreparedFit:
    """Everything that a training needs; `run` trains, `finish` reports to the estimator.

    Parameters
    ----------
    net : SlicingNet
        Initialized.
    train, valid : tuple of Tensor
        X, y and row weights or None; ``valid`` is None where no rows are held out.
    double : bool
        Whether to train in double precision.
    rng_state : Tensor, optional
        Torch's random state, of the CPU, to train from; by default that of now, and of the rows'
        device with it. After the training it is the state to go on from.
    masks : dict of str to Tensor, optional
        By parameter name, True where a weight is kept; the others are held at zero.
    done : callable, optional
        Called with the random state after the training.
    """

    def __init__(
        self,
        net: SlicingNet,
        train: Rows,
        valid: Rows | None,
        double: bool,
        rng_state: Tensor | None = None,
        *,
        masks: dict[str, Tensor] | None = None,
        done: Callable[[Tensor], object] | None = None,
    ) -> None:
        self.net = net
        self.train = train
        self.valid = valid
        self.double = double
        self.rng_state = torch.get_rng_state() if rng_state is None else rng_state
        self.masks = masks
        self.done = done
        self.device = train[0].device
        self._cuda_state = cuda_state(self.device)

    def run(self) -> None:
        """Train the net by itself."""
        with seeded(self.rng_state, self.device, self._cuda_state):
            with masked(self.net, self.masks):
                self.net.fit_tensors(self.train, self.valid, double=self.double)
            self.rng_state = torch.get_rng_state()

    def finish(self) -> None:
        """Leave the estimator fitted."""
        if self.done is not None:
            self.done(self.rng_state)

    # -- what a stack asks ----------------------------------------------------------------

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Rows of each mini-batch of an epoch."""
        return tuple(batch_sizes(len(self.train[0]), self.net.batch_size))

    @property
    def stackable(self) -> bool:
        """Whether the net is one that a stack knows how to train."""
        net = self.net
        return (
            type(net) in (SlicingNet, ClassifierNet)
            and self.masks is None
            and net.engine_ is not None
            and type(net.criterion_) in _LOSSES
            and {name for name, _ in net.callbacks_} <= _CALLBACKS
            and len(net.optimizer_.param_groups) == 1
            and not _has_learning_rates_of_its_own(net.optimizer_)
        )

    @property
    def engine(self) -> DenseEngine:
        """The engine of a net of dense layers."""
        if self.net.engine_ is None:
            raise ValueError(f"{type(self.net).__name__} has no engine of dense layers.")
        return self.net.engine_

    def shape(self) -> Hashable:
        """Return what fits of one stack have in common."""
        X, y, weight = self.train
        engine = self.engine
        return (
            str(X.device),
            self.double,
            tuple(tuple(layer.weight.shape) for layer in engine.linear_modules),
            tuple(repr(activation) for activation in engine.activations),
            type(self.net.criterion_),
            len(self.sizes),
            self.sizes[0],
            (y.dtype, y.shape[1:]),
            weight is None,
        )

    def n_bytes(self) -> int:
        """Return the memory that the fit needs in a stack, besides what it may share."""
        engine = self.engine
        hidden = sum(layer.out_features for layer in engine.linear_modules)
        # Gradient, two epochs' copies, three vectors of the optimizer's, two to spare.
        weights = 8 * engine.flat.numel()
        batch = self.sizes[0] * (2 * engine.linear_modules[0].in_features + 6 * hidden)
        return (8 if self.double else 4) * (weights + batch)

    @property
    def n_rates(self) -> int:
        """Number of distinct rates of dropout."""
        return len(set(self.engine.dropout) - {0.0})


def _has_learning_rates_of_its_own(optimizer: Optimizer) -> bool:
    """Whether networks that share torch's optimizer would each need another learning rate."""
    scheduled = optimizer.param_groups[0].get("lr_schedule") is not None
    return scheduled and isinstance(optimizer, HJBUnder)


# -- preparing without running ------------------------------------------------------------


@dataclass
class _Waiting:
    owner: BaseEstimator
    fits: list[PreparedFit]


_WAITING: ContextVar[_Waiting | None] = ContextVar("fits that wait", default=None)


@contextmanager
def prepare_only(estimator: BaseEstimator) -> Iterator[list[PreparedFit]]:
    """Have an estimator's ``fit`` prepare its training, but neither run nor finish it.

    Whoever opens this context runs the fits it collects, together or one by one, and finishes
    them. All validation, encoding, splitting and seeding is done. An estimator whose ``fit`` comes
    to no training is fitted as usual.

    Parameters
    ----------
    estimator : estimator
        Others that are fitted meanwhile, a pipeline's transformers say, train as ever.

    Yields
    ------
    list of PreparedFit
        Empty at first.
    """
    waiting = _Waiting(estimator, [])
    token = _WAITING.set(waiting)
    try:
        yield waiting.fits
    finally:
        _WAITING.reset(token)


def hand_over(fit: PreparedFit, owner: BaseEstimator) -> bool:
    """Hand a fit over to the `prepare_only` that waits for its owner's; False if there is none."""
    waiting = _WAITING.get()
    if waiting is None or waiting.owner is not owner:
        return False
    waiting.fits.append(fit)
    return True
