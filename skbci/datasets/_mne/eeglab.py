"""EEGLAB's files: continuous or epochs, with their data inside or in another file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import mne
import numpy as np

from skbci._process.quiet import quiet_mne
from skbci._warning import warn
from skbci.datasets._mne.matlab import entries
from skbci.datasets._mne.parts import check_size, part_of
from skbci.datasets._names import plain_name

if TYPE_CHECKING:
    from mne import BaseEpochs
    from mne.io import BaseRaw

__all__ = ["go_by_eeglab", "person_of", "read_eeglab"]

_BOUNDARY = -99  # a boundary among events whose types are numbers

# Entries of EEG.reject that mark epochs, by hand and by EEGLAB's tests.
_MARKS = ("rejmanual", "rejthresh", "rejconst", "rejjp", "rejkurt", "rejfreq", "rejglobal")


def read_eeglab(path: Path) -> BaseRaw | BaseEpochs:
    """Read a file of EEGLAB, whatever it holds.

    Parameters
    ----------
    path : Path

    Returns
    -------
    mne.io.BaseRaw or mne.BaseEpochs
        Without epochs that the file marks for rejection.

    Warns
    -----
    UserWarning
        If epochs were left out.

    Raises
    ------
    ValueError
        If epochs name a file of data that is another one's, or not as many channels as there are.
    """
    try:
        return mne.io.read_raw_eeglab(path, preload=True)
    except TypeError as error:
        if "number of trials" not in str(error):
            raise
    if any(path.parent.glob("*.fdt")):
        name = entries(path, "data")["data"]
        if isinstance(name, str):
            _check_name(path, path.parent / name)
    epochs = mne.read_epochs_eeglab(path)
    _check_rows(path, epochs.ch_names, epochs._data.shape[1])
    marked = _marked(path, len(epochs))
    if len(marked):
        warn(f"{path} marks {len(marked)} of its {len(epochs)} epochs for rejection "
             "(EEG.reject); they are left out.")
        with quiet_mne():
            epochs.drop(marked, reason="EEG.reject")
    return epochs


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
    _check_rows(path, raw.ch_names, len(np.atleast_2d(raw._data)))
    texts = set(raw.annotations.description)
    if texts and all(_number(text) is not None for text in texts):
        raw.annotations.rename({text: "boundary" for text in texts if _number(text) == _BOUNDARY})


def person_of(path: Path) -> dict[str, int | str]:
    """Subject and session that a file of EEGLAB states (EEG.subject, EEG.session), if any."""
    stated = entries(path, "subject", "session")
    return {
        level: plain_name(int(value) if isinstance(value, float) else value)
        for level, value in stated.items()
        if (isinstance(value, (str, int)) and str(value).strip())
        or (isinstance(value, float) and value.is_integer())
    }


def _marked(path: Path, n_epochs: int) -> np.ndarray:
    """Return which epochs are marked for rejection."""
    reject = entries(path, "reject")["reject"]
    marked = np.zeros(n_epochs, dtype=bool)
    for name in _MARKS if isinstance(reject, dict) else ():
        marks = np.atleast_1d(reject.get(name))
        if marks.dtype.kind in "buif" and marks.shape == marked.shape:  # others are of no epochs
            marked |= marks > 0
    return np.flatnonzero(marked)


def _check_rows(path: Path, names: list[str], n_rows: int) -> None:
    if n_rows != len(names):
        raise ValueError(
            f"{path} names {len(names)} channels (EEG.chanlocs) and holds {n_rows} (EEG.data)."
        )


def _check_name(path: Path, data: Path) -> None:
    part_of(path, data, "data", "EEG.data (pop_saveset in EEGLAB writes it anew)")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
