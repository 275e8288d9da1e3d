"""The pairs of electrodes that a mirror exchanges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from skbci._checks import check_distinct, who_asks
from skbci._recording.montage import spell_electrodes, standard_montage

if TYPE_CHECKING:
    from mne.channels import DigMontage

__all__ = ["mirrored_channels"]

# Letters, then z on the midline or a number, odd on the left; "h" halves the distance.
_NAME = re.compile(r"(?P<place>[A-Za-z]+?)(?P<number>\d+)(?P<half>h?)")


@cache
def _montage() -> DigMontage:
    return standard_montage()


def mirrored_channels(ch_names: Sequence[str], who: object) -> np.ndarray:
    """Find each electrode's counterpart on the other side.

    Parameters
    ----------
    ch_names : sequence of str
        Names of the 10-05 system, in any case: C3, FCZ, CCP5h. An odd number is the left side, the
        number after it the same place on the right; a z is the midline, which stays.
    who : object
        Who asks, for the message.

    Returns
    -------
    ndarray of int, shape (n_channels,)
        Index of the channel that stands for each one in the mirror.

    Raises
    ------
    ValueError
        If a name is not one of the 10-05 system, is there twice, or has no partner among them.
    """
    asks = who_asks(who)
    spelled = spell_electrodes(ch_names, _montage())
    unknown = [name for name, known in zip(ch_names, spelled) if known is None]
    if unknown:
        raise ValueError(
            f"{asks}: ch_names holds {unknown}, which are not electrodes of the 10-05 system, so "
            "that nothing tells where they are in a mirror. Leave these channels out, or name all "
            "channels by it with ch_names=[...]."
        )
    check_distinct([str(name) for name in spelled], "ch_names", who)
    at = {str(name): i for i, name in enumerate(spelled)}
    partners = [_partner(str(name)) for name in spelled]
    alone = [f"{name} (its partner is {p})" for name, p in zip(spelled, partners) if p not in at]
    if alone:
        raise ValueError(
            f"{asks}: ch_names has channels whose partner on the other side is missing: "
            f"{', '.join(alone)}. Leave these channels out, or record the partners too."
        )
    return np.array([at[partner] for partner in partners])


def _partner(name: str) -> str:
    found = _NAME.fullmatch(name)
    if found is None:
        return name  # the midline: Cz, FCz, Iz
    number = int(found["number"])
    other = number + 1 if number % 2 else number - 1
    return f"{found['place']}{other}{found['half']}"
