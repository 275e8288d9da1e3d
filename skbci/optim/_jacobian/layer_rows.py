"""The part of the Jacobian's rows that belongs to one layer, in pieces of bounded size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skbci.optim._jacobian.forward_tap import Call

DENSE = (nn.Linear,)
CONVOLUTION = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
NORM = (
    *BATCH_NORM,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.GroupNorm,
    nn.LayerNorm,
)
SUPPORTED = (*DENSE, *CONVOLUTION, *NORM)


class Unfolded:
    """Input patches and back-propagated signals of one call of a dense or convolutional layer.

    A dense layer is a convolution whose positions are the axes between rows and features.

    Attributes
    ----------
    signal : Tensor, shape (n_rows, groups, n_outputs, channels_out, n_positions)
        Channels within their group.
    n_positions : int
        Places of a pattern at which the same weights are used.
    n_taps : int
        Size of the kernel.
    """

    def __init__(self, call: Call, n_rows: int) -> None:
        layer, x, signal = call.layer, call.input, call.returned
        self.n_rows, self.n_outputs = n_rows, len(signal)
        if isinstance(layer, nn.Linear):
            self.groups, self.n_taps = 1, 1
            x = x.reshape(n_rows, -1, layer.in_features)
            self.input = x.unsqueeze(1).transpose(2, 3)  # rows, pieces, channels, positions
            signal = signal.reshape(self.n_outputs, n_rows, -1, layer.out_features)
            signal = signal.permute(1, 0, 3, 2)
            self.offsets: list[tuple[slice, ...]] = [(slice(None),)]
        else:
            assert isinstance(layer, CONVOLUTION)
            self.groups = layer.groups
            x = _pad(layer, x)
            self.input = x.reshape(n_rows, -1, *x.shape[1:])
            self.offsets = _taps(layer, signal.shape[3:])
            self.n_taps = len(self.offsets)
            # outputs, rows, pieces, channels, positions
            signal = signal.reshape(self.n_outputs, n_rows, -1, signal.shape[2],
                                    signal.shape[3:].numel())
            signal = signal.permute(1, 0, 3, 2, 4)
        self.n_positions = signal.shape[3:].numel()
        signal = signal.reshape(n_rows, self.n_outputs, self.groups, -1, self.n_positions)
        self.signal = signal.transpose(1, 2)
        self.channels_in = self.input.shape[2] // self.groups
        self.channels_out = self.signal.shape[3]

    def patches(self, channels: slice, taps: slice) -> Tensor:
        """Inputs under some taps: (n_rows, groups, channels * taps, n_positions)."""
        parts = []
        for offset in self.offsets[taps]:
            part = self.input[(slice(None), slice(None), slice(None), *offset)].flatten(3)
            part = part.transpose(1, 2)  # rows, channels, pieces, places
            part = part.reshape(self.n_rows, self.groups, self.channels_in, -1)
            parts.append(part[:, :, channels])
        stacked = torch.stack(parts, dim=3) if len(parts) > 1 else parts[0].unsqueeze(3)
        return stacked.flatten(2, 3)

    def rows(self, patches: Tensor, channels_out: slice) -> Tensor:
        """Compute the Jacobian's rows for some weights, (n_outputs * n_rows, n_weights)."""
        signal = self.signal[:, :, :, channels_out].flatten(2, 3)
        product = torch.matmul(signal, patches.mT)
        product = product.view(self.n_rows, self.groups, self.n_outputs, -1)
        return product.permute(2, 0, 1, 3).reshape(self.n_outputs * self.n_rows, -1)

    def bias_rows(self) -> Tensor:
        """Compute the Jacobian's rows for the bias."""
        summed = self.signal.sum(4).transpose(1, 2)
        return summed.transpose(0, 1).reshape(self.n_outputs * self.n_rows, -1)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Return input (n_rows, .) and signal (n_outputs, n_rows, .) of a layer with one position.

        The Jacobian's rows are the outer products of theirs.
        """
        inputs = self.patches(slice(None), slice(None)).reshape(self.n_rows, -1)
        return inputs, self.bias_rows().view(self.n_outputs, self.n_rows, -1)


def weight_rows(calls: list[Unfolded], entries: int) -> Iterator[Tensor]:
    """Yield the Jacobian's rows for a layer's weights, columns by columns, summed over its calls.

    Parameters
    ----------
    calls : list of Unfolded
        All uses of one weight tensor.
    entries : int
        Size that no piece exceeds, unless a single column does.
    """
    one = calls[0]
    columns = max(1, entries // (one.n_rows * one.n_outputs))
    positions = max(call.n_positions for call in calls)
    whole = one.groups * one.channels_out * one.channels_in
    plane = one.n_rows * one.groups * one.channels_in * positions
    taps = max(1, min(columns // whole, entries // plane, one.n_taps))
    c_out = max(1, min(one.channels_out, columns // (one.groups * one.channels_in)))
    c_in = max(1, min(one.channels_in, columns // (one.groups * c_out)))
    for tap, first in itertools.product(_pieces(one.n_taps, taps), _pieces(one.channels_in, c_in)):
        patches = [call.patches(first, tap) for call in calls]
        for last in _pieces(one.channels_out, c_out):
            rows = calls[0].rows(patches[0], last)
            for call, patch in zip(calls[1:], patches[1:]):
                rows += call.rows(patch, last)
            yield rows


def norm_rows(call: Call, n_rows: int) -> tuple[Tensor, Tensor]:
    """Compute the Jacobian's rows for scale and shift of a normalization layer."""
    layer, signal = call.layer, call.returned
    scaled = signal * _normalized(layer, call.input)
    return _sum_places(layer, scaled, n_rows), _sum_places(layer, signal, n_rows)


