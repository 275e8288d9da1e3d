"""Several recordings into one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks.labels import doubt_joined
from skbci._typing import Label
from skbci.datasets._bunch import make_bunch
from skbci.datasets._codes import with_common_codes

__all__ = ["join_bunches"]

_CONTEXT = ("X", "y", "metadata", "sfreq", "ch_names", "DESCR")
_PER_FILE_ROWS = ("y_test8",)  # arrays that are joined end to end


def join_bunches(bunches: Sequence[Bunch], files: Sequence[Path]) -> Bunch:
    """Concatenate rows, labels, tables and events; keep other entries that all share.

    Labels whose codes mean different things in different files are numbered by name.

    Raises
    ------
    ValueError
        If shapes, channels, sampling rates or kinds of labels differ; the files are named.
    """
    if len(bunches) == 1:
        return bunches[0]
    first = bunches[0]
    for other, file in zip(bunches[1:], files[1:]):
        if other.X.shape[1:] != first.X.shape[1:]:
            hint = " Cut epochs with tmin=..., tmax=..." if first.X.ndim == 3 else ""
            raise ValueError(
                f"Cannot join {files[0].name}, with rows of shape {first.X.shape[1:]}, and "
                f"{file.name}, with rows of shape {other.X.shape[1:]}.{hint}"
            )
        if not _same(other.get("feature_names"), first.get("feature_names")):
            raise ValueError(f"Cannot join {files[0].name} and {file.name}: features differ.")
        try:
            np.concatenate([first.X[:0], other.X[:0]])
        except ValueError as error:
            raise ValueError(f"Cannot join {files[0].name} and {file.name}: {error}") from error
        for entry in ("target_names", "categories"):
            if entry in first and entry in other and not _same(other[entry], first[entry]):
                raise ValueError(
                    f"Cannot join {files[0].name} and {file.name}: {entry} differ, so that the "
                    "same codes mean different things."
                )
    bunches = with_common_codes(bunches, files)
    labels = [bunch.y for bunch in bunches]
    doubt_joined({
        file.name: [
            (bunch.get("label_names") or {}).get(label, label) for label in
            np.unique(bunch.y).tolist()
        ] for bunch, file in zip(bunches, files) if bunch.y is not None and bunch.y.ndim == 1
    })
    extra = _shared(bunches)
    events = _join_events(bunches)
    if events is not None:
        extra["events"] = events
    for name in _PER_FILE_ROWS:
        if any(name in bunch for bunch in bunches):
            extra[name] = np.concatenate([b[name] for b in bunches if name in b])
    names: dict[Label, str] = {}
    for bunch in bunches:
        names |= bunch.get("label_names") or {}
    extra["label_names"] = names or None
    joined = make_bunch(
        np.concatenate([bunch.X for bunch in bunches]),
        None if any(y is None for y in labels) else np.concatenate(labels),
        description="\n\n".join(dict.fromkeys(bunch.DESCR for bunch in bunches)),
        **extra,
    )
    if joined.ch_names is None and _same(first.ch_names, bunches[-1].ch_names):
        joined.ch_names = first.ch_names
    return joined


def _shared(bunches: Sequence[Bunch]) -> dict[str, Any]:
    first, others = bunches[0], bunches[1:]
    return {
        name: value
        for name, value in first.items()
        if name not in _CONTEXT
        and all(name in other and _same(value, other[name]) for other in others)
    }


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, pd.DataFrame) or isinstance(b, pd.DataFrame):
        return isinstance(a, pd.DataFrame) and isinstance(b, pd.DataFrame) and a.equals(b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return type(a) is type(b) and a == b


def _join_events(bunches: Sequence[Bunch]) -> pd.DataFrame | None:
    """Events of all; ``row`` counts the joined rows."""
    tables, start = [], 0
    for bunch in bunches:
        if "events" in bunch and len(bunch.events):
            shifted = bunch.events.copy()
            if "row" in shifted:
                shifted["row"] += start
            tables.append(shifted)
        start += len(bunch.X)
    return pd.concat(tables, ignore_index=True) if tables else None
