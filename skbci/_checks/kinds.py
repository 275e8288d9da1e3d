"""What rows are made of: real numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._checks.parameters import who_asks

__all__ = ["refuse_kinds"]


def refuse_kinds(data: Any, name: str, who: object) -> None:
    """Refuse dates, time spans, complex numbers, records and columns of one name.

    numpy would make numbers of dates and time spans.

    Parameters
    ----------
    data : array-like or DataFrame
        Lists are left to whoever makes an array of them.
    name : str
        Of the argument.
    who : object
        Estimator or function that asks.

    Raises
    ------
    TypeError
        If there are dates, time spans or records.
    ValueError
        If there are complex numbers, or two columns of a table have one name.
    """
    asks = who_asks(who)
    start = f"{asks}: {name}" if asks else name
    if isinstance(data, pd.DataFrame) and not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()].tolist()
        raise ValueError(f"{start} has several columns of the name {twice[0]!r}.")
    for dtype in _dtypes(data):
        kind = getattr(dtype, "kind", "")
        if kind in "mM" and kind:
            raise TypeError(
                f"{start} holds {'dates' if kind == 'M' else 'time spans'} ({dtype}), where real "
                "numbers are needed: give seconds as floats, or leave the column out."
            )
        if kind == "V" and len(dtype.names or ()) != 1:
            raise TypeError(
                f"{start} is an array of records ({dtype}), where real numbers are needed: give "
                "numpy.lib.recfunctions.structured_to_unstructured of it."
            )
        if kind == "c":
            raise _complex(start)
    if isinstance(data, np.ndarray) and data.dtype.kind == "O" and any(
        isinstance(value, (complex, np.complexfloating)) for value in np.ravel(data)
    ):
        raise _complex(start)


def _dtypes(data: Any) -> list[Any]:
    if isinstance(data, pd.DataFrame):
        return list(data.dtypes)
    return [data.dtype] if hasattr(data, "dtype") else []


def _complex(start: str) -> ValueError:
    return ValueError(
        f"{start}: Complex data not supported; give its real part, its magnitude (numpy.abs), or "
        "both side by side."
    )
