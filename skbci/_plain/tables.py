"""Tables as columns of arrays, whatever pandas writes and reads them; rows with their tables."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

from skbci._plain.frozen import Frozen
from skbci.eegarray import EEGArray

__all__ = ["TABLES"]


def _is_frame(value: Any) -> bool:
    return type(value) is pd.DataFrame


def _freeze_frame(value: Any, walk: Any, frozen: Frozen) -> Frozen:
    return frozen.fill(
        index=walk(value.index), columns=walk(value.columns), attrs=walk(dict(value.attrs)),
        values=[walk(value.iloc[:, place].array, f"[{name!r}]")
                for place, name in enumerate(value.columns)],
    )


def _thaw_frame(frozen: Any, walk: Any, note: Any) -> pd.DataFrame:
    index = walk(frozen.index)
    columns = {place: pd.Series(walk(part), index) for place, part in enumerate(frozen.values)}
    out = pd.DataFrame(columns, index=index)
    out.columns = walk(frozen.columns)
    out.attrs.update(walk(frozen.attrs))
    return out


def _is_series(value: Any) -> bool:
    return type(value) is pd.Series


def _freeze_series(value: Any, walk: Any, frozen: Frozen) -> Frozen:
    return frozen.fill(
        index=walk(value.index), name=walk(value.name), values=walk(value.array))


def _thaw_series(frozen: Any, walk: Any, note: Any) -> pd.Series:
    return pd.Series(walk(frozen.values), walk(frozen.index), name=walk(frozen.name))


def _is_index(value: Any) -> bool:
    return isinstance(value, pd.Index) and not isinstance(value, pd.MultiIndex)


def _freeze_index(value: Any, walk: Any, frozen: Frozen) -> Frozen:
    frozen.fill(name=walk(value.name))
    if isinstance(value, pd.RangeIndex):
        return frozen.fill(range=[value.start, value.stop, value.step])
    return frozen.fill(range=None, values=walk(value.array))


def _thaw_index(frozen: Any, walk: Any, note: Any) -> pd.Index:
    name = walk(frozen.name)
    if frozen.range is not None:
        start, stop, step = frozen.range
        return pd.RangeIndex(start, stop, step, name=name)
    return pd.Index(walk(frozen.values), name=name)


def _is_column(value: Any) -> bool:
    return isinstance(value, pd.api.extensions.ExtensionArray)


def _freeze_column(value: Any, walk: Any, frozen: Frozen) -> Frozen:
    kind = value.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return frozen.fill(
            of="category", codes=np.array(value.codes), categories=walk(kind.categories),
            ordered=bool(kind.ordered),
        )
    if type(value) is pd.arrays.NumpyExtensionArray:
        kind = kind.numpy_dtype
    if isinstance(kind, np.dtype):
        array = value.to_numpy()
        if kind.kind in "mM":  # of which some formats know the numbers only
            return frozen.fill(of="time", unit=kind.str, values=array.view("int64").copy())
        if kind.kind != "O":
            return frozen.fill(of="numbers", values=array.copy())
    if isinstance(kind, pd.StringDtype):
        word = "str" if kind.na_value is not pd.NA else "string"
    else:
        word = str(kind)
    missing = pd.isna(value) if word != "object" else [one is pd.NA for one in value]
    values = [None if gone else _bare(one) for one, gone in zip(value, missing)]
    return frozen.fill(of="objects", dtype=word, values=walk(values))


def _bare(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _thaw_column(frozen: Any, walk: Any, note: Any) -> Any:
    if frozen.of == "category":
        categories = walk(frozen.categories)
        return pd.Categorical.from_codes(frozen.codes, categories, ordered=frozen.ordered)
    if frozen.of == "time":
        return pd.array(np.asarray(frozen.values).view(np.dtype(frozen.unit)))
    if frozen.of == "numbers":
        return np.array(frozen.values)
    values = walk(frozen.values)
    if frozen.dtype == "str":  # of this pandas, or text as it had it before
        return pd.Series(values, dtype="str" if pd.Series(["a"]).dtype == "str" else object).array
    if frozen.dtype == "object":
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out
    return pd.array(values, dtype=frozen.dtype)


def _is_rows(value: Any) -> bool:
    return type(value) is EEGArray


def _freeze_rows(value: Any, walk: Any, frozen: Frozen) -> Frozen:
    _, (array, context) = value.__reduce__()
    return frozen.fill(array=np.array(array), context=[walk(part) for part in context])


def _thaw_rows(frozen: Any, walk: Any, note: Any) -> EEGArray:
    rebuild, _ = np.asarray(frozen.array).view(EEGArray).__reduce__()
    return rebuild(np.array(frozen.array), tuple(walk(part) for part in frozen.context))


def _is_info(value: Any) -> bool:
    mne = sys.modules.get("mne")
    return mne is not None and isinstance(value, mne.Info)


def _freeze_info(value: Any, walk: Any, frozen: Frozen) -> Any:
    if not hasattr(value, "to_json_dict"):  # of mne < 1.11
        return value
    return frozen.fill(values=walk(value.to_json_dict()))


def _thaw_info(frozen: Any, walk: Any, note: Any) -> Any:
    import mne

    return mne.Info.from_json_dict(walk(frozen.values))


TABLES = {
    "rows": (_is_rows, _freeze_rows, _thaw_rows),
    "frame": (_is_frame, _freeze_frame, _thaw_frame),
    "series": (_is_series, _freeze_series, _thaw_series),
    "index": (_is_index, _freeze_index, _thaw_index),
    "column": (_is_column, _freeze_column, _thaw_column),
    "info": (_is_info, _freeze_info, _thaw_info),
}
