"""The task of each row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from torch import nn

from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_values
from skbci._typing import Label, Labels, Signals

#: What to do where scikit-learn calls, and the user cannot pass ``task`` along.
THROUGH_TOOLS = (
    "In scikit-learn's tools, sklearn.set_config(enable_metadata_routing=True) lets "
    "params={'task': ...} reach it; leave scoring out or use TaskScorer, because scorers such as "
    "'accuracy' do not pass it on."
)
#: What rows are of where nobody says it.
ONE_TASK = "task"
# Names of other columns of the history.
_TAKEN = {"loss", "mean", "batch_size"}


def name_tasks(X: Signals, task: Labels | None, n_rows: int) -> np.ndarray | None:
    """Return the task of each row: as given, or from X's row table; None without either.

    Raises
    ------
    ValueError
        If there is not one task for each row, or one is missing.
    TypeError
        If something cannot name a task.
    """
    if task is None:
        table = row_values(X, "task")
        if table is None:
            return None
        task = table
    if isinstance(task, str) or np.ndim(task) == 0:
        if not isinstance(task, (Hashable, np.ndarray)):
            raise TypeError(
                f"task={task!r} must be one label for all rows, or one for each row."
            )
        if np.any(pd.isna(np.asarray(task, dtype=object))):
            raise ValueError(f"task is missing: task={task!r} is not a label.")
        return np.full(n_rows, task)
    labels = check_column(task, n_rows, "task")
    objects = labels if labels.dtype == object else ()
    if odd := [label for label in objects if not isinstance(label, Hashable)]:
        raise TypeError(f"task has {odd[0]!r}, which cannot name a task: use strings or numbers.")
    return labels


def head_names(tasks: Sequence[Label]) -> list[str]:
    """Name the tasks so that a network's parts and the history's columns can bear the names.

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
