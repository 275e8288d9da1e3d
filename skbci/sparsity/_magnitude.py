"""Pruning by the size of trained weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from skbci._checks import check_choice
from skbci.sparsity._base import PruningMethod, Train, choose
from skbci.sparsity._budget import by_layer, count_kept
from skbci.sparsity._docs import fill_doc
from skbci.sparsity._prunable import Masks, prunable
from skbci.sparsity._saliency import Batches, Loss, NonFiniteSaliencyError

SCOPES = ("global", "layer")


@fill_doc
class MagnitudePruning(PruningMethod):
    """Keep the largest weights of a trained network.

    Parameters
    ----------
    %(sparsity)s
    %(scope)s
    %(floor)s

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.

    Notes
    -----
    `find` looks at the weights as they are, after a training. If it is given ``train``, it trains
    the module first, with nothing masked. The network is usually trained on with the masks that
    are found.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(4, 1, bias=False)
    >>> _ = net.weight.data.copy_(torch.tensor([[3.0, -0.5, 0.1, 1.0]]))
    >>> MagnitudePruning(sparsity=0.75).find(net)["weight"].tolist()
    [[True, False, False, False]]
    """

    acts = "after"

    def __init__(
        self, sparsity: float = 0.4, scope: str = "global", floor: str = "unit"
    ) -> None:
        super().__init__(sparsity, floor)
        self.scope = check_choice(scope, "scope", self, SCOPES)

    def _find(
        self,
        module: nn.Module,
        loss: Loss | None,
        batches: Batches | Mapping[str, Batches] | None,
        train: Train | None,
    ) -> Masks:
        if train is not None:
            train(module, keep_all(module))
        return largest(module, self.sparsity, self.scope, self.floor)


def keep_all(module: nn.Module) -> Masks:
    """Return masks that drop nothing."""
    return {
        name: torch.ones_like(weight, dtype=torch.bool, requires_grad=False)
        for name, weight in prunable(module).items()
    }


def largest(
    module: nn.Module, sparsity: float, scope: str, floor: str, allowed: Masks | None = None
) -> Masks:
    """Keep the largest weights, among the allowed ones."""
    sizes = {n: weight.detach().abs().cpu() for n, weight in prunable(module).items()}
    for name, size in sizes.items():
        if not torch.isfinite(size).all():
            raise NonFiniteSaliencyError(
                f"The weight {name!r} is not finite: its magnitude says nothing. Training may "
                "have diverged; try a smaller lr."
            )
    n_weights = sum(size.numel() for size in sizes.values())
    scores = by_layer(sizes, sizes) if scope == "layer" else sizes
    return choose(module, scores, count_kept(sparsity, n_weights), floor, allowed).masks
