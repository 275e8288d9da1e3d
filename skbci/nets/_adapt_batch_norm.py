"""Batch normalization by the rows at hand."""

from __future__ import annotations

import copy
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from skbci._checks import refusal
from skbci._docs import fill_references


@fill_references
@torch.no_grad()
def adapt_batch_norm(module: nn.Module, X: Tensor) -> nn.Module:
    r"""Copy a network whose batch normalization goes by the moments of some rows.

    Each batch normalization of the copy has the mean and variance, value by value, of what reaches
    it from these rows, layer after layer: adaptive batch normalization [1]_. Weights are those of
    the network given.

    Parameters
    ----------
    module : nn.Module
        A network with batch normalization; it is not changed.
    X : Tensor, shape (n_rows, ...)
        Rows of one domain, such as a person's; at least two. Labels are not needed.

    Returns
    -------
    nn.Module
        In evaluation mode.

    Raises
    ------
    ValueError
        If the network has no batch normalization, or there is one row.

    References
    ----------
    .. [1] %(adaptive_batch_norm_paper)s.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skbci.nets import adapt_batch_norm
    >>> net = nn.Sequential(nn.BatchNorm1d(1, affine=False))
    >>> adapted = adapt_batch_norm(net, torch.tensor([[4.0], [6.0], [8.0]]))
    >>> adapted(torch.tensor([[8.0]])).tolist()
    [[1.0]]
    """
    if len(X) < 2:
        raise ValueError(refusal(len(X), "X", "adapt_batch_norm", "must have two rows or more"))
    adapted = copy.deepcopy(module).eval()
    norms = [part for part in adapted.modules() if has_moments(part)]
    if not norms:
        because = "has no batch normalization that keeps moments"
        raise ValueError(refusal(type(module).__name__, "module", "adapt_batch_norm", because))
    momenta = [norm.momentum for norm in norms]
    # In training mode a network writes the moments of its batch down; with this momentum those of
    # this batch alone. Nothing is dropped meanwhile.
    adapted.train()
    for part in adapted.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd):
            part.eval()
    for norm in norms:
        norm.momentum = 1.0
    adapted(X)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return adapted.eval()


def has_moments(part: nn.Module) -> TypeGuard[_BatchNorm]:
    """Whether a module is a batch normalization that keeps moments."""
    return isinstance(part, _BatchNorm) and part.track_running_stats
