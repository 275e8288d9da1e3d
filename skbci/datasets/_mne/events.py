"""Choice and names of an MNE recording's events."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import mne
import numpy as np

from skbci._process.quiet import quiet_mne, without_warnings
from skbci._recording.annotations import is_no_event
from skbci._typing import EventId
from skbci._warning import warn
from skbci.datasets._selection import as_list

if TYPE_CHECKING:
    from mne import BaseEpochs
    from mne.io import BaseRaw

__all__ = ["chosen_epochs", "raw_events"]

# BrainVision's markers state their codes: "Stimulus/S  2".
_MARKER = re.compile(r"[A-Za-z ]+/[A-Za-z]? *(\d+)")


def raw_events(
    raw: BaseRaw, event_id: EventId, stim_channel: str | None, where: object
) -> tuple[np.ndarray, dict[str, int]]:
    """Wanted events of a recording and their codes by name.

    They come from annotations or else from a stimulus channel. An annotation is known by its
    text, as in `mne.events_from_annotations`: the numbers that MNE would give the texts by itself
    mean nothing.

    Parameters
    ----------
    raw : mne.io.BaseRaw
    event_id : dict of str to int, str, int, sequence of str or int, or None
    stim_channel : str or None
    where : path or str
        What the recording is called in messages.

    Returns
    -------
    events : ndarray of int, shape (n_events, 3)
        No two at the same sample.
    names : dict of str to int

    Raises
    ------
    ValueError
        If there are no events, or ``event_id`` contradicts them or names others.

    Warns
    -----
    UserWarning
        If several wanted events are at one sample, the stimulus channel goes from a code to a
        lower one, or has events that the annotations lack, or annotations that are named like bad
        stretches last no time.
    """
    if event_id is not None:
        event_id = _checked(event_id)
    _doubt_names(raw, where)
    texts = set(raw.annotations.description)
    usable = [text for text in texts if not is_no_event(text)]
    if stim_channel is None and texts and not usable and "stim" not in raw.get_channel_types():
        marks = ", ".join(map(repr, sorted(map(str, texts))[:5]))
        raise ValueError(
            f"{where} has no events: all of its annotations ({marks}) mark bad segments or edges, "
            "at which nothing is cut, and it has no stimulus channel. Give the events as "
            "annotations of other names."
        )
    if stim_channel is None and usable:
        with quiet_mne():
            events, numbering = mne.events_from_annotations(raw)
        if numbering:
            # Where a recording went on is no event, unless somebody asks for it by name.
            asked = set(map(str, event_id or ()))
            numbering = {
                text: code for text, code in numbering.items()
                if not is_no_event(text) or text in asked
            }
            events = events[np.isin(events[:, 2], list(numbering.values()))]
            by_code = {code: str(text) for text, code in numbering.items()}
            names, rename = _annotations(list(by_code.values()), numbering, event_id, where)
            codes = [rename.get(by_code[code]) for code in events[:, 2]]
            events = events[[code is not None for code in codes]]
            events[:, 2] = [code for code in codes if code is not None]
            if event_id is None:
                _doubt_stimuli(raw, where)
            return _one_a_sample(events, names, raw, where), names
    events = _stimulus_events(raw, stim_channel, where)
    known = {str(code): int(code) for code in np.unique(events[:, 2])}
    names = _codes(known, event_id, where)
    events = events[np.isin(events[:, 2], list(names.values()))]
    return _one_a_sample(events, names, raw, where), names


def chosen_epochs(
    epochs: BaseEpochs, event_id: EventId, where: object
) -> tuple[BaseEpochs, dict[str, int]]:
    """Return epochs of the wanted events, and their codes by name.

    Raises
    ------
    ValueError
        If ``event_id`` contradicts the epochs' own or names others, or there are none.

    Warns
    -----
    UserWarning
        If MNE dropped or merged events at one sample when the epochs were made.
    """
    names = _codes(
        {str(name): int(code) for name, code in epochs.event_id.items()},
        None if event_id is None else _checked(event_id), where,
    )
    for reason, done in (("DROP DUPLICATE", "dropped"), ("MERGE DUPLICATE", "merged")):
        n = sum(reason in log for log in epochs.drop_log)
        if n:
            warn(
                f"{where}: MNE {done} {n} events that were at the same sample as another one when "
                f"the epochs were made (event_repeated); their events are "
                f"{_listed(dict(epochs.event_id))}.",
            )
    _doubt_parts(epochs, names, where)
    kept = epochs[np.isin(epochs.events[:, 2], list(names.values()))]
    if not len(kept):
        raise ValueError(f"{where} has no epochs of the events {list(names)}.")
    kept.event_id = names
    return kept, names


def _doubt_parts(epochs: BaseEpochs, names: dict[str, int], where: object) -> None:
    """Warn of epochs that are left out although a wanted name is a part of theirs.

    EEGLAB's epochs with several events are called "left/response", and so are MNE's tags.
    """
    wanted = {name for name, code in epochs.event_id.items() if code in names.values()}
    others = {
        name: int((epochs.events[:, 2] == code).sum()) for name, code in epochs.event_id.items()
        if name not in wanted and wanted & set(name.split("/"))
    }
    if others:
        shown = ", ".join(f"{name!r} ({n})" for name, n in list(others.items())[:5])
        warn(
            f"{where}: {sum(others.values())} epochs were left out whose names hold one of "
            f"event_id beside others: {shown}. Name them in event_id, too, if they count.",
        )


def _checked(event_id: EventId) -> dict[str, int] | list[Any]:
    """Return a dictionary of names and whole numbers, each once, or a list."""
    if not isinstance(event_id, Mapping):
        return as_list(event_id, "event_id")
    for name, code in event_id.items():
        if isinstance(code, bool) or not isinstance(code, numbers.Integral):
            raise ValueError(f"event_id: the code {code!r} of {name!r} must be an integer.")
    out = {str(name): int(code) for name, code in event_id.items()}
    _check_distinct(out)
    return out


def _check_distinct(names: dict[str, int]) -> None:
    by_code: dict[int, str] = {}
    for name, code in names.items():
        if code in by_code:
            raise ValueError(
                f"event_id: {by_code[code]!r} and {name!r} have the same code, {code}; each name "
                "needs its own."
            )
        by_code[code] = name


def _annotations(
    texts: list[str], numbering: dict[str, int], event_id: dict[str, int] | list[Any] | None,
    where: object,
) -> tuple[dict[str, int], dict[str, int]]:
    """Codes by name, and by the annotation's text."""
    own = {text: int(numbering[text]) for text in texts}
    stated = {text: code for text, code in own.items() if _MARKER.fullmatch(text)}
    stated |= {text: int(text) for text in texts if text.isdecimal()}
    if event_id is None:
        return own, own
    pairs = event_id.items() if isinstance(event_id, dict) else [(name, None) for name in event_id]
    names, rename, unknown = {}, {}, []
    for name, code in pairs:
        text, name = str(name), str(name)
        if text not in own:
            wanted = code if isinstance(event_id, dict) else name
            found = [t for t, number in stated.items() if str(number) == str(wanted)]
            if len(found) != 1:
                unknown.append(name if code is None else f"{name} ({code})")
                continue
            text = found[0]
            name = name if isinstance(event_id, dict) else text
        elif code is not None and code in stated.values() and stated.get(text, code) != code:
            raise ValueError(
                f"event_id: {name!r} is an annotation of {where}, and the code {code} that it is "
                f"given is that of another one; they are {_listed(stated)}."
            )
        if text in rename:
            raise ValueError(f"event_id names the annotation {text!r} of {where} twice.")
        names[name] = rename[text] = own[text] if code is None else code
    if unknown or not names:
        raise ValueError(
            f"event_id: {unknown} not among the annotations of {where}, which are "
            f"{_listed(own)}. Names are those of annotations; for the codes of a stimulus "
            "channel, pass stim_channel=..."
        )
    return names, rename


