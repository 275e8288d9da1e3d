"""Choice of the channels to decode from: one rule for all readers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skbci._process.quiet import quiet_mne
from skbci._typing import Picks
from skbci._warning import warn

if TYPE_CHECKING:
    from mne import Info

__all__ = [
    "DATA_TYPES", "channel_picks", "doubt_excluded", "left_out_bads", "named_otherwise",
]

# What MNE calls the types of data channels.
DATA_TYPES = frozenset({
    "eeg", "csd", "meg", "mag", "grad", "ecog", "seeg", "dbs", "hbo", "hbr", "fnirs_cw_amplitude",
    "fnirs_fd_ac_amplitude", "fnirs_fd_phase", "fnirs_od",
})
# How recorders name what is no EEG: HEOG, EOG-left, EMG1, ECG, STI 014, Status, Trigger, EXG1, ROC
# (the right eye's outer canthus), ACC_X, Resp, SpO2.
_OTHER = re.compile(
    r"(?:EEG[ _:-]*)?(?:[HVLR]?EOG[HVLR]?|EMG|ECG|EKG|GSR|STIM?|TRIG|TRIGGERS?|STATUS|MARKERS?|"
    r"[LR]OC|EXG|ACC|ACCEL|ACCELEROMETER|GYRO|RESP|RESPIRATION|SP?O2|PPG|PULSE|TEMP|"
    r"PHOTO(?:DIODE)?|BATTERY|COUNTER|PACKET|TIMESTAMPS?)"
    r"(?:[ _:.-].*|\d+|[XYZ])?", re.IGNORECASE,
)


def channel_picks(
    info: Info, picks: Picks = None, what: str = "the recording", exclude: Sequence[str] = ()
) -> np.ndarray:
    """Indices of the channels to take.

    Parameters
    ----------
    info : mne.Info
        Of the recording or the epochs.
    picks : None, str, list of str or int, slice, optional
        None takes the data channels (EEG, CSD, MEG, ECoG, sEEG, DBS, fNIRS) that are not marked
        bad: no trigger channel, which would give the labels away, and no eyes. Else names,
        indices, or types as in MNE, of which bad channels are left out too; names, indices and
        "all" take bad ones as well.
    what : str
        What is read, for the message.
    exclude : sequence of str, default=()
        Names of channels to leave out, whatever ``picks`` takes.

    Returns
    -------
    ndarray of int
        In the order of ``picks`` for names and indices, else of the recording.

    Raises
    ------
    ValueError
        If there is no such channel; the message lists types and bad channels, or the names.

    Warns
    -----
    UserWarning
        If a name in ``exclude`` is none of the recording's.
    """
    import mne

    if picks is None or (isinstance(picks, str) and picks == "data"):
        chosen = mne.pick_types(info, meg=True, eeg=True, csd=True, ecog=True, seeg=True, dbs=True,
                                fnirs=True, ref_meg=False, exclude="bads")
        reason = ""
    else:
        chosen, reason = _chosen(info, picks)
    doubt_excluded(exclude, info["ch_names"], what)
    chosen = [at for at in chosen if info["ch_names"][at] not in exclude]
    if not len(chosen):
        kinds = sorted(set(info.get_channel_types()))
        wanted = (
            f"{what[:1].upper()}{what[1:]} has no good data channel" if picks is None
            else f"picks={picks!r} chooses no channel of {what}"
        )
        if picks is None and "misc" in kinds and not reason:
            reason = (
                " 'misc' is what MNE makes of channels whose unit it does not understand: give "
                "them their type, raw.set_channel_types({name: 'eeg'}), in volts, or picks='misc'."
            )
        raise ValueError(
            f"{wanted}; its channels are {_shown(info['ch_names'])}, of type {', '.join(kinds)}, "
            f"and its bad channels are {info['bads']}.{reason}"
            f"{f' exclude={list(exclude)} leaves channels out.' if len(exclude) else ''}"
        )
    return np.asarray(chosen, dtype=int)


def _chosen(info: Info, picks: Picks) -> tuple[np.ndarray, str]:
    """What MNE makes of picks, and what it says where it makes nothing of them."""
    import mne

    names = list(info["ch_names"])
    # MNE's rule for picks is its own; a recording of one sample tells it.
    with quiet_mne():
        probe = mne.io.RawArray(np.zeros((len(names), 1)), info.copy())
    exclude = () if isinstance(picks, str) and picks == "all" else "bads"
    try:
        kept = probe.pick(picks, exclude=exclude).ch_names
    except (ValueError, IndexError, TypeError, RuntimeError) as error:
        return np.zeros(0, dtype=int), f" MNE says: {error}"
    at = {name: i for i, name in enumerate(names)}
    return np.array([at[name] for name in kept], dtype=int), ""


def doubt_excluded(exclude: Sequence[str], known: Sequence[str], what: object) -> None:
    """Warn of channels to leave out that are not there.

    Of several recordings some may lack the channel, so this is no error.
    """
    if absent := [name for name in exclude if name not in known]:
        warn(
            f"{what}: exclude names {absent}, which are none of its channels: "
            f"{_shown(list(known))}.",
        )


def named_otherwise(names: Sequence[str]) -> list[str]:
    """Return those of the names that recorders use for eyes, muscles, hearts and triggers."""
    return [name for name in names if _OTHER.fullmatch(name.strip())]


def left_out_bads(info: Info, picks: np.ndarray) -> list[str]:
    """Channels marked bad that are not among the picked ones."""
    kept = {info["ch_names"][at] for at in picks}
    return [name for name in info["bads"] if name not in kept]


def _shown(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" ... ({len(names)} in all)" if len(names) > 12 else "")
