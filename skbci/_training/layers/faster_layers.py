"""Torch's slow convolutions, computed in other ways while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from skbci._training.layers.spectral_conv import spectral_conv

if TYPE_CHECKING:
    from skorch import NeuralNet

__all__ = ["faster_layers", "with_faster_layers"]

T = TypeVar("T")
# Shorter kernels are as fast by torch's own sums.
_SHORTEST = 8


@contextmanager
def faster_layers(module: nn.Module, wanted: bool) -> Iterator[None]:
    """Have a module's depthwise convolutions be matrix products and products of spectra.

    Weights, hooks and parametrizations stay where they are, and so does the module: only how an
    output is computed is another while the context is open. Gradients equal torch's but for
    rounding.

    Parameters
    ----------
    module : nn.Module
    wanted : bool
        Whether to do anything.
    """
    changed = []
    for layer in module.modules() if wanted else ():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d)) and _is_depthwise(layer):
            # Found before the class's own, which it falls back to.
            layer._conv_forward = partial(_forward, layer)  # type: ignore[method-assign]
            changed.append(layer)
    try:
        yield
    finally:
        for layer in changed:
            vars(layer).pop("_conv_forward", None)


def with_faster_layers(method: Callable[..., T]) -> Callable[..., T]:
    """Wrap a net's method that trains; the net says with ``accelerate`` whether it is wanted."""

    @wraps(method)
    def train(net: NeuralNet, *args: Any, **kwargs: Any) -> T:
        with faster_layers(net.module_, net.accelerate):
            return method(net, *args, **kwargs)

    return train


def _is_depthwise(layer: nn.Conv1d | nn.Conv2d) -> bool:
    own = nn.Conv1d if isinstance(layer, nn.Conv1d) else nn.Conv2d
    return (
        layer.groups == layer.in_channels and layer.padding_mode == "zeros"
        and set(layer.stride) == set(layer.dilation) == {1}
        and type(layer)._conv_forward is own._conv_forward
        and "_conv_forward" not in vars(layer)
    )


def _forward(
    layer: nn.Conv1d | nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """Compute a convolution in the fastest way that is known for its shape."""
    *heights, size = layer.kernel_size
    spatial = bool(heights) and size == 1 and heights[0] > 1 and x.ndim == 4 and (
        layer.padding in ((0, 0), "valid") and x.shape[2] == heights[0]
    )
    in_time = heights in ([], [1]) and size >= _SHORTEST and x.ndim == len(heights) + 3 and (
        isinstance(layer.padding, str) or not any(layer.padding[:-1])
    )
    if x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64) or not (
        spatial or (in_time and x.dtype == weight.dtype)
    ):
        return type(layer)._conv_forward(layer, x, weight, bias)  # type: ignore[arg-type]
    n_in = layer.in_channels
    if spatial:
        filters = weight.reshape(n_in, -1, heights[0])
        y = torch.einsum("fdc,nfct->nfdt", filters, x).flatten(1, 2).unsqueeze(2)
    else:
        y = _by_spectra(x, weight, *_paddings(layer))
    return y if bias is None else y + bias.reshape(-1, *[1] * (y.ndim - 2))


def _paddings(layer: nn.Conv1d | nn.Conv2d) -> tuple[int, int]:
    """Zeros before and after the signal; an even kernel's odd zero comes after it."""
    size = layer.kernel_size[-1]
    if layer.padding == "same":
        return (size - 1) // 2, size - 1 - (size - 1) // 2
    if isinstance(layer.padding, str):
        return 0, 0
    return layer.padding[-1], layer.padding[-1]


def _by_spectra(x: Tensor, weight: Tensor, left: int, right: int) -> Tensor:
    flat = x if x.ndim == 4 else x.unsqueeze(2)
    kernels = weight.reshape(x.shape[1], -1, weight.shape[-1])
    y = spectral_conv(flat, kernels, left, right)
    return y if x.ndim == 4 else y.squeeze(2)
