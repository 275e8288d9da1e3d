"""All recordings of a BIDS data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sklearn.utils import Bunch

from skbci._typing import EventId, PathLike, Picks, Subset
from skbci.datasets._mne.bids import bids_entities, import_bids
from skbci.datasets._mne.epochs import read_epochs
from skbci.datasets._names import plain_name
from skbci.datasets._npz.join import join_bunches
from skbci.datasets._selection import as_list

__all__ = ["load_bids"]

_ENDINGS = (".vhdr", ".edf", ".bdf", ".set", ".fif", ".gdf", ".EDF", ".BDF")


def load_bids(
    root: PathLike,
    *,
    subjects: Subset = None,
    sessions: Subset = None,
    runs: Subset = None,
    tasks: Subset = None,
    datatype: str = "eeg",
    event_id: EventId = None,
    tmin: float = 0.0,
    tmax: float = 4.0,
    picks: Picks = None,
    exclude: Sequence[str] = (),
    l_freq: float | None = None,
    h_freq: float | None = None,
    resample: float | None = None,
) -> Bunch:
    """Cut epochs from the recordings of a BIDS data set.

    Needs mne-bids (``pip install "skbci[bids]"``). Events come from each recording's
    ``events.tsv``, types of channels and bad channels from its ``channels.tsv``, and subject,
    session, run and task from the names. What lies in ``derivatives`` and ``sourcedata`` is of
    other data sets.

    Parameters
    ----------
    root : path-like
        Folder of the data set.
    subjects, sessions, runs, tasks : value or sequence of values, optional
        Which recordings to take, by default all. 1, "1" and "01" are the same.
    datatype : {"eeg", "ieeg", "meg"}, default="eeg"
        Kind of recordings.
    event_id, tmin, tmax, picks, exclude, l_freq, h_freq, resample
        As for `read_epochs`.

    Returns
    -------
    Bunch
        As of `read_epochs`, over all recordings.

    Raises
    ------
    ImportError
        If mne-bids is not installed.
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it is no BIDS data set, something asked for is not in it, or its recordings do not go
        together.

    See Also
    --------
    read_epochs : Read one recording, by its path or a `mne_bids.BIDSPath`.

    Examples
    --------
    >>> from skbci.datasets import load_bids
    >>> data = load_bids("imagery", tasks="imagery", tmin=0.5, tmax=3.5)  # doctest: +SKIP
    """
    if not isinstance(root, (str, os.PathLike)):
        raise TypeError(f"load_bids: root={root!r} must be the path of a folder.")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"No data set at {folder}: there is no such folder.")
    if not (folder / "dataset_description.json").exists():
        raise ValueError(f"{folder} is not a BIDS data set: it has no dataset_description.json.")
    if datatype not in ("eeg", "ieeg", "meg"):
        raise ValueError(f"load_bids: datatype={datatype!r} is not one of 'eeg', 'ieeg', 'meg'.")
    wanted = {
        level: {plain_name(value) for value in as_list(values, f"{level}s")}
        for level, values in (
            ("subject", subjects), ("session", sessions), ("run", runs), ("task", tasks)
        ) if values is not None
    }
    mne_bids = import_bids("load_bids")
    paths = mne_bids.BIDSPath(root=folder, datatype=datatype, suffix=datatype).match()
    # Copies below derivatives and sourcedata are other data sets; later parts of a recording that
    # was split come with its first.
    paths = [
        path for path in paths
        if path.extension in _ENDINGS and path.split in (None, *("0" * n + "1" for n in range(4)))
        and Path(path.fpath).relative_to(folder).parts[0].startswith("sub-")
    ]
    if not paths:
        raise ValueError(f"{folder} has no recordings of the kind {datatype!r}.")
    stated = [bids_entities(path) for path in paths]
    for level, values in wanted.items():
        offered = {entities.get(level) for entities in stated} - {None}
        if missing := sorted(values - offered, key=str):
            raise ValueError(
                f"{level}s={missing} not found; the data set has {level}s "
                f"{sorted(offered, key=str)}."
            )
    kept = [
        path for path, entities in zip(paths, stated)
        if all(entities.get(level) in values for level, values in wanted.items())
    ]
    if not kept:
        asked = ", ".join(f"{level}s={sorted(v, key=str)}" for level, v in wanted.items())
        raise ValueError(f"No recording of {folder} has {asked} together.")
    kept.sort(key=lambda path: str(path.fpath))
    bunches = [
        read_epochs(path, event_id=event_id, tmin=tmin, tmax=tmax, picks=picks, exclude=exclude,
                    l_freq=l_freq, h_freq=h_freq, resample=resample)
        for path in kept
    ]
    return join_bunches(bunches, [Path(path.fpath) for path in kept])
