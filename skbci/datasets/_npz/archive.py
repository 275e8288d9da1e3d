"""Opening ``.npz`` recordings and saying what is wrong with them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skbci._typing import PathLike
from skbci._warning import warn
from skbci.datasets._npz.arrays import NpzArrays
from skbci.datasets._units import in_volts

__all__ = ["Archive", "as_texts", "find_files", "open_archive"]


@dataclass
class Archive:
    """The arrays of one file, and its ``meta`` text as a dictionary."""

    path: Path
    arrays: Mapping[str, np.ndarray]
    meta: dict[str, Any]

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        if isinstance(self.arrays, NpzArrays):
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
            number = float(np.asarray(value).reshape(()))
        except (TypeError, ValueError, OverflowError):
            number = np.nan
        if not np.isfinite(number):
            raise ValueError(f"{self.path}: {key}={value!r} must be one number.")
        return number

    def sfreq(self) -> float:
        """Sampling rate in Hz."""
        value = self.scalar("sfreq")
        if value is None:
            self.require(["sfreq"], "a recording")
        if not value or value < 0:
            raise ValueError(f"{self.path}: sfreq={value!r} must be a positive rate in Hz.")
        return value

    def ch_names(self, n_channels: int) -> list[str] | None:
        """Channel names, checked against the number of channels; None if not stored."""
        if "ch_names" not in self:
            return None
        stored = self["ch_names"]
        if stored.ndim != 1 or stored.dtype.kind not in "US":
            raise ValueError(
                f"{self.path}: ch_names of shape {stored.shape} and type {stored.dtype} must be a "
                "list of texts."
            )
        names = as_texts(stored).tolist()
        if len(names) != n_channels:
            raise ValueError(
                f"{self.path}: ch_names has {len(names)} names, but X has {n_channels} channels."
            )
        return names

    def check_length(self, key: str, n_rows: int) -> np.ndarray:
        """An array with one entry for each row."""
        values = as_texts(self[key])
        if values.ndim != 1 or len(values) != n_rows:
            raise ValueError(
                f"{self.path}: {key} has shape {values.shape}, but there are {n_rows} rows: "
                "one entry for each row is needed."
            )
        return values

    def volts(self, unit: str | None) -> float | np.ndarray | None:
        """Return volts a stored unit, one number or one a channel; None where nothing states it.

        ``unit`` wins over what the file states in ``units`` or ``unit``, an array or an entry of
        ``meta``.
        """
        if unit is not None:
            factor = in_volts(unit, "unit")
            if factor is None:
                raise ValueError(f"unit={unit!r} must be 'V', 'mV', 'uV' or 'nV'.")
            return factor
        for key in ("units", "unit"):
            if key in self:
                texts = as_texts(self[key])
                factors = [in_volts(text, f"{self.path}: {key}") for text in texts.ravel()]
                known = set(factors)
                return factors[0] if len(known) == 1 else np.array(factors, dtype=float)
            if key in self.meta:
                return in_volts(self.meta[key], f"{self.path}: {key}")
        return None

    def rest(self, used: Iterable[str]) -> dict[str, Any]:
        """Arrays that no reader has asked for; single numbers and texts as plain objects."""
        taken = {"meta", *used}
        return {
            key: values.item() if values.ndim == 0 else values
            for key, values in self.arrays.items()
            if key not in taken
        }


def as_texts(values: np.ndarray) -> np.ndarray:
    """Turn bytes, as C and MATLAB write texts, into text; other arrays stay."""
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


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
        other = "" if path.suffix == ".npz" else " read_epochs reads the formats that MNE knows."
        raise ValueError(
            f"{path} is not a readable .npz recording: it is not a zip archive (another format, "
            f"or a file cut short).{other}"
        )
    arrays = NpzArrays(path)
    meta = _parse_meta(path, arrays)
    archive = Archive(path, arrays, meta)
    if isinstance(meta.get("checksums"), dict):
        archive.require(meta["checksums"], "a recording saved by skbci")
        arrays.fingerprints = meta["checksums"]
    return archive


def _parse_meta(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    if "meta" not in arrays:
        return {}
    try:
        meta = json.loads(str(arrays["meta"].reshape(()).item()))
    except RecursionError:
        raise ValueError(f"{path}: meta is nested too deep to be read.") from None
    except ValueError as error:
        raise ValueError(f"{path}: meta is not valid JSON: {error}.") from error
    if not isinstance(meta, dict):
        raise ValueError(f"{path}: meta must be a JSON object, got {type(meta).__name__}.")
    return meta


def find_files(path: PathLike | Sequence[PathLike], pattern: str) -> list[Path]:
    """Turn a path, a list of paths or a folder into a list of files.

    Raises
    ------
    FileNotFoundError
        If a path does not exist or nothing in the folder matches.
    """
    if isinstance(path, (list, tuple)):
        if not path:
            raise ValueError("path is an empty list; give at least one file.")
        files = [file for one in path for file in find_files(one, pattern)]
        places = [file.resolve() for file in files]
        twice = [file.name for at, file in enumerate(files) if places[at] in places[:at]]
        if twice:
            warn(
                f"{', '.join(twice[:5])}: the file is given more than once, and its rows are "
                "there as often; no split keeps copies of a row out of the test side.",
            )
        return files
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
