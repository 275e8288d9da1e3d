"""What a network is trained by: one criterion, a loss for each head, or one for each task."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skbci._checks import check_number
from skbci._training.criteria import Criterion, resolve_criterion
from skbci._training.evaluation import first_output
from skbci._training.head_losses import resolve_losses
from skbci._training.mini_batches import Rows
from skbci._training.multi_head_net import MultiHeadNet
from skbci._training.multitask_net import MultitaskNet, TaskLosses
from skbci._training.net import SlicingNet
from skbci._typing import Label
from skbci.weighting import FixedWeights, WeightingPolicy, resolve_policy

Weighting = str | type[WeightingPolicy] | WeightingPolicy  # a policy, by name, class or instance
Rule = str | type[torch.optim.Optimizer]  # an optimizer, by name or class
Resolve = Callable[[], tuple[Any, dict[str, Any]]]  # gives its class and settings
# Rows that go through the network at a time with gradients, in double precision.
_PIECE = 128


class LossPlan:
    """Everything that follows from what a network is trained by.

    Attributes
    ----------
    net_class : type
        The net that knows how to train so.
    class_loss : str, nn.Module or type
        The loss that says how logits become probabilities; of heads, known after `build`.
    counts_rows : bool
        Whether row weights that are whole numbers count rows: losses over a whole mini-batch
        know rows, not weights.
    """

    net_class: type[SlicingNet]
    class_loss: Criterion | None = None
    counts_rows = False

    def build(self, module: nn.Module, shape: tuple[int, ...], n_classes: int) -> nn.Module:
        """Return the criterion of a module whose rows have a shape."""
        raise NotImplementedError

    def monitored(self, validated: bool) -> str:
        """Return the column of the history that early stopping and the learning rate go by."""
        return "valid_loss" if validated else "train_loss"

    def net_settings(self) -> dict[str, Any]:
        """Return the arguments of the net that are about losses."""
        return {}

    def check(self, who: str, optimizer: Rule, resolve: Resolve, early_stopping: object) -> None:
        """Refuse settings that do not go with these losses.

        Parameters
        ----------
        who : str
            Who asks.
        optimizer : object
            As the user named it.
        resolve : callable
            Gives its class and settings.
        early_stopping : bool or str
        """

    def check_unvalidated(self, who: str, n_rows: int) -> None:
        """Refuse that ``early_stopping="auto"`` holds out none of so few rows."""

    def policy_of(self, net: SlicingNet) -> WeightingPolicy | None:
        """Return the policy that weighs the losses of a net; None if there is nothing to weigh."""
        return None

    def pruning_loss(self, net: SlicingNet) -> Callable[..., Tensor]:
        """Return ``loss(module, X, y, weight)`` in double precision, for the saliency."""
        criterion = copy.deepcopy(net.criterion_).double()

        def loss(module: nn.Module, X: Tensor, y: Tensor, weight: Tensor) -> Tensor:
            return criterion(first_output(module(X)), y) * weight

        return loss

    def pruning_batches(self, net: SlicingNet, sample: Rows) -> Any:
        """Divide rows for the saliency: (X, y, weights of mean 1), in pieces."""
        X, y, weight = sample
        weight = torch.ones(len(X), device=X.device) if weight is None else weight / weight.mean()
        return list(zip(X.split(_PIECE), y.split(_PIECE), weight.split(_PIECE)))


class OneLoss(LossPlan):
    """One criterion on the module's first output.

    Parameters
    ----------
    criterion : str, nn.Module class or instance
    names : mapping of str to type
        The names that there are.
    settings : dict
        The ``criterion__...`` parameters.
    net_class : type
    of_several : sequence of str
        What the user has set that is about several losses, for the message.
    """

    class_loss: Criterion

    def __init__(
        self, criterion: Criterion, names: Mapping[str, type[nn.Module]], settings: dict[str, Any],
        net_class: type[SlicingNet], of_several: Sequence[str] = (),
    ) -> None:
        self.class_loss = criterion
        self.names = names
        self.settings = settings
        self.net_class = net_class
        self.of_several = of_several

    def build(self, module: nn.Module, shape: tuple[int, ...], n_classes: int) -> nn.Module:
        """Return the criterion."""
        return resolve_criterion(self.class_loss, self.names, self.settings)

    def check(self, who: str, optimizer: Rule, resolve: Resolve, early_stopping: object) -> None:
        """Refuse what is about several losses."""
        if self.of_several:
            raise ValueError(
                f"{who}: {self.of_several[0]} is about several losses, but losses=None trains the "
                "criterion alone; name a loss for each of the module's heads."
            )


class _SeveralLosses(LossPlan):
    """Losses that a policy weighs.

    Parameters
    ----------
    weighting : str, WeightingPolicy class or instance
    weighting_settings : dict
        The ``loss_weighting__...`` parameters.
    """

    net_class: type[SlicingNet] = MultiHeadNet
    counts_rows = True

    def __init__(self, weighting: Weighting, weighting_settings: dict[str, Any]) -> None:
        self.weighting = weighting
        self.weighting_settings = weighting_settings

    def policy(self) -> WeightingPolicy:
        """Return the policy, not yet started."""
        return resolve_policy(self.weighting, self.weighting_settings)

    def net_settings(self) -> dict[str, Any]:
        """Return the policy."""
        return {"policy": self.policy()}

    def check(self, who: str, optimizer: Rule, resolve: Resolve, early_stopping: object) -> None:
        """Refuse a policy without validation rows, and optimizers of one output."""
        policy = self.policy()
        if policy.needs_validation and not early_stopping:
            raise ValueError(
                f"{who}: {type(policy).__name__} compares training and validation losses, but "
                "early_stopping=False leaves no rows to validate on. Set early_stopping=True; "
                "n_iter_no_change=max_epochs then keeps it from stopping."
            )
        if getattr(resolve()[0], "needs_module", False):
            raise ValueError(
                f"{who}: optimizer={optimizer!r} steps by the error of one output and "
                "cannot train the losses of several heads; use for example 'hjb' or 'adam'."
            )

    def check_unvalidated(self, who: str, n_rows: int) -> None:
        """Refuse if the policy needs validation rows."""
        policy = self.policy()
        if policy.needs_validation:
            raise ValueError(
                f"{who}: {type(policy).__name__} needs validation rows, "
                f"but with {n_rows} rows early_stopping='auto' holds out none; set "
                "early_stopping=True or give more rows."
            )

    def policy_of(self, net: SlicingNet) -> WeightingPolicy | None:
        """Return the policy that weighs the losses of a net."""
        return net.policy_


class HeadPlan(_SeveralLosses):
    """A loss, or none, for each head of a module.

    Parameters
    ----------
    losses : dict of str to str, nn.Module class or instance, or None
    settings : dict
        The ``losses__head__...`` parameters.
    weighting, weighting_settings : object, dict
        The policy, as the user named it.
    loss_lr : float or None
        Learning rate of parameters that the losses have of their own.
    criterion : object
        A criterion that the user has set beside the losses, if any, for the message.
    """

    def __init__(
        self, losses: Mapping[str, Criterion | None], settings: dict[str, Any],
        weighting: Weighting, weighting_settings: dict[str, Any], loss_lr: float | None,
        criterion: Criterion | None = None,
    ) -> None:
        super().__init__(weighting, weighting_settings)
        self.losses = losses
        self.settings = settings
        self.loss_lr = loss_lr
        self.criterion = criterion

    def build(self, module: nn.Module, shape: tuple[int, ...], n_classes: int) -> nn.Module:
        """Return the heads' losses."""
        resolved = resolve_losses(self.losses, self.settings, module, shape, n_classes)
        self.first = resolved.heads[0]
        self.class_loss = self.losses[self.first]
        return resolved

    def monitored(self, validated: bool) -> str:
        """Return the column of the first head's loss, whatever the weights are."""
        if self.class_loss is None:
            return super().monitored(validated)
        return f"{'valid' if validated else 'train'}_{self.first}"

    def net_settings(self) -> dict[str, Any]:
        """Return the policy, and the learning rate of the losses' own parameters."""
        return {**super().net_settings(), "loss_lr": self.loss_lr}

    def check(self, who: str, optimizer: Rule, resolve: Resolve, early_stopping: object) -> None:
        """Refuse a criterion beside the losses, too."""
        super().check(who, optimizer, resolve, early_stopping)
        if self.criterion is not None:
            raise ValueError(
                f"{who}: criterion={self.criterion!r} is not used when losses are given; name "
                "the loss of the logits among the losses."
            )

    def pruning_loss(self, net: SlicingNet) -> Callable[..., Tensor]:
        """Return the weighted sum of the losses, weighed as at the start."""
        criterion = copy.deepcopy(net.criterion_).double()
        factors = net.policy_.weights_.tolist()

        def loss(module: nn.Module, X: Tensor, y: Tensor, weight: Tensor) -> Tensor:
            losses = criterion(module(X), y, X, weight)
            return torch.stack([f * own for f, own in zip(factors, losses)]).sum()

        return loss

    def pruning_batches(self, net: SlicingNet, sample: Rows) -> Any:
        """Return the rows in one piece: a triplet loss compares rows with each other."""
        parts = super().pruning_batches(net, sample)
        return [tuple(torch.cat(values) for values in zip(*parts))]


