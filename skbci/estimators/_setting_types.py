"""Types of the settings that several estimators have: a part by its name, class or instance.

Imported as ``like``: an optimizer is ``like.Optimizer``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import skorch.callbacks
    import torch

    import skbci.augmentation
    import skbci.sparsity
    import skbci.weighting

_Augmentation: TypeAlias = (
    "str | type[skbci.augmentation.Augmentation] | skbci.augmentation.Augmentation"
)
# One, several one after the other, or none.
Augmentation: TypeAlias = "_Augmentation | Sequence[_Augmentation] | None"
Callbacks: TypeAlias = (
    "Sequence[skorch.callbacks.Callback | tuple[str, skorch.callbacks.Callback]] | None"
)
Criterion: TypeAlias = "str | type[torch.nn.Module] | torch.nn.Module"
# A class, what makes an instance, or an instance.
Module: TypeAlias = "Callable[..., torch.nn.Module] | torch.nn.Module"
# A loss for each of the module's outputs, or none of its own.
Losses: TypeAlias = "Mapping[str, Criterion | None] | None"
Optimizer: TypeAlias = "str | type[torch.optim.Optimizer]"
Pruning: TypeAlias = (
    "str | type[skbci.sparsity.PruningMethod] | skbci.sparsity.PruningMethod"
)
Weighting: TypeAlias = (
    "str | type[skbci.weighting.WeightingPolicy] | skbci.weighting.WeightingPolicy"
)
