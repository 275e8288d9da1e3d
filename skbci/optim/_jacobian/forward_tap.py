"""Recording of one forward pass: the output error, and each layer's input and output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge


@dataclass
class Call:
    """One use of a layer in the forward pass."""

    layer: nn.Module
    input: Tensor
    edge: GradientEdge
    #: Gradient of each output unit with respect to the layer's output, (n_outputs, *its shape).
    signal: Tensor | None = None

    @property
    def returned(self) -> Tensor:
        """The signal of a call that the output depends on, once it was sent back."""
        if self.signal is None:
            raise RuntimeError(f"No signal came back to the layer {type(self.layer).__name__}.")
        return self.signal


@dataclass
class ForwardTap:
    """Context that cuts the graph at the module's output while a closure runs.

    The loss then back-propagates to a copy of the output only, whose gradient is minus the output
    error. The graph from the parameters to the output stays alive, for as many passes as a rule
    needs, on the one forward pass (and the one set of dropout masks) that there was.

    Parameters
    ----------
    module : nn.Module
    layers : iterable of nn.Module
        Layers whose input and place in the graph are wanted.
    who : str
        The optimizer's name, for messages.
    row_weights : Tensor, shape (n_rows,), optional
        Weights that the loss gives to the patterns. A pattern's error and its rows of the
        Jacobian are then multiplied by the root of its weight, so that a pattern of weight two
        counts as two patterns.
    """

    module: nn.Module
    layers: Iterable[nn.Module]
    who: str
    row_weights: Tensor | None = None
    calls: list[Call] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    leaves: list[Tensor] = field(default_factory=list)
    n_passes: int = 0
    root: Tensor | None = None

    def __enter__(self) -> ForwardTap:
        self._handles = [
            layer.register_forward_hook(self._hear, with_kwargs=True) for layer in self.layers
        ]
        self._handles.append(self.module.register_forward_hook(self._cut))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _hear(self, layer: nn.Module, args: tuple, kwargs: dict[str, Any], output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad and torch.is_grad_enabled():
            given = args[0] if args else next(iter(kwargs.values()))
            # The edge, not the tensor: an activation may write its result over it.
            edge = get_gradient_edge(output)
            self.calls.append(Call(layer, given.detach(), edge))

    def _cut(self, module: nn.Module, args: tuple, output: Any) -> Any:
        if not torch.is_grad_enabled():
            return None
        self.n_passes += 1
        if isinstance(output, Tensor):
            return self._leaf(output)
        if isinstance(output, (tuple, list)) and all(isinstance(o, Tensor) for o in output):
            parts = [self._leaf(o) if o.requires_grad else o for o in output]
            return type(output)(parts) if type(output) in (tuple, list) else type(output)(*parts)
        raise TypeError(
            f"{self.who}: {type(module).__name__} returned {type(output).__name__}; it must "
            "return a tensor, or a tuple of tensors, with one row for each pattern."
        )

    def _leaf(self, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        self.outputs.append(output)
        self.leaves.append(leaf)
        return leaf

    def finish(self) -> None:
        """Check that the closure did what is needed, and forget outputs that the loss ignores."""
        name = type(self.module).__name__
        if self.n_passes != 1:
            raise ValueError(
                f"{self.who}: the closure called {name} {self.n_passes} times with gradients "
                "enabled; call it once, with the whole mini-batch."
            )
        used = [i for i, leaf in enumerate(self.leaves) if leaf.grad is not None]
        if not used:
            raise ValueError(
                f"{self.who}: no gradient reached the output of {name}; the closure must compute "
                "the loss from it and call backward."
            )
        self.outputs = [self.outputs[i] for i in used]
        self.leaves = [self.leaves[i] for i in used]
        if not all(output.requires_grad for output in self.outputs):
            raise ValueError(
                f"{self.who}: the output of {name} does not depend on any parameter with "
                "requires_grad=True."
            )
        rows = {tuple(output.shape[:1]) for output in self.outputs}
        if len(rows) != 1 or rows == {()}:
            shapes = ", ".join(str(tuple(output.shape)) for output in self.outputs)
            raise ValueError(
                f"{self.who}: the outputs of {name} have the shapes {shapes}; the first axis of "
                "each must hold the patterns of the mini-batch."
            )

        if self.row_weights is not None:
            self._weigh(self.row_weights)

    def _weigh(self, weights: Tensor) -> None:
        weights = weights.detach().to(self.outputs[0])
        if weights.shape != (self.n_rows,) or not bool((weights >= 0).all()):
            raise ValueError(
                f"{self.who}: row_weights of shape {tuple(weights.shape)} must hold a number of "
                f"at least 0 for each of the {self.n_rows} rows."
            )
        self.root = weights.sqrt().repeat(self.n_outputs)

    @property
    def n_rows(self) -> int:
        """Patterns in the mini-batch."""
        return self.outputs[0].shape[0]

    @property
    def n_outputs(self) -> int:
        """Output units, over all outputs that the loss depends on."""
        return sum(output.shape[1:].numel() for output in self.outputs)

    def error(self) -> Tensor:
        """Return the output error, (n_outputs * n_rows,), pattern after pattern in a unit."""
        parts = [leaf.grad.reshape(self.n_rows, -1) for leaf in self.leaves]  # type: ignore
        slopes = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        error = slopes.t().neg().reshape(-1)
        if self.root is None:
            return error
        return torch.where(self.root > 0, error / self.root, 0)

    def pull_back(self, v: Tensor, params: list[Tensor]) -> list[Tensor | None]:
        """Compute J'v for each parameter (None where the output does not depend on it)."""
        if self.root is not None:
            v = v * self.root
        per_row = v.view(self.n_outputs, self.n_rows).t()
        sizes = [output.shape[1:].numel() for output in self.outputs]
        seeds = [
            part.reshape(output.shape).to(output.dtype)
            for part, output in zip(per_row.split(sizes, dim=1), self.outputs)
        ]
        return list(
            torch.autograd.grad(self.outputs, params, seeds, retain_graph=True, allow_unused=True)
        )

    def send_signals(self) -> None:
        """Back-propagate each output unit, for all patterns at once, to every layer's output.

        A pattern's row of the Jacobian is told from the others' only because no pattern's output
        depends on another pattern.
        """
        edges = [call.edge for call in self.calls]
        heard: list[list[Tensor | None]] = []
        for output in self.outputs:
            for unit in range(output.shape[1:].numel()):
                seed = torch.zeros_like(output)
                seed.view(self.n_rows, -1)[:, unit] = 1
                heard.append(
                    list(
                        torch.autograd.grad(
                            output, edges, seed, retain_graph=True, allow_unused=True
                        )
                    )
                )
        for call, signals in zip(self.calls, zip(*heard)):
            present = [s for s in signals if s is not None]
            if present:
                zero = torch.zeros_like(present[0]) if len(present) < len(signals) else None
                call.signal = torch.stack([zero if s is None else s for s in signals])  # type: ignore
