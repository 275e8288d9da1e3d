"""Files of data sets in the Brain Imaging Data Structure (BIDS)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skbci._process.quiet import mne_level
from skbci._typing import PathLike
from skbci._warning import warn
from skbci.datasets._mne.bids_tables import doubt_tables
from skbci.datasets._mne.reasons import reason
from skbci.datasets._names import plain_name

if TYPE_CHECKING:
    from mne.io import BaseRaw
    from mne_bids import BIDSPath

__all__ = ["bids_entities", "bids_path_of", "import_bids", "read_bids"]

_NAME = re.compile(r"sub-[A-Za-z0-9]+_(?:\S+_)?(eeg|ieeg|meg)\.[A-Za-z.]+")
_DESCRIPTION = "dataset_description.json"


def import_bids(who: str) -> Any:
    """Import mne-bids.

    Raises
    ------
    ImportError
        Naming the extra.
    """
    try:
        import mne_bids
    except ImportError as error:
        raise ImportError(
            f'{who}: BIDS data sets need mne-bids, which is not installed: '
            'pip install "skbci[bids]"'
        ) from error
    return mne_bids


def bids_path_of(path: PathLike) -> BIDSPath | None:
    """Return a file's `mne_bids.BIDSPath`, or None where it is of no BIDS data set.

    Warns
    -----
    UserWarning
        If it is of one, and mne-bids is not installed to read its tables.
    """
    module = sys.modules.get("mne_bids.path")
    if module is not None and isinstance(path, module.BIDSPath):
        return path
    if not isinstance(path, (str, Path)):
        return None
    file = Path(path).expanduser()
    folders = list(file.absolute().parents)[:5]
    if not _NAME.fullmatch(file.name) or not any((one / _DESCRIPTION).exists() for one in folders):
        return None
    try:
        mne_bids = import_bids(str(path))
    except ImportError as error:
        warn(
            f"{error} The file is read without the data set's tables of events and channels.",
        )
        return None
    with mne_level("ERROR"):
        return mne_bids.get_bids_path_from_fname(file)


def read_bids(bids_path: BIDSPath) -> BaseRaw:
    """Read a recording with its tables of events and channels.

    Returns
    -------
    mne.io.BaseRaw
        With its data in memory.

    Raises
    ------
    FileNotFoundError
        If there is no such recording.
    ValueError
        If it or its tables are damaged, or it has other channels than its table.

    Warns
    -----
    UserWarning
        If it has another rate or other units than its tables, or events lack onset or name.
    """
    mne_bids = import_bids(str(bids_path))
    if bids_path.root is None:
        raise ValueError(f"{bids_path!s}: this BIDSPath has no root; set BIDSPath(root=...).")
    try:
        with mne_level("WARNING"):
            raw = mne_bids.read_raw_bids(bids_path).load_data()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"No recording at {bids_path!s}: {error}") from error
    except Exception as error:  # each of the readers fails in its own way
        raise ValueError(
            f"{bids_path!s} cannot be read as BIDS: {reason(error)}. Its tables (channels.tsv, "
            "events.tsv, eeg.json, participants.tsv) or the recording itself are damaged, or lack "
            "what BIDS requires."
        ) from error
    doubt_tables(bids_path, raw)
    return raw


def bids_entities(bids_path: BIDSPath) -> dict[str, Any]:
    """Subject, session, run and task that a BIDS path states; numbers as int."""
    found = {level: getattr(bids_path, level) for level in ("subject", "session", "run")}
    entities = {level: plain_name(name) for level, name in found.items() if name is not None}
    return entities | ({"task": bids_path.task} if bids_path.task else {})
