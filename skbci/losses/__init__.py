"""Losses for networks with several heads; cross-entropy on logits is torch's own.

Each takes ``(output, target)``, where the target is the class index, or the input for the
reconstruction, and works in any torch loop. ``reduction="none"`` gives one value per row.
"""

from skbci.losses._center import CenterLoss
from skbci.losses._reconstruction import ReconstructionLoss
from skbci.losses._triplet import SemiHardTripletLoss

__all__ = ["CenterLoss", "ReconstructionLoss", "SemiHardTripletLoss"]
