"""The arrays of an ``.npz`` file: checked before memory is taken, read when asked for."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from skbci.datasets._growth import check_growth

__all__ = ["NpzArrays", "fingerprint"]


class NpzArrays(Mapping[str, np.ndarray]):
    """Arrays of a file by name.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError
        Naming the file and, where one is at fault, the array: if the file is no readable archive,
        would grow out of proportion in memory, holds something else than arrays of numbers and
        strings, or an array has another size than it states.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, np.ndarray] = {}
        self.fingerprints: Mapping[str, Any] = {}  # of arrays by name, as far as they are known
        try:
            self._file = zipfile.ZipFile(path)
        except Exception as error:  # zipfile fails in many ways on damaged files
            raise self._corrupt(error, "") from error
        entries = self._file.infolist()
        if _stated_entries(path) not in (len(entries), 0xFFFF):
            raise ValueError(
                f"{path} is not a readable .npz recording: its directory states "
                f"{_stated_entries(path)} arrays and lists {len(entries)}."
            )
        members = [member for member in entries if not member.is_dir()]
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        if len(self._members) < len(members):
            raise ValueError(f"{path} is not a readable .npz recording: an array is there twice.")
        for name, member in self._members.items():
            try:
                self._file.open(member).close()  # is it where, and what, the directory says?
            except Exception as error:
                raise self._corrupt(error, f" at array {name!r}") from error
        check_growth(path, sum(member.file_size for member in members))

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self._read:
            if key not in self._members:
                raise KeyError(key)
            try:
                array = self._load(key)
            except Exception as error:
                if isinstance(error, ValueError) and str(self._path) in str(error):
                    raise
                raise self._corrupt(error, f" at array {key!r}") from error
            if key in self.fingerprints and self.fingerprints[key] != fingerprint(array):
                raise ValueError(
                    f"{self._path}: array {key!r} is not the one that was saved under this name: "
                    "its checksum does not fit. The file was damaged or changed."
                )
            self._read[key] = array
        return self._read[key]

    def _load(self, key: str) -> np.ndarray:
        member = self._members[key]
        with self._file.open(member) as stream:
            shape, dtype = self._header(stream, key)
            size = math.prod(shape) * dtype.itemsize
            if min(shape, default=0) < 0 or stream.tell() + size != member.file_size:
                raise ValueError(
                    f"{self._path} is not a readable .npz recording: array {key!r} states the "
                    f"shape {shape} of {dtype}, {size / 1e6:.4g} MB, but holds "
                    f"{(member.file_size - stream.tell()) / 1e6:.4g} MB."
                )
        with self._file.open(member) as stream:
            array = npy.read_array(stream, allow_pickle=False)
            stream.read(1)  # at the end the archive's own checksum is compared
        return array

    def _header(self, stream: IO[bytes], key: str) -> tuple[tuple[int, ...], np.dtype]:
        start = stream.read(npy.MAGIC_LEN)
        if not start.startswith(npy.MAGIC_PREFIX):
            raise ValueError(
                f"{self._path}: {key!r} is not an array. An .npz recording holds arrays only, as "
                "numpy.savez or save_recording write them."
            )
        read = npy.read_array_header_1_0 if start[-2] == 1 else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
        if dtype.hasobject:
            raise ValueError(
                f"{self._path}: array {key!r} holds pickled Python objects, which are not loaded "
                "because they could run code. Store numbers or strings instead."
            )
        if dtype.kind not in "biufcSUMm":
            raise ValueError(
                f"{self._path}: array {key!r} holds {dtype}; numbers, strings and times are read."
            )
        return shape, dtype

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, key: object) -> bool:
        return key in self._members

    def _corrupt(self, error: Exception, where: str) -> ValueError:
        reason = str(error).rstrip(".") or type(error).__name__
        return ValueError(f"{self._path} is not a readable .npz recording{where}: {reason}.")

    def close(self) -> None:
        self._file.close()


def _stated_entries(path: Path) -> int:
    """Return how many entries the archive's last record states, which zipfile does not compare."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 22 + 0xFFFF), 2)
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    return int.from_bytes(tail[at + 10 : at + 12], "little")


def fingerprint(array: np.ndarray) -> str:
    """CRC-32 of an array's format, shape and values, as text."""
    values = np.ascontiguousarray(array).reshape(-1)
    start = zlib.crc32(f"{array.dtype.str} {array.shape}".encode())
    if values.nbytes:
        start = zlib.crc32(values.view(np.uint8).data, start)
    return f"{start:08x}"
