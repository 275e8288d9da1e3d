"""Rows of one shape."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_alike"]


def check_alike(data: Any, name: str) -> Any:
    """Return the data, unless it is a list of arrays or lists of different shapes.

    Raises
    ------
    ValueError
        Naming the argument, the first row that differs, and its shape.
    """
    if not isinstance(data, (list, tuple)) or len(data) < 2:
        return data
    if not all(isinstance(row, (np.ndarray, list, tuple)) for row in data):
        return data
    shapes = [_shape(row) for row in data]
    for at, shape in enumerate(shapes):
        if shape != shapes[0] or shape is None:
            raise ValueError(
                f"{name} has rows of different shapes: row 0 has {_shown(shapes[0])} and row {at} "
                f"{_shown(shape)}. Cut all epochs to one length, with the same channels, first."
            )
    return data


def _shape(row: Any) -> tuple[int, ...] | None:
    """None where the row itself is made of unequal parts."""
    try:
        return np.shape(row)
    except ValueError:
        return None


def _shown(shape: tuple[int, ...] | None) -> str:
    return "channels of unequal length" if shape is None else f"shape {shape}"
