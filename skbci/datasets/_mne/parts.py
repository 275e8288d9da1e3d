"""Recordings of several files, whose parts name each other: BrainVision and EEGLAB."""

from __future__ import annotations

import filecmp
import re
from pathlib import Path
from typing import TYPE_CHECKING

from skbci._warning import warn

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = [
    "brainvision_channels", "brainvision_part", "brainvision_parts", "brainvision_text",
    "check_size", "part_of",
]


def brainvision_text(path: Path) -> str:
    """Return a BrainVision header as text."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def brainvision_channels(header: str) -> str:
    """Return the section of a BrainVision header that describes the channels; "" without one."""
    section = re.search(r"^\[Channel Infos\]\s*$(.*?)(?=^\[|\Z)", header,
                        re.MULTILINE | re.DOTALL | re.IGNORECASE)
    return section.group(1) if section else ""


def brainvision_part(path: Path, header: str, entry: str) -> Path | None:
    """Return the file that an entry of a BrainVision header names, beside it; None without one."""
    named = re.search(rf"^{entry}=(.*?)\s*$", header, re.MULTILINE | re.IGNORECASE)
    name = named.group(1).strip() if named else ""
    return path.parent / name if name else None


def brainvision_parts(path: Path) -> None:
    """Check the channels that a BrainVision header describes, and the files that it names.

    The latter as `part_of` does.

    Raises
    ------
    ValueError
        If more channels are described than the data are said to hold.
    """
    header = brainvision_text(path)
    stated = re.search(r"^NumberOfChannels=(\d+)", header, re.MULTILINE | re.IGNORECASE)
    described = re.findall(r"^Ch\d+=", brainvision_channels(header), re.MULTILINE)
    if stated and len(described) > int(stated.group(1)):
        raise ValueError(
            f"{path} states {stated.group(1)} channels (NumberOfChannels) and describes "
            f"{len(described)}."
        )
    for entry, what in (("DataFile", "data"), ("MarkerFile", "markers")):
        named = brainvision_part(path, header, entry)
        if named is not None:
            part_of(path, named, what, f"{entry}=... in it")


def part_of(path: Path, named: Path, what: str, where: str) -> None:
    """Doubt the file that a recording names, where its own name says that it is another one's.

    Files that were renamed or copied by hand keep the old names inside.

    Parameters
    ----------
    path : Path
        The file that is read.
    named : Path
        The one that it names.
    what : str
        What that holds.
    where : str
        Where the name is written, for the remedy.

    Raises
    ------
    ValueError
        If a file of the recording's own name is there, too, and differs; or if the data that are
        named are not there, and those of its own name are.

    Warns
    -----
    UserWarning
        If what is named is of another recording by its name.
    """
    own, other = path.with_suffix(named.suffix), named.with_suffix(path.suffix)
    if named.stem.lower() == path.stem.lower():
        return
    remedy = f"Correct {where}, or rename the files to one name."
    if own.is_file():
        if not named.is_file():
            if what == "data":
                raise ValueError(
                    f"{path} names {named.name} as the file of its data, which is not there; "
                    f"{own.name} is. {remedy}"
                )
        elif not filecmp.cmp(own, named, shallow=False):
            raise ValueError(
                f"{path} names {named.name} as the file of its {what}, but {own.name} is there, "
                f"too, and it is another one: nothing says which is right. {remedy}"
            )
    elif named.is_file() and other.is_file():
        warn(
            f"{path} names {named.name} as the file of its {what}, which is that of {other.name}, "
            f"too. {remedy}",
        )


def check_size(path: Path, raw: BaseRaw, data: Path, n_bytes: int) -> None:
    """Refuse data of another size than their channels and samples need.

    Parameters
    ----------
    path : Path
        The recording.
    raw : mne.io.BaseRaw
    data : Path
        The file of its data, which holds nothing else.
    n_bytes : int
        Of a sample.
    """
    wanted, there = len(raw.ch_names) * raw.n_times * n_bytes, data.stat().st_size
    if wanted != there:
        raise ValueError(
            f"{path} states {len(raw.ch_names)} channels of {raw.n_times} samples, which need "
            f"{wanted} bytes, but {data.name} has {there}: it is cut short, or of another "
            "recording."
        )
