"""Tables as columns of arrays, whatever pandas writes and reads them; rows with their tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skbci._plain.frozen import Freezer, Frozen, Kind, Note, Thawer
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from mne import Info

__all__ = ["TABLES"]


def _is_frame(value: object) -> bool:
    return type(value) is pd.DataFrame


def _freeze_frame(value: pd.DataFrame, walk: Freezer, frozen: Frozen) -> Frozen:
    return frozen.fill(
        index=walk(value.index), columns=walk(value.columns), attrs=walk(dict(value.attrs)),
        values=[walk(value.iloc[:, place].array, f"[{name!r}]")
                for place, name in enumerate(value.columns)],
    )


def _thaw_frame(frozen: Frozen, walk: Thawer, note: Note) -> pd.DataFrame:
    index = walk(frozen.index)
    columns = {place: pd.Series(walk(part), index) for place, part in enumerate(frozen.values)}
    out = pd.DataFrame(columns, index=index)
    out.columns = walk(frozen.columns)
    out.attrs.update(walk(frozen.attrs))
    return out


def _is_series(value: object) -> bool:
    return type(value) is pd.Series


def _freeze_series(value: pd.Series, walk: Freezer, frozen: Frozen) -> Frozen:
    return frozen.fill(
        index=walk(value.index), name=walk(value.name), values=walk(value.array))


def _thaw_series(frozen: Frozen, walk: Thawer, note: Note) -> pd.Series:
    return pd.Series(walk(frozen.values), walk(frozen.index), name=walk(frozen.name))


def _is_index(value: object) -> bool:
    return isinstance(value, pd.Index) and not isinstance(value, pd.MultiIndex)


def _freeze_index(value: pd.Index, walk: Freezer, frozen: Frozen) -> Frozen:
    frozen.fill(name=walk(value.name))
    if isinstance(value, pd.RangeIndex):
        return frozen.fill(range=[value.start, value.stop, value.step])
    return frozen.fill(range=None, values=walk(value.array))


def _thaw_index(frozen: Frozen, walk: Thawer, note: Note) -> pd.Index:
    name = walk(frozen.name)
    if frozen.range is not None:
        start, stop, step = frozen.range
        return pd.RangeIndex(start, stop, step, name=name)
    return pd.Index(walk(frozen.values), name=name)


def _is_column(value: object) -> bool:
    return isinstance(value, pd.api.extensions.ExtensionArray)


def _freeze_column(value: Any, walk: Freezer, frozen: Frozen) -> Frozen:
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


def _thaw_column(frozen: Frozen, walk: Thawer, note: Note) -> object:
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


def _is_rows(value: object) -> bool:
    return type(value) is EEGArray


def _freeze_rows(value: EEGArray, walk: Freezer, frozen: Frozen) -> Frozen:
    _, (array, context) = value.__reduce__()
    return frozen.fill(array=np.array(array), context=[walk(part) for part in context])


def _thaw_rows(frozen: Frozen, walk: Thawer, note: Note) -> EEGArray:
    rebuild, _ = np.asarray(frozen.array).view(EEGArray).__reduce__()
    return rebuild(np.array(frozen.array), tuple(walk(part) for part in frozen.context))


def _is_info(value: object) -> bool:
    mne = sys.modules.get("mne")
    return mne is not None and isinstance(value, mne.Info)


def _freeze_info(value: Info, walk: Freezer, frozen: Frozen) -> object:
    if not hasattr(value, "to_json_dict"):  # of mne < 1.11
        return value
    return frozen.fill(values=walk(value.to_json_dict()))


def _thaw_info(frozen: Frozen, walk: Thawer, note: Note) -> object:
    import mne

    return mne.Info.from_json_dict(walk(frozen.values))


TABLES: dict[str, Kind] = {
    "rows": (_is_rows, _freeze_rows, _thaw_rows),
    "frame": (_is_frame, _freeze_frame, _thaw_frame),
    "series": (_is_series, _freeze_series, _thaw_series),
    "index": (_is_index, _freeze_index, _thaw_index),
    "column": (_is_column, _freeze_column, _thaw_column),
    "info": (_is_info, _freeze_info, _thaw_info),
}
