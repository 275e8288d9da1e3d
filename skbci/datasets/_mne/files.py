"""Opening recordings that MNE reads, and what their names and headers state."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mne

from skbci._process.quiet import mne_level
from skbci._recording.annotations import add_boundaries, boundaries, is_of_gdf
from skbci._typing import PathLike
from skbci._warning import warn
from skbci.datasets._growth import check_gzip
from skbci.datasets._mne.bids import bids_entities, read_bids
from skbci.datasets._mne.brainvision import go_by_brainvision
from skbci.datasets._mne.edf import go_by_header
from skbci.datasets._mne.eeglab import go_by_eeglab, person_of, read_eeglab
from skbci.datasets._mne.gdf import go_by_gdf, name_marks, read_gdf
from skbci.datasets._mne.parts import brainvision_parts
from skbci.datasets._mne.reasons import missing_package, reason
from skbci.datasets._mne.xdf import read_xdf
from skbci.datasets._names import header_subject, names_in

if TYPE_CHECKING:
    from mne import BaseEpochs
    from mne.io import BaseRaw
    from mne_bids import BIDSPath

__all__ = ["open_recording", "whose"]

_EPOCHS = ("-epo.fif", "_epo.fif", "-epo.fif.gz", "_epo.fif.gz")
# Files that hold a part of a recording, and the one that MNE is to be given in their place.
_HEADERS = {".eeg": ".vhdr", ".vmrk": ".vhdr", ".fdt": ".set"}
_FOLDERS = (".mff", ".ds")  # recordings that are folders
_BY_HAND = ("read its numbers (scipy.io.loadmat, numpy.load, pandas.read_csv ...) and give them "
            "to mne.io.RawArray(volts, mne.create_info(names, sfreq, 'eeg'))")
_ELSEWHERE = {
    ".npz": "read it with load_recording",
    ".mat": f"{_BY_HAND}; FieldTrip's are read by mne.io.read_raw_fieldtrip, EEGLAB's end in .set",
    **dict.fromkeys((".npy", ".csv", ".tsv", ".h5", ".hdf5", ".parquet"), _BY_HAND),
}


def open_recording(
    path_or_raw: PathLike | BaseRaw | BaseEpochs, bids_path: BIDSPath | None = None,
    **of_xdf: str | None,
) -> BaseRaw | BaseEpochs:
    """Read a file by its ending, or copy an object that was read before.

    Parameters
    ----------
    path_or_raw : path-like, mne.io.BaseRaw or mne.BaseEpochs
    bids_path : mne_bids.BIDSPath, optional
        The file's, where it is of a BIDS data set.
    **of_xdf : str or None
        ``stream``, ``marker_stream`` and ``unit`` of an XDF file.

    Returns
    -------
    mne.io.BaseRaw or mne.BaseEpochs
        With its data in memory.

    Raises
    ------
    FileNotFoundError, TypeError
        If there is no such file, or the argument is none.
    ImportError
        If MNE needs a package for it that is not installed.
    ValueError
        If MNE cannot read it.

    Warns
    -----
    RuntimeWarning, UserWarning
        MNE's own, and if an EDF, BDF or BrainVision file is shorter than its header states, or
        states what MNE does not go by.
    """
    given = {name: value for name, value in of_xdf.items() if value is not None}
    suffix = Path(path_or_raw).suffix if isinstance(path_or_raw, (str, os.PathLike)) else ""
    xdf = suffix.lower() in (".xdf", ".xdfz")
    if given and not xdf:
        name, value = next(iter(given.items()))
        raise ValueError(f"read_epochs: {name}={value!r} is for XDF files only.")
    if bids_path is not None and not xdf:
        path = Path(path_or_raw)
        if path.exists():
            _refuse_others(path)
        out = read_bids(bids_path)
        _go_by_header(path, out, clock_is_own=False)
        if path.suffix.lower() in (".vhdr", ".set"):
            _keep_boundaries(path, out)
        return out
    if isinstance(path_or_raw, (mne.io.BaseRaw, mne.BaseEpochs)):
        out = _in_memory(path_or_raw.copy().load_data, "the recording")
        if isinstance(out, mne.io.BaseRaw) and is_of_gdf(out):
            name_marks(out)
        return out
    if not isinstance(path_or_raw, (str, os.PathLike)):
        raise TypeError(
            f"path_or_raw must be a path, mne.io.Raw or mne.Epochs, got "
            f"{type(path_or_raw).__name__}. Read several files one by one, and join them with "
            "np.concatenate."
        )
    path = Path(path_or_raw).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"No recording at {path}: there is no such file.")
    _refuse_others(path)
    header = path.with_suffix(_HEADERS.get(path.suffix.lower(), path.suffix))
    if header != path and header.exists():
        raise ValueError(f"{path} is a part of the recording {header.name}: read that file.")
    if xdf:
        return read_xdf(path, **of_xdf)
    if path.suffix == ".gz":
        _in_memory(lambda: check_gzip(path), path)
    read = _reader(path)
    with mne_level("WARNING"):  # MNE says at this level what it left out or had to guess
        out = _in_memory(lambda: read(path), path)
    _go_by_header(path, out)
    return out


def _keep_boundaries(path: Path, raw: BaseRaw) -> None:
    """Mark where the file itself says that the recording was stopped, in place.

    Tables of events state trials; where they are silent about this, the file is right.
    """
    with mne_level("ERROR"):
        plain = _in_memory(lambda: mne.io.read_raw(path), path)
    add_boundaries(raw, boundaries(plain))


def _reader(path: Path) -> Callable[[Path], BaseRaw | BaseEpochs]:
    if path.suffix.lower() == ".set":
        return read_eeglab
    if path.suffix.lower() == ".gdf":
        return read_gdf
    if path.name.endswith(_EPOCHS):
        return mne.read_epochs
    return _raw_or_epochs


def _raw_or_epochs(path: Path) -> BaseRaw | BaseEpochs:
    try:
        return mne.io.read_raw(path, preload=True)
    except ValueError as error:
        if "No raw data" not in str(error):
            raise
        try:
            return mne.read_epochs(path)  # whatever they are called
        except ValueError:
            raise error from None


def _go_by_header(path: Path, raw: BaseRaw | BaseEpochs, clock_is_own: bool = True) -> None:
    suffix = path.suffix.lower()
    if suffix in (".edf", ".bdf"):
        _compare_length(path, raw)
        go_by_header(path, raw, clock_is_own)
    elif suffix == ".gdf" and clock_is_own:
        go_by_gdf(path, raw)
    elif suffix == ".vhdr":
        go_by_brainvision(path, raw)
    elif suffix == ".set" and isinstance(raw, mne.io.BaseRaw):
        go_by_eeglab(path, raw)


def _refuse_others(path: Path) -> None:
    """Refuse folders, empty files, files that something else reads, and parts of recordings.

    Files that a BrainVision header names must be its own.
    """
    suffix = path.suffix.lower()
    if path.is_dir() and suffix not in _FOLDERS:
        raise ValueError(f"{path} is a folder: read its files one by one, or all of a BIDS data "
                         "set with load_bids.")
    if path.is_file() and path.stat().st_size == 0:
        raise ValueError(f"{path} is empty: it has 0 bytes.")
    if suffix in _ELSEWHERE:
        raise ValueError(f"MNE reads no {suffix} files such as {path}: {_ELSEWHERE[suffix]}.")
    if suffix == ".vhdr":
        brainvision_parts(path)
    if suffix in (".fif", ".gz"):
        first = _first_part(path)
        if first is not None:
            raise ValueError(
                f"{path} is a later part of the recording {first.name}: read that file, and MNE "
                "reads the others with it."
            )


def _first_part(path: Path) -> Path | None:
    """File that a later part of a split FIF recording belongs to, by MNE's names of parts."""
    for number, before in (
        (r"-\d+(?=\.fif(\.gz)?$)", ""), (r"_split-(?!0*1_)\d+(?=_)", "_split-01"),
    ):
        first = path.with_name(re.sub(number, before, path.name))
        if first == path or not first.is_file():
            continue
        try:
            with mne_level("ERROR"):
                raw = mne.io.read_raw_fif(first, on_split_missing="ignore")
        except Exception:  # the first file is of something else, or damaged
            return None
        if path.name in [Path(file).name for file in raw.filenames if file is not None]:
            return first
    return None


