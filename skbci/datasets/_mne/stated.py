"""Units and rates of channels that headers state, and MNE does not go by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skbci._process.quiet import quiet_mne
from skbci._warning import warn
from skbci.datasets._units import in_volts

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["doubt_rates", "scale_to_volts"]


def scale_to_volts(
    path: Path, raw: BaseRaw, units: Sequence[str], taken: Sequence[float]
) -> None:
    """Scale EEG channels to volts by the units that are stated, in place.

    Parameters
    ----------
    path : Path
        For messages.
    raw : mne.io.BaseRaw
        With its data in memory.
    units : sequence of str
        As stated, one a channel; "" where none is.
    taken : sequence of float
        The volts that MNE took each unit for.

    Warns
    -----
    UserWarning
        If there are units of no voltage: their channels become of type "misc", as MNE does for
        BrainVision.
    """
    other = {}
    for name, kind, unit, by_mne in zip(raw.ch_names, raw.get_channel_types(), units, taken):
        if kind != "eeg":
            continue
        try:
            factor = in_volts(unit, f"{path}: unit")
        except ValueError:
            other[name] = unit
            continue
        if factor is not None and factor != by_mne:
            raw.apply_function(lambda x, by=factor / by_mne: x * by, picks=[name])
    if other:
        with quiet_mne():
            raw.set_channel_types(dict.fromkeys(other, "misc"))
        warn(
            f"{path} states units of no voltage that is understood (V, mV, uV, nV): "
            f"{', '.join(f'{name} ({unit})' for name, unit in other.items())}. These channels are "
            "of type 'misc' and left out; picks=... takes them.",
        )


def doubt_rates(path: Path, raw: BaseRaw, rates: np.ndarray) -> None:
    """Warn of EEG channels of a lower rate than the others, which MNE interpolates."""
    sfreq = raw.info["sfreq"]
    slow = [
        f"{name} ({rate:g} Hz)"
        for name, rate, kind in zip(raw.ch_names, rates, raw.get_channel_types())
        if kind == "eeg" and rate < sfreq
    ]
    if slow:
        warn(
            f"{path} holds channels of several rates; MNE interpolated {', '.join(slow)} to "
            f"{sfreq:g} Hz. Leave them out with picks=... where that does not do.",
        )
