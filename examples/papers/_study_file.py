"""The file of a study: lines of text with checksums."""

from __future__ import annotations

import csv
import io
import os
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LINES", "SUM", "alone", "checksum", "read_lines", "text_of", "to_csv"]

# How many lines the task of a line has: a task is finished only with all of them in the file.
LINES = "lines"
# A line's own checksum, over its names and values.
SUM = "checksum"


def read_lines(path: Path) -> list[dict[str, str]]:
    """Lines of a file, each compared with its checksum."""
    again = (
        "Take the line out to have its task run once more, or run with fresh=True (--fresh) to "
        "forget the file."
    )
    try:
        text = path.read_bytes().decode("utf-8")
        text = text[: text.rfind("\n") + 1]  # the last line may have been cut off
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = list(reader.fieldnames or [])
        lines = []
        for line in reader:
            whole = None not in line and None not in line.values()
            if not whole or (SUM in names and line[SUM] != checksum(line)):
                raise ValueError(
                    f"{path} is damaged: line {reader.line_num} does not fit its checksum: "
                    f"{list(line.values())}. {again}"
                )
            lines.append(line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} is damaged: it is no text of a study ({error}). {again}"
        ) from None
    if (text and names[-1:] not in ([SUM], [LINES])) or len(set(names)) < len(names):
        raise ValueError(
            f"{path} is damaged, or no file of a study: its first line does not name the columns "
            f"{LINES!r} and {SUM!r} last, but {names}. Run with fresh=True (--fresh)."
        )
    if lines and SUM not in names:
        warnings.warn(
            f"{path} was written without checksums, by an earlier version of this script: its "
            "results are taken as they are, and damage to them would not be noticed. Run with "
            "fresh=True (--fresh) if you doubt them.",
            UserWarning, stacklevel=2,
        )
    return lines


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other run of this machine writes into a file, and keep others waiting."""
    if fcntl is None:
        yield
        return
    # The folder is locked, since the file itself is replaced by each writing.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def checksum(line: dict[str, Any]) -> str:
    """CRC-32 of a line's names and values; an empty value is as one that is not there."""
    texts = {name: text_of(value) for name, value in line.items() if name != SUM}
    parts = [f"{name}\x1f{texts[name]}" for name in sorted(texts) if texts[name] != ""]
    return f"{zlib.crc32(chr(30).join(parts).encode('utf-8', 'surrogatepass')):08x}"


def text_of(value: Any) -> str:
    """How a value reads in the file; numbers come back as they were."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def to_csv(lines: Sequence[dict[str, Any]], columns: Sequence[str], header: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for line in lines:
        writer.writerow([text_of(line.get(name)) for name in columns])
    return out.getvalue()