def _sum_places(layer: nn.Module, values: Tensor, n_rows: int) -> Tensor:
    """Sum over all places that share a parameter."""
    n_outputs = len(values)
    if isinstance(layer, nn.LayerNorm):
        n_features = math.prod(layer.normalized_shape)
        return values.reshape(n_outputs * n_rows, -1, n_features).sum(1)
    n_channels = values.shape[2]
    values = values.reshape(n_outputs * n_rows, -1, n_channels, values.shape[3:].numel())
    return values.sum((1, 3))


def _normalized(layer: nn.Module, x: Tensor) -> Tensor:
    if isinstance(layer, nn.LayerNorm):
        return F.layer_norm(x, layer.normalized_shape, eps=layer.eps)
    if isinstance(layer, nn.GroupNorm):
        return F.group_norm(x, layer.num_groups, eps=layer.eps)
    assert isinstance(layer, nn.modules.batchnorm._NormBase)
    if isinstance(layer, BATCH_NORM):
        return F.batch_norm(x, layer.running_mean, layer.running_var, eps=layer.eps)
    own = layer.training or layer.running_mean is None
    mean, var = (None, None) if own else (layer.running_mean, layer.running_var)
    return F.instance_norm(x, mean, var, use_input_stats=own, eps=layer.eps)


def _pieces(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def _pad(layer: nn.Module, x: Tensor) -> Tensor:
    """Pad as the convolution does."""
    assert isinstance(layer, CONVOLUTION)
    if layer.padding == "valid":
        return x
    amounts: list[int] = []
    for axis in reversed(range(len(layer.kernel_size))):
        if layer.padding == "same":
            both = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
            amounts += [both // 2, both - both // 2]
        else:
            amounts += [int(layer.padding[axis])] * 2
    if not any(amounts):
        return x
    return F.pad(x, amounts, "constant" if layer.padding_mode == "zeros" else layer.padding_mode)


def _taps(layer: nn.Module, places: torch.Size) -> list[tuple[slice, ...]]:
    """For each element of the kernel, where the padded input meets it."""
    assert isinstance(layer, CONVOLUTION)
    axes = []
    for size, stride, dilation, n in zip(
        layer.kernel_size, layer.stride, layer.dilation, places
    ):
        span = stride * (n - 1) + 1
        axes.append([slice(k * dilation, k * dilation + span, stride) for k in range(size)])
    return list(itertools.product(*axes))
