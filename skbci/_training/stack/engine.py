"""Forward and backward pass of many fully connected networks of one shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from skbci._training.dense.engine import DenseEngine
from skbci._training.dense.gradient import Batch, DensePass, Layer

Layers = list[tuple[Tensor, Tensor]]

# On the CPU the last digits of some operations depend on where numbers lie in memory. The stack
# gives the digits of the ordinary fit where it keeps to the following.
# Vectorized functions round what is left over after the last full vector in another way.
_FULL_VECTORS = 64
# Products of fewer multiplications are done by a loop of torch's own when they are batched.
_TINY = 400
# Matrix products look at whether a matrix starts at a multiple of so many bytes.
_ALIGNMENT = 16


def place_matters(values: Tensor) -> bool:
    """Whether to take care of the last digits; elsewhere than on the CPU that is in vain."""
    return values.device.type == "cpu"


class StackEngine(DensePass):
    """Loss and gradient of m networks at once, by batched products.

    Each network's numbers are those that `DenseEngine` gives on the CPU, bit by bit.

    Parameters
    ----------
    like : DenseEngine
        The engine of one of the networks.
    criterion : nn.Module
        Gives one loss per row.
    """

    def __init__(self, like: DenseEngine, criterion: nn.Module) -> None:
        super().__init__(like.activations, criterion)
        self.widths = [layer.out_features for layer in like.linear_modules[:-1]]
        self.places: list[tuple[slice, tuple[int, int], slice]] = []
        at = 0
        for layer in like.linear_modules:
            n_out, n_in = layer.weight.shape
            weight, bias = slice(at, at + n_out * n_in), slice(at + n_out * n_in, None)
            at += n_out * n_in + n_out
            self.places.append((weight, (n_out, n_in), slice(bias.start, at)))

    def views(self, flat: Tensor) -> Layers:
        """Return weights (m, n_out, n_in) and biases (m, n_out) of flat vectors (m, n_weights)."""
        return [
            (flat[:, weight].unflatten(1, shape), flat[:, bias])
            for weight, shape, bias in self.places
        ]

    def gradient(
        self,
        parameters: Layers,
        gradients: Layers,
        batch: Batch,
        masks: list[Tensor | None],
        divisor: Tensor | None,
        at: int = 0,
    ) -> Tensor:
        """Write the gradients of the batches' losses, and give the losses (m,).

        Parameters
        ----------
        parameters, gradients : list of (Tensor, Tensor)
            Views of the layers' weights and biases, and where their gradients go.
        batch : tuple of Tensor
            Inputs (m, n_rows, n_features), targets (m, n_rows, ...), and row weights or None.
        masks : list of Tensor or None
            Dropout masks of the hidden layers, (m or 1, n_rows, width).
        divisor : Tensor, shape (m,), or None
            What the loss, summed over the rows, is divided by.
        at : int
            The first row's place in the epoch.
        """
        X = batch[0]
        widths = [X.shape[2], *self.widths]
        if all(_aligned(X, X.shape[1] * width) for width in widths):
            return self._gradient(parameters, gradients, batch, masks, divisor)
        losses = []
        for i in range(len(X)):
            one = slice(i, i + 1)
            losses.append(self._gradient(
                [(w[one], b[one]) for w, b in parameters],
                [(w[one], b[one]) for w, b in gradients],
                (_shifted(X[one], at * X.shape[2]), *(_part(t, one) for t in batch[1:])),
                [mask if mask is None or len(mask) == 1 else mask[one] for mask in masks],
                _part(divisor, one),
            ))
        return torch.cat(losses)

    def _gradient(
        self,
        parameters: Layers,
        gradients: Layers,
        batch: Batch,
        masks: list[Tensor | None],
        divisor: Tensor | None,
    ) -> Tensor:
        loss, _ = self.loss_and_gradient(
            parameters, gradients, batch, lambda i, hidden: masks[i], divisor
        )
        return loss

    def output(self, parameters: Layers, X: Tensor) -> Tensor:
        """Return the outputs (m, n_rows, n_outputs) without dropout."""
        return self.forward(parameters, X)[2]

    def linear(self, layer: Layer, X: Tensor) -> Tensor:
        """Return the layers' outputs."""
        weight, bias = layer
        if _is_tiny(X, weight.mT):
            return torch.stack([torch.addmm(b, x, w.t()) for w, b, x in zip(weight, bias, X)])
        return torch.baddbmm(bias.unsqueeze(1), X, weight.mT)

    def linear_back(self, layer: Layer, delta: Tensor) -> Tensor:
        """Return the gradients with respect to the layers' inputs."""
        weight = layer[0]
        if _is_tiny(delta, weight):
            return torch.stack(list(map(torch.mm, delta, weight)))
        return torch.bmm(delta, weight)

    def write_gradient(self, gradient: Layer, delta: Tensor, entering: Tensor) -> None:
        """Write the gradients of the layers' weights and biases."""
        weight, bias = gradient
        torch.sum(delta, 1, out=bias)
        tiny = _is_tiny(delta.mT, entering)
        if tiny or not _aligned(weight, weight[0].numel()):
            for into, d, x in zip(weight, delta, entering):
                torch.mm(d.t(), x, out=into)
            return
        # A contiguous result; each network's part starts as its place in the flat vector does.
        shift = weight.storage_offset() % (_ALIGNMENT // weight.element_size())
        out = weight.new_empty(weight.numel() + shift)[shift:].view(weight.shape)
        weight.copy_(torch.bmm(delta.mT, entering, out=out))

    def divide(  # type: ignore[override]  # a divisor for each network
        self, loss: Tensor, delta: Tensor, divisor: Tensor
    ) -> Tensor:
        """Divide the losses (m,), and in place their gradients."""
        delta /= divisor[:, None, None]
        return loss / divisor

    def elementwise(
        self, function: Callable[[Tensor], Tensor], values: Tensor, exact: bool = False
    ) -> Tensor:
        """Apply a function to all networks at once, or one by one where rounding asks for it."""
        if exact or not place_matters(values) or values[0].numel() % _FULL_VECTORS == 0:
            return function(values)
        return torch.stack([function(part) for part in values])


def _is_tiny(a: Tensor, b: Tensor) -> bool:
    """Whether torch's batched product rounds in another way than a single one."""
    return place_matters(a) and a.shape[1] * a.shape[2] * b.shape[2] < _TINY


def _aligned(like: Tensor, n: int) -> bool:
    """Whether matrices of n numbers one after the other all start as the first one does."""
    return not place_matters(like) or n * like.element_size() % _ALIGNMENT == 0


def _shifted(values: Tensor, n: int) -> Tensor:
    """Return a copy that starts in memory as the n-th number of an aligned tensor."""
    shift = n % (_ALIGNMENT // values.element_size())
    return values.new_empty(values.numel() + shift)[shift:].view(values.shape).copy_(values)


def _part(values: Tensor | None, which: slice) -> Any:
    return None if values is None else values[which]