def _in_memory(read: Callable[[], Any], where: object) -> Any:
    try:
        return read()
    except Exception as error:  # each of MNE's readers fails in its own way
        if isinstance(error, ValueError) and "is not read: its" in str(error):
            raise
        if isinstance(error, ValueError) and str(error).startswith(str(where)):
            raise  # it is this package's own
        if package := missing_package(error):
            raise ImportError(f"MNE cannot read {where} without the package {package}: "
                              f"pip install {package}.") from error
        raise ValueError(
            f"MNE cannot read {where}: {reason(error)}. The file is damaged, cut short, or of "
            "another format than its ending says."
        ) from error


def _compare_length(path: Path, raw: BaseRaw) -> None:
    """Warn where an EDF or BDF file ends before the time that its header states."""
    with path.open("rb") as file:
        header = file.read(256)
    try:
        stated = int(header[236:244]) * float(header[244:252])
    except ValueError:
        return
    kept = raw.n_times / raw.info["sfreq"]
    if stated - kept > 0.5 / raw.info["sfreq"]:
        warn(
            f"{path} is cut short: its header states {stated:g} s, and the first {kept:g} s are "
            "there and were kept, with the events in them.",
        )


def whose(
    source: BaseRaw | BaseEpochs, path_or_raw: PathLike | BaseRaw | BaseEpochs,
    subject: str | int | None, session: str | int | None, run: str | int | None,
    bids_path: BIDSPath | None = None,
) -> dict[str, Any]:
    """Subject, session and run of a recording.

    What is given wins; then what the names of a BIDS data set state; then the header says who it
    is; then the file's name and folders; else each is 1, with a warning for the subject.
    """
    if isinstance(path_or_raw, (str, os.PathLike)):
        path: PathLike | None = path_or_raw
    else:
        files = getattr(source, "filenames", None) or (getattr(source, "filename", None),)
        path = files[0]
    named = names_in(path) if path is not None else {}
    if (known := header_subject(source.info)) is not None:
        named["subject"] = known
    if bids_path is not None:
        named |= bids_entities(bids_path)
    given = {"subject": subject, "session": session, "run": run}
    stated = named | {level: value for level, value in given.items() if value is not None}
    if "subject" not in stated and path is not None and Path(path).suffix.lower() == ".set":
        stated = person_of(Path(path)) | stated
    own = getattr(source, "metadata", None)
    if "subject" not in stated and (own is None or "subject" not in own):
        warn(
            f"{path or 'The recording'}: neither the header nor the file's name says who it is "
            "from; all its rows became subject 1. Pass subject=... to read_epochs.",
        )
    levels = {level: stated.get(level, 1) for level in given}
    return levels | ({"task": stated["task"]} if "task" in stated else {})
