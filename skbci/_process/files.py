"""Files that are there whole, or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file beside ``path``, which takes its place once it is complete.

    A file that is there stays as it is until then, and where writing fails; who reads it meanwhile
    sees the one or the other. The permissions are those that the user's umask gives to all files.
    A link is followed; what is no file, as a device, is written to as it is.

    Raises
    ------
    OSError
        If it cannot be written: it is a folder or write-protected, there is no such folder, the
        disk is full. The message names ``path``.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f"{path} is write-protected.")
    if path.exists() and not path.is_file():
        with open(path, "wb") as device:
            yield device
        return
    path = path.resolve()
    beside = path.parent / f".{path.name}.{uuid.uuid4().hex}"
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if error.filename in (None, str(beside)) and error.errno is not None:
            error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)
