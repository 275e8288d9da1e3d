"""pyRiemann's minimum distance to mean, with its targets checked."""

from __future__ import annotations

from pyriemann.classification import MDM

from skbci.baselines._checked.distances import CheckedDistances


class CheckedMDM(CheckedDistances, MDM):
    """`pyriemann.classification.MDM` that takes lists of labels and refuses a single class."""
