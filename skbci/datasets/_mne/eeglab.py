"""EEGLAB's files: continuous or epochs, with their data inside or in another file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import mne
import numpy as np

from skbci.datasets._mne.parts import check_size, part_of

if TYPE_CHECKING:
    from mne import BaseEpochs
    from mne.io import BaseRaw

__all__ = ["go_by_eeglab", "read_eeglab"]

_BOUNDARY = -99  # a boundary among events whose types are numbers


def read_eeglab(path: Path) -> BaseRaw | BaseEpochs:
    """Read a file of EEGLAB, whatever it holds.

    Parameters
    ----------
    path : Path

    Returns
    -------
    mne.io.BaseRaw or mne.BaseEpochs

    Raises
    ------
    ValueError
        If epochs name a file of data that is another one's.
    """
    try:
        return mne.io.read_raw_eeglab(path, preload=True)
    except TypeError as error:
        if "number of trials" not in str(error):
            raise
    if any(path.parent.glob("*.fdt")):
        name = _name_of_data(path)
        if name is not None:
            _check_name(path, path.parent / name)
    return mne.read_epochs_eeglab(path)


def go_by_eeglab(path: Path, raw: BaseRaw) -> None:
    """Check the data of a continuous recording, and name its boundaries, in place.

    Among events that are numbers, EEGLAB's -99 is a "boundary".

    Raises
    ------
    ValueError
        If the data are of other channels or of another file than is stated.
    """
    files = [Path(file) for file in raw.filenames if file is not None]
    if files and files[0].suffix.lower() == ".fdt":
        _check_name(path, files[0])
        check_size(path, raw, files[0], 4)
    n_rows = len(np.atleast_2d(raw._data))
    if n_rows != len(raw.ch_names):
        raise ValueError(
            f"{path} names {len(raw.ch_names)} channels (EEG.chanlocs) and holds {n_rows} "
            "(EEG.data)."
        )
    texts = set(raw.annotations.description)
    if texts and all(_number(text) is not None for text in texts):
        raw.annotations.rename({text: "boundary" for text in texts if _number(text) == _BOUNDARY})


def _check_name(path: Path, data: Path) -> None:
    part_of(path, data, "data", "EEG.data (pop_saveset in EEGLAB writes it anew)")


def _name_of_data(path: Path) -> str | None:
    """Name of the file of epochs' data; None where they are inside, or the format is HDF5."""
    from scipy.io import loadmat

    try:
        content: Any = loadmat(path, squeeze_me=True, struct_as_record=False)
    except (NotImplementedError, ValueError, TypeError):  # MNE says more of it
        return None
    data = getattr(content.get("EEG"), "data", content.get("data"))
    return data if isinstance(data, str) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
