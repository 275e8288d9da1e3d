"""What a splitter asks about rows: their labels, their recording, their place in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skbci._checks import check_number
from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_seconds, row_values
from skbci._recording.restarts import refine, separate_restarts
from skbci.eegarray import EEGArray
from skbci.model_selection._sklearn import count_samples

_LOST = " Where a transformer before dropped the table, skbci.make_pipeline passes it on."
RECORDING_COLUMNS = ("subject", "session", "run")


def count_rows(X: Any, groups: Any, who: str) -> int:
    """Count the rows of X, or of groups where X is None."""
    if X is None and groups is None:
        raise ValueError(f"{who} needs X, or groups, to know the rows.")
    return int(count_samples(groups if X is None else X))


def row_labels(X: Any, groups: Any, columns: Sequence[str], who: str) -> np.ndarray:
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
            f"(columns there: {known if known else 'none'}).{'' if known else _LOST}"
        )
    checked = [check_column(v, n_rows, f"metadata column {c!r}") for v, c in zip(found, columns)]
    if len(checked) == 1:
        return checked[0]
    joined = np.empty(n_rows, dtype=object)
    joined[:] = list(zip(*checked))
    return joined


def recording_codes(
    X: Any, n_rows: int, groups: Any = None, onsets: np.ndarray | None = None
) -> np.ndarray:
    """Give each row the number of its recording, in order of appearance.

    A recording is one value of the table's subject, session and run and of ``groups``, as far as
    these are known, and one run where the onsets show that runs were joined without labels. Rows
    of different recordings cannot overlap in time.
    """
    parts = [row_values(X, column) for column in RECORDING_COLUMNS]
    parts.append(None if groups is None else check_column(groups, n_rows, "groups"))
    codes = np.zeros(n_rows, dtype=np.int64)
    for part in parts:
        if part is not None:
            codes = refine(codes, part)
    return codes if onsets is None else separate_restarts(codes, onsets)


def row_onsets(X: Any, onsets: Any, n_rows: int, who: str) -> np.ndarray:
    """Each row's start in seconds: as given, or from X's row table."""
    if onsets is None:
        onsets = row_seconds(X)
    if onsets is None:
        raise ValueError(
            f"{who} does not know when the rows begin. Either pass onsets=... (seconds from the "
            "start of the run, one for each row; with scikit-learn's metadata routing "
            "params={'onsets': ...}), or give it an EEGArray or mne.Epochs whose metadata has the "
            "column 'onset'." + ("" if isinstance(X, EEGArray) and X.has_metadata else _LOST)
        )
    try:
        array = np.asarray(onsets, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("onsets must be numbers: seconds from the start of the run.") from None
    check_column(array, n_rows, "onsets")
    if not np.isfinite(array).all():
        raise ValueError("onsets has infinite entries; seconds from the start of the run wanted.")
    return array


def row_duration(X: Any, window: float | None, who: str) -> float:
    """Length of a row in seconds: as given, or samples over sampling rate."""
    if window is not None:
        return check_number(window, "window", who, low=0, unit="seconds")
    length = known_duration(X)
    if length is None:
        raise ValueError(
            f"{who} does not know how long a row's window is: pass window=... (seconds; the whole "
            "span of signal that one row was computed from), or give it an EEGArray with sfreq or "
            "mne.Epochs."
        )
    return length


def known_duration(X: Any) -> float | None:
    """Length of a row in seconds where X knows it."""
    return X.window if isinstance(X, EEGArray) else None
