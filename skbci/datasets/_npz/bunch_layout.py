"""The toolkit's own files: everything in a Bunch, without pickling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mne
import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci.datasets._bunch import make_bunch
from skbci.datasets._npz.archive import Archive
from skbci.datasets._npz.arrays import fingerprint
from skbci.datasets._npz.epochs_layout import window_samples
from skbci.datasets._selection import Selection, pick_channels
from skbci.datasets._units import doubt_amplitude
from skbci.eegarray import EEGArray

__all__ = ["FORMAT_KEY", "pack", "read_bunch_layout"]

FORMAT_KEY = "skbci_recording"
_VERSION = 1
_CONTEXT = ("X", "y", "metadata", "sfreq", "ch_names", "DESCR")
_PAIRS = "__pairs__"  # JSON has no integer keys: dictionaries become lists of pairs


def pack(bunch: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Turn a Bunch into plain arrays.

    Raises
    ------
    TypeError
        If an entry cannot be stored without pickling; it is named.
    """
    X = bunch["X"]
    if not isinstance(X, EEGArray):
        X = EEGArray(X, bunch.get("metadata"), sfreq=bunch.get("sfreq"),
                     ch_names=bunch.get("ch_names") if np.ndim(X) >= 3 else None)
    arrays = {FORMAT_KEY: np.array(_VERSION), "X": _plain(np.asarray(X), "X")}
    if bunch.get("y") is not None:
        arrays["y"] = _plain(bunch["y"], "y")
        if len(arrays["y"]) != len(X):
            raise ValueError(f"y has {len(arrays['y'])} entries, but X has {len(X)} rows.")
    arrays |= _pack_table(X.metadata, "metadata")
    texts: dict[str, Any] = {
        "units": "V", "DESCR": str(bunch.get("DESCR", "")), "tmin": X.tmin,
        "sfreq": bunch.get("sfreq", X.sfreq), "ch_names": bunch.get("ch_names", X.ch_names),
        "tables": ["metadata"], "json": {}, **_types_and_bads(X),
    }
    for name, value in bunch.items():
        if name in _CONTEXT or value is None:
            continue
        if isinstance(value, pd.DataFrame):
            texts["tables"].append(name)
            arrays |= _pack_table(value, name)
        elif isinstance(value, np.ndarray):
            arrays[f"array.{name}"] = _plain(value, name)
        else:
            texts["json"][name] = _encode(value, name)
    # The archive's own checksums do not know the arrays' names.
    texts["checksums"] = {
        name: fingerprint(array) for name, array in arrays.items() if name != FORMAT_KEY
    }
    arrays["meta"] = np.array(json.dumps(texts, default=_number))
    return arrays


def _types_and_bads(X: EEGArray) -> dict[str, list[str]]:
    """What of an array's ``info`` is stored: types of channels, and those marked bad."""
    if X.info is None or X.ndim != 3:
        return {}
    kinds = dict(zip(X.info["ch_names"], X.info.get_channel_types()))
    names = X.ch_names or list(kinds)
    return {
        "ch_types": [kinds[name] for name in names],
        "bads": [name for name in X.info["bads"] if name in names],
    }


def _pack_table(table: pd.DataFrame, name: str) -> dict[str, np.ndarray]:
    columns = {
        f"table.{name}.{column}": _plain(table[column].to_numpy(), f"{name}[{column!r}]")
        for column in table.columns
    }
    return {f"columns.{name}": np.array([str(c) for c in table.columns], dtype=str), **columns}


def _plain(values: object, name: str) -> np.ndarray:
    """Return an array without Python objects, or raise an error that names the entry."""
    array = np.asarray(values)
    if array.dtype.kind != "O" and array.dtype.kind in "biufcUSMm":
        return array
    flat = array.ravel().tolist()
    if all(isinstance(value, str) for value in flat):
        return np.array(flat, dtype=str).reshape(array.shape)
    kinds = sorted({type(value).__name__ for value in flat})
    raise TypeError(
        f"{name} holds Python objects of type {', '.join(kinds)}, which cannot be stored. Make it "
        "all numbers or all strings (no missing values among strings)."
    )