class TaskPlan(_SeveralLosses):
    """The cross-entropy of each task, over its rows.

    Parameters
    ----------
    weighting, weighting_settings : object, dict
        The policy, as the user named it.
    weights : mapping of task to float, or None
        Factors of the tasks' losses.
    tasks : sequence
        The tasks, in order of the heads; empty as long as they are not known.
    who : str
        Who asks, for messages.
    """

    net_class = MultitaskNet
    class_loss = "cross-entropy"

    def __init__(
        self, weighting: Weighting, weighting_settings: dict[str, Any],
        weights: Mapping[Any, float] | None, tasks: Sequence[Label], who: str,
    ) -> None:
        super().__init__(weighting, weighting_settings)
        self.weights = weights
        self.tasks = tasks
        self.who = who

    def build(self, module: Any, shape: tuple[int, ...], n_classes: int) -> nn.Module:
        """Return the tasks' losses."""
        return TaskLosses(module.tasks)

    def monitored(self, validated: bool) -> str:
        """Return the column of the mean over tasks, whatever their weights are."""
        return f"{'valid' if validated else 'train'}_mean"

    def net_settings(self) -> dict[str, Any]:
        """Return the policy, with the tasks' factors where they are given."""
        settings = super().net_settings()
        if self.weights is not None:
            if set(self.weights) != set(self.tasks):
                raise ValueError(
                    f"{self.who}: task_weights names the tasks "
                    f"{list(self.weights)}, but there are rows of {list(self.tasks)}."
                )
            settings["policy"] = FixedWeights([self.weights[task] for task in self.tasks])
        return settings

    def policy(self) -> WeightingPolicy:
        """Return the policy; refuse factors beside one that weighs by itself."""
        policy = super().policy()
        given, name = self.weights, self.who
        if given is None:
            return policy
        if not isinstance(given, Mapping):
            raise TypeError(
                f"{name}: task_weights={given!r} must be a dict of a number for each task, or "
                "None."
            )
        for task, weight in given.items():
            check_number(weight, f"task_weights[{task!r}]", self.who, low=0)
        if given and not any(given.values()):
            raise ValueError(
                f"{name}: task_weights={dict(given)!r} are all zero: at least one task must count."
            )
        if not isinstance(policy, FixedWeights) or policy.weights is not None:
            raise ValueError(
                f"{name}: task_weights are for loss_weighting='fixed'; "
                f"{self.weighting!r} weighs the tasks by itself."
            )
        return policy

    def pruning_loss(self, net: SlicingNet) -> Callable[..., Tensor]:
        """Return ``loss(module, X, y, weight, task)``."""
        losses = net.criterion_

        def loss(module: nn.Module, X: Tensor, y: Tensor, weight: Tensor, task: str) -> Tensor:
            return losses.rows(module(X, task), y, losses.names.index(task)) * weight

        return loss

    def pruning_batches(self, net: SlicingNet, sample: Rows) -> dict[str, Any]:
        """Divide the rows by task, then into pieces."""
        X, y, weight = sample
        tasks, batches = net.criterion_.tasks_of(y), {}
        for number, head in enumerate(net.criterion_.names):
            subset = tasks == number
            own = X[subset], y[subset], None if weight is None else weight[subset]
            batches[head] = super().pruning_batches(net, own)
        return batches