def _codes(
    known: dict[str, int], event_id: dict[str, int] | list[Any] | None, where: object
) -> dict[str, int]:
    """The wanted of events that have codes; a dictionary may give a code another name."""
    if event_id is None:
        _check_distinct(known)
        return known
    if isinstance(event_id, dict):
        for name, code in event_id.items():
            if code in known.values() and known.get(name, code) != code:
                raise ValueError(
                    f"event_id: {name!r} has the code {known[name]} in {where}, not {code}; its "
                    f"events are {_listed(known)}."
                )
        unknown = [f"{name} ({code})" for name, code in event_id.items()
                   if code not in known.values()]
        chosen = dict(event_id)
    else:
        unknown = [str(name) for name in event_id if str(name) not in known]
        chosen = {str(name): known[str(name)] for name in event_id if str(name) in known}
    if unknown or not chosen:
        raise ValueError(
            f"event_id: {unknown} not among the events of {where}, which are {_listed(known)}."
        )
    return chosen


def _stimulus_events(raw: BaseRaw, stim_channel: str | None, where: object) -> np.ndarray:
    # BioSemi's status channel: codes are the lower 16 bits, the others the amplifier's state.
    status = any(str(file).lower().endswith(".bdf") for file in raw.filenames if file is not None)
    codes: dict[str, Any] = {"mask": 0xFFFF, "mask_type": "and"} if status else {}
    try:
        with quiet_mne():
            events = mne.find_events(raw, stim_channel=stim_channel, shortest_event=1, **codes)
    except ValueError as error:
        raise ValueError(
            f"No events found in {where}: no annotations, and no stimulus channel ({error})"
        ) from error
    if not len(events):
        raise ValueError(f"No events found in {where}: its stimulus channel never changes.")
    with quiet_mne():
        every = mne.find_events(raw, stim_channel=stim_channel, shortest_event=1,
                                consecutive=True, **codes)
    falls = every[~np.isin(every[:, 0], events[:, 0])]
    if len(falls):
        onset = (falls[0, 0] - raw.first_samp) / raw.info["sfreq"]
        warn(
            f"{where}: its stimulus channel goes {len(falls)} times from a code to a lower one "
            f"without zero between them, first at {onset:g} s ({falls[0, 1]} to {falls[0, 2]}); "
            "MNE takes that for the end of a pulse, not for an event.",
        )
    return events


