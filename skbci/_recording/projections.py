"""Projections (average reference, SSP) that a recording carries and that are not applied yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skbci._process.quiet import quiet_mne

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["projected"]


def projected(raw: BaseRaw) -> BaseRaw:
    """Return the recording with its projections applied, as MNE does when it cuts epochs.

    They are applied to all channels, before some are picked: the average of a few channels is
    another reference. A recording without any that wait is returned as it is, else a copy.
    """
    if all(projection["active"] for projection in raw.info["projs"]):
        return raw
    with quiet_mne():
        return raw.copy().apply_proj()
