"""What counts as a number among parameters."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

__all__ = ["is_number"]


def is_number(value: Any) -> bool:
    """Whether a value is a real number of Python's or numpy's; a truth value is none."""
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
