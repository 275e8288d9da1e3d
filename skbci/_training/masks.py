"""Where masks are enforced: around the training of a net."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from torch import Tensor

from skbci.sparsity import MaskedTraining

if TYPE_CHECKING:
    from skorch import NeuralNet


def masked(net: NeuralNet, masks: Mapping[str, Tensor] | None) -> AbstractContextManager[object]:
    """Hold the pruned weights of an initialized net at zero; without masks, do nothing at all."""
    if masks is None:
        return nullcontext()
    return MaskedTraining(net.module_, masks, net.optimizer_)
