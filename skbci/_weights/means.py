"""Means of losses over the rows of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["divisor_of", "mean_of_rows"]


def divisor_of(weight: Tensor) -> Tensor:
    """Return what a batch's summed losses are divided by for their mean, along the last axis.

    Parameters
    ----------
    weight : Tensor, shape (..., n_rows)
        Row weights, at least 0.

    Returns
    -------
    Tensor, shape (...)
        The sums; 1 where no row of the batch weighs anything, so that its loss is 0.
    """
    total = weight.sum(-1)
    return torch.where(total > 0, total, torch.ones_like(total))


def mean_of_rows(rows: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean over rows, weighted where there are weights.

    Parameters
    ----------
    rows : Tensor, shape (n_rows,)
        One value for each row.
    weight : Tensor of shape (n_rows,), or None
        Row weights, at least 0.

    Returns
    -------
    Tensor
        A scalar; 0, with the gradient 0, where there is no row or none weighs anything.
    """
    if weight is not None:
        return (rows * weight).sum() / divisor_of(weight)
    return rows.mean() if len(rows) else rows.sum()
