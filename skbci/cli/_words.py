"""What the library says, in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["ENDINGS", "UsageError", "by_file", "in_options", "more_files", "of_file"]


class UsageError(ValueError):
    """The command itself is wrong, whatever the files hold."""


# Of the files that are read.
ENDINGS = (".edf", ".bdf", ".gdf", ".fif", ".fif.gz", ".vhdr", ".set", ".cnt", ".nxe", ".xdf",
           ".npz")
_OPTIONS = (
    (r"exclude=\[\.\.\.\], or state their types first: raw\.set_channel_types\(\{name: 'eog'\}\)",
     "--exclude"),
    (r"exclude names \[", "--exclude names ["),
    (r"exclude=\[(.*?)\] leaves", r"--exclude \1 leaves"),
    (r"picks=\.\.\. takes", "--picks takes"),
    (r"Pass subject=\.\.\. to read_epochs\.", "Pass --subject NAME."),
    (r"event_id: \[(.*?)\] not among", r"--events: \1 not among"),
    (r" Names are those of annotations; for the codes of a stimulus channel, pass "
     r"stim_channel=\.\.\.", ""),
    (r"choose with event_id", "choose with --events"),
    (r"hold one of event_id beside others", "hold one of --events beside others"),
    (r"Name them in event_id, too", "Name them in --events, too"),
    (r"Leave them out with picks=\.\.\.", "Leave them out with --picks"),
    (r"Pass stim_channel=\.\.\. to take them",
     "In Python, read_epochs(..., stim_channel=...) takes them"),
    (r"choose one with stream=\.\.\.", "choose one with --stream"),
    (r"choose one with marker_stream=\.\.\.", "choose one with --marker-stream"),
    (r"pass unit='uV' or whatever", "pass --unit uV, or whatever"),
    (r"State it: unit='uV', or whatever it is", "State it: --unit uV, or whatever it is"),
    (r"read_epochs: (stream|unit)='(.*?)' is for XDF", r"--\1 \2 is for XDF"),
    (r"read_epochs: marker_stream='(.*?)' is for XDF", r"--marker-stream \1 is for XDF"),
    (r"split with PurgedKFold, SessionSplit or LeaveSubjectsOut",
     "--split leave-sessions-out or leave-subjects-out"),
)
_FILE = re.compile(
    rf"(.+?(?:{'|'.join(map(re.escape, sorted(ENDINGS, key=len, reverse=True)))})):? (.*)",
    re.IGNORECASE)


def in_options(message: Exception | str) -> str:
    """Put a message into one line, and name options in the place of arguments.

    Parameters
    ----------
    message : Exception or str
        An error, a warning or a verdict of the library.

    Returns
    -------
    str
    """
    text = " ".join(str(message).split()) or type(message).__name__
    for argument, option in _OPTIONS:
        text = re.sub(argument, option, text)
    return text


def of_file(text: str) -> tuple[str, str]:
    """Part a message into the path that it begins with, "" if there is none, and the rest."""
    match = _FILE.match(text)
    return (match[1], match[2]) if match else ("", text)


def more_files(n: int) -> str:
    """Say how many further files there are."""
    return f"{n} more file{'s' * (n > 1)}"


def by_file(texts: Iterable[str]) -> list[str]:
    """Say once what is said of several files.

    Parameters
    ----------
    texts : iterable of str
        Warnings, each with the file's path first.

    Returns
    -------
    list of str
        In the order in which they were first said, with the number of further files.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(of_file(text)[1], []).append(text)
    out = []
    for rest, (first, *others) in found.items():
        place = f"{of_file(first)[0]} and {more_files(len(others))}"
        out.append(f"{place}: {rest}" if others else first)
    return out
