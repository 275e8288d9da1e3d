"""Leaving out the units of fully connected networks that do nothing."""

from __future__ import annotations

import copy
from typing import TypeGuard

import torch
from torch import Tensor, fx, nn

# What may stand between dense layers: functions of one value, and nothing in evaluation mode.
_ELEMENTWISE = (
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Softsign,
    nn.Tanh, nn.Sigmoid, nn.Hardtanh, nn.Identity, nn.Dropout,
)  # fmt: skip


def is_dense_chain(module: nn.Module) -> TypeGuard[nn.Sequential]:
    """Return whether a module is dense layers in sequence, with functions of one value between.

    A subclass may have a ``forward`` of its own if all that it does is to run the layers.
    """
    if not isinstance(module, nn.Sequential) or any(map(_is_hooked, module.modules())):
        return False
    layers = list(module)
    while layers and isinstance(layers[0], (nn.Flatten, nn.Identity)):
        layers.pop(0)
    allowed = (nn.Linear, *_ELEMENTWISE)
    known = bool(layers) and all(type(layer) in allowed for layer in layers)
    return known and _runs_its_layers(module)


def _is_hooked(module: nn.Module) -> bool:
    return bool(
        "forward" in vars(module) or module._forward_hooks or module._forward_pre_hooks
    )


def _runs_its_layers(chain: nn.Sequential) -> bool:
    """Return whether what is called is each layer once, in order, and nothing else."""
    kind = type(chain)
    if kind.__call__ is not nn.Module.__call__:
        return False
    if kind.forward is nn.Sequential.forward:
        return True
    try:
        steps = list(fx.Tracer().trace(chain).nodes)
    except Exception:  # whatever a forward may do with what is no tensor
        return False
    calls, before = steps[1:-1], steps[:-2]
    return (
        [step.op for step in steps]
        == ["placeholder", *["call_module"] * len(chain), "output"]
        and [chain.get_submodule(str(step.target)) for step in calls] == list(chain)
        and all(step.args == (last,) and not step.kwargs for step, last in zip(calls, before))
        and steps[-1].args == (steps[-2],)
    )


@torch.no_grad()
def drop_from_chain(chain: nn.Sequential) -> nn.Sequential:
    """Build a smaller chain out of the units that matter; at least one stays in each layer."""
    smaller = copy.deepcopy(chain).eval()
    places = [i for i, layer in enumerate(smaller) if isinstance(layer, nn.Linear)]
    layers = [layer for layer in smaller if isinstance(layer, nn.Linear)]
    weights = [layer.weight.detach() for layer in layers]
    biases = [_bias(layer) for layer in layers]
    used = _used(weights)
    kept_before: Tensor | None = None
    for k, place in enumerate(places):
        weight, bias = weights[k], biases[k]
        if kept_before is not None:
            weight = weight[:, kept_before]
        kept = torch.arange(len(weight), device=weight.device)
        if k + 1 < len(places):
            varies = weight.ne(0).any(1)
            constant = used[k] & ~varies
            given = bias[constant]
            for between in range(place + 1, places[k + 1]):
                given = smaller[between](given)
            biases[k + 1] = biases[k + 1] + weights[k + 1][:, constant] @ given
            weights[k + 1] = weights[k + 1].masked_fill(constant, 0)
            kept = (used[k] & varies).nonzero().flatten()
            if not len(kept):  # one that nothing looks at any more, to keep the layer's place
                kept = kept.new_zeros(1)
        smaller[place] = _dense(layers[k], weight[kept], bias[kept])
        kept_before = kept
    return smaller


def _used(weights: list[Tensor]) -> list[Tensor]:
    """Find which units of each layer any output looks at, from the last layer down."""
    used = [torch.ones(len(weights[-1]), dtype=torch.bool, device=weights[-1].device)]
    for weight in reversed(weights[1:]):
        used.insert(0, weight[used[0]].ne(0).any(0))
    return used


def _bias(layer: nn.Linear) -> Tensor:
    if layer.bias is None:
        return layer.weight.new_zeros(layer.out_features)
    return layer.bias.detach()


def _dense(old: nn.Linear, weight: Tensor, bias: Tensor) -> nn.Linear:
    """Dense layer with given weights; without a bias where there was none and none is needed."""
    needs_bias = old.bias is not None or bool(bias.any())
    layer = nn.utils.skip_init(
        nn.Linear, weight.shape[1], len(weight), bias=needs_bias, device=weight.device,
        dtype=weight.dtype,
    )
    layer.weight.copy_(weight)
    if needs_bias:
        layer.bias.copy_(bias)
    return layer.train(old.training)
