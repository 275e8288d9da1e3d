"""Forward and backward pass of fully connected networks, written out by hand, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skbci._training.criteria import BinaryCrossEntropy, CrossEntropy, SquaredError

#: Inputs, targets, and row weights or None.
Batch = tuple[Tensor, Tensor, Tensor | None]
#: What a child makes of a layer's weights and biases, or of their gradients.
Layer = tuple[Tensor, ...]
#: Of a hidden layer: its mask, and its values where the activation's slope asks for them.
Kept = tuple[Tensor | None, Tensor | None]
#: The mask of a hidden layer, by its number and its values before the activation; None: no mask.
Masks = Callable[[int, Tensor], Tensor | None]

# Gives the first argument where the second is above the third, and zero elsewhere.
_threshold = torch.ops.aten.threshold_backward.default


class DensePass:
    """Loss and gradient of a fully connected network, or of many of one shape.

    Children say how a layer's products are computed, for one network or for a stack of them. Rows
    are the last axis but one, features the last.

    Parameters
    ----------
    activations : list of nn.Module
        After each layer but the last.
    criterion : nn.Module
        Gives one loss per row.
    """

    def __init__(self, activations: list[nn.Module], criterion: nn.Module) -> None:
        self.activations = activations
        self.criterion = criterion

    # -- what children say ----------------------------------------------------------------

    def linear(self, layer: Layer, X: Tensor) -> Tensor:
        """Return the layer's output."""
        raise NotImplementedError

    def linear_back(self, layer: Layer, delta: Tensor) -> Tensor:
        """Return the gradient with respect to the layer's input."""
        raise NotImplementedError

    def write_gradient(self, gradient: Layer, delta: Tensor, entering: Tensor) -> None:
        """Write the gradients of the layer's weights and biases."""
        raise NotImplementedError

    def divide(self, loss: Tensor, delta: Tensor, divisor: float | Tensor) -> Tensor:
        """Divide the loss, and in place its gradient."""
        raise NotImplementedError

    def elementwise(
        self, function: Callable[[Tensor], Tensor], values: Tensor, exact: bool = False
    ) -> Tensor:
        """Apply a function to every value; ``exact`` says that it does not round."""
        return function(values)

    # -- the pass -------------------------------------------------------------------------

    def loss_and_gradient(
        self, layers: Sequence[Layer], gradients: Sequence[Layer], batch: Batch, masks: Masks,
        divisor: float | Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Write the gradient of a batch's loss, and return the loss and the output.

        The loss is the weighted sum over the rows, divided by ``divisor`` where that is not None.
        """
        X, y, weight = batch
        inputs, kept, output = self.forward(layers, X, masks)
        loss, delta = self.loss_and_delta(output, y, weight)
        if divisor is not None:
            loss = self.divide(loss, delta, divisor)
        for i in range(len(layers) - 1, -1, -1):
            self.write_gradient(gradients[i], delta, inputs[i])
            if i:
                delta = self._hidden_back(i - 1, self.linear_back(layers[i], delta), kept[i - 1])
        return loss, output

    def forward(
        self, layers: Sequence[Layer], X: Tensor, masks: Masks | None = None
    ) -> tuple[list[Tensor], list[Kept], Tensor]:
        """Return each layer's input, what the way back needs of the hidden ones, and the output.

        Without ``masks`` there is no dropout and no way back.
        """
        inputs: list[Tensor] = [X]
        kept: list[Kept] = []
        for i, activation in enumerate(self.activations):
            hidden = self.linear(layers[i], X)
            mask = None if masks is None else masks(i, hidden)
            relu = isinstance(activation, nn.ReLU)
            if mask is not None and relu:
                # One factor for both: the mask where the unit is active.
                mask = _threshold(mask, hidden, 0)
                back: Kept = mask, None
                X = hidden.mul_(mask)
            else:
                if relu:
                    hidden = hidden.relu_()
                else:
                    exact = isinstance(activation, nn.Identity)
                    hidden = self.elementwise(partial(_activate, activation), hidden, exact)
                back = mask, hidden
                X = hidden if mask is None else hidden * mask
            if masks is not None:
                inputs.append(X)
                kept.append(back)
        return inputs, kept, self.linear(layers[-1], X)

    def _hidden_back(self, i: int, delta: Tensor, kept: Kept) -> Tensor:
        """Take the gradient back through dropout and activation of hidden layer ``i``."""
        mask, hidden = kept
        if mask is not None:
            delta = delta.mul_(mask)
        if hidden is None:
            return delta
        activation = self.activations[i]
        if isinstance(activation, nn.ReLU):
            return _threshold(delta, hidden, 0)
        if isinstance(activation, nn.Tanh):
            return delta.mul_(1 - hidden * hidden)
        if isinstance(activation, nn.Sigmoid):
            return delta.mul_(hidden * (1 - hidden))
        if isinstance(activation, nn.ELU):
            return delta.mul_(torch.where(hidden > 0, 1, hidden + activation.alpha))
        return delta

    def loss_and_delta(
        self, output: Tensor, y: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the loss summed over rows and its gradient with respect to the output."""
        if isinstance(self.criterion, CrossEntropy):
            log_p = torch.log_softmax(output, -1)
            at = y.unsqueeze(-1)
            rows = log_p.gather(-1, at).neg_().squeeze(-1)
            delta = self.elementwise(torch.exp_, log_p)
            delta.scatter_(-1, at, -1, reduce="add")
        elif isinstance(self.criterion, BinaryCrossEntropy):
            hot = F.one_hot(y, output.shape[-1]).to(output.dtype)
            rows = (self.elementwise(F.softplus, output) - hot * output).sum(-1)
            delta = self.elementwise(torch.sigmoid, output).sub_(hot)
        elif isinstance(self.criterion, SquaredError):
            delta = output - y
            rows = 0.5 * delta.square().sum(-1)
        else:
            return self._autograd_loss(output, y, weight)
        if weight is not None:
            rows = rows * weight
            delta *= weight.unsqueeze(-1)
        return rows.sum(-1), delta

    def _autograd_loss(
        self, output: Tensor, y: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Differentiate any other loss of one network at the output only."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = output.clone().requires_grad_()
            rows = self.criterion(leaf, y)
            loss = (rows if weight is None else rows * weight).sum()
            (delta,) = torch.autograd.grad(loss, leaf)
        return loss.detach(), delta


def _activate(activation: nn.Module, hidden: Tensor) -> Tensor:
    """Apply an activation, in place where torch has a way to."""
    if isinstance(activation, nn.Tanh):
        return hidden.tanh_()
    if isinstance(activation, nn.Sigmoid):
        return hidden.sigmoid_()
    return activation(hidden)
