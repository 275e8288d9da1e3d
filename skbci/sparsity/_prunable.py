"""Parameters that can be pruned, and their units."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

#: Masks by parameter name, True where a weight is kept.
Masks = dict[str, Tensor]


def prunable(module: nn.Module) -> dict[str, Tensor]:
    """Return the weights that pruning is about: those of dense and convolution layers.

    Biases and the parameters of normalization layers are few, and cutting them saves nothing: they
    are neither pruned nor counted. Neither are frozen weights.

    Parameters
    ----------
    module : nn.Module

    Returns
    -------
    dict of str to Parameter
        By name, in the order of ``named_parameters``.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv1d(3, 8, 5), nn.BatchNorm1d(8), nn.Flatten(), nn.Linear(64, 2))
    >>> list(prunable(net))
    ['0.weight', '3.weight']
    """
    return {name: layer.weight for name, layer in prunable_layers(module).items()}


def prunable_layers(module: nn.Module) -> dict[str, nn.Linear | _ConvNd]:
    """Return dense and convolution layers by the names of their weights; shared ones once."""
    found: dict[str, nn.Linear | _ConvNd] = {}
    seen: set[int] = set()
    for prefix, layer in module.named_modules():
        if not isinstance(layer, (nn.Linear, _ConvNd)):
            continue
        weight = layer._parameters.get("weight")
        if weight is None or not weight.requires_grad or id(weight) in seen:
            continue
        seen.add(id(weight))
        found[f"{prefix}.weight" if prefix else "weight"] = layer
    return found


def unit_rows(layer: nn.Linear | _ConvNd) -> Tensor:
    """Where the weights of each unit stand in the flattened weight, shape (n_units, n_inputs)."""
    weight = layer.weight
    places = torch.arange(weight.numel()).reshape(weight.shape)
    if not isinstance(layer, _ConvTransposeNd):
        return places.flatten(1)
    # Transposed: inputs x outputs of the group x kernel.
    groups = layer.groups
    places = places.reshape(groups, weight.shape[0] // groups, weight.shape[1], -1)
    return places.transpose(1, 2).reshape(groups * weight.shape[1], -1)
