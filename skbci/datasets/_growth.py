"""Compressed files that would grow out of proportion when they are read."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

__all__ = ["check_growth", "check_gzip", "check_matlab"]

# A recording of noise hardly shrinks when it is compressed, and one of zeros a thousand times.
# What grows by more than this when it is read is no recording, once it is large enough to matter.
_GROWTH, _LARGE = 100, 256 * 2**20
_CHUNK = 2**20


def check_growth(path: Path, whole: int) -> None:
    """Refuse a file that becomes ``whole`` bytes in memory if that is out of proportion.

    Raises
    ------
    ValueError
        Naming the file and both sizes.
    """
    stored = path.stat().st_size
    if whole > max(_LARGE, _GROWTH * stored):
        raise ValueError(
            f"{path} is not read: its {stored / 1e6:.3g} MB would become {whole / 1e6:.4g} MB or "
            f"more in memory, {whole / max(stored, 1):.3g} times as much, which no recording "
            "does. If it is one, save it again without compression."
        )


def check_gzip(path: Path) -> None:
    """Do the same for a gzip file, which is unpacked piece by piece for it."""
    whole = 0
    with gzip.open(path) as file:
        while piece := len(file.read(_CHUNK)):
            whole += piece
            check_growth(path, whole)


def check_matlab(path: Path) -> None:
    """Do the same for the compressed variables of a MATLAB file of version 5."""
    whole = 0
    with path.open("rb") as file:
        order = {b"IM": "<", b"MI": ">"}.get(file.read(128)[126:])
        while order and len(tag := file.read(8)) == 8:
            kind, size = struct.unpack(f"{order}II", tag)
            if kind != 15:  # not compressed
                whole += size
                file.seek(size, 1)
                continue
            unpack, left = zlib.decompressobj(), size
            while left > 0 and (packed := file.read(min(left, _CHUNK // 1024))):
                left -= len(packed)
                whole += len(unpack.decompress(packed))
                check_growth(path, whole)
