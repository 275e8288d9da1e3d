"""The rows' table and the channels' names of an `EEGArray`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skbci._checks import check_distinct, check_list, refusal
from skbci._eegarray.columns import as_column, plain_entries
from skbci._recording.kinds import is_info
from skbci._warning import warn

if TYPE_CHECKING:
    from mne import Info

__all__ = [
    "as_table", "check_ch_names", "check_in_step", "check_info", "describe", "onset_seconds",
]


_GONE_BY = ("subject", "session", "run", "onset")


def as_table(metadata: Any, n_rows: int) -> pd.DataFrame:
    """Make the rows' table of a DataFrame, a dict of columns, or None.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it has another number of rows.

    Warns
    -----
    UserWarning
        If only spaces or capitals tell a column from one that steps and splitters go by.
    """
    if metadata is None:
        return pd.DataFrame(index=pd.RangeIndex(n_rows))
    bare = isinstance(metadata, np.ndarray) and not metadata.ndim
    if not isinstance(metadata, (pd.DataFrame, Mapping, Sequence, np.ndarray)) or (
        bare or isinstance(metadata, (str, bytes))
    ):
        because = "must be a DataFrame, a dict of columns, or None"
        raise TypeError(refusal(metadata, "metadata", "EEGArray", because))
    if isinstance(metadata, Mapping):
        metadata = {name: as_column(metadata[name], name, n_rows) for name in metadata}
    table = plain_entries(pd.DataFrame(metadata))
    # What the index is called is a column, as after ``set_index`` or ``groupby``.
    kept = [level for level in table.index.names
            if level is not None and level not in table.columns]
    if kept and isinstance(metadata, pd.DataFrame):
        table = table.reset_index(level=kept)
    table = table.reset_index(drop=True)
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise ValueError(
            f"metadata has several columns of the name {twice!r}; each needs its own."
        )
    _doubt_columns(table)
    table.attrs = dict(getattr(metadata, "attrs", {}))
    if len(table) != n_rows:
        raise ValueError(
            f"metadata has {len(table)} rows, but the data has {n_rows}: "
            "give one row of metadata for each row of data."
        )
    return table


def _doubt_columns(table: pd.DataFrame) -> None:
    for name in table.columns:
        known = name.strip().lower() if isinstance(name, str) else ""
        if known in _GONE_BY and known != name and known not in table.columns:
            warn(
                f"EEGArray: the metadata column {name!r} is not {known!r}, by which steps and "
                f"splitters go: rename it, metadata.rename(columns={{{name!r}: {known!r}}}).",
            )


def check_in_step(table: pd.DataFrame, n_rows: int) -> None:
    """Refuse a table whose rows were dropped, added or moved in place.

    Raises
    ------
    ValueError
    """
    if len(table) != n_rows:
        raise ValueError(
            f"The metadata table was changed in place: it has {len(table)} rows, the "
            f"array has {n_rows}. Select rows of the array instead."
        )
    if not table.index.equals(pd.RangeIndex(n_rows)):
        raise ValueError(
            "The metadata table was changed in place: its rows are in another order than the "
            "array's, or have another index. X[order] takes both along."
        )


def check_ch_names(ch_names: Any, shape: tuple[int, ...]) -> list[str]:
    """Check the channels' names against the shape of the data.

    Raises
    ------
    TypeError, ValueError
        If they are no list, or not one of its own for each channel.
    """
    names = check_list(ch_names, "ch_names", "EEGArray", "names", also="None")
    names = [str(name) for name in names]
    check_distinct(names, "ch_names", "EEGArray")
    if len(shape) >= 3 and len(names) != shape[-2]:
        raise ValueError(
            f"ch_names has {len(names)} names, but the data has "
            f"{shape[-2]} channels (shape {shape})."
        )
    return names


def check_info(info: Any) -> Info | None:
    """Check MNE's measurement info.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if info is not None and not is_info(info):
        raise TypeError(refusal(info, "info", "EEGArray", "must be an mne.Info or None"))
    return info


def onset_seconds(onsets: np.ndarray) -> np.ndarray:
    """Return the values of a column of onsets as numbers; NaN where one is missing.

    Raises
    ------
    ValueError
        Naming the first row with something other than a number.
    """
    seconds = pd.to_numeric(pd.Series(onsets), errors="coerce")
    bad = np.flatnonzero(seconds.isna() & pd.notna(onsets))
    if onsets.dtype.kind in "mM":  # numpy would count them in nanoseconds
        bad = np.arange(len(onsets))
    if len(bad):
        raise ValueError(
            f"the metadata column 'onset' holds {onsets[bad[0]]!r} in row {bad[0]}: the rows' "
            "onsets must be numbers, in seconds from the start of their run."
        )
    return seconds.to_numpy(dtype=np.float64, na_value=np.nan)


def describe(array: Any) -> str:
    """Describe an array's shape, rate, channels and columns in one line."""
    parts = [" x ".join(map(str, array.shape)) + f" {array.dtype}"]
    if array.sfreq is not None:
        parts.append(f"{array.sfreq:g} Hz")
    if array.ch_names is not None:
        shown = " ".join(array.ch_names[:4])
        parts.append(f"channels {shown}" + (" ..." if len(array.ch_names) > 4 else ""))
    if array.has_metadata:
        parts.append("metadata: " + ", ".join(map(str, array.metadata.columns)))
    return f"<EEGArray {', '.join(parts)}>"
