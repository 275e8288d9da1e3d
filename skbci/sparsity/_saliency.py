"""Saliency: the effect on the loss of dropping a weight."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from skbci.sparsity._docs import fill_doc
from skbci.sparsity._prunable import prunable

#: ``loss(module, *batch)`` gives one loss per row, or the batch's mean.
Loss = Callable[..., Tensor]
Batches = Iterable[Sequence[Tensor]]


class NonFiniteSaliencyError(ValueError):
    """A saliency is not finite: the loss, its gradient or the weights are not."""


@fill_doc
def saliency(
    module: nn.Module, loss: Loss, batches: Batches, *, task: str | None = None
) -> dict[str, Tensor]:
    r"""Compute ``|g * w|`` of each prunable weight, g being the gradient of the mean loss.

    Parameters
    ----------
    module : nn.Module
        It is copied and stays as it is.
    loss : callable
        ``loss(module, *batch)`` gives one loss per row, shape (n_rows,), or their mean; it has to
        use the module that it is given. With a ``task``, it is called with ``task=task`` besides.
    batches : iterable of sequences of Tensor
        The sample, such as ``[(X, y)]``; rows first.
    task : str, optional

    Returns
    -------
    dict of str to Tensor
        Double precision, on the CPU, by name, for those of the prunable weights that the loss
        depends on.

    Raises
    ------
    NonFiniteSaliencyError
        A ValueError that names the parameter.
    ValueError
        If there are no rows, or the loss has another shape or does not depend on any weight.

    Notes
    -----
    With a multiplier c in place of each mask entry, :math:`\ell(c \odot w)`,

    .. math:: \left|\frac{\partial \ell}{\partial c_j}\right|_{c = 1} = |g_j w_j|

    is the effect on the loss of taking the weight out, to first order [1]_.

    How the sample is divided into batches makes no difference but for memory, nor does the order
    of its rows: gradients are computed and added in double precision; layers of dropout let
    everything pass; and those of batch normalization that are in training mode use the mean and
    variance of the whole sample, as constants, for which the sample goes through the network once
    in one piece without gradients. A loss that compares rows with each other (a triplet loss)
    needs the sample in one batch.

    References
    ----------
    .. [1] %(snip_paper)s.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> _ = net.weight.data.copy_(torch.tensor([[3.0, -0.5]]))
    >>> loss = lambda net, X: net(X).squeeze(1)
    >>> saliency(net, loss, [(torch.tensor([[1.0, 1.0], [1.0, 3.0]]),)])["weight"].tolist()
    [[3.0, 1.0]]
    """
    return {name: effect.abs() for name, effect in effects(module, loss, batches, task).items()}


def effects(
    module: nn.Module, loss: Loss, batches: Batches, task: str | None = None
) -> dict[str, Tensor]:
    """Compute ``g * w`` with its sign; those of several losses add up."""
    keywords = {} if task is None else {"task": task}
    pieces = _check_batches(batches)
    twin = _frozen_copy(module, loss, pieces, keywords)
    weights = prunable(twin)
    if not weights:
        raise ValueError(
            f"{type(module).__name__} has no dense or convolution layer whose weights are trained."
        )
    total: dict[str, Tensor] = {}
    n_rows = sum(len(piece[0]) for piece in pieces)
    for piece in pieces:
        value = _mean_loss(loss(twin, *piece, **keywords), len(piece[0]))
        if not value.requires_grad:
            continue
        gradients = torch.autograd.grad(value, list(weights.values()), allow_unused=True)
        for name, gradient in zip(weights, gradients):
            if gradient is not None:
                part = gradient * (len(piece[0]) / n_rows)
                total[name] = total[name] + part if name in total else part
    if not total:
        raise ValueError(
            "The loss does not depend on any weight of the module; it has to use the module that "
            "it is given, which is a copy: loss(module, X, y)."
        )
    found = {}
    for name in weights:
        if name in total:
            found[name] = (total[name] * weights[name].detach()).cpu()
            _check_finite(name, found[name])
    return found


def _check_batches(batches: Batches) -> list[list[Any]]:
    pieces = []
    for batch in batches:
        if isinstance(batch, Tensor) or not len(batch) or not isinstance(batch[0], Tensor):
            raise ValueError(
                "batches must hold sequences of Tensors, rows first, such as [(X, y)]; got one "
                f"that is {type(batch).__name__}."
            )
        if len(batch[0]):
            pieces.append([_double(value) for value in batch])
    if not pieces:
        raise ValueError("batches holds no rows; saliency needs some of the training data.")
    return pieces


def _double(value: Any) -> Any:
    floating = isinstance(value, Tensor) and value.is_floating_point()
    return value.double() if floating else value


def _frozen_copy(
    module: nn.Module, loss: Loss, pieces: list[list[Any]], keywords: dict[str, Any]
) -> nn.Module:
    """Copy in double precision and evaluation mode, normalized by the sample's statistics."""
    twin = copy.deepcopy(module).double()
    norms = [
        layer for layer in twin.modules()
        if isinstance(layer, _BatchNorm) and layer.training and layer.track_running_stats
    ]
    if norms:
        for layer in twin.modules():
            if isinstance(layer, _DropoutNd):
                layer.eval()
        for layer in norms:
            layer.momentum = 1.0
        whole = [
            torch.cat(values) if isinstance(values[0], Tensor) and values[0].ndim else values[0]
            for values in zip(*pieces)
        ]
        with torch.no_grad():
            loss(twin, *whole, **keywords)
    return twin.eval()


def _mean_loss(value: object, n_rows: int) -> Tensor:
    if isinstance(value, Tensor) and (value.ndim == 0 or value.shape == (n_rows,)):
        return value.mean()
    shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
    raise ValueError(
        f"The loss must be a Tensor with one value per row, shape ({n_rows},), or their mean, a "
        f"scalar; got {shape}."
    )


def _check_finite(name: str, values: Tensor) -> None:
    bad = ~torch.isfinite(values)
    if bad.any():
        raise NonFiniteSaliencyError(
            f"The saliency of {int(bad.sum())} of the {values.numel()} weights of {name!r} is not "
            "finite: look for NaN or infinity in the data, the loss and the weights."
        )
