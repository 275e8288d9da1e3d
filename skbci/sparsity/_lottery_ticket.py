"""Train, prune, rewind, repeat."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from skbci._checks import check_choice, check_count
from skbci.sparsity._base import PruningMethod, Train
from skbci.sparsity._docs import fill_doc
from skbci.sparsity._enforce import apply_masks
from skbci.sparsity._magnitude import SCOPES, keep_all, largest
from skbci.sparsity._prunable import Masks, prunable
from skbci.sparsity._saliency import Batches, Loss


@fill_doc
class LotteryTicket(PruningMethod):
    r"""Find weights that would have been enough from the start, by iterative magnitude pruning.

    Parameters
    ----------
    sparsity : float, default=0.4
        Share of the prunable weights to drop in the end, in [0, 1).
    n_rounds : int, default=3
        Rounds of training and pruning.
    %(scope)s
    %(floor)s

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.

    Notes
    -----
    The network is trained; the smallest weights are dropped; those that are left, and all other
    parameters and buffers, go back to their values at the start; and so on, with the masks
    enforced [1]_. After round r of R the share :math:`(1 - \sigma)^{r/R}` is left, so that each
    round drops the same share of what it finds. `find` leaves the module at the start, masked:
    what it was given is trained once more by the caller. With a sparsity of 0 nothing is trained.

    References
    ----------
    .. [1] J. Frankle, M. Carbin (2019). The Lottery Ticket Hypothesis: Finding Sparse, Trainable
       Neural Networks. International Conference on Learning Representations.

    Examples
    --------
    >>> import torch
    >>> from skbci.sparsity import MaskedTraining
    >>> net = torch.nn.Linear(4, 1, bias=False)
    >>> _ = torch.nn.init.constant_(net.weight, 0.25)
    >>> X = torch.eye(4) * torch.tensor([1.0, 0.0, 1.0, 0.0])
    >>> def train(net, masks):
    ...     optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    ...     with MaskedTraining(net, masks, optimizer):
    ...         for _ in range(5):
    ...             optimizer.zero_grad()
    ...             (net(X) - 1).square().mean().backward()
    ...             optimizer.step()
    >>> LotteryTicket(sparsity=0.5, n_rounds=2).find(net, train=train)["weight"].tolist()
    [[True, False, True, False]]
    >>> net.weight.tolist()
    [[0.25, 0.0, 0.25, 0.0]]
    """

    acts = "rounds"

    def __init__(
        self,
        sparsity: float = 0.4,
        n_rounds: int = 3,
        scope: str = "global",
        floor: str = "unit",
    ) -> None:
        super().__init__(sparsity, floor)
        self.n_rounds = check_count(n_rounds, "n_rounds", self)
        self.scope = check_choice(scope, "scope", self, SCOPES)

    def _find(
        self,
        module: nn.Module,
        loss: Loss | None,
        batches: Batches | Mapping[str, Batches] | None,
        train: Train | None,
    ) -> Masks:
        if not callable(train):
            raise TypeError(
                "LotteryTicket.find needs train, a callable train(module, masks) that trains the "
                f"module in place with the masks enforced; got train={train!r}."
            )
        start = {name: value.detach().clone() for name, value in module.state_dict().items()}
        masks = keep_all(module)
        for done in range(1, self.n_rounds + 1) if self.sparsity else ():
            train(module, masks)
            self._check_enforced(module, masks)
            # The last round's share is the one asked for, to the last bit.
            last = done == self.n_rounds
            dropped = self.sparsity if last else 1 - (1 - self.sparsity) ** (done / self.n_rounds)
            masks = largest(module, dropped, self.scope, self.floor, masks)
            for name, value in module.state_dict().items():
                value.copy_(start[name])
            apply_masks(module, masks)
        return masks

    def _check_enforced(self, module: nn.Module, masks: Masks) -> None:
        for name, weight in prunable(module).items():
            if weight.detach()[~masks[name].to(weight.device)].any():
                raise ValueError(
                    f"LotteryTicket: after train(module, masks), pruned weights of {name!r} are "
                    "not zero; train within MaskedTraining(module, masks, optimizer)."
                )
