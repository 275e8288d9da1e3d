"""Writing recordings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skbci._checks import check_path
from skbci._process.files import replacing
from skbci.datasets._npz.bunch_layout import pack

__all__ = ["save_recording"]


def save_recording(path: str | os.PathLike[str], bunch: Mapping[str, Any]) -> Path:
    """Write a data set to one ``.npz`` file that `load_recording` gives back equal.

    Nothing is pickled, so the file is safe to share. It appears under its name only when it is
    complete: an interrupted save leaves an older file of that name as it was.

    Parameters
    ----------
    path : path-like
        Name of the file; ``.npz`` is added if it has no ending. An existing file is replaced.
    bunch : Bunch or mapping
        With ``X`` and, where known, ``y``, ``metadata``, ``sfreq``, ``ch_names``, ``DESCR`` and
        any further numbers, strings, lists, dictionaries, arrays and DataFrames. Of an
        `EEGArray`'s ``info``, types of channels and bad channels are stored.

    Returns
    -------
    Path
        Of the file written.

    Raises
    ------
    TypeError
        If an entry holds Python objects; the message names it.
    ValueError
        If there is no ``X``, lengths differ, or the path has another ending than ``.npz``.
    FileNotFoundError
        If the folder does not exist.

    See Also
    --------
    load_recording : Read it again.

    Examples
    --------
    >>> import tempfile
    >>> from skbci.datasets import load_recording, make_motor_imagery, save_recording
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_recording(save_recording(folder + "/simulated", data))
    >>> bool((again.X == data.X).all() and (again.y == data.y).all())
    True
    """
    if not isinstance(bunch, Mapping) or "X" not in bunch:
        raise ValueError(
            f"bunch must be a Bunch or mapping with an entry 'X', got {type(bunch).__name__}."
        )
    target = check_path(path, "path", "save_recording")
    if not target.suffix:
        target = target.with_suffix(".npz")
    if target.suffix != ".npz":
        raise ValueError(f"path={str(path)!r} must end in .npz.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist; create it first.")
    arrays = pack(bunch)
    with replacing(target) as file:
        # `pack` refuses Python objects; numpy 2.0 takes allow_pickle for one more array
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return target
