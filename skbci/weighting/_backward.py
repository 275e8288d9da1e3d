"""Weighing and back-propagating in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from skbci.weighting._base import WeightingPolicy
from skbci.weighting._evidence import Gradients


def head_parameters(shared_output: Tensor, parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return those parameters that the output of the shared layers does not depend on.

    Parameters
    ----------
    shared_output : Tensor
        What the last shared layer gave in some batch, with its graph, which is kept.
    parameters : iterable of Tensor
        Those of the network and of its losses.

    Returns
    -------
    list of Tensor
        In the order given; those without a gradient are left out.

    Examples
    --------
    >>> import torch
    >>> shared, head = torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)
    >>> found = head_parameters(shared(torch.ones(1, 3)), [shared.weight, head.weight, head.bias])
    >>> [tuple(p.shape) for p in found]
    [(1, 2), (1,)]
    """
    parameters = [p for p in parameters if p.requires_grad]
    beneath = torch.autograd.grad(
        shared_output.sum(), parameters, retain_graph=True, allow_unused=True
    )
    return [p for p, gradient in zip(parameters, beneath) if gradient is None]


def weighted_backward(
    policy: WeightingPolicy,
    losses: Sequence[Tensor],
    shared_output: Tensor,
    shared_parameter: Tensor,
    heads: Sequence[Tensor],
) -> Tensor:
    r"""Weigh the losses of a batch and back-propagate their sum, going through each head once.

    Parameters
    ----------
    policy : WeightingPolicy
        Started for these losses.
    losses : sequence of K scalar Tensors
        With their graph, which is used up.
    shared_output : Tensor
        What the last shared layer gave. Losses reach what lies beneath only through it.
    shared_parameter : Tensor
        The weight of that layer.
    heads : sequence of Tensor
        All parameters above, see `head_parameters`.

    Returns
    -------
    Tensor
        The weighted sum, without a graph. The gradients are in ``.grad``, added to what was there.

    Raises
    ------
    ValueError
        As `WeightingPolicy.on_batch`.

    Notes
    -----
    `WeightingPolicy.on_batch` and ``backward`` go through the heads twice, once for the policy.
    Here each loss's gradients in its head's parameters and in the shared layer's output z are
    kept,

    .. math:: \nabla_\theta L_k = \Bigl(\frac{\partial z}{\partial \theta}\Bigr)^T \nabla_z L_k,
              \qquad \nabla_z \sum_k w_k L_k = \sum_k w_k \nabla_z L_k ,

    and once the weights are known, their weighted sums are formed and that of z goes down the
    shared layers. The result is the same.

    Examples
    --------
    >>> import torch
    >>> from skbci.weighting import AlphaGrad
    >>> shared, head = torch.nn.Linear(3, 2), torch.nn.Linear(2, 3)
    >>> policy, X = AlphaGrad().start(2), torch.ones(4, 3)
    >>> z = shared(X)
    >>> losses = [z.square().mean(), (head(z) - X).square().mean()]
    >>> total = weighted_backward(policy, losses, z, shared.weight, list(head.parameters()))
    >>> head.weight.grad.shape
    torch.Size([3, 2])
    """
    if not policy.uses_gradients:
        total = torch.dot(policy.on_batch(losses), torch.stack(list(losses)))
        total.backward()
        return total.detach()
    values = policy._read_losses(losses)
    at_output, at_heads = [], []
    for k, loss in enumerate(losses):
        first, *others = _gradients(loss, [shared_output, *heads])
        if first is None:
            raise ValueError(
                f"Loss {k} (of {len(losses)}) has no gradient at shared_output, of shape "
                f"{tuple(shared_output.shape)}: it does not depend on it, or was detached."
            )
        at_output.append(first)
        at_heads.append(others)
    at_parameter: list[Tensor] = []
    for gradient in at_output:
        at_parameter += torch.autograd.grad(
            shared_output, shared_parameter, gradient, retain_graph=True
        )
    weights = policy.update(values, Gradients(at_parameter)).tolist()
    for parameter, gradients in zip(heads, zip(*at_heads)):
        summed = _weighted(weights, gradients)
        if summed is not None:
            parameter.grad = summed if parameter.grad is None else parameter.grad + summed
    shared_output.backward(_weighted(weights, at_output))
    return losses[0].new_tensor(sum(w * value for w, value in zip(weights, values)))


def _gradients(loss: Tensor, wanted: list[Tensor]) -> Sequence[Tensor | None]:
    if not loss.requires_grad:
        return [None] * len(wanted)
    return torch.autograd.grad(loss, wanted, retain_graph=True, allow_unused=True)


def _weighted(weights: Sequence[float], gradients: Sequence[Tensor | None]) -> Tensor | None:
    """Sum those gradients that there are."""
    total = None
    for weight, gradient in zip(weights, gradients):
        if gradient is not None:
            total = gradient * weight if total is None else total.add_(gradient, alpha=weight)
    return total
