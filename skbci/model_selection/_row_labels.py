"""Number and labels of the rows that a splitter divides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_values
from skbci._row_times import LOST_TABLE
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.model_selection._sklearn import count_samples


def count_rows(X: Signals, groups: Labels | None, who: str) -> int:
    """Count the rows of X, or of groups where X is None."""
    if X is None and groups is None:
        raise ValueError(f"{who} needs X, or groups, to know the rows.")
    return int(count_samples(groups if X is None else X))


def row_labels(X: Signals, groups: Labels | None, columns: Sequence[str], who: str) -> np.ndarray:
    """Return the groups, or else the named column(s) of X's row table.

    Several columns are joined into one label: a tuple a row.
    """
    n_rows = count_rows(X, groups, who)
    if groups is not None:
        return check_column(groups, n_rows, "groups")
    found = [row_values(X, column) for column in columns]
    missing = [column for column, values in zip(columns, found) if values is None]
    if missing:
        wanted = " and ".join(columns)
        known = list(X.metadata.columns) if isinstance(X, EEGArray) else []
        raise ValueError(
            f"{who} does not know each row's {wanted}. Either pass groups=... (one {wanted} label "
            f"for each row; with scikit-learn's metadata routing params={{'groups': ...}}), or "
            f"give it an EEGArray or mne.Epochs whose metadata has the column {missing[0]!r} "
            f"(columns there: {known if known else 'none'}).{'' if known else LOST_TABLE}"
        )
    checked = [check_column(v, n_rows, f"metadata column {c!r}") for v, c in zip(found, columns)]
    if len(checked) == 1:
        return checked[0]
    joined = np.empty(n_rows, dtype=object)
    joined[:] = list(zip(*checked))
    return joined