def _one_a_sample(
    events: np.ndarray, names: dict[str, int], raw: BaseRaw, where: object
) -> np.ndarray:
    """Keep the first event of each sample, and say what was left out."""
    first = np.unique(events[:, 0], return_index=True)[1]
    doubled = np.setdiff1d(np.arange(len(events)), first)
    if len(doubled):
        by_code = {code: name for name, code in names.items()}
        together = events[events[:, 0] == events[doubled[0], 0], 2]
        onset = (events[doubled[0], 0] - raw.first_samp) / raw.info["sfreq"]
        warn(
            f"{where}: {len(doubled)} events are at the same sample as another one, first at "
            f"{onset:g} s ({', '.join(repr(by_code[code]) for code in together)}). Only the first "
            "event of each sample was taken; choose with event_id.",
        )
    return events[np.sort(first)]


def _doubt_names(raw: BaseRaw, where: object) -> None:
    """Warn of marks without a name, and of those that their name makes no events.

    The latter last too short for a bad stretch.
    """
    marks = raw.annotations
    nameless = sum(text.strip() in ("", "[]") for text in marks.description)  # [] is EEGLAB's
    if nameless:
        warn(
            f"{where}: {nameless} events have no name; they count as events of one kind. Choose "
            "with event_id.",
        )
    found = [
        text for text, duration in zip(marks.description, marks.duration)
        if text.lower().startswith(("bad", "edge")) and duration * raw.info["sfreq"] < 1.5
        and not re.fullmatch(r"(bad|edge) boundary", text, re.IGNORECASE)
    ]
    if found:
        shown = ", ".join(repr(str(text)) for text in sorted(set(found))[:5])
        warn(
            f"{where}: {len(found)} annotations of no duration start with 'bad' or 'edge' "
            f"({shown}); they were taken for bad stretches, not for events. Rename them if they "
            "are events: raw.annotations.rename({old: new}).",
        )


def _doubt_stimuli(raw: BaseRaw, where: object) -> None:
    """Warn of events of a stimulus channel at which there is no annotation."""
    if "stim" not in raw.get_channel_types():
        return
    try:
        with without_warnings():
            events = _stimulus_events(raw, None, where)
    except ValueError:  # there are none
        return
    sfreq = raw.info["sfreq"]
    known = np.sort((raw.annotations.onset - raw.first_time) * sfreq)
    at = events[:, 0] - raw.first_samp
    after = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    near = np.minimum(np.abs(known[after] - at), np.abs(known[np.maximum(after - 1, 0)] - at))
    alone = near > max(2, 0.05 * sfreq)
    if alone.any():
        warn(
            f"{where}: {int(alone.sum())} of {len(at)} events of its stimulus channel have no "
            "annotation, and the events were taken from the annotations. Pass stim_channel=... to "
            "take them from the channel.",
        )


def _listed(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{name!r} ({code})" for name, code in sorted(codes.items()))
