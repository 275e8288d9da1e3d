"""Masked arrays, whose masks numpy drops without a word."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_unmasked"]


def check_unmasked(data: Any, name: str) -> Any:
    """Return the data, unless entries are masked: numpy would read what is under the mask.

    Raises
    ------
    ValueError
        Naming the argument and the first masked row.
    """
    if isinstance(data, (list, tuple)):
        counts = [np.ma.count_masked(row) if _is_masked(row) else 0 for row in data]
    elif _is_masked(data):
        mask = np.ma.getmaskarray(np.ma.atleast_1d(data))
        counts = mask.reshape(len(mask), -1).sum(axis=1)
    else:
        return data
    if np.any(counts):
        raise ValueError(
            f"{name} has masked entries ({np.sum(counts)} of them, the first in row "
            f"{np.flatnonzero(counts)[0]}); what is under a mask is not data. Drop these rows or "
            f"channels, or fill in values ({name}.filled(...)) first."
        )
    return data


def _is_masked(value: object) -> bool:
    return isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value)
