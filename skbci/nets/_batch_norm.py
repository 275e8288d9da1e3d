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
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    unbiased = variance * (count / max(1, count - 1))
    norm.running_mean.lerp_(mean.to(norm.running_mean), norm.momentum)
    norm.running_var.lerp_(unbiased.to(norm.running_var), norm.momentum)
    norm.num_batches_tracked.add_(1)


def running(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the running mean and variance, in double precision."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean.double(), norm.running_var.double()
