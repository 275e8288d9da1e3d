"""Subject, session and run from the names that data sets give their files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from skbci._typing import PathLike

if TYPE_CHECKING:
    from mne import Info

__all__ = ["header_subject", "names_in", "plain_name"]

_WORDS = {
    "subject": "participant|patient|proband|subject|subj|sub|vp",
    "session": "session|sess|ses|visit|day",
    "run": "run|block",
}
# What a letter before a number stands for, where no word says it: S01, P03, A01 (competition IV
# 2a), B01 (2b). A second S is a session.
_LETTERS = re.compile(r"([SPAB])(\d+)(?:S(?:ES)?(\d+))?(?:R(?:UN)?(\d+))?[A-Z]?", re.IGNORECASE)
_COMPETITION = re.compile(r"[ABS](\d\d)(\d\d)?([TE])")
_HALVES = {"T": 1, "E": 2}  # training and evaluation, the sessions of 2a
_RANGE = re.compile(r"([A-Za-z]+)[ _-]?\d+-\1[ _-]?\d+|\d[ _-]?to[ _-]?[A-Za-z]*\d", re.IGNORECASE)
# Words that look like a subject's letter and number.
_NO_NAME = re.compile(r"p300|p3|b64|a4", re.IGNORECASE)
# What recordings say of people whom they do not name; EDF writes X.
_NOBODY = {"", "x", "xx", "none", "n/a", "na", "nan", "unknown", "anonymous", "anonymized", "anon",
           "mne_anonymize", "default", "subject", "test"}


def names_in(path: PathLike) -> dict[str, int | str]:
    """Subject, session and run that a file's name, or the folders above it, state.

    Parameters
    ----------
    path : path-like
        Such as ``sub-01_ses-2_run-3_eeg.edf`` (BIDS), ``S001R04.edf``, ``A01T.gdf``,
        ``B0101T.gdf``, ``subject1_session2.npz``, ``sess01_subj02_EEG_MI.mat``, ``s01.bdf`` or
        ``S03/session2.npz``.

    Returns
    -------
    dict
        Those of "subject", "session" and "run" that are stated; numbers as int. A name that
        states a range (``S001-S020``) or two subjects states none.
    """
    file = Path(path)
    found = _in_stem(file.stem)
    for folder in list(file.parents)[:3]:
        for level, name in _in_folder(folder.name).items():
            found.setdefault(level, name)
    return found


def plain_name(value: object) -> int | str:
    """Reduce 'S001', 'sub-001', '001' and 1 to the same name: 1.

    Other letters tell people apart: 'control01' is not 'patient01'.
    """
    text = str(value).strip()
    words = "s|sub|subj|subject|ses|sess|session|r|run"
    match = re.fullmatch(rf"(?:{words})?[ _-]?0*(\d{{1,9}})", text, re.IGNORECASE)
    return int(match.group(1)) if match else text


def header_subject(info: Info) -> str | int | None:
    """Who a recording's header says it is from; None where it names nobody."""
    about = info.get("subject_info") or {}
    known = str(about.get("his_id") or "").strip()
    anonymized = "mne_anonymize" in (about.get("last_name"), about.get("first_name"))
    if known.lower() in _NOBODY or (anonymized and known == "0"):
        number = about.get("id")
        return int(number) if number and not anonymized else None
    return known


def _in_stem(stem: str) -> dict[str, int | str]:
    if _RANGE.search(stem):
        return {}
    found: dict[str, int | str] = {}
    for level, key in (("subject", "sub"), ("session", "ses"), ("run", "run")):
        entity = re.search(rf"(?:^|_){key}-([A-Za-z0-9]+)(?=_|$)", stem)
        if entity:
            found[level] = plain_name(entity.group(1))
    rest = stem
    for level, words in _WORDS.items():
        pattern = rf"(?<![A-Za-z])(?:{words})[ _-]?0*(\d{{1,9}})(?!\d)"
        numbers = {int(m.group(1)) for m in re.finditer(pattern, rest, re.IGNORECASE)}
        if len(numbers) == 1:
            found.setdefault(level, numbers.pop())
        rest = re.sub(pattern, " ", rest, flags=re.IGNORECASE)
    if "subject" not in found and (
        letter := re.search(r"(?:^|[ _-])(?i:subject|subj|sub)[ _-]?([A-Z])(?=[ _-]|$)", stem)
    ):
        found["subject"] = letter.group(1)
    rest = re.sub(r"(?<![A-Za-z0-9])([SsPp])[_-](?=\d)", r"\1", rest)
    tokens = re.split(r"[\s_.-]+", rest)
    # A participant's S is a session (S02_P01); beside a subject's S, A and B are anything.
    for token in sorted(tokens, key=lambda token: "PS".find(token[:1].upper()) % 3):
        _read_token(token, found)
    return found


def _read_token(token: str, found: dict[str, int | str]) -> None:
    """Add what one part of a name states beside what is known already."""
    if competition := _COMPETITION.fullmatch(token):
        subject, session, half = competition.groups()
        found.setdefault("subject", int(subject))
        found.setdefault("session", int(session) if session else _HALVES[half])
    elif run := re.fullmatch(r"R0*(\d{1,4})", token, re.IGNORECASE):
        found.setdefault("run", int(run.group(1)))
    elif (letters := _LETTERS.fullmatch(token)) and not _NO_NAME.fullmatch(token):
        letter, number, session, run_number = letters.groups()
        if len(number) > 9:
            return
        if "subject" not in found:
            found["subject"] = int(number)
        elif letter.upper() == "S":
            found.setdefault("session", int(number))
        if session:
            found.setdefault("session", int(session))
        if run_number:
            found.setdefault("run", int(run_number))


def _in_folder(name: str) -> dict[str, int | str]:
    """Subject or session that a whole folder is named after."""
    for level in ("subject", "session"):
        if match := re.fullmatch(rf"(?:{_WORDS[level]})[ _-]?0*(\d{{1,9}})", name, re.IGNORECASE):
            return {level: int(match.group(1))}
    if match := re.fullmatch(r"(sub|ses)-([A-Za-z0-9]+)", name):
        level = "subject" if match.group(1) == "sub" else "session"
        return {level: plain_name(match.group(2))}
    if match := re.fullmatch(r"[SP]0*(\d{2,9})", name):
        return {"subject": int(match.group(1))}
    return {}
