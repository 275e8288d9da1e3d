"""A fully connected network whose weights and gradients are views of flat vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from skbci._training.dense.dropout import DropoutMasks
from skbci._training.dense.gradient import DensePass, Layer
from skbci._training.dense.layers import read_layers
from skbci.optim import HJB, HJBAD, HJBUnder

if TYPE_CHECKING:
    from torch.optim import Optimizer

# Optimizers that treat every weight alike: one flat vector gives them the same steps.
_FLAT_OPTIMIZERS = (
    HJB,
    HJBAD,
    torch.optim.Adagrad,
    torch.optim.Adam,
    torch.optim.Adamax,
    torch.optim.AdamW,
    torch.optim.NAdam,
    torch.optim.RMSprop,
    torch.optim.SGD,
)


def fits_dense_engine(
    module: nn.Module, criterion: nn.Module, optimizer: type[Optimizer],
    inner: type[Optimizer] = torch.optim.SGD,
) -> bool:
    """Whether the engine gives what autograd and the optimizer (`HJBUnder`: the inner) would."""
    if optimizer is HJBUnder:
        optimizer = inner
    return (
        read_layers(module) is not None
        and optimizer in _FLAT_OPTIMIZERS
        and not any(True for _ in criterion.parameters())
        and all(p.requires_grad for p in module.parameters())
    )


class DenseEngine(DensePass):
    """Loss and gradient of a fully connected network whose weights are views of one flat vector.

    Autograd's bookkeeping and an optimizer's loop over tensors take most of the time with small
    networks. Here the gradient is written into the flat vector's ``grad``, of which the layers'
    own gradients are views, so that any element-wise optimizer and any callback sees them.

    Parameters
    ----------
    module : MLP or nn.Sequential
        As `read_layers` takes apart. Its parameters' storage is moved into ``flat``.
    criterion : nn.Module
        Gives one loss per row.
    flat : nn.Parameter, optional
        A flat vector that an optimizer knows already.
    """

    def __init__(
        self, module: nn.Module, criterion: nn.Module, flat: nn.Parameter | None = None
    ) -> None:
        layers = read_layers(module)
        if layers is None:
            raise TypeError(f"{type(module).__name__} is not a chain of dense layers.")
        super().__init__(layers.activations, criterion)
        self.module = module
        self.flattens = layers.flattens
        self.linear_modules = layers.linear
        self.dropout_layers = layers.dropout
        self.dropout: list[float] = []
        self.flat = nn.Parameter(torch.empty(0)) if flat is None else flat
        self.masks: dict[float, DropoutMasks] = {}
        self.layers: list[tuple[Tensor, Tensor, Tensor]] = []
        self.bind()

    def bind(self) -> None:
        """Make parameters and gradients views of the flat vectors again; read what may change.

        Needed after anything that gives them storage of their own, sets a rate of dropout or
        freezes a layer: a cast, a copy, a callback.
        """
        parameters = list(self.module.parameters())
        first = parameters[0]
        size = sum(p.numel() for p in parameters)
        at, expected = 0, self.flat.data
        bound = expected.dtype == first.dtype and expected.numel() == size
        for p in parameters:
            bound = bound and p.data_ptr() == expected[at:].data_ptr()
            at += p.numel()
        if not (bound and self.layers):
            self._move(parameters)
        self.flat.grad = self.grad
        for p, view in zip(parameters, self.gradients):
            p.grad = view
        self.dropout = [0.0 if layer is None else layer.p for layer in self.dropout_layers]
        self.frozen = [
            (p.data, p.data.clone(), view)
            for p, view in zip(parameters, self.gradients) if not p.requires_grad
        ]

    def _move(self, parameters: list[nn.Parameter]) -> None:
        values = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.flat.data = values
        self.grad = torch.zeros_like(values)
        self.gradients: list[Tensor] = []
        at = 0
        for p in parameters:
            part = slice(at, at + p.numel())
            p.data = values[part].view(p.shape)
            self.gradients.append(self.grad[part].view(p.shape))
            at += p.numel()
        # Kept apart from the module: asking a module for a parameter takes as long as a small
        # layer's product.
        self.layers = [
            (layer.weight.data, layer.bias.data, layer.weight.data.t())
            for layer in self.linear_modules
        ]
        place = {id(p): view for p, view in zip(parameters, self.gradients)}
        self.layer_grads = [
            (place[id(layer.weight)], place[id(layer.bias)]) for layer in self.linear_modules
        ]

    def take_gradients(self) -> None:
        """Take over gradients that a callback has put in the place of the engine's."""
        for p, view in zip(self.module.parameters(), self.gradients):
            if p.grad is None:
                view.zero_()
            elif p.grad is not view:
                view.copy_(p.grad)
            p.grad = view

    def hold_frozen(self) -> None:
        """Undo a step where nothing is learned: momentum and decay know no frozen weights."""
        for value, kept, _ in self.frozen:
            value.copy_(kept)

    def start(self) -> None:
        """Get ready for a fit: bind, and seed the dropout masks from torch's random state."""
        self.bind()
        self.masks = {rate: self._new_masks(rate) for rate in sorted(set(self.dropout) - {0.0})}

    def _new_masks(self, rate: float) -> DropoutMasks:
        seed = int(torch.randint(2**62, ()).item())
        return DropoutMasks(rate, np.random.default_rng(seed), self.flat)

    def _mask(self, layer: int, hidden: Tensor) -> Tensor | None:
        """Draw the dropout mask of a hidden layer."""
        rate = self.dropout[layer]
        if not rate:
            return None
        if rate not in self.masks:  # set since the start
            self.masks[rate] = self._new_masks(rate)
        return self.masks[rate].take(hidden.shape)

    def __call__(
        self, X: Tensor, y: Tensor, weight: Tensor | None, divisor: float | Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Write the gradient of the batch's loss; return the loss and the output.

        The loss is the weighted sum over the rows, divided by ``divisor`` where that is not None.
        """
        # No version counters and no dispatch to autograd: a twentieth of a small network's step.
        with torch.inference_mode():
            if self.flattens and X.ndim > 2:
                X = X.flatten(1)
            loss, output = self.loss_and_gradient(
                self.layers, self.layer_grads, (X, y, weight), self._mask, divisor
            )
            for _, _, gradient in self.frozen:
                gradient.zero_()
        return loss, output

    def linear(self, layer: Layer, X: Tensor) -> Tensor:
        """Return the layer's output."""
        return torch.addmm(layer[1], X, layer[2])

    def linear_back(self, layer: Layer, delta: Tensor) -> Tensor:
        """Return the gradient with respect to the layer's input."""
        return torch.mm(delta, layer[0])

    def write_gradient(self, gradient: Layer, delta: Tensor, entering: Tensor) -> None:
        """Write the gradients of the layer's weights and biases."""
        torch.mm(delta.t(), entering, out=gradient[0])
        torch.sum(delta, 0, out=gradient[1])

    def divide(self, loss: Tensor, delta: Tensor, divisor: float | Tensor) -> Tensor:
        """Divide the loss, and in place its gradient."""
        delta.div_(divisor)
        return loss / divisor
