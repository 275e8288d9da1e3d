"""A mask for each task, and an arbiter where tasks share weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from skbci._checks import refusal
from skbci._warning import warn
from skbci.sparsity._base import PruningMethod, Train, choose
from skbci.sparsity._budget import SparsityWarning, count_kept
from skbci.sparsity._docs import fill_doc
from skbci.sparsity._prunable import Masks, prunable_layers, unit_rows
from skbci.sparsity._saliency import Batches, Loss, saliency

Arbiter = Callable[[Tensor], Tensor]

ARBITERS: dict[str, Arbiter] = {
    "or": lambda masks: masks.any(0),
    "and": lambda masks: masks.all(0),
}


@fill_doc
class MultitaskSnip(PruningMethod):
    r"""Keep, before any training, what each of several tasks needs of a network.

    Parameters
    ----------
    sparsity : float, default=0.4
        Share to drop of the weights that a task's loss depends on, in [0, 1).
    arbiter : {"or", "and"} or callable, default="or"
        What becomes of a weight that several tasks share: kept if any of them keeps it, or if all
        do. A callable gets the masks of the tasks that depend on a parameter, a Tensor of bool of
        shape (n_tasks, ...), and returns one of shape (...); whether more sparsity keeps nothing
        that less sparsity dropped is up to it.
    floor : {"unit", "layer"}, default="unit"
        Whether the best weight of each unit is kept in any case, or only that of each layer: by
        each task, and by the arbiter.

    Attributes
    ----------
    saliency_ : dict of str to dict of str to Tensor
        Of the last `find`, by task and parameter name.
    task_masks_ : dict of str to dict of str to Tensor of bool
        What each task asked for, before the arbiter, by task and parameter name.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.

    Warns
    -----
    SparsityWarning
        If the arbiter leaves nothing of a unit (with ``floor="layer"``, of a layer). The weight is
        kept there that would be the last to go if "and" decided.

    See Also
    --------
    Snip : One mask from the joint loss.

    Notes
    -----
    For the task k with the private weights :math:`\phi^k` and the shared ones :math:`\phi^s`, the
    saliency is that of its own loss on its own data, and its mask keeps the
    ``round((1 - sparsity) * d)`` best of all :math:`d^{ks}` weights in
    :math:`\phi^{ks} = \phi^k \cup \phi^s`. Which weights those are is read off the loss: it has
    no gradient in the others. The masks of shared weights go through the arbiter [1]_,

    .. math:: \mathcal{M}^s = \mathcal{A}(\mathcal{M}^{s}_1, \dots, \mathcal{M}^{s}_K),

    and with "or" a weight goes only if no task misses it. *More than the budget is kept then*,
    the more the less the tasks' masks overlap (see `overlap`); compare methods at equal
    `density`, or say so. Weights that no task depends on stay.

    References
    ----------
    .. [1] %(sparse_multitask_paper)s

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(4, 1, bias=False)
    >>> _ = net.weight.data.copy_(torch.ones(1, 4))
    >>> loss = lambda net, X, task: net(X).squeeze(1)
    >>> data = {"a": [[4.0, 3.0, 2.0, 1.0]], "b": [[1.0, 4.0, 2.0, 3.0]]}
    >>> batches = {task: [(torch.tensor(X),)] for task, X in data.items()}
    >>> method = MultitaskSnip(sparsity=0.5)
    >>> method.find(net, loss, batches)["weight"].tolist()
    [[True, True, False, True]]
    >>> method.task_masks_["b"]["weight"].tolist()
    [[False, True, False, True]]
    """

    def __init__(
        self, sparsity: float = 0.4, arbiter: str | Arbiter = "or", floor: str = "unit"
    ) -> None:
        super().__init__(sparsity, floor)
        if isinstance(arbiter, type) or not callable(arbiter):
            known = ", ".join(map(repr, ARBITERS))
            if not (isinstance(arbiter, str) and arbiter in ARBITERS):
                because = f"is not one of {known}, or a function of the tasks' masks"
                raise ValueError(refusal(arbiter, "arbiter", self, because))
        self.arbiter = arbiter

    def _find(
        self,
        module: nn.Module,
        loss: Loss | None,
        batches: Batches | Mapping[str, Batches] | None,
        train: Train | None,
    ) -> Masks:
        loss, batches = self._needs_data(loss, batches)
        if not isinstance(batches, Mapping) or not batches:
            raise TypeError(
                "MultitaskSnip.find needs batches as a mapping of each task to its data, such as "
                "{'imagery': [(X, y)], 'execution': [(X, y)]}."
            )
        self.saliency_: dict[str, dict[str, Tensor]] = {}
        self.task_masks_: dict[str, Masks] = {}
        needs: dict[str, dict[str, Tensor]] = {}
        for task, own in batches.items():
            found = saliency(module, loss, own, task=task)
            n_weights = sum(value.numel() for value in found.values())
            self.saliency_[task] = found
            n_kept = count_kept(self.sparsity, n_weights)
            self.task_masks_[task], needs[task] = choose(
                module, found, n_kept, self.floor, who=f"Task {task!r}:"
            )
        return self._arbitrate(module, needs)

    def _arbitrate(self, module: nn.Module, needs: dict[str, dict[str, Tensor]]) -> Masks:
        masks, emptied = {}, []
        for name, layer in prunable_layers(module).items():
            wanted = [own[name] for own in self.task_masks_.values() if name in own]
            if len(wanted) < 2:
                weight = layer.weight
                masks[name] = wanted[0] if wanted else torch.ones(weight.shape, dtype=torch.bool)
                continue
            mask = self._decide(name, torch.stack(wanted))
            needed = torch.stack([own[name] for own in needs.values() if name in own]).amax(0)
            rows = unit_rows(layer)
            rows = rows if self.floor == "unit" else rows.reshape(1, -1)
            masks[name], n_empty = _fill(mask, needed, rows)
            if n_empty:
                units = f"{n_empty} of the {len(rows)} units of " if self.floor == "unit" else ""
                emptied.append(f"{units}{name!r}")
        if emptied:
            warn(
                f"The arbiter left nothing of {', '.join(emptied)}; one weight of each is kept, "
                "the one that all tasks would keep longest. With less sparsity, or arbiter='or', "
                "more would be left.",
                SparsityWarning,
            )
        return masks

    def _decide(self, name: str, wanted: Tensor) -> Tensor:
        arbiter = self.arbiter if callable(self.arbiter) else ARBITERS[self.arbiter]
        mask = arbiter(wanted)
        fits = isinstance(mask, Tensor) and mask.dtype == torch.bool
        if not fits or mask.shape != wanted.shape[1:]:
            got = (
                f"{mask.dtype} of shape {tuple(mask.shape)}"
                if isinstance(mask, Tensor) else type(mask).__name__
            )
            raise ValueError(
                f"MultitaskSnip: for {name!r} the arbiter must return a bool Tensor of shape "
                f"{tuple(wanted.shape[1:])}, got {got}."
            )
        return mask


def _fill(mask: Tensor, needed: Tensor, rows: Tensor) -> tuple[Tensor, int]:
    """Keep the weight that needs least in each row of which nothing is kept; count those rows.

    It is the row's last one in the intersection of masks as sparsity grows, so that intersections
    stay nested.
    """
    flat = mask.flatten().clone()
    empty = rows[~flat[rows].any(1)]
    least = needed.flatten()[empty].argmin(1, keepdim=True)
    flat[empty.gather(1, least)] = True
    return flat.reshape(mask.shape), len(empty)
