"""Where masks are enforced: around the training of a net."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor

from skbci.sparsity import MaskedTraining


def masked(net: Any, masks: Mapping[str, Tensor] | None) -> AbstractContextManager[Any]:
    """Hold the pruned weights of an initialized net at zero; without masks, do nothing at all."""
    if masks is None:
        return nullcontext()
    return MaskedTraining(net.module_, masks, net.optimizer_)
