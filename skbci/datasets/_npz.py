"""Opening ``.npz`` recordings and saying what is wrong with them."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Archive", "find_files", "open_archive"]

_UNITS = (  # first match wins
    (r"microvolts?|[µμ]v|\buv\b", 1e-6),
    (r"nanovolts?|\bnv\b", 1e-9),
    (r"millivolts?|\bmv\b", 1e-3),
    (r"\bvolts?\b|\bv\b", 1.0),
)
_UNREADABLE = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error,
               NotImplementedError)


@dataclass
class Archive:
    """The arrays of one file, and its ``meta`` text as a dictionary."""

    path: Path
    arrays: Mapping[str, np.ndarray]
    meta: dict[str, Any]

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        if isinstance(self.arrays, _Arrays):
            self.arrays.close()

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key]

    def require(self, keys: Iterable[str], what: str) -> None:
        """Raise a ValueError that names the missing arrays and those found."""
        missing = [key for key in keys if key not in self.arrays]
        if missing:
            raise ValueError(
                f"{self.path} looks like {what}, but lacks {missing}; "
                f"it has {sorted(self.arrays)}."
            )

    def scalar(self, key: str) -> float | None:
        """A number from an array of one entry, or from ``meta``, or None."""
        value = self.arrays.get(key, self.meta.get(key))
        if value is None:
            return None
        try:
            return float(np.asarray(value).reshape(()))
        except (TypeError, ValueError):
            raise ValueError(f"{self.path}: {key}={value!r} must be one number.") from None

    def sfreq(self) -> float:
        """Sampling rate in Hz."""
        value = self.scalar("sfreq")
        if value is None:
            self.require(["sfreq"], "a recording")
        if not value or not np.isfinite(value) or value < 0:
            raise ValueError(f"{self.path}: sfreq={value!r} must be a positive rate in Hz.")
        return value

    def ch_names(self, n_channels: int) -> list[str] | None:
        """Channel names, checked against the number of channels; None if not stored."""
        if "ch_names" not in self:
            return None
        names = [str(name) for name in self["ch_names"]]
        if len(names) != n_channels:
            raise ValueError(
                f"{self.path}: ch_names has {len(names)} names, but X has {n_channels} channels."
            )
        return names

    def check_length(self, key: str, n_rows: int) -> np.ndarray:
        """An array with one entry for each row."""
        values = self[key]
        if values.ndim != 1 or len(values) != n_rows:
            raise ValueError(
                f"{self.path}: {key} has shape {values.shape}, but there are {n_rows} rows: "
                "one entry for each row is needed."
            )
        return values

    def volts(self, unit: str | None) -> float | None:
        """Volts a stored unit, from ``unit`` or ``meta``; None if neither says."""
        text = unit if unit is not None else str(self.meta.get("units", self.meta.get("unit", "")))
        for pattern, factor in _UNITS:
            if re.search(pattern, text, flags=re.IGNORECASE):
                return factor
        if unit is not None:
            raise ValueError(f"unit={unit!r} must be 'V', 'mV', 'uV' or 'nV'.")
        return None

    def rest(self, used: Iterable[str]) -> dict[str, Any]:
        """Arrays that no reader has asked for; single numbers and texts as plain objects."""
        taken = {"meta", *used}
        return {
            key: values.item() if values.ndim == 0 else values
            for key, values in self.arrays.items()
            if key not in taken
        }


class _Arrays(Mapping[str, np.ndarray]):
    """Arrays of a file, each read when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, np.ndarray] = {}
        try:
            self._file = np.load(path, allow_pickle=False)
        except _UNREADABLE as error:
            raise self._corrupt(error, "") from error

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self._read:
            if key not in self._file.files:
                raise KeyError(key)
            try:
                self._read[key] = self._file[key]
            except _UNREADABLE as error:
                if "allow_pickle" in str(error):
                    raise ValueError(
                        f"{self._path}: array {key!r} holds pickled Python objects, which are not "
                        "loaded because they could run code. Store numbers or strings instead."
                    ) from error
                raise self._corrupt(error, f" at array {key!r}") from error
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)

    def __contains__(self, key: object) -> bool:
        return key in self._file.files

    def _corrupt(self, error: Exception, where: str) -> ValueError:
        reason = str(error).rstrip(".")
        return ValueError(f"{self._path} is not a readable .npz recording{where}: {reason}.")

    def close(self) -> None:
        self._file.close()


def open_archive(path: Path) -> Archive:
    """Open an ``.npz`` file, refusing pickled objects.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a readable ``.npz`` file or holds Python objects; some of this only when an
        array is asked for.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No recording at {path}: there is no such file.")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is not a readable .npz recording: it is no zip archive (another format, or a "
            "file cut short)."
        )
    arrays = _Arrays(path)
    return Archive(path, arrays, _parse_meta(path, arrays))


def _parse_meta(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    if "meta" not in arrays:
        return {}
    try:
        meta = json.loads(str(arrays["meta"]))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: meta is not valid JSON: {error}.") from error
    if not isinstance(meta, dict):
        raise ValueError(f"{path}: meta must be a JSON object, got {type(meta).__name__}.")
    return meta


def find_files(path: Any, pattern: str) -> list[Path]:
    """Turn a path, a list of paths or a folder into a list of files.

    Raises
    ------
    FileNotFoundError
        If a path does not exist or nothing in the folder matches.
    """
    if isinstance(path, (list, tuple)):
        if not path:
            raise ValueError("path is an empty list; give at least one file.")
        return [file for one in path for file in find_files(one, pattern)]
    if not isinstance(path, (str, Path)):
        raise TypeError(f"path={path!r} must be a path, a list of paths or a folder.")
    place = Path(path).expanduser()
    if not place.exists():
        raise FileNotFoundError(f"No recording at {place}: there is no such file or folder.")
    if not place.is_dir():
        return [place]
    files = sorted(file for file in place.glob(pattern) if file.is_file())
    if not files:
        raise FileNotFoundError(f"No file in the folder {place} matches pattern={pattern!r}.")
    return files
