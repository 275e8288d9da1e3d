"""Callbacks that go by a column of the history: when to stop, when to lower the learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from skorch.callbacks import Callback, EarlyStopping

if TYPE_CHECKING:
    from skorch import NeuralNet

#: The column that `ValidAccuracy` writes.
ACCURACY = "valid_accuracy"


def check_monitored(name: str, epoch: Mapping[str, Any]) -> None:
    """Refuse to monitor what is not recorded.

    Raises
    ------
    ValueError
        Naming the columns that there are.
    """
    columns = [key for key in epoch if key not in ("batches", "epoch", "dur")]
    if name not in columns:
        raise ValueError(
            f"monitor={name!r} is not a column of the history; the columns are "
            f"{', '.join(columns)}."
        )


def is_better_larger(column: str) -> bool:
    """Whether a column of the history is to be large."""
    return column == ACCURACY


class ValidAccuracy(Callback):
    """Record the share of validation rows that are classified right, each row counting alike."""

    def on_epoch_end(self, net: NeuralNet, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Classify the rows that early stopping holds out."""
        if dataset_valid is not None:
            best = net.predict_tensor(dataset_valid.X).argmax(dim=1)
            net.history.record(ACCURACY, float((best == dataset_valid.y).double().mean()))


class ValidatedEarlyStopping(EarlyStopping):
    """Early stopping that keeps still in passes without validation, as in ``partial_fit``."""

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Judge the epoch if it was validated."""
        if "valid_loss" in net.history[-1]:
            check_monitored(self.monitor, net.history[-1])
            super().on_epoch_end(net, **kwargs)


class PlateauLR(Callback):
    """Multiply the learning rate when a column of the history has not improved for some epochs.

    Parameters
    ----------
    columns : sequence of str
        The first of them that an epoch has is monitored.
    patience : int
        Epochs without improvement, in a row.
    factor : float
    min_lr : float
        The learning rate is not lowered beyond this.
    threshold : float
        Smallest change that is an improvement: a decrease, of an accuracy an increase.
    """

    def __init__(
        self, columns: Sequence[str], patience: int, factor: float, min_lr: float, threshold: float
    ) -> None:
        self.columns = columns
        self.patience = patience
        self.factor = factor
        self.min_lr = min_lr
        self.threshold = threshold

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Forget what was."""
        self.best_ = np.inf
        self.misses_ = 0

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record the epoch's learning rate, and lower the next one's if it is time."""
        groups = net.optimizer_.param_groups
        net.history.record("lr", float(groups[0]["lr"]))
        epoch = net.history[-1]
        found = [name for name in self.columns if name in epoch]
        if not found:
            if "valid_loss" in epoch or not self.columns[0].startswith("valid"):
                check_monitored(self.columns[0], epoch)
            return  # a pass without validation, as in partial_fit
        value = epoch[found[0]] * (-1 if is_better_larger(found[0]) else 1)
        if value < self.best_ - self.threshold:
            self.best_, self.misses_ = value, 0
            return
        self.misses_ += 1
        if self.misses_ < self.patience:
            return
        self.misses_ = 0
        for group in groups:
            group["lr"] = min(group["lr"], max(group["lr"] * self.factor, self.min_lr))
