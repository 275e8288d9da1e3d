"""Costs of a network: parameters, multiplications, bytes and time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

# Outputs that differ by less, relative to the largest or to one, are the same but for rounding.
_SAME = 1e-4


@dataclass(frozen=True)
class NetworkCost:
    """What one network costs.

    Attributes
    ----------
    parameters : int
        Numbers that are stored as parameters, zeros among them.
    nonzero : int
        Those that are not zero.
    multiply_adds : int
        Multiplications and additions of dense and convolution layers for one row, zeros among
        them: what a dense implementation does.
    bytes : int
        Of parameters and buffers.
    latency : float
        Median time to predict one row, in s, measured.

    Examples
    --------
    >>> import torch
    >>> from skbci.sparsity import compact
    >>> net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> masks = {"0.weight": torch.arange(4)[:, None].expand(4, 8) < 3}  # the last unit is dead
    >>> _, report = compact(net, masks, torch.eye(8))
    >>> cost = report.before
    >>> cost.parameters, cost.multiply_adds, cost.bytes
    (46, 40, 184)
    """

    parameters: int
    nonzero: int
    multiply_adds: int
    bytes: int
    latency: float


@dataclass(frozen=True)
class CompactionReport:
    """What compaction has saved.

    Attributes
    ----------
    before, after : NetworkCost
        Measured in turns on the same rows.
    difference : float
        Largest absolute difference between the outputs of the two networks on those rows.

    Examples
    --------
    >>> import torch
    >>> from skbci.sparsity import compact
    >>> net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> masks = {"0.weight": torch.arange(4)[:, None].expand(4, 8) < 3}  # the last unit is dead
    >>> _, report = compact(net, masks, torch.eye(8))
    >>> report.to_frame().loc[["before", "after"], "parameters"].tolist()
    [46.0, 35.0]
    """

    before: NetworkCost
    after: NetworkCost
    difference: float

    def to_frame(self) -> pd.DataFrame:
        """Return both side by side, and what is left.

        Returns
        -------
        DataFrame
            Rows "before", "after" and "ratio"; a column for each cost.
        """
        table = pd.DataFrame([asdict(self.before), asdict(self.after)], index=["before", "after"])
        table = table.astype(float)
        table.loc["ratio"] = table.loc["after"] / table.loc["before"]
        return table


def compare_costs(
    before: nn.Module, after: nn.Module, X: Tensor, n_repeats: int
) -> CompactionReport:
    """Measure two networks on rows X, in turns.

    Raises
    ------
    ValueError
        If rounding does not explain how far their outputs differ.
    """
    with torch.inference_mode():
        pairs = [*zip(_outputs(before(X)), _outputs(after(X)))]
    difference = max(float((a - b).abs().max()) for a, b in pairs)
    scale = max(1.0, *(float(a.abs().max()) for a, _ in pairs))
    precision = max(torch.finfo(a.dtype).eps for a, _ in pairs)
    if not difference <= max(_SAME, 100 * precision) * scale:
        raise ValueError(
            f"compact: without its dead units, {type(before).__name__} gives outputs that differ "
            f"by {difference:.3g}, which is more than rounding. Its outputs must be finite; and "
            "if it has a method without_dead_units(), that must not change them."
        )
    latencies = _latencies([before, after], X[:1], n_repeats)
    return CompactionReport(
        before=_cost(before, X[:1], latencies[0]),
        after=_cost(after, X[:1], latencies[1]),
        difference=difference,
    )


def _cost(module: nn.Module, row: Tensor, latency: float) -> NetworkCost:
    parameters = list(module.parameters())
    stored = [*parameters, *module.buffers()]
    return NetworkCost(
        parameters=sum(p.numel() for p in parameters),
        nonzero=sum(int(p.count_nonzero()) for p in parameters),
        multiply_adds=_multiply_adds(module, row),
        bytes=sum(value.numel() * value.element_size() for value in stored),
        latency=latency,
    )


def _multiply_adds(module: nn.Module, row: Tensor) -> int:
    counts: list[int] = []

    def count(layer: nn.Linear | _ConvNd, args: tuple[Tensor, ...], output: Tensor) -> None:
        weight = layer.weight
        if isinstance(layer, _ConvTransposeNd):
            counts.append(args[0].numel() * weight[0].numel())
        else:
            counts.append(output.numel() * weight[0].numel())

    layers = [layer for layer in module.modules() if isinstance(layer, (nn.Linear, _ConvNd))]
    handles = [layer.register_forward_hook(count) for layer in layers]
    try:
        with torch.inference_mode():
            module(row)
    finally:
        for handle in handles:
            handle.remove()
    return sum(counts)


def _latencies(modules: Sequence[nn.Module], row: Tensor, n_repeats: int) -> list[float]:
    """Median time of each, in turns, so that a busy moment meets all of them."""
    times: list[list[float]] = [[] for _ in modules]
    with torch.inference_mode():
        for repeat in range(-3, n_repeats):  # the first ones warm up
            for module, own in zip(modules, times):
                _wait(row)
                start = time.perf_counter()
                module(row)
                _wait(row)
                if repeat >= 0:
                    own.append(time.perf_counter() - start)
    return [float(np.median(own)) for own in times]


def _wait(row: Tensor) -> None:
    if row.device.type == "cuda":
        torch.cuda.synchronize(row.device)


def _outputs(output: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    return [output] if isinstance(output, Tensor) else output
