"""One mask from the sensitivity of the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from skbci._checks import check_mapping, check_number
from skbci.sparsity._base import PruningMethod, Train, choose
from skbci.sparsity._budget import count_kept
from skbci.sparsity._docs import fill_doc
from skbci.sparsity._prunable import Masks, prunable
from skbci.sparsity._saliency import Batches, Loss, effects


@fill_doc
class Snip(PruningMethod):
    r"""Keep the weights whose removal would change the loss most, before any training.

    Parameters
    ----------
    %(sparsity)s
    task_weights : mapping of str to float, optional
        With several tasks, the factor :math:`\lambda_k` of each one's loss; by default 1.
    %(floor)s

    Attributes
    ----------
    saliency_ : dict of str to Tensor
        Of the last `find`, by parameter name.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.

    See Also
    --------
    MultitaskSnip : A mask for each task.

    Notes
    -----
    The saliency of a weight is :math:`|g\,w|` with the gradient g of the mean loss (see
    `saliency`), or with several tasks of the joint loss :math:`\sum_k \lambda_k \ell^k`, each on
    its own data. Where tasks pull a weight in opposite directions their effects cancel. Weights
    that the loss does not depend on have none [1]_.

    References
    ----------
    .. [1] %(snip_paper)s.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(4, 1, bias=False)
    >>> _ = net.weight.data.copy_(torch.tensor([[3.0, -0.5, 0.1, 1.0]]))
    >>> loss = lambda net, X: net(X).squeeze(1)
    >>> Snip(sparsity=0.5).find(net, loss, [(torch.ones(2, 4),)])["weight"].tolist()
    [[True, False, False, True]]
    """

    def __init__(
        self,
        sparsity: float = 0.4,
        task_weights: Mapping[str, float] | None = None,
        floor: str = "unit",
    ) -> None:
        super().__init__(sparsity, floor)
        self.task_weights = (
            None if task_weights is None
            else check_mapping(task_weights, "task_weights", self)
        )
        for task, weight in (self.task_weights or {}).items():
            check_number(weight, f"task_weights[{task!r}]", self, low=0)

    def _find(
        self,
        module: nn.Module,
        loss: Loss | None,
        batches: Batches | Mapping[str, Batches] | None,
        train: Train | None,
    ) -> Masks:
        loss, batches = self._needs_data(loss, batches)
        found = {
            name: torch.zeros(weight.shape, dtype=torch.float64)
            for name, weight in prunable(module).items()
        }
        for factor, task, own in self._parts(batches):
            for name, effect in effects(module, loss, own, task).items():
                found[name] += factor * effect
        self.saliency_: dict[str, Tensor] = {name: value.abs() for name, value in found.items()}
        n_weights = sum(value.numel() for value in found.values())
        n_kept = count_kept(self.sparsity, n_weights)
        return choose(module, self.saliency_, n_kept, self.floor).masks

    def _parts(self, batches: Any) -> list[tuple[float, str | None, Any]]:
        if not isinstance(batches, Mapping):
            if self.task_weights is not None:
                raise ValueError(
                    "Snip: task_weights is set, but batches is not a mapping of tasks to their "
                    "data."
                )
            return [(1.0, None, batches)]
        factors = dict.fromkeys(batches, 1.0) if self.task_weights is None else self.task_weights
        if set(factors) != set(batches):
            raise ValueError(
                f"Snip: task_weights names the tasks {list(factors)}, but there are batches of "
                f"{list(batches)}."
            )
        return [(factors[task], task, own) for task, own in batches.items()]
