"""Warnings of what was left out of a recording, or taken that may be something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mne
import numpy as np

from skbci._recording.channels import named_otherwise
from skbci._warning import warn
from skbci.datasets._units import doubt_amplitude
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from mne import BaseEpochs, Info

__all__ = ["doubt_eeg", "doubt_types", "say_left_out"]


def doubt_eeg(X: EEGArray, where: object) -> None:
    """Warn of EEG channels whose size is not that of volts."""
    eeg = mne.pick_types(X.info, eeg=True, exclude=())
    rows = np.asarray(X)[:: max(1, len(X) // 16)]
    if len(eeg):
        doubt_amplitude(
            rows[:, eeg], where, "MNE holds volts: multiply microvolts by 1e-6 before they become "
            "a Raw.",
        )


_REMEDY = ("Leave them out with exclude=[...], or state their types first: "
           "raw.set_channel_types({name: 'eog'}).")


def doubt_types(info: Info, picks: np.ndarray, where: object, remedy: str = _REMEDY) -> None:
    """Warn of channels of type EEG that are something else by their names.

    Some formats, EDF among them, do not know types, and MNE takes all channels for EEG.
    """
    kinds = info.get_channel_types()
    others = named_otherwise([info["ch_names"][at] for at in picks if kinds[at] == "eeg"])
    if others:
        warn(
            f"{where}: the channels {others} are of type 'eeg', but of another by their names, "
            f"and were taken. {remedy}",
        )


def say_left_out(epochs: BaseEpochs, where: object) -> None:
    """Warn of the events that MNE made no epoch of."""
    reasons = [log[0].lower() for log in epochs.drop_log if log and log[0] != "IGNORED"]
    counts = {
        "because of annotations that start with 'bad' or 'edge'":
            sum(reason.startswith(("bad", "edge")) for reason in reasons),
        "because the window reaches outside the recording":
            sum(reason in ("no_data", "too_short") for reason in reasons),
        "because another event is at the same sample":
            sum(reason == "drop duplicate" for reason in reasons),
    }
    parts = [f"{n} {why}" for why, n in counts.items() if n]
    if parts:
        warn(
            f"{where}: {sum(counts.values())} of {len(epochs) + len(reasons)} events were left "
            f"out, {' and '.join(parts)}.",
        )
