"""An epoch of convolutional networks against skorch and the straightforward torch loop.

Run ``python benchmarks/networks.py``: MIN2Net and FBMSNet on rows of 22 channels and 400 samples
(for FBMSNet in nine bands), mini-batches of 100, and an EEGNet-like network on rows of 22 x 640,
mini-batches of 64; float32, one thread. The torch loop is that of a tutorial around the same
network from torch's own layers: a DataLoader, losses weighed by one, Adam, and the max-norm
projection. Skorch trains the same network with the same losses, optimizer and projection. All
times hold standardizing the rows and building the network; those of skorch and of the estimators
all else that ``fit`` does for one epoch. No rows are held out. An epoch's time is proportional to
the rows; ``--rows 2700`` is the size of a data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from _report import Table, main
from _timing import interleave, single_thread

single_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from skorch import NeuralNet  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402
from weighting import PlainFBMSNet, PlainMIN2Net  # noqa: E402

from skbci.estimators import (  # noqa: E402
    FBMSNetClassifier,
    MIN2NetClassifier,
    NeuralClassifier,
)
from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss  # noqa: E402
from skbci.nets import DualTaskNet  # noqa: E402

CHANNELS, TIMES, CLASSES, BATCH, LR = 22, 400, 2, 100, 1e-3
SKORCH, LOOP = "skorch", "plain torch loop"


class EEGNetLike(DualTaskNet):
    """The trunk of `DualTaskNet` with one task: spatial, temporal and separable filters."""

    def __init__(self, n_channels: int, n_times: int, n_outputs: int) -> None:
        super().__init__(n_channels, n_times, {"class": n_outputs})

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return super().forward(X)[0]


class PlainEEGNetLike(EEGNetLike):
    """The same with torch's own temporal layer."""

    def __init__(self, n_channels: int, n_times: int, n_outputs: int) -> None:
        super().__init__(n_channels, n_times, n_outputs)
        self.temporal = nn.Conv1d(16, 16, 65, padding="same", groups=16, bias=False)


class SummedLosses(nn.Module):
    """Cross-entropy of the logits and a loss of each further output."""

    def __init__(self, heads: Sequence[Callable[[], nn.Module]] = ()) -> None:
        super().__init__()
        self.heads = nn.ModuleList(head() for head in heads)

    def forward(self, output: Any, y: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
        logits, *others = output if isinstance(output, tuple) else (output,)
        total = nn.functional.cross_entropy(logits, y)
        for loss, other, target in zip(self.heads, others, (y, X)):
            total = total + loss(other, target)
        return total


class SkorchNet(NeuralNet):
    """What skorch's users write for several losses and a max-norm."""

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Any:
        return self.criterion_(y_pred, y_true, X)

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        step = super().train_step(batch, **fit_params)
        self.module_.apply_max_norm()
        return step


@dataclass(frozen=True)
class Work:
    """A network, its data and its losses, the usual way and ours."""

    shape: tuple[int, ...]
    plain: Callable[[], nn.Module]
    estimator: Any
    losses: Sequence[Callable[[], nn.Module]] = ()
    batch: int = BATCH
    policies: tuple[str, ...] = ("alphagrad",)

    def rows(self, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n_rows, *self.shape), dtype=np.float32)
        return X, np.arange(n_rows) % CLASSES

    def loop_epoch(self, X: np.ndarray, y: np.ndarray) -> None:
        """One epoch of the loop that everybody writes."""
        torch.manual_seed(0)
        net, criterion = self.plain(), SummedLosses(self.losses)
        optimizer = torch.optim.Adam([*net.parameters(), *criterion.parameters()], lr=LR)
        rows = TensorDataset(torch.from_numpy(standardized(X)), torch.from_numpy(y))
        for features, labels in DataLoader(rows, batch_size=self.batch, shuffle=True):
            optimizer.zero_grad()
            criterion(net(features), labels, features).backward()
            optimizer.step()
            net.apply_max_norm()

    def skorch_epoch(self, X: np.ndarray, y: np.ndarray) -> None:
        torch.manual_seed(0)
        SkorchNet(
            self.plain, criterion=SummedLosses, criterion__heads=self.losses,
            optimizer=torch.optim.Adam, lr=LR, max_epochs=1, batch_size=self.batch,
            train_split=None, verbose=0, iterator_train__shuffle=True,
        ).fit(standardized(X), y)

    def estimator_epoch(self, X: np.ndarray, y: np.ndarray, **params: Any) -> None:
        self.estimator(
            optimizer="adam", lr=LR, max_epochs=1, batch_size=self.batch, early_stopping=False,
            random_state=0, **params,
        ).fit(X, y)

    def ways(self, n_rows: int) -> dict[str, Callable[[], None]]:
        """What to time: skorch, the loop, the estimator, and that with loss-weighting policies."""
        data = self.rows(n_rows)
        ways = {SKORCH: self.skorch_epoch, LOOP: self.loop_epoch, self.name: self.estimator_epoch}
        for policy in self.policies:
            ways[f"{self.name}, {policy}"] = partial(self.estimator_epoch, loss_weighting=policy)
        return {name: partial(way, *data) for name, way in ways.items()}

    @property
    def name(self) -> str:
        kind = self.estimator.func if isinstance(self.estimator, partial) else self.estimator
        return f"`{kind.__name__}`"


def standardized(X: np.ndarray) -> np.ndarray:
    """Each channel (of each band) with zero mean and unit variance, as the estimators do it."""
    axes = (0, X.ndim - 1)
    return (X - X.mean(axes, keepdims=True)) / X.std(axes, keepdims=True)


def min2net(n_channels: int = CHANNELS) -> Work:
    return Work(
        (n_channels, TIMES), partial(PlainMIN2Net, n_channels, TIMES, CLASSES),
        MIN2NetClassifier, [SemiHardTripletLoss, ReconstructionLoss],
    )


def fbmsnet(shared_layer: bool) -> Work:
    return Work(
        (9, CHANNELS, TIMES), partial(PlainFBMSNet, CHANNELS, TIMES, CLASSES, shared_layer),
        partial(FBMSNetClassifier, shared_layer=shared_layer),
        [partial(CenterLoss, CLASSES, 1152)],
    )


def eegnet_like() -> Work:
    return Work(
        (CHANNELS, 640), partial(PlainEEGNetLike, CHANNELS, 640, CLASSES),
        partial(NeuralClassifier, EEGNetLike), batch=64, policies=(),
    )


def tables(quick: bool, rows: int | None = None) -> Iterator[Table]:
    n_rows = rows or (20 if quick else 300)
    kinds = {
        "MIN2Net": min2net(), "FBMSNet": fbmsnet(False), "FBMSNet, shared layer": fbmsnet(True),
        "EEGNet-like network": eegnet_like(),
    }
    for name, work in kinds.items():
        times = interleave(work.ways(n_rows), repeats=1 if quick else 5)
        shape = " x ".join(map(str, (n_rows, *work.shape)))
        table = Table(f"One epoch of {name}, {shape}, batch {work.batch}", times, SKORCH,
                      note="Building the network and standardizing the rows included.")
        table.faster(work.name, 1.3, work=f"an epoch of {name}")
        if work.losses:
            table.faster(work.name, 1.0, peer=LOOP, work=f"an epoch of {name}")
        yield table


if __name__ == "__main__":
    main(tables, __doc__, options={"rows": int})
