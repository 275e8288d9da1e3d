"""Electrodes of the 10-05 system, as MNE places them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mne.channels import DigMontage

__all__ = ["spell_electrodes", "standard_montage"]


def standard_montage() -> DigMontage:
    """Return MNE's montage of the 10-05 system, which MNE 1.13 renamed."""
    import mne

    known = mne.channels.get_builtin_montages()
    return mne.channels.make_standard_montage(
        "colin27_1005" if "colin27_1005" in known else "standard_1005"
    )


def spell_electrodes(ch_names: Sequence[str], montage: DigMontage) -> list[str | None]:
    """Spell names of recordings, such as "FCZ" or "C3..", as the montage does; None if unknown."""
    spelled = {name.upper(): name for name in montage.ch_names}
    return [spelled.get(str(name).upper().strip(". ")) for name in ch_names]
