"""Masks for networks: which weights to keep, how to hold the others at zero, what that saves.

A `PruningMethod` finds masks, boolean tensors keyed by parameter name: `Snip` and `MultitaskSnip`
before training, `LotteryTicket` in rounds of it, `MagnitudePruning` after it. `MaskedTraining`
enforces them in any torch loop and with any optimizer; `density` and `overlap` describe them, and
`compact` turns a masked network into a smaller one.
"""

from skbci.sparsity._base import PruningMethod
from skbci.sparsity._base import check_sparsity as check_sparsity  # for the rooms below
from skbci.sparsity._budget import SparsityWarning
from skbci.sparsity._compact import compact
from skbci.sparsity._cost import CompactionReport, NetworkCost
from skbci.sparsity._enforce import MaskedTraining, apply_masks
from skbci.sparsity._lottery_ticket import LotteryTicket
from skbci.sparsity._magnitude import MagnitudePruning
from skbci.sparsity._multitask_snip import MultitaskSnip
from skbci.sparsity._prunable import prunable
from skbci.sparsity._registry import PRUNING, resolve_pruning
from skbci.sparsity._saliency import NonFiniteSaliencyError, saliency
from skbci.sparsity._sample import stratified_sample
from skbci.sparsity._snip import Snip
from skbci.sparsity._summary import density, overlap

__all__ = [
    "PRUNING",
    "CompactionReport",
    "LotteryTicket",
    "MagnitudePruning",
    "MaskedTraining",
    "MultitaskSnip",
    "NetworkCost",
    "NonFiniteSaliencyError",
    "PruningMethod",
    "Snip",
    "SparsityWarning",
    "apply_masks",
    "compact",
    "density",
    "overlap",
    "prunable",
    "resolve_pruning",
    "saliency",
    "stratified_sample",
]