def _number(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be stored.")


def _encode(value: object, name: str) -> Any:
    if isinstance(value, dict):
        pairs = [[_encode(k, name), _encode(v, name)] for k, v in value.items()]
        return {_PAIRS: pairs}
    if isinstance(value, (list, tuple)):
        return [_encode(v, name) for v in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return _number(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(
        f"The entry {name!r} of the Bunch is (or contains) a {type(value).__name__}, which cannot "
        "be stored. Numbers, strings, lists, dictionaries, arrays and DataFrames can."
    )


def _decode(value: object) -> Any:
    if isinstance(value, dict):
        return {_decode(k): _decode(v) for k, v in value.get(_PAIRS, [])}
    return [_decode(v) for v in value] if isinstance(value, list) else value


def read_bunch_layout(archive: Archive, selection: Selection) -> Bunch:
    """Rebuild what `pack` took."""
    archive.require(["X", "meta", "columns.metadata"], "a recording saved by skbci")
    if (archive.scalar(FORMAT_KEY) or 0) > _VERSION:
        raise ValueError(
            f"{archive.path} was saved by a newer version of skbci (format "
            f"{archive.scalar(FORMAT_KEY):g}; this one reads up to {_VERSION})."
        )
    meta, X = _checked_meta(archive), archive["X"]
    if X.dtype.kind not in "biufc" or not X.ndim:
        raise ValueError(f"{archive.path}: X is a {X.ndim}-D array of {X.dtype}, not rows.")
    tables = {name: _read_table(archive, name) for name in meta["tables"]}
    table = tables.pop("metadata")
    if len(table) != len(X):
        raise ValueError(f"{archive.path}: metadata has {len(table)} rows, X has {len(X)}.")
    if X.ndim == 3 and meta["sfreq"] is not None and X.dtype.kind != "c":
        doubt_amplitude(
            X[:: max(1, len(X) // 16), :, :10_000], archive.path,
            "Files of save_recording hold volts: multiply X before it is saved.",
        )
    keep = selection.mask(table) if selection.rows else np.ones(len(X), bool)
    X = X if keep.all() else X[keep]
    sfreq, ch_names, tmin = meta["sfreq"], meta["ch_names"], meta["tmin"]
    if selection.picks is not None or selection.exclude:
        if X.ndim != 3:
            raise ValueError(f"picks and exclude need a channel axis; X of {archive.path} is "
                             f"{X.ndim}-D.")
        picks, ch_names = pick_channels(ch_names, selection, archive.path)
        X = X[:, picks]
    if selection.window is not None:
        if X.ndim != 3 or sfreq is None or "events" in tables:
            raise ValueError(f"tmin and tmax can only crop epochs; {archive.path} has none.")
        first, last = window_samples(selection, sfreq, tmin, X.shape[2])
        X, tmin = X[..., first:last], tmin + first / sfreq
    y = archive.arrays.get("y")
    if y is not None and (not y.ndim or len(y) != len(keep)):
        raise ValueError(f"{archive.path}: y has shape {y.shape}, but X has {len(keep)} rows.")
    arrays = {
        key.removeprefix("array."): values
        for key, values in archive.arrays.items() if key.startswith("array.")
    }
    extra = {name: _decode(value) for name, value in meta["json"].items()}
    info = _info(meta, ch_names) if X.ndim == 3 and ch_names else None
    return make_bunch(
        X if selection.dtype is None else X.astype(selection.dtype),
        None if y is None else y[keep], table[keep].reset_index(drop=True), sfreq=sfreq,
        ch_names=ch_names, tmin=tmin, info=info, description=meta["DESCR"],
        stored={**arrays, **extra, **tables},
    )


def _info(meta: dict[str, Any], ch_names: list[str]) -> Any:
    """Return MNE's description of the channels, as far as it was stored."""
    if "ch_types" not in meta or meta["sfreq"] is None:
        return None
    kinds = {name.lower(): kind for name, kind in zip(meta["ch_names"], meta["ch_types"])}
    info = mne.create_info(ch_names, meta["sfreq"], [kinds[name.lower()] for name in ch_names])
    info["bads"] = [name for name in meta["bads"] if name in ch_names]
    return info


def _checked_meta(archive: Archive) -> dict[str, Any]:
    """The texts that `pack` wrote, or an error that names the one that is missing or unfit."""
    meta = archive.meta
    number = (int, float)
    kinds: dict[str, Any] = {
        "tables": list, "json": dict, "DESCR": str, "sfreq": (*number, type(None)),
        "ch_names": (list, type(None)), "tmin": number,
    }
    for key, kind in kinds.items():
        if not isinstance(meta.get(key, kinds), kind) or isinstance(meta[key], bool):
            raise ValueError(
                f"{archive.path} looks like a recording saved by skbci, but {key} of its meta is "
                f"{'missing' if key not in meta else repr(meta[key])}; meta has {sorted(meta)}."
            )
    names = meta["ch_names"] or []
    if not all(isinstance(name, str) for name in (*names, *meta["tables"])):
        raise ValueError(f"{archive.path}: ch_names and tables of its meta must be texts.")
    if "metadata" not in meta["tables"]:
        raise ValueError(f"{archive.path}: its meta knows no table called 'metadata'.")
    if not np.isfinite(meta["tmin"]):
        raise ValueError(f"{archive.path}: tmin={meta['tmin']} must be a time in seconds.")
    return meta


def _read_table(archive: Archive, name: str) -> pd.DataFrame:
    archive.require([f"columns.{name}"], "a recording saved by skbci")
    stored = archive[f"columns.{name}"]
    columns = stored.tolist()
    if stored.ndim != 1 or not all(isinstance(column, str) for column in columns):
        raise ValueError(f"{archive.path}: columns.{name} must be a list of names.")
    keys = [f"table.{name}.{column}" for column in columns]
    archive.require(keys, "a recording saved by skbci")
    for key in keys:
        if archive[key].shape != archive[keys[0]].shape or archive[key].ndim != 1:
            raise ValueError(
                f"{archive.path}: {key} has shape {archive[key].shape}, but the columns of "
                f"{name!r} need one entry a row, and the first has shape {archive[keys[0]].shape}."
            )
    table = pd.DataFrame({column: archive[key] for column, key in zip(columns, keys)})
    if not columns and name == "metadata":
        return pd.DataFrame(index=pd.RangeIndex(len(archive["X"])))
    return table
