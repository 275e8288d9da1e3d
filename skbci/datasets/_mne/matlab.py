"""Entries of the structure that a file of EEGLAB is, of which MNE keeps few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["entries"]


def entries(path: Path, *names: str) -> dict[str, Any]:
    """Return entries of EEG, which is saved as one variable or as many, by one reading.

    Parameters
    ----------
    path : Path
        A file of MATLAB up to version 7, or of its version 7.3, which is HDF5.
    *names : str

    Returns
    -------
    dict of str to str, float, ndarray, dict or None
        A structure is a dict; None is what is not there or not read.
    """
    with path.open("rb") as file:
        hdf5 = file.read(10) == b"MATLAB 7.3"
    found = _of_hdf5(path, names) if hdf5 else _of_mat(path, names)
    return {name: found.get(name) for name in names}


def _of_mat(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        content: Any = loadmat(path, squeeze_me=True, struct_as_record=False,
                               variable_names=["EEG", *names])
    except (NotImplementedError, OSError, TypeError, ValueError):  # damaged
        return {}
    eeg = content.get("EEG")
    return {name: _plain(getattr(eeg, name, content.get(name))) for name in names}


def _plain(found: Any) -> Any:
    fields = getattr(found, "_fieldnames", None)
    return found if fields is None else {field: getattr(found, field) for field in fields}


def _of_hdf5(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:  # nor has MNE read the file
        return {}
    try:
        with h5py.File(path) as file:
            where = file.get("EEG", file)
            return {name: _value(where[name]) for name in names if name in where}
    except (KeyError, OSError):  # damaged
        return {}


def _value(item: Any) -> Any:
    if hasattr(item, "keys"):
        return {name: _value(item[name]) for name in item}
    if item.attrs.get("MATLAB_empty", 0):
        return None
    values = np.squeeze(item[()].T)  # MATLAB counts the first axis first
    if item.attrs.get("MATLAB_class") == b"char":
        return "".join(chr(code) for code in np.atleast_1d(values))
    return values[()] if values.ndim else values.item()
