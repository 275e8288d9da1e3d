"""Batch normalization whose moments are computed elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def update_running(
    norm: nn.BatchNorm1d | nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: int
) -> None:
    """Move the running moments as the module itself would.

    Parameters
    ----------
    norm : nn.BatchNorm1d or nn.BatchNorm2d
    mean, variance : Tensor, shape (num_features,)
        Of the batch; the variance divided by ``count``.
    count : int
        Values of each feature in the batch.
    """
    known_mean, known_variance = moments(norm)
    if norm.momentum is None or norm.num_batches_tracked is None:
        raise ValueError(f"{type(norm).__name__} has no momentum to move its moments by.")
    unbiased = variance * (count / max(1, count - 1))
    known_mean.lerp_(mean.to(known_mean), norm.momentum)
    known_variance.lerp_(unbiased.to(known_variance), norm.momentum)
    norm.num_batches_tracked.add_(1)


def moments(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the running mean and variance themselves.

    Raises
    ------
    ValueError
        If the module keeps none.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError(f"{type(norm).__name__} keeps no running mean and variance.")
    return norm.running_mean, norm.running_var


def running(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the running mean and variance, in double precision."""
    mean, variance = moments(norm)
    return mean.double(), variance.double()
