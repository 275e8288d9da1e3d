"""The part of the files that a caller of ``load_recording`` wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from skbci._recording.channels import doubt_excluded
from skbci._typing import Label
from skbci.datasets._bunch import natural

__all__ = ["Selection", "as_list", "pick_channels", "to_volts"]


@dataclass
class Selection:
    """Rows, channels, times and number format asked for; notes what the files offered."""

    rows: dict[str, list[Label]]
    picks: Sequence[str] | None
    window: tuple[float, float] | None  # tmin and tmax in seconds
    event_id: Sequence[Label] | None
    unit: str | None
    dtype: np.dtype | None
    exclude: Sequence[str] = ()
    offered: dict[str, set[Label]] = field(default_factory=dict)

    def number(self, stored: np.ndarray) -> np.dtype:
        """Number format for stored values: floats stay, integers become 32-bit floats."""
        if self.dtype is not None:
            return self.dtype
        return stored.dtype if stored.dtype.kind == "f" else np.dtype(np.float32)

    def may_match(self, arrays: Mapping[str, np.ndarray]) -> bool:
        """False where a file's own columns show that no row was asked for: X is not read then."""
        for column, wanted in self.rows.items():
            if column in arrays and arrays[column].ndim:
                values = natural(arrays[column].ravel())
                self.offered.setdefault(column, set()).update(values)
                if not set(values) & set(wanted):
                    return False
        return True

    def mask(self, table: pd.DataFrame) -> np.ndarray:
        """Rows of a table that were asked for."""
        keep = np.ones(len(table), dtype=bool)
        for column, wanted in self.rows.items():
            if column not in table:
                raise ValueError(
                    f"{column}s={wanted} was given, but the rows of this recording have no "
                    f"{column}; they know {list(table.columns)}."
                )
            self.offered.setdefault(column, set()).update(natural(table[column]))
            keep &= table[column].isin(wanted).to_numpy()
        return keep

    def check_found(self) -> None:
        """Raise if something asked for was in none of the files."""
        for column, wanted in self.rows.items():
            offered = self.offered.get(column, set())
            missing = [value for value in wanted if value not in offered]
            if missing:
                raise ValueError(
                    f"{column}s={missing} not found; the recording has {column}s "
                    f"{sorted(offered, key=str)}."
                )

    def refuse_window(self, what: str) -> None:
        """Refuse a window for a layout that has no time axis to cut."""
        if self.window is not None:
            raise ValueError(f"tmin and tmax cannot cut {what}: it has no events or epochs.")


def as_list(values: object, name: str) -> list[Any]:
    """One value or several as a list of plain Python objects."""
    if isinstance(values, (str, int, np.integer)):
        return [values]
    if not np.iterable(values):
        raise TypeError(f"{name}={values!r} must be one value or a sequence of values.")
    out = [value.item() if isinstance(value, np.generic) else value for value in values]
    if not out:
        raise ValueError(f"{name} is empty; give at least one value, or None for all.")
    return out


def pick_channels(
    ch_names: list[str] | None, selection: Selection, source: object,
    default: Sequence[str] | None = None,
) -> tuple[slice | list[int], list[str] | None]:
    """Return index and names of the channels to take.

    Parameters
    ----------
    ch_names : list of str, optional
        Those of the file.
    selection : Selection
        Its ``picks`` state order and spelling, its ``exclude`` what to leave out of them.
    source : object
        The file, for messages.
    default : sequence of str, optional
        What is taken without ``picks``; all where it is None.

    Returns
    -------
    index : slice or list of int
    names : list of str or None

    Raises
    ------
    ValueError
        If there is no such channel, or none is left.
    """
    picks, exclude = selection.picks, selection.exclude
    if ch_names is None:
        if picks is None and not exclude:
            return slice(None), None
        name = "exclude" if picks is None else "picks"
        raise ValueError(f"{name} was given, but {source} does not name its channels.")
    at = {name.lower(): i for i, name in enumerate(ch_names)}
    if picks is not None:
        missing = [name for name in picks if name.lower() not in at]
        if missing or not len(picks):
            raise ValueError(
                f"picks: channels {missing} are not in {source}, which has {ch_names}."
            )
    else:
        picks = ch_names if default is None else default
    out = {name.lower(): name for name in exclude}
    doubt_excluded([name for key, name in out.items() if key not in at], ch_names, source)
    kept = [name for name in picks if name.lower() not in out]
    if not kept:
        raise ValueError(f"exclude={list(exclude)} leaves none of the channels {list(picks)} of "
                         f"{source}.")
    if kept == ch_names:
        return slice(None), kept
    return [at[name.lower()] for name in kept], kept


def to_volts(data: np.ndarray, factor: float | np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast and scale; ``factor`` is one number or one a channel."""
    out = data.astype(dtype)
    factor = np.asarray(factor, dtype=dtype)
    out *= factor[:, None] if factor.ndim == 1 else factor
    return out
