"""The `Bunch` that every reader and simulator returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._typing import Labels, Metadata
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from mne import Info

__all__ = ["make_bunch", "natural"]

_COLUMNS = ("subject", "session", "run", "onset", "task")


def make_bunch(
    data: Any,
    y: Labels | None,
    metadata: Metadata | None = None,
    *,
    sfreq: float | None = None,
    ch_names: Sequence[str] | None = None,
    tmin: float = 0.0,
    info: Info | None = None,
    description: str = "",
    stored: dict[str, Any] | None = None,
    **extra: Any,
) -> Bunch:
    """Bind data, labels and the rows' table.

    Parameters
    ----------
    data : array-like or EEGArray, shape (n_rows, ...)
        An `EEGArray` is taken as it is, with its own table, rate and names.
    y : array-like of shape (n_rows, ...) or None
        Labels; None where a recording has no label a row.
    metadata : DataFrame or dict, optional
        The rows' table. Its known columns are put first, in the house's order.
    sfreq, ch_names, tmin, info
        See `EEGArray`. ``ch_names`` belongs to the array only if it has channels as an axis;
        otherwise only the Bunch has it.
    description : str
        Becomes ``DESCR``.
    stored : dict, optional
        Further entries from a file; those whose name is taken are left out.
    **extra
        Further entries; those that are None are left out.

    Returns
    -------
    Bunch
        With ``X``, ``y``, ``metadata`` (the very table of X), ``sfreq``, ``ch_names``, ``DESCR``.
    """
    if isinstance(data, EEGArray):
        X = data
        sfreq, ch_names = X.sfreq, X.ch_names
    else:
        table = None if metadata is None else pd.DataFrame(metadata)
        if table is not None:
            first = [name for name in _COLUMNS if name in table]
            table = table[first + [name for name in table if name not in first]]
        array = np.asarray(data)
        X = EEGArray(array, table, sfreq=sfreq, tmin=tmin, info=info,
                     ch_names=ch_names if array.ndim >= 3 else None,
                     window=extra.get("window") if array.ndim == 2 else None)
        ch_names = None if ch_names is None else [str(name) for name in ch_names]
    if y is not None:
        y = np.asarray(y)
        if len(y) != len(X):
            raise ValueError(f"y has {len(y)} entries, but X has {len(X)} rows.")
    extra = {key: value for key, value in extra.items() if value is not None}
    bunch = Bunch(X=X, y=y, metadata=X.metadata, sfreq=sfreq, ch_names=ch_names,
                  DESCR=description, **extra)
    return Bunch(**{**(stored or {}), **bunch})


def natural(values: object) -> list[Any]:
    """Return the distinct values in order, as plain Python objects, for messages."""
    return pd.unique(pd.Series(np.asarray(values).tolist())).tolist()
