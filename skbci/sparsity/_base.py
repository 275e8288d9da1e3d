"""The base of all pruning methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from skbci._checks import check_choice, check_number
from skbci._settings import ShownSettings
from skbci.sparsity._budget import Choice, keep_top
from skbci.sparsity._prunable import Masks, prunable, prunable_layers, unit_rows
from skbci.sparsity._saliency import Batches, Loss

FLOORS = ("unit", "layer")
#: ``train(module, masks)`` trains in place, with the masks enforced.
Train = Callable[[nn.Module, Masks], object]


class PruningMethod(ShownSettings, ABC):
    """A way to choose which weights of a network are kept.

    A subclass stores its settings in ``__init__`` and defines `_find`. The class attribute
    ``acts`` says when it is asked: "before" training, in "rounds" of training that it asks for by
    itself, or "after" a training, on its weights.

    Parameters
    ----------
    sparsity : float
        Share of the prunable weights to drop, in [0, 1).
    floor : {"unit", "layer"}, default="unit"
        What is kept whatever the scores: the best weight of each unit (a row of a dense layer, a
        filter of a convolution), or only the best one of each layer, so that units can die and
        `compact` can leave them out.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.

    Notes
    -----
    Any torch loop takes the masks that a method finds::

        def loss(net, X, y):
            return torch.nn.functional.cross_entropy(net(X), y)

        masks = Snip(sparsity=0.8).find(net, loss, [(X, y)])
        with MaskedTraining(net, masks, optimizer):
            ...  # the loop, as ever

    ``round((1 - sparsity) * d)`` of the d weights of dense and convolution layers are kept. The
    floor is kept first, and the rest of the budget goes to the best of all others; so no layer is
    emptied, and a weight kept at some sparsity is kept at any smaller one, too. Weights with equal
    scores are ordered by their magnitude, then by their place.

    Examples
    --------
    >>> import torch
    >>> from skbci.sparsity import MagnitudePruning, PruningMethod
    >>> net = torch.nn.Linear(4, 2)
    >>> masks = MagnitudePruning(sparsity=0.5).find(net)
    >>> isinstance(MagnitudePruning(0.5), PruningMethod), int(masks["weight"].sum())
    (True, 4)
    """

    acts: ClassVar[str] = "before"

    def __init__(self, sparsity: float, floor: str = "unit") -> None:
        self.sparsity = check_sparsity(sparsity, self)
        self.floor = check_choice(floor, "floor", self, FLOORS)

    def find(
        self,
        module: nn.Module,
        loss: Loss | None = None,
        batches: Batches | Mapping[str, Batches] | None = None,
        *,
        train: Train | None = None,
    ) -> Masks:
        """Choose the weights to keep.

        Parameters
        ----------
        module : nn.Module
            It stays as it is, unless the method trains it.
        loss : callable
            ``loss(module, *batch)`` gives one loss per row, or their mean; see `saliency`.
        batches : iterable of sequences of Tensor, or mapping of them
            A sample of the training data, such as ``[(X, y)]``. A mapping holds one for each task,
            and ``loss`` is then called with ``task=...`` besides.
        train : callable
            ``train(module, masks)`` trains the module in place, with `MaskedTraining`.

        Returns
        -------
        dict of str to Tensor of bool
            By parameter name, on the module's device, True where a weight is kept. Parameters that
            are not named are not pruned.

        Raises
        ------
        ValueError, TypeError
            If what the method needs is missing or wrong.

        Warns
        -----
        SparsityWarning
            If a layer would have been emptied, or the budget is less than the floor.
        """
        if not prunable(module):
            raise ValueError(
                f"{type(self).__name__}: {type(module).__name__} has no dense or convolution "
                "layer whose weights are trained: there is nothing to prune."
            )
        masks = self._find(module, loss, batches, train)
        weights = prunable(module)
        return {name: mask.to(weights[name].device) for name, mask in masks.items()}

    @abstractmethod
    def _find(
        self,
        module: nn.Module,
        loss: Loss | None,
        batches: Batches | Mapping[str, Batches] | None,
        train: Train | None,
    ) -> Masks:
        """Return masks, by parameter name."""

    def _needs_data(self, loss: Any, batches: Any) -> tuple[Loss, Any]:
        if not callable(loss) or batches is None:
            raise TypeError(
                f"{type(self).__name__}.find needs loss, a callable loss(module, *batch), and "
                f"batches of training data; got loss={loss!r} and "
                f"{'no batches' if batches is None else 'batches'}."
            )
        return loss, batches


def check_sparsity(sparsity: object, who: object) -> float:
    """Check the share of weights to drop; none would be left at 1."""
    return check_number(sparsity, "sparsity", who, low=0, high=1, closed="left")


def choose(
    module: nn.Module,
    scores: Mapping[str, Tensor],
    n_kept: int,
    floor: str,
    allowed: Mapping[str, Tensor] | None = None,
    who: str = "",
) -> Choice:
    """Keep the module's weights with the largest scores; see `keep_top`."""
    layers = prunable_layers(module)
    magnitudes = {name: layers[name].weight.detach().abs() for name in scores}
    units = {name: unit_rows(layers[name]) for name in scores}
    return keep_top(scores, magnitudes, units, n_kept, allowed, floor, who)
