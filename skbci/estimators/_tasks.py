"""Which task each row belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from skbci._validation import check_groups, row_values

#: What rows are of where nobody says it.
ONE_TASK = "task"
# Names of other columns of the history.
_TAKEN = {"loss", "mean", "batch_size"}


def name_tasks(X: Any, task: Any, n_rows: int) -> np.ndarray | None:
    """Give the task of each row: as told, or from X's row table; None where neither says.

    Raises
    ------
    ValueError
        If there is not one task for each row, or one is missing.
    """
    if task is None:
        table = row_values(X, "task")
        if table is None:
            return None
        task = table
    if isinstance(task, str) or np.ndim(task) == 0:
        return np.full(n_rows, task)
    labels = check_groups(task, n_rows, "task")
    if labels.dtype == object and any(label is None or label != label for label in labels):
        raise ValueError("task has missing (None or NaN) entries.")
    return labels


def head_names(tasks: Sequence[Any]) -> list[str]:
    """Turn tasks into names that a network's parts and the history's columns can have.

    Examples
    --------
    >>> head_names(["imagery", "v1.5", "keys", "loss"])
    ['imagery', 'v1_5', 'keys_', 'loss_']
    """
    names: list[str] = []
    for task in tasks:
        name = str(task).replace(".", "_")
        while not name or name in _TAKEN or name in names or hasattr(nn.ModuleDict(), name):
            name += "_"
        names.append(name)
    return names
