"""Entries of the structure that a file of EEGLAB is, of which MNE keeps few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["entry"]


def entry(path: Path, name: str) -> Any:
    """Return an entry of EEG, which is saved as one variable or as many; None where none is read.

    Parameters
    ----------
    path : Path
        A file of MATLAB up to version 7, or of its version 7.3, which is HDF5.
    name : str

    Returns
    -------
    str, float, ndarray, dict or None
        A structure is a dict.
    """
    with path.open("rb") as file:
        hdf5 = file.read(10) == b"MATLAB 7.3"
    return _of_hdf5(path, name) if hdf5 else _of_mat(path, name)


def _of_mat(path: Path, name: str) -> Any:
    from scipy.io import loadmat

    try:
        content: Any = loadmat(path, squeeze_me=True, struct_as_record=False,
                               variable_names=["EEG", name])
    except (NotImplementedError, OSError, TypeError, ValueError):  # damaged
        return None
    found = getattr(content.get("EEG"), name, content.get(name))
    fields = getattr(found, "_fieldnames", None)
    return found if fields is None else {field: getattr(found, field) for field in fields}


def _of_hdf5(path: Path, name: str) -> Any:
    try:
        import h5py
    except ImportError:  # nor has MNE read the file
        return None
    try:
        with h5py.File(path) as file:
            where = file.get("EEG", file)
            return _value(where[name]) if name in where else None
    except (KeyError, OSError):  # damaged
        return None


def _value(item: Any) -> Any:
    if hasattr(item, "keys"):
        return {name: _value(item[name]) for name in item}
    if item.attrs.get("MATLAB_empty", 0):
        return None
    values = np.squeeze(item[()].T)  # MATLAB counts the first axis first
    if item.attrs.get("MATLAB_class") == b"char":
        return "".join(chr(code) for code in np.atleast_1d(values))
    return values[()] if values.ndim else values.item()
