"""Reading files and folders into one data set."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skbci._checks.labels import doubt_joined
from skbci._warning import warn
from skbci.cli._words import ENDINGS, UsageError
from skbci.datasets import load_recording, read_epochs
from skbci.eegarray import EEGArray
from skbci.features import Crop

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["check_window", "expand", "plain_subject", "read_files", "read_one"]

# Of a BIDS data set: what its recordings end in, and folders that hold none of them.
_BIDS = ("_eeg", "_ieeg", "_meg")
_NO_BIDS = {"derivatives", "sourcedata", "stimuli", "code"}


def expand(files: Sequence[str]) -> list[Path]:
    """Replace folders by the recordings below them, in natural order, each file once.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no recording in a folder.
    """
    found: list[Path] = []
    for name in files:
        path = Path(name).expanduser()
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder.")
        if not path.is_dir() or path.suffix.lower() == ".mff":
            found.append(path)
            continue
        inside = [
            file for file in path.rglob("*")
            if file.name.lower().endswith(ENDINGS) and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        if (path / "dataset_description.json").exists():
            inside = [file for file in inside if file.name.split(".")[0].endswith(_BIDS)
                      and file.relative_to(path).parts[0] not in _NO_BIDS]
        if not inside:
            raise FileNotFoundError(f"{path}: no recording in this folder; their names end in "
                                    f"{', '.join(ENDINGS)}.")
        found += sorted(inside, key=_natural)
    once = {path.resolve(): path for path in reversed(found)}
    if len(once) < len(found):
        warn(
            f"{len(found) - len(once)} files were given more than once, by themselves or in a "
            "folder; each is taken once.",
        )
    return [path for path in found if once[path.resolve()] is path]


def _natural(path: Path) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", str(path)) if part]


def check_window(args: argparse.Namespace) -> None:
    """Refuse epochs that end before they begin.

    Raises
    ------
    UsageError
        If ``--tmax`` is not after ``--tmin``.
    """
    if not args.tmax > args.tmin:
        raise UsageError(f"--tmax {args.tmax} must be after --tmin {args.tmin} seconds.")


def plain_subject(name: str | None) -> int | str | None:
    """A number where it is one: the readers name people by numbers where they can."""
    return int(name) if name is not None and name.isdecimal() else name


def of_xdf(args: argparse.Namespace) -> dict[str, str | None]:
    """Return the options that choose in an XDF file, as the readers call them."""
    return {name: getattr(args, name) for name in ("stream", "marker_stream", "unit")}


def window_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of epochs, as `read_one` calls them."""
    return {
        "events": args.events, "tmin": args.tmin, "tmax": args.tmax, "picks": args.picks,
        "exclude": args.exclude, "resample": args.resample,
        "subject": plain_subject(args.subject), **of_xdf(args),
    }


def read_one(
    path: Path, *, events: Sequence[str] | None = None, tmin: float = 0.0, tmax: float = 4.0,
    picks: Sequence[str] | None = None, exclude: Sequence[str] = (),
    resample: float | None = None, subject: int | str | None = None, **choices: Any,
) -> tuple[EEGArray, np.ndarray]:
    """Return epochs of one recording, in volts, and the names of their events.

    Parameters
    ----------
    path : Path
    events : sequence of str, optional
        Events to take; by default all.
    tmin, tmax : float
        Window in seconds after the event.
    picks : sequence of str, optional
        Channels, or one type.
    exclude : sequence of str, default=()
        Channels to leave out of these.
    resample : float, optional
        New rate in Hz.
    subject : int or str, optional
        Whose it is.
    **choices : str or None
        Those of `of_xdf`.

    Returns
    -------
    X : EEGArray, shape (n_epochs, n_channels, n_times)
    y : ndarray of str, shape (n_epochs,)

    Raises
    ------
    ValueError, FileNotFoundError
        As `read_epochs` and `load_recording` say.
    """
    if path.suffix.lower() != ".npz":
        chosen = picks[0] if picks is not None and len(picks) == 1 else picks
        bunch = read_epochs(path, event_id=None if events is None else list(events), tmin=tmin,
                            tmax=tmax, picks=chosen, exclude=exclude, resample=resample,
                            subject=subject, **choices)
        return bunch.X, bunch.y
    if any(choice is not None for choice in choices.values()):
        raise ValueError(f"{path}: --stream, --marker-stream and --unit are for XDF files only.")
    if resample is not None or subject is not None:
        raise ValueError(f"{path}: --resample and --subject are for what MNE reads, not .npz.")
    bunch = load_recording(path, picks=picks, exclude=exclude)
    if bunch.y is None:  # continuous
        bunch = load_recording(path, picks=picks, exclude=exclude, tmin=tmin, tmax=tmax,
                               event_id=events)
        return bunch.X, _names(bunch)
    if bunch.X.ndim != 3:
        raise ValueError(f"{path} holds rows of features or samples, not epochs; the pipelines "
                         "here take epochs.")
    labels = _names(bunch)
    kept = np.ones(len(labels), dtype=bool) if events is None else np.isin(labels, list(events))
    if not kept.any():
        raise ValueError(f"--events {' '.join(events or ())}: none of them is in {path}, whose "
                         f"labels are {', '.join(sorted(set(labels)))}.")
    return Crop(tmin, tmax).fit_transform(bunch.X[kept]), labels[kept]


def _names(bunch: Bunch) -> np.ndarray:
    """Return labels as text, by their names where the file has them."""
    known = dict(bunch.get("label_names") or {})
    return np.array([str(known.get(label, label)) for label in np.asarray(bunch.y).tolist()])


def read_files(files: Sequence[Path], **settings: Any) -> tuple[Any, np.ndarray]:
    """Epochs of several recordings, one after another; the settings are those of `read_one`.

    Raises
    ------
    ValueError
        If their channels, rates or lengths differ; the message names the file.
    """
    parts = [read_one(path, **settings) for path in files]
    first = parts[0][0]
    for path, (X, _) in zip(files, parts):
        same = X.ch_names == first.ch_names and X.sfreq == first.sfreq
        if not same or X.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"{path} has {_shape(X)}, {files[0]} has {_shape(first)}: choose channels with "
                "--picks or --exclude, and a rate with --resample, that all files have."
            )
    y = np.concatenate([labels for _, labels in parts])
    if len(parts) == 1:
        return first, y
    doubt_joined({str(path): np.unique(own).tolist() for path, (_, own) in zip(files, parts)})
    return np.concatenate([X for X, _ in parts]), y


def _shape(X: EEGArray) -> str:
    names = X.ch_names or []
    shown = " ".join(names[:6]) + (" ..." if len(names) > 6 else "")
    return f"{X.shape[1]} channels ({shown}) of {X.shape[2]} samples at {X.sfreq:g} Hz"
