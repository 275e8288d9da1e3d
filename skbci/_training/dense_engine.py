"""Forward and backward pass of fully connected networks, written out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skbci._training.criteria import BinaryCrossEntropy, CrossEntropy, SquaredError
from skbci._training.dense_layers import read_layers
from skbci._training.dropout import DropoutMasks
from skbci.optim import HJB, HJBAD, HJBUnder

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


#: Gives the first argument where the second is above the third, and zero elsewhere.
_threshold = torch.ops.aten.threshold_backward.default


def fits_dense_engine(
    module: nn.Module, criterion: nn.Module, optimizer: Any, inner: Any = torch.optim.SGD
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


class DenseEngine:
    """Loss and gradient of a fully connected network whose weights are views of one flat vector.

    Autograd's bookkeeping and an optimizer's loop over tensors take most of the time with small
    networks. Here the gradient is written into the flat vector's ``grad``, of which the layers'
    own gradients are views, so that any element-wise optimizer and any callback sees them.

    Parameters
    ----------
    module : MLP or nn.Sequential
        As `read_layers` takes apart. Its parameters' storage is moved into ``flat``.
    criterion : nn.Module
        Gives a loss a row.
    flat : nn.Parameter, optional
        A flat vector that an optimizer knows already.
    """

    def __init__(
        self, module: nn.Module, criterion: nn.Module, flat: nn.Parameter | None = None
    ) -> None:
        layers = read_layers(module)
        assert layers is not None
        self.module = module
        self.criterion = criterion
        self.flattens = layers.flattens
        self.linear, self.activations = layers.linear, layers.activations
        self.dropout_layers = layers.dropout
        self.dropout: list[float] = []
        self.flat = nn.Parameter(torch.empty(0)) if flat is None else flat
        self.masks: dict[float, DropoutMasks] = {}
        self.weights: list[Tensor] = []
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
        if not (bound and self.weights):
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
        self.weights = [layer.weight.data for layer in self.linear]
        self.weights_t = [weight.t() for weight in self.weights]
        self.biases = [layer.bias.data for layer in self.linear]
        place = {id(p): view for p, view in zip(parameters, self.gradients)}
        self.weight_grads = [place[id(layer.weight)] for layer in self.linear]
        self.bias_grads = [place[id(layer.bias)] for layer in self.linear]

    def take_gradients(self) -> None:
        """Take over gradients that a callback has put in the place of ours."""
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

    def _mask(self, rate: float, shape: Sequence[int]) -> Tensor:
        if rate not in self.masks:  # set since the start
            self.masks[rate] = self._new_masks(rate)
        return self.masks[rate].take(shape)

    def __call__(
        self, X: Tensor, y: Tensor, weight: Tensor | None, divisor: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the gradient of the batch's loss; give the loss and the output.

        The loss is the weighted sum over the rows, divided by ``divisor`` where that is not None.
        """
        # No version counters and no dispatch to autograd: a twentieth of a small network's step.
        with torch.inference_mode():
            if self.flattens and X.ndim > 2:
                X = X.flatten(1)
            inputs, kept, output = self._forward(X)
            loss, delta = self._loss(output, y, weight)
            if divisor is not None:
                loss = loss / divisor
                delta.div_(divisor)
            for i in range(len(self.linear) - 1, -1, -1):
                torch.mm(delta.t(), inputs[i], out=self.weight_grads[i])
                torch.sum(delta, 0, out=self.bias_grads[i])
                if i:
                    delta = torch.mm(delta, self.weights[i])
                    delta = self._through_hidden(i - 1, delta, kept[i - 1])
            for _, _, gradient in self.frozen:
                gradient.zero_()
        return loss, output

    def _forward(self, X: Tensor) -> tuple[list[Tensor], list[Any], Tensor]:
        """Give each layer's input, what the way back needs of the hidden ones, and the output."""
        inputs: list[Tensor] = [X]
        kept: list[Any] = []
        for i, activation in enumerate(self.activations):
            hidden = torch.addmm(self.biases[i], inputs[-1], self.weights_t[i])
            rate = self.dropout[i]
            if rate and isinstance(activation, nn.ReLU):
                # One factor for both: the mask where the unit is active.
                factor = _threshold(self._mask(rate, hidden.shape), hidden, 0)
                kept.append((factor, None))
                hidden = hidden.mul_(factor)
            elif rate:
                hidden = activate(activation, hidden)
                mask = self._mask(rate, hidden.shape)
                kept.append((mask, hidden))
                hidden = hidden * mask
            else:
                hidden = activate(activation, hidden)
                kept.append((None, hidden))
            inputs.append(hidden)
        output = torch.addmm(self.biases[-1], inputs[-1], self.weights_t[-1])
        return inputs, kept, output

    def _through_hidden(self, i: int, delta: Tensor, kept: tuple[Any, Any]) -> Tensor:
        """Take the gradient back through dropout and activation of hidden layer ``i``."""
        activation = self.activations[i]
        mask, hidden = kept
        if mask is not None:
            delta = delta.mul_(mask)
        if hidden is None:
            return delta
        if isinstance(activation, nn.ReLU):
            return _threshold(delta, hidden, 0)
        if isinstance(activation, nn.Tanh):
            return delta.mul_(1 - hidden * hidden)
        if isinstance(activation, nn.Sigmoid):
            return delta.mul_(hidden * (1 - hidden))
        if isinstance(activation, nn.ELU):
            return delta.mul_(torch.where(hidden > 0, 1, hidden + activation.alpha))
        return delta

    def _loss(self, output: Tensor, y: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give the loss summed over rows and its gradient with respect to the output."""
        if isinstance(self.criterion, CrossEntropy):
            log_p = torch.log_softmax(output, 1)
            at = y.unsqueeze(1)
            rows, delta = log_p.gather(1, at).neg_().squeeze(1), log_p.exp_()
            delta.scatter_(1, at, -1, reduce="add")
        elif isinstance(self.criterion, BinaryCrossEntropy):
            hot = F.one_hot(y, output.shape[1]).to(output.dtype)
            rows = (F.softplus(output) - hot * output).sum(1)
            delta = torch.sigmoid(output).sub_(hot)
        elif isinstance(self.criterion, SquaredError):
            delta = output - y
            rows = 0.5 * delta.square().sum(1)
        else:
            return self._autograd_loss(output, y, weight)
        if weight is not None:
            rows = rows * weight
            delta *= weight.unsqueeze(1)
        return rows.sum(), delta

    def _autograd_loss(
        self, output: Tensor, y: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Differentiate any other loss at the output only."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = output.clone().requires_grad_()
            rows = self.criterion(leaf, y)
            loss = (rows if weight is None else rows * weight).sum()
            (delta,) = torch.autograd.grad(loss, leaf)
        return loss.detach(), delta


def activate(activation: nn.Module, hidden: Tensor) -> Tensor:
    """Apply an activation, in place where torch has a way to."""
    if isinstance(activation, nn.ReLU):
        return hidden.relu_()
    if isinstance(activation, nn.Tanh):
        return hidden.tanh_()
    if isinstance(activation, nn.Sigmoid):
        return hidden.sigmoid_()
    return activation(hidden)
