"""Leaving out the units of a `DualTaskNet` that do nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from skbci.nets._batch_norm import moments


@torch.no_grad()
def drop_dead_units(net: Any) -> Any:
    """Build a smaller network out of the units that matter; see ``without_dead_units``."""
    state = {name: value.detach().clone() for name, value in net.state_dict().items()}
    used = _used_units(net, state)
    varying = _fold_constants(net, state, used)
    filters, maps = varying["filters"], varying["maps"]
    hidden = {task: varying[f"hidden.{task}"] for task in net.tasks}
    with torch.random.fork_rng(devices=[]):  # the weights it is built with are not kept
        smaller = type(net)(
            net.n_channels,
            net.n_times,
            net.tasks,
            n_filters=len(filters),
            kernel_size=net.kernel_size,
            pooling=net.pooling,
            n_maps=len(maps),
            separable_size=net.separable_size,
            map_pooling=net.map_pooling,
            n_hidden={task: len(kept) for task, kept in hidden.items()},
            dropout=net.dropout.p,
            max_norm=bool(net.max_norms),
        )
    columns = _columns(net, maps)
    for name, value in state.items():
        if name.startswith(("spatial.", "temporal.", "signal_norm.", "depthwise.")) and value.ndim:
            state[name] = value[filters]
        elif name == "pointwise.weight":
            state[name] = value[maps][:, filters]
        elif name.startswith("map_norm.") and value.ndim:
            state[name] = value[maps]
    for task, kept in hidden.items():
        state[f"private.{task}.weight"] = state[f"private.{task}.weight"][kept][:, columns]
        state[f"private.{task}.bias"] = state[f"private.{task}.bias"][kept]
        state[f"heads.{task}.weight"] = state[f"heads.{task}.weight"][:, kept]
    smaller.to(net.spatial.weight)
    smaller.load_state_dict(state)
    return smaller.eval()


def _used_units(net: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Find which units anything above them looks at, from the heads down."""
    used = {}
    looked_at = torch.zeros(net.n_features, dtype=torch.bool, device=net.spatial.weight.device)
    for task in net.tasks:
        own = state[f"heads.{task}.weight"].ne(0).any(0)
        used[f"hidden.{task}"] = own
        looked_at |= state[f"private.{task}.weight"][own].ne(0).any(0)
    maps = looked_at.view(net.n_maps, -1).any(1)
    into_maps = state["pointwise.weight"][maps].ne(0).any(0).squeeze(1)
    used["maps"] = maps
    used["filters"] = into_maps & _any(state["depthwise.weight"])
    return used


def _fold_constants(
    net: Any, state: dict[str, Tensor], used: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Move constants of used units into the layers after them, in place; index what is left."""
    varying = {}
    alive = _any(state["spatial.weight"]) & _any(state["temporal.weight"])
    filters, constant = _part(used["filters"], alive)
    amplitude = net.to_amplitude(_at_zero(net.signal_norm).square())
    given = amplitude * state["depthwise.weight"].sum((1, 2))
    mixing = state["pointwise.weight"]
    state["map_norm.running_mean"] -= mixing[:, constant, 0] @ given[constant]
    mixing[:, constant] = 0
    varying["filters"] = filters

    alive = _any(mixing[:, filters])
    maps, constant = _part(used["maps"], alive)
    norm = net.map_norm
    values = net.to_map(_at_zero(norm, state["map_norm.running_mean"]))
    varying["maps"] = maps
    columns, folded = _columns(net, maps), _columns(net, constant)
    repeated = values[constant].repeat_interleave(net.n_map_times)
    for task in net.tasks:
        weight, bias = state[f"private.{task}.weight"], state[f"private.{task}.bias"]
        bias += weight[:, folded] @ repeated
        weight[:, folded] = 0
        alive = _any(weight[:, columns])
        hidden, constant = _part(used[f"hidden.{task}"], alive)
        given = nn.functional.elu(bias[constant])
        head = state[f"heads.{task}.weight"]
        state[f"heads.{task}.bias"] += head[:, constant] @ given
        head[:, constant] = 0
        varying[f"hidden.{task}"] = hidden
    return varying


def _part(used: Tensor, alive: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the units to keep and of those to fold.

    If none is to be kept the first one is: nothing looks at it after the folding.
    """
    kept = (used & alive).nonzero().flatten()
    if not len(kept):
        kept = kept.new_zeros(1)
    return kept, (used & ~alive).nonzero().flatten()


def _any(weight: Tensor) -> Tensor:
    return weight.flatten(1).ne(0).any(1)


def _columns(net: Any, maps: Tensor) -> Tensor:
    """Features that belong to maps."""
    steps = torch.arange(net.n_map_times, device=maps.device)
    return (maps[:, None] * net.n_map_times + steps).flatten()


def _at_zero(norm: nn.BatchNorm1d, mean: Tensor | None = None) -> Tensor:
    """What a normalization gives, in evaluation, to signals that are zero."""
    running_mean, variance = moments(norm)
    mean = running_mean if mean is None else mean
    return norm.bias - mean * norm.weight * torch.rsqrt(variance + norm.eps)
