"""Names of the types that public functions take: signals, labels, tables, seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from mne import BaseEpochs

__all__ = ["Labels", "Metadata", "Picks", "Seed", "Signals"]

# Rows x channels x times, rows x features, or rows x times; an `EEGArray` is an array, too.
Signals: TypeAlias = "ArrayLike | BaseEpochs | Sequence[BaseEpochs]"
# One entry a row, of any kind that can be sorted.
Labels: TypeAlias = "ArrayLike | pd.Series"
# A row's subject, session, run, onset ...: a table, or its columns.
Metadata: TypeAlias = "pd.DataFrame | Mapping[str, Any]"
# Channels: names, indices or types, as in MNE.
Picks: TypeAlias = "str | int | Sequence[str] | Sequence[int] | np.ndarray | None"
Seed: TypeAlias = int | np.random.RandomState | None
