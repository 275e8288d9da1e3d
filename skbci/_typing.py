"""Names of the types that public functions take: signals, labels, tables, splitters, seeds."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mne import BaseEpochs
    from sklearn.model_selection import BaseCrossValidator

__all__ = [
    "AxesLike", "ClassWeight", "EventId", "Label", "Labels", "Metadata", "Names", "PathLike",
    "Picks", "Scoring", "Seed", "Signals", "Splitter", "Subset",
]

# Rows x channels x times, rows x features, or rows x times; an `EEGArray` is an array, too.
Signals: TypeAlias = "ArrayLike | BaseEpochs | Sequence[BaseEpochs]"
# Of a class, subject, session, run or task.
Label: TypeAlias = Hashable
# One entry a row, of any kind that can be sorted.
Labels: TypeAlias = "ArrayLike | pd.Series"
# A row's subject, session, run, onset ...: a table, or its columns.
Metadata: TypeAlias = "pd.DataFrame | Mapping[str, Any]"
# Channels: names, indices or types, as in MNE.
Picks: TypeAlias = "str | int | Sequence[str] | Sequence[int] | np.ndarray | None"
# Of channels or features.
Names: TypeAlias = "Sequence[str] | np.ndarray"
Seed: TypeAlias = int | np.random.RandomState | None
# Number of folds, an object with ``split``, or the pairs (train, test) themselves.
Splitter: TypeAlias = "int | BaseCrossValidator | Iterable[tuple[ArrayLike, ArrayLike]] | None"
# A metric's name, a scorer, or several of them.
Scoring: TypeAlias = (
    "str | Callable[..., float] | Sequence[str] | Mapping[str, str | Callable[..., float]] | None"
)
# Weights of the classes: by label, or "balanced".
ClassWeight: TypeAlias = "Mapping[Any, float] | str | None"
# Events, as in MNE: names, codes, or names with their codes; None: all.
EventId: TypeAlias = "str | int | Sequence[str] | Sequence[int] | Mapping[str, int] | None"
# Subjects, sessions, runs or tasks to read, by name or number; None: all.
Subset: TypeAlias = "str | int | Iterable[str | int] | None"
PathLike: TypeAlias = "str | os.PathLike[str]"
# What a figure is drawn on: one panel or several; None: a new figure.
AxesLike: TypeAlias = "Axes | Sequence[Axes] | np.ndarray | None"
