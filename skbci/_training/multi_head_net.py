"""The skorch net that trains several heads, each with a loss of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from skbci._training.classifier_net import ClassifierNet
from skbci._training.evaluation import EVALUATION_LIMIT
from skbci._training.head_losses import as_heads
from skbci._training.mini_batches import Rows
from skbci._training.net import SlicingNet
from skbci._training.shared_layer import output_of, parameters_above, shared_parameter
from skbci.weighting import NonFiniteError, WeightingPolicy, weighted_backward

T = TypeVar("T")


class MultiHeadNet(ClassifierNet):
    """A net whose criterion gives one mean loss a head, weighed by a policy.

    The policy sees mean losses whatever the optimizer is fed: for rules that step by the loss
    summed over the mini-batch, weighted sum and gradient are multiplied by the number of rows
    afterwards (their total weight, where they have weights).
    """

    policy_: WeightingPolicy

    def __init__(
        self, *args: Any, policy: WeightingPolicy, loss_lr: float | None = None, **kwargs: Any
    ) -> None:
        self.policy = policy
        self.loss_lr = loss_lr
        super().__init__(*args, **kwargs)

    def initialize(self) -> MultiHeadNet:
        """Build everything, and start the policy."""
        super().initialize()
        self.policy_ = copy.deepcopy(self.policy).start(len(self.criterion_.names))
        self.policy_._names = tuple(self.criterion_.names)
        if self.policy_.uses_gradients:
            shared_parameter(self.module_, self.policy_)
        return self

    def get_params_for_optimizer(self, *args: Any, **kwargs: Any) -> tuple[tuple, dict[str, Any]]:
        """Put the losses' own parameters into a group, where they have a rate of their own."""
        given, settings = super().get_params_for_optimizer(*args, **kwargs)
        own = list(self.criterion_.parameters())
        if self.loss_lr is not None and own:
            network = [p for p in self.module_.parameters() if p.requires_grad]
            groups = [{"params": network}, {"params": own, "lr": self.loss_lr}]
            return (groups,), settings
        return given, settings

    def set_lr(self, lr: float) -> None:
        """Set the learning rate of the network, and of the losses if theirs is the same."""
        groups = self.optimizer_.param_groups
        for group in groups if self.loss_lr is None else groups[:1]:
            group["lr"] = lr

    # -- training -------------------------------------------------------------------------

    def fit_tensors(
        self,
        train: Rows,
        valid: Rows | None = None,
        epochs: int | None = None,
        shuffle: bool = True,
        double: bool = False,
    ) -> SlicingNet:
        """Train as `SlicingNet.fit_tensors`; validation is in the same batches every epoch."""
        if valid is not None:
            # Rows often come sorted by class, and a batch of one class has no triplet.
            X, y, weight = valid
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)  # the CPU's alone: dropout has its own
                order = self.shuffled(y).to(X.device)
            valid = X[order], y[order], None if weight is None else weight[order]
        return super().fit_tensors(train, valid, epochs, shuffle, double)

    def _copy_state(self) -> Any:
        losses = [value.detach().clone() for value in self.criterion_.state_dict().values()]
        return super()._copy_state(), losses, self.policy_.state_dict()

    def _restore(self, state: Any) -> None:
        module, losses, policy = state
        super()._restore(module)
        for value, kept in zip(self.criterion_.state_dict().values(), losses):
            value.copy_(kept)
        # The policy has warned of a collapse once; that stays.
        self.policy_.load_state_dict({**policy, "_warned": self.policy_._warned})

    def what_diverged(self) -> str:
        # The first batch that went wrong shows which loss it was; after it all are NaN.
        last = [float(loss) for loss in self._last_losses]
        seen = [*self._train_losses, last]
        if self._valid_losses is not None:
            seen += [*self._valid_losses]
        for losses in seen:
            bad = np.flatnonzero(~np.isfinite(losses))
            if len(bad):
                return f"the loss of {', '.join(repr(self.criterion_.names[k]) for k in bad)}"
        return "a gradient"

    def _train_epoch(self, *args: Any, **kwargs: Any) -> float:
        self._steps: list[tuple[Tensor, float | Tensor]] = []
        self._weights: list[np.ndarray] = []
        self._norms: list[np.ndarray] = []
        self._valid_losses: np.ndarray | None = None
        self._last_losses: list[Tensor] = []
        total = super()._train_epoch(*args, **kwargs)
        losses = np.array([losses.tolist() for losses, _ in self._steps], dtype=float)
        self._train_losses = losses
        if len(losses):
            self._record("train", _means(losses, [share for _, share in self._steps]))
            self._record("weight", np.mean(self._weights, axis=0))
            if self._norms:
                self._record("gradient_norm", np.mean(self._norms, axis=0))
        self._steps = []
        return total

    def _step(
        self, X: Tensor, y: Tensor, weight: Tensor | None, notify: bool
    ) -> tuple[Tensor, Tensor]:
        share = len(X) if weight is None else weight.sum()
        first: list[Tensor] = []

        def closure() -> Tensor:
            self.optimizer_.zero_grad(set_to_none=True)
            # Optimizers that ask twice get the same weights both times.
            total, losses, output = self._forward_backward(X, y, weight, look=not first)
            if not first:
                first.extend([losses, output.detach()])
            if self.loss_reduction == "sum":
                total = total * share
                gradients = [
                    p.grad
                    for group in self.optimizer_.param_groups
                    for p in group["params"]
                    if p.grad is not None
                ]
                torch._foreach_mul_(gradients, float(share))
            if notify:
                self.notify(
                    "on_grad_computed",
                    named_parameters=list(self.module_.named_parameters()),
                    batch=(X, y),
                    training=True,
                )
            return total

        total = self.optimizer_.step(closure).detach()
        losses, output = first
        self._steps.append((losses, self._shares(y, weight)))
        self._weights.append(self.policy_.weights_.copy())
        if self.policy_.gradient_norms_ is not None:
            self._norms.append(self.policy_.gradient_norms_.copy())
        return (total if self.loss_reduction == "sum" else total * share), output

    def _forward_backward(
        self, X: Tensor, y: Tensor, weight: Tensor | None, look: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the weighted sum, the losses and the logits, with gradients in ``.grad``."""
        policy = self.policy_
        if not (look and policy.acts_on == "batch"):
            outputs = self.module_(X)
            losses = self._losses(outputs, y, X, weight)
            total = _weighted(losses, policy.weights_)
            total.backward()
        elif not policy.uses_gradients:
            outputs = self.module_(X)
            losses = self._losses(outputs, y, X, weight)
            total = torch.dot(self._ask(policy.on_batch, losses), torch.stack(losses))
            total.backward()
        else:
            parameter = shared_parameter(self.module_, policy)
            with output_of(self.module_, parameter) as shared:
                outputs = self.module_(X)
            losses = self._losses(outputs, y, X, weight)
            above = parameters_above(losses, shared)
            if above is None:
                total = torch.dot(self._ask(policy.on_batch, losses, parameter),
                                  torch.stack(losses))
                total.backward()
            else:
                total = self._ask(
                    weighted_backward, policy, losses, shared[0], parameter, above
                )
        return total.detach(), torch.stack(losses).detach(), as_heads(outputs)[0]

    def _losses(
        self, outputs: Tensor | Sequence[Tensor], y: Tensor, X: Tensor, weight: Tensor | None
    ) -> list[Tensor]:
        losses = self.criterion_(outputs, y, X, weight)
        # Copies, which do not keep all values alive (and in pickles) that one is the mean of.
        self._last_losses = [loss.detach().clone() for loss in losses]
        return losses

    def _shares(self, y: Tensor, weight: Tensor | None) -> float | Tensor:
        """Return how much a batch counts in the mean over batches: a number, or one a loss."""
        return len(y) if weight is None else weight.sum()

    def _ask(self, function: Callable[..., T], *args: Any) -> T:
        """Show the policy the losses; its errors name the heads."""
        try:
            return function(*args)
        except NonFiniteError:
            raise
        except ValueError as error:
            raise ValueError(f"{error} {self._legend()}") from error

    def _legend(self) -> str:
        numbered = ", ".join(f"{k} is {name!r}" for k, name in enumerate(self.criterion_.names))
        return f"(Loss {numbered}.)"

    def _record(self, what: str, values: np.ndarray) -> None:
        for name, value in zip(self.criterion_.names, values):
            self.history.record(f"{what}_{name}", float(value))

    # -- validation -----------------------------------------------------------------------

    def _evaluate(self, X: Tensor, y: Tensor, weight: Tensor | None, notify: bool) -> float:
        """Compute the mean losses without training, in batches as in training."""
        self.module_.eval()
        size = len(X) if self.batch_size == -1 else min(self.batch_size, len(X))
        piece = max(1, EVALUATION_LIMIT // max(1, X[0].numel()) // size) * size
        losses, shares, logits = [], [], []
        with torch.inference_mode():
            for a in range(0, len(X), piece):
                part = slice(a, a + piece)
                outputs = as_heads(self.module_(X[part]))
                logits.append(outputs[0])
                w = None if weight is None else weight[part]
                for b in range(0, len(outputs[0]), size):
                    rows = slice(b, b + size)
                    subset = None if w is None else w[rows]
                    heads = [output[rows] for output in outputs]
                    of_batch = self.criterion_(heads, y[part][rows], X[part][rows], subset)
                    losses.append(torch.stack(of_batch))
                    shares.append(self._shares(y[part][rows], subset))
        self._valid_losses = torch.stack(losses).cpu().numpy().astype(float)
        means = _means(self._valid_losses, shares)
        self._record("valid", means)
        total = float(np.mean(self._weights, axis=0) @ means)
        if notify:
            self.notify("on_batch_begin", batch=(X, y), training=False)
            loss = torch.tensor(total)
            self._notify_batch_end((X, y), loss, torch.cat(logits), training=False)
        return total

    def accept_epoch(self) -> bool:
        """Show the epoch's losses to policies that act on epochs."""
        policy = self.policy_
        if policy.acts_on != "epoch" or (policy.needs_validation and self._valid_losses is None):
            return True
        try:
            self._ask(policy.on_epoch, self._train_losses, self._valid_losses)
        except NonFiniteError:
            return False
        return True


def _weighted(losses: list[Tensor], weights: np.ndarray) -> Tensor:
    """Sum losses with weights that are known, without a transfer for each."""
    total = losses[0] * float(weights[0])
    for loss, weight in zip(losses[1:], weights[1:]):
        total = total + loss * float(weight)
    return total


def _means(losses: np.ndarray, shares: list[float | Tensor]) -> np.ndarray:
    """Average losses (n_batches, K) by what each batch counts, alike for all losses or not."""
    counts = np.array([np.asarray(torch.as_tensor(share).cpu(), dtype=float) for share in shares])
    if counts.ndim == 1:
        return counts @ losses / counts.sum()
    with np.errstate(invalid="ignore"):  # a task of which there are no rows has no mean
        return (counts * losses).sum(axis=0) / counts.sum(axis=0)
