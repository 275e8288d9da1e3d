"""The mini-batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

# X, y and, where there are any, weights.
Rows = tuple[Tensor, Tensor, Tensor | None]

# Whole epochs are shuffled at once up to this many values (256 MB of float32).
_GATHER_LIMIT = 1 << 26


def batch_sizes(n_rows: int, batch_size: int) -> list[int]:
    """Return the numbers of rows of the mini-batches; -1 takes all rows at once."""
    size = n_rows if batch_size == -1 else min(batch_size, n_rows)
    sizes = [min(size, n_rows - start) for start in range(0, n_rows, size)]
    if len(sizes) > 1 and sizes[-1] == 1:
        sizes[-2:] = [size + 1]  # batch normalization cannot train on a single row
    return sizes


def mini_batches(rows: Rows, sizes: list[int], order: Tensor | None) -> Iterator[Rows]:
    """Yield the mini-batches, views where that can be.

    Parameters
    ----------
    rows : tuple of Tensor
    sizes : list of int
        Rows of each mini-batch.
    order : Tensor of int, optional
        In which the rows come.
    """
    X, y, weight = rows
    if order is not None and X.numel() > _GATHER_LIMIT:
        for part in order.split(sizes):
            yield X[part], y[part], None if weight is None else weight[part]
        return
    if order is not None:
        X, y = X[order], y[order]
        weight = None if weight is None else weight[order]
    weights = [None] * len(sizes) if weight is None else weight.split(sizes)
    yield from zip(X.split(sizes), y.split(sizes), weights)
