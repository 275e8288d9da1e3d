"""Tests for MNE's objects that do not import MNE."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from mne import BaseEpochs, Info
    from mne.io import BaseRaw

__all__ = ["is_epochs", "is_info", "is_raw"]


def is_epochs(value: object) -> TypeGuard[BaseEpochs]:
    """Return whether a value is `mne.Epochs`: there are none before MNE's module is loaded."""
    module = sys.modules.get("mne.epochs")
    return module is not None and isinstance(value, module.BaseEpochs)


def is_raw(value: object) -> TypeGuard[BaseRaw]:
    """Return whether a value is a continuous recording of MNE's."""
    module = sys.modules.get("mne.io.base")
    return module is not None and isinstance(value, module.BaseRaw)


def is_info(value: object) -> TypeGuard[Info]:
    """Return whether a value is an `mne.Info`."""
    kinds = type(value).__mro__
    return any(kind.__name__ == "Info" and kind.__module__.startswith("mne.") for kind in kinds)
