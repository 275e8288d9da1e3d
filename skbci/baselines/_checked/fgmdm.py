"""pyRiemann's minimum distance to mean after geodesic filtering, with its targets checked."""

from __future__ import annotations

from pyriemann.classification import FgMDM

from skbci.baselines._checked.distances import CheckedDistances


class CheckedFgMDM(CheckedDistances, FgMDM):
    """`pyriemann.classification.FgMDM` that takes lists of labels and refuses a single class."""
