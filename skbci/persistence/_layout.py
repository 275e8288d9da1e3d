"""The members of a file, and how they are read before anything in them is believed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

__all__ = ["FORMAT", "Broken", "Members", "digest_of", "open_stored", "pack", "read_stored"]

FORMAT = 1
HEADER, OBJECTS, WEIGHTS = "header.json", "objects.skops", "weights.safetensors"
MEMBERS = (HEADER, OBJECTS, WEIGHTS)


class Broken(ValueError):
    """A file that is damaged, cut short, or not of this kind."""


class Members:
    """The members of a file that `save` has written, checked against its header.

    Parameters
    ----------
    path : Path

    Raises
    ------
    Broken
        Naming the file, and the member where it is one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise FileNotFoundError(f"No saved estimator at {path}: there is no such file.")
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
        try:
            archive = open_stored(path, path.stat().st_size)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
            raise Broken(
                f"{path} cannot be read: it was not written by skbci.persistence.save, or is "
                f"damaged: {error}"
            ) from error
        with archive:
            found = archive.namelist()
            if sorted(found) != sorted(MEMBERS):
                raise Broken(
                    f"{path} has the members {', '.join(map(repr, found)) or 'none'} where "
                    f"{', '.join(map(repr, MEMBERS))} belong: it was not written by "
                    "skbci.persistence.save, or was tampered with."
                )
            data = {name: self._read(archive, name) for name in MEMBERS}
        self.header = self._header(data[HEADER])
        self.objects, self.weights = data[OBJECTS], data[WEIGHTS]
        for name in (OBJECTS, WEIGHTS):
            known = self.header.get("sha256")
            known = known.get(name) if isinstance(known, dict) else None
            if known != hashlib.sha256(data[name]).hexdigest():
                raise self.broken(name, "it is not what the header says was written (sha256)")

    def broken(self, member: str, why: str) -> Broken:
        """An error about a member."""
        return Broken(f"{self.path}: the member {member!r} is damaged or was tampered with: {why}")

    def _read(self, archive: zipfile.ZipFile, name: str) -> bytes:
        try:
            return archive.read(name)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
            raise self.broken(name, str(error)) from error

    def _header(self, data: bytes) -> dict[str, Any]:
        try:
            header = json.loads(data)
            if not isinstance(header, dict):
                raise ValueError("it is not a mapping")
        except (ValueError, RecursionError) as error:
            raise self.broken(HEADER, str(error)) from error
        written = header.get("format")
        if type(written) is int and written > FORMAT:
            by = header.get("versions")
            raise ValueError(
                f"{self.path} was written in format {written} by skbci "
                f"{by.get('skbci') if isinstance(by, dict) else '?'}; this version reads formats "
                f"up to {FORMAT}. Install a newer skbci to read it."
            )
        if written != FORMAT or header.get("digest") != digest_of(header):
            raise self.broken(HEADER, "it is not as it was written")
        return header


def digest_of(header: dict[str, Any]) -> str:
    """Return the sha256 of all that a header says but this."""
    rest = {name: value for name, value in header.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def open_stored(source: Path | IO[bytes], size: int) -> zipfile.ZipFile:
    """Open a zip archive whose members are stored as they are, so that none is larger than it.

    Parameters
    ----------
    source : Path or binary file
    size : int
        Bytes of the whole.

    Raises
    ------
    zipfile.BadZipFile, ValueError
    """
    archive = zipfile.ZipFile(source)
    try:
        infos = archive.infolist()
        names = [info.filename for info in infos]
        for info in infos:
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or (
                info.file_size != info.compress_size
            ):
                raise ValueError(f"the member {info.filename!r} is compressed, as none may be")
        if len(set(names)) < len(names):
            raise ValueError("it has several members of one name")
        if sum(info.file_size for info in infos) > size:
            raise ValueError("its members claim to be larger than the file")
    except BaseException:
        archive.close()
        raise
    return archive


def pack(members: dict[str, bytes]) -> bytes:
    """Write an archive as `open_stored` reads it; the same members give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def read_stored(data: bytes) -> dict[str, bytes]:
    """Read an archive in memory as `open_stored` allows it, and check the sizes of its arrays.

    Raises
    ------
    zipfile.BadZipFile, ValueError
    """
    with open_stored(io.BytesIO(data), len(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in members.items():
        if name.endswith(".npy"):
            _check_array(name, content)
    return members


def _check_array(name: str, content: bytes) -> None:
    """Compare an array's size with what it says, before memory is taken for it."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:  # names of fields that are not latin; such arrays are not written
        raise ValueError(f"the array {name!r} is of an unknown version {version}")
    shape, _, dtype = read(file)
    size = dtype.itemsize
    for length in shape:
        size *= int(length)
    if dtype.hasobject or min(shape, default=0) < 0 or size != len(content) - file.tell():
        raise ValueError(
            f"the array {name!r} of shape {shape} has another size than its header states"
        )
