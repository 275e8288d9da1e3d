"""Blocks of rows, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Bytes at once: overlapping windows of a recording are a view, many times its size when copied.
BLOCK = 8_000_000


def signal_blocks(data: np.ndarray, n_bytes: int = BLOCK) -> Iterator[tuple[slice, np.ndarray]]:
    """Go through the signals of ``data`` in blocks of whole rows.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_times) or (n_rows, n_channels, n_times)
        In any memory layout.
    n_bytes : int
        About the size of a block, at least one row.

    Yields
    ------
    at : slice
        Which of all signals, channels of the first row first.
    signals : ndarray, shape (n_signals, n_times)
        A view where the memory allows it, else a copy.
    """
    n_times = data.shape[-1]
    per_row = data[0].size // n_times
    n_rows = max(1, n_bytes // max(1, data[0].nbytes))
    for i in range(0, len(data), n_rows):
        signals = data[i : i + n_rows].reshape(-1, n_times)
        yield slice(i * per_row, i * per_row + len(signals)), signals
