"""Cost of one step of the rules that step by the output error, against HJB, on one thread.

Run ``python benchmarks/second_order.py`` (about a minute) or with ``--quick``.

A plain torch loop for all: the network 90-50-30-10-2 (ReLU, no dropout), mini-batches of 128 rows,
softmax cross-entropy. A step is the closure (clear, forward, loss, backward) and the optimizer's
work. The optimizers run in turn; each turn is 5 steps, and the time of a turn is divided by 5. On
a busy machine long turns are interrupted more often than short ones: the ratio of the best turns
then says more than that of the medians.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from _report import Table, main
from _timing import interleave, ratio, single_thread

single_thread()

import torch  # noqa: E402
from torch import nn  # noqa: E402

from skbci.nets import MLP  # noqa: E402
from skbci.optim import EVDHJB, HJB, LevenbergMarquardt, LyapunovDescent  # noqa: E402

STEPS = 5
Rules = dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]]
RULES: Rules = {
    "`HJB`": (HJB, {}),
    "`LyapunovDescent`": (LyapunovDescent, {"lr": 1e-3}),
    "`LevenbergMarquardt`": (LevenbergMarquardt, {"lr": 0.1}),
    "`EVDHJB`": (EVDHJB, {}),
}


def work(
    rule: type[torch.optim.Optimizer],
    settings: dict[str, Any],
    build: Callable[[], nn.Module],
    shape: tuple[int, ...],
    dtype: torch.dtype,
) -> Callable[[], None]:
    """Give a function that trains for some steps."""
    torch.manual_seed(0)
    net = build().to(dtype)
    X = torch.randn(shape, dtype=dtype)
    y = (X.flatten(1)[:, :3].sum(1) > 0).long()
    if getattr(rule, "needs_module", False):
        settings = {**settings, "module": net}
    optimizer = rule(net.parameters(), **settings)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X), y, reduction="sum")
        loss.backward()
        return loss

    def run() -> None:
        for _ in range(STEPS):
            optimizer.step(closure)

    return run


def compare(
    title: str,
    build: Callable[[], nn.Module],
    shape: tuple[int, ...],
    dtype: torch.dtype,
    repeats: int,
) -> Table:
    """Time all rules on one network."""
    times = interleave(
        {name: work(*rule, build, shape, dtype) for name, rule in RULES.items()},
        repeats=repeats, warmup=2,
    )
    times = {name: timing / STEPS for name, timing in times.items()}
    hjb = times["`HJB`"]
    columns = {
        "cost in steps of HJB": {name: ratio(t, hjb) for name, t in times.items()},
        "of the best turns": {name: t.best / hjb.best for name, t in times.items()},
    }
    return Table(title, times, "`HJB`", columns=columns, timed="one step")


def dense() -> nn.Module:
    return MLP(90, 2, (50, 30, 10))


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(22, 8, 15), nn.ELU(), nn.AvgPool1d(4), nn.Conv1d(8, 8, 7, groups=8),
        nn.ELU(), nn.AdaptiveAvgPool1d(8), nn.Flatten(), nn.Linear(64, 2),
    )


def tables(quick: bool) -> Iterator[Table]:
    repeats = 12 if quick else 200
    name = "Rules that step by the output error, 90-50-30-10-2, batches of 128"
    yield compare(f"{name}, float32", dense, (128, 90), torch.float32, repeats)
    yield compare(f"{name}, float64", dense, (128, 90), torch.float64, repeats)
    yield compare(
        "The same, two convolutions and a dense layer, 22 channels x 250 samples, batches of 32, "
        "float32",
        convolutional, (32, 22, 250), torch.float32, repeats // 4,
    )


if __name__ == "__main__":
    main(tables, __doc__)
