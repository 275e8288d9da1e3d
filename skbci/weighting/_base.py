"""The base of all policies."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from skbci._checks import check_count
from skbci._settings import ShownSettings
from skbci._warning import warn
from skbci.weighting._evidence import Evidence, Floats, Gradients, shared_gradients

#: A policy warns when one loss has more than this share of all weight.
COLLAPSE_SHARE = 0.95


class LossCollapseWarning(UserWarning):
    """One loss has more than 95 % of all weight; the others hardly take part any more."""


class NonFiniteError(ValueError):
    """A loss or its gradient is not finite: training has diverged."""


class WeightingPolicy(ShownSettings, ABC):
    """Weights of several losses that change while a network is trained.

    A subclass stores its settings in ``__init__`` and defines `next_weights`. It says by the class
    attributes ``acts_on`` ("batch", "epoch" or "never"), ``uses_gradients`` and ``needs_positive``
    when it is asked and what for. What it has to remember it keeps in attributes that it names in
    ``memory``; they are set by ``_start``.

    Attributes
    ----------
    weights_ : ndarray, shape (K,)
        The weights in force. All one at the start, as a rule; positive, and summing to K.
    gradient_norms_ : ndarray of shape (K,), or None
        Euclidean norms of the losses' gradients at the shared parameter in the last batch, where
        the policy looks at gradients.

    Notes
    -----
    A policy works in any torch loop::

        policy = AlphaGrad().start(n_losses=2)
        for X, y in batches:
            losses = [loss_1(...), loss_2(...)]
            weights = policy.on_batch(losses, network.shared.weight)
            torch.dot(weights, torch.stack(losses)).backward()

    and, for those that act on epochs, ``policy.on_epoch(train_losses, valid_losses)`` after each.
    `weighted_backward` does the last two lines in less time.
    The weights are computed in double precision on the host; with an accelerator a batch costs one
    or two waits for K numbers.

    Examples
    --------
    A policy of one's own that weighs each loss by the inverse of its gradient's norm:

    >>> import torch
    >>> from skbci.weighting import WeightingPolicy
    >>> class InverseNorms(WeightingPolicy):
    ...     uses_gradients = True
    ...     def next_weights(self, seen):
    ...         inverse = 1 / seen.gradients.norms()
    ...         return len(inverse) * inverse / inverse.sum()
    >>> shared = torch.ones(2, requires_grad=True)
    >>> policy = InverseNorms().start(n_losses=2)
    >>> policy.on_batch([shared.sum(), 3 * shared.sum()], shared).tolist()
    [1.5, 0.5]
    """

    acts_on: ClassVar[str] = "batch"
    uses_gradients: ClassVar[bool] = False
    needs_validation: ClassVar[bool] = False
    needs_positive: ClassVar[bool] = False
    memory: ClassVar[tuple[str, ...]] = ()

    weights_: Floats
    gradient_norms_: Floats | None
    _names: Sequence[str] | None = None  # of the losses, where an estimator knows them

    @abstractmethod
    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Return the K weights that follow from what was seen.

        Parameters
        ----------
        seen : Evidence
            The losses and the gradients of this batch, or the losses of this epoch.

        Returns
        -------
        array-like, shape (K,)
        """

    def start(self, n_losses: int) -> WeightingPolicy:
        """Forget everything, and begin with equal weights.

        Parameters
        ----------
        n_losses : int
            The number K of losses.

        Returns
        -------
        self
        """
        n_losses = check_count(n_losses, "n_losses", self)
        self.weights_ = np.ones(n_losses)
        self.gradient_norms_ = None
        self._warned = False
        self._start(n_losses)
        return self

    def _start(self, n_losses: int) -> None:
        """Set what ``memory`` names, and other first weights than ones."""

    def on_batch(
        self, losses: Sequence[Tensor] | Tensor, shared_parameter: Tensor | None = None
    ) -> Tensor:
        """Update the weights by a batch, before its weighted sum is back-propagated.

        Parameters
        ----------
        losses : sequence of K scalar Tensors, or Tensor of shape (K,)
            With their graph, which is kept.
        shared_parameter : Tensor, optional
            The weight of the last layer that all heads share; needed where ``uses_gradients``.

        Returns
        -------
        Tensor, shape (K,)
            The weights for this batch, on the losses' device, without a graph.

        Raises
        ------
        ValueError
            If the number of losses is not K, a loss is not a finite scalar (or negative, where the
            policy takes ratios of losses), or a gradient is missing.
        """
        values = self._read_losses(losses)
        gradients = None
        if self.uses_gradients:
            if shared_parameter is None:
                raise ValueError(
                    f"{type(self).__name__} needs shared_parameter, the weight of the last layer "
                    "that all heads share, to compare the losses' gradients there."
                )
            gradients = Gradients(shared_gradients(losses, shared_parameter))
        self.update(values, gradients)
        first = losses[0]
        return torch.as_tensor(self.weights_, dtype=first.dtype).to(first.device)

    def update(self, losses: ArrayLike, gradients: Gradients | ArrayLike | None = None) -> Floats:
        """Update the weights by a batch whose losses and gradients are known as numbers.

        Parameters
        ----------
        losses : array-like, shape (K,)
        gradients : Gradients, or array-like of shape (K, n), optional
            Of the losses as they are, without weights, at the shared parameter.

        Returns
        -------
        ndarray, shape (K,)
            The weights for this batch.
        """
        values = self._check_losses(np.asarray(losses, dtype=np.float64), "losses")
        if self.uses_gradients:
            if gradients is None:
                raise ValueError(f"{type(self).__name__} needs the losses' gradients.")
            if not isinstance(gradients, Gradients):
                gradients = Gradients(gradients)
            if len(gradients) != len(values):
                raise ValueError(
                    f"{len(gradients)} gradients were given for {len(values)} losses."
                )
            self.gradient_norms_ = gradients.norms()
            if not np.isfinite(self.gradient_norms_).all():
                raise NonFiniteError(
                    f"{type(self).__name__}: the gradient of loss "
                    f"{_first_bad(self.gradient_norms_)} is not finite."
                )
        if self.acts_on == "batch":
            self._set(self.next_weights(Evidence(losses=values, gradients=gradients)))
        return self.weights_

    def on_epoch(
        self, train_losses: ArrayLike, valid_losses: ArrayLike | None = None
    ) -> Floats:
        """Update the weights after an epoch.

        Parameters
        ----------
        train_losses : array-like, shape (n_batches, K) or (K,)
            The unweighted losses of each batch, or their means.
        valid_losses : array-like of the same kind, optional
            On validation data; needed where ``needs_validation``.

        Returns
        -------
        ndarray, shape (K,)
            The weights for the next epoch.
        """
        train = self._check_losses(np.asarray(train_losses, dtype=np.float64), "train_losses", 2)
        valid = None
        if valid_losses is not None:
            valid = np.asarray(valid_losses, dtype=np.float64)
            valid = self._check_losses(valid, "valid_losses", 2)
        elif self.needs_validation:
            raise ValueError(
                f"{type(self).__name__} compares training and validation losses: valid_losses is "
                "needed."
            )
        if self.acts_on == "epoch":
            self._set(self.next_weights(Evidence(train_losses=train, valid_losses=valid)))
        return self.weights_

    def state_dict(self) -> dict[str, Any]:
        """Return all that training has changed, as numbers, lists and arrays."""
        self._check_started()
        names = ("weights_", "gradient_norms_", "_warned", *self.memory)
        return {name: copy.deepcopy(getattr(self, name)) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> WeightingPolicy:
        """Continue from what `state_dict` gave.

        Parameters
        ----------
        state : dict

        Returns
        -------
        self
        """
        names = {"weights_", "gradient_norms_", "_warned", *self.memory}
        if set(state) != names:
            raise ValueError(
                f"This is not the state of {type(self).__name__}: it has the keys "
                f"{sorted(state)}, not {sorted(names)}."
            )
        for name in names:
            setattr(self, name, copy.deepcopy(state[name]))
        return self

    def _set(self, weights: ArrayLike) -> None:
        """Put weights in force, and warn once if they have collapsed."""
        self.weights_ = np.asarray(weights, dtype=np.float64)
        largest, total = float(self.weights_.max()), float(self.weights_.sum())
        collapsed = len(self.weights_) > 1 and largest > COLLAPSE_SHARE * total
        if collapsed and not self._warned and not self._is_meant(int(self.weights_.argmax())):
            self._warned = True
            shown = ", ".join(f"{w:.3g}" for w in self.weights_)
            place = int(self.weights_.argmax())
            names = self._names
            which = f"loss {place}" if names is None else f"the loss of {names[place]!r}"
            warn(
                f"{type(self).__name__}: the loss weights have collapsed to ({shown}): {which} "
                f"has {largest / total:.0%} of all weight, and the others are hardly learned any "
                "more.",
                LossCollapseWarning,
            )

    def _is_meant(self, largest: int) -> bool:
        """Return whether this loss may take all the weight."""
        return False

    def _check_started(self) -> None:
        if not hasattr(self, "weights_"):
            raise ValueError(
                f"{type(self).__name__} does not know the number of losses yet; call "
                "start(n_losses) first."
            )

    def _read_losses(self, losses: Sequence[Tensor] | Tensor) -> Floats:
        self._check_started()
        if len(losses) != len(self.weights_):
            raise ValueError(
                f"{type(self).__name__} was started with {len(self.weights_)} losses, but got "
                f"{len(losses)}."
            )
        for k, loss in enumerate(losses):
            if not isinstance(loss, Tensor) or loss.ndim:
                what = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
                raise ValueError(f"Loss {k} must be a scalar Tensor, got {what}.")
        return np.array(torch.stack([loss.detach() for loss in losses]).tolist())

    def _check_losses(self, values: Floats, name: str, ndim: int = 1) -> Floats:
        """Check K finite numbers, or rows of them."""
        self._check_started()
        n_losses = len(self.weights_)
        if ndim == 2 and values.ndim == 1:
            values = values[None, :]
        if values.ndim != ndim or values.shape[-1] != n_losses or not len(values):
            raise ValueError(
                f"{type(self).__name__} was started with {n_losses} losses, but {name} has the "
                f"shape {values.shape}."
            )
        worst = values if ndim == 1 else values.sum(axis=0)
        if not np.isfinite(worst).all():
            k = _first_bad(worst)
            raise NonFiniteError(
                f"{type(self).__name__}: loss {k} is {worst[k]}; losses must be finite."
            )
        if self.needs_positive and values.min() < 0:
            k = int(np.argwhere(values < 0)[0][-1])
            raise ValueError(
                f"{type(self).__name__}: loss {k} is negative ({values.min():g}); it must not be, "
                "because the weights follow from ratios of losses."
            )
        return values


def _first_bad(values: Floats) -> int:
    return int(np.flatnonzero(~np.isfinite(values))[0])


def rescale(weights: ArrayLike) -> Floats:
    """Scale positive weights so that they sum to their number."""
    weights = np.asarray(weights, dtype=np.float64)
    return weights * (len(weights) / weights.sum())
