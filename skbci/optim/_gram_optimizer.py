"""Base of the optimizers that solve with the Gram matrix ``J J'``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from skbci._checks import check_positive, is_number
from skbci.optim._errors import NonFiniteLossError
from skbci.optim._jacobian.forward_tap import ForwardTap
from skbci.optim._jacobian.jacobian import Jacobian
from skbci.optim._jacobian.layers import check_batch_norm, gram_layers
from skbci.optim._output_error import OutputErrorOptimizer

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


class GramOptimizer(OutputErrorOptimizer):
    """Base of rules ``u = D J' f(J D J') e`` with a diagonal D, constant in a parameter group.

    Children give D's entries and the action of f.
    """

    def __init__(
        self, params: ParamsT, defaults: dict[str, Any], module: Any, max_gram_bytes: Any
    ) -> None:
        if not (is_number(max_gram_bytes) and max_gram_bytes == math.inf):
            check_positive(max_gram_bytes, "max_gram_bytes", self, unit="bytes", also="inf")
        self.max_gram_bytes = max_gram_bytes
        self._forget()
        super().__init__(params, defaults, module)
        self._layers()

    def __getstate__(self) -> dict[str, Any]:
        """Keep the limit."""
        return {**super().__getstate__(), "max_gram_bytes": self.max_gram_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore, and look at the module afresh."""
        super().__setstate__(state)
        self._forget()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group.

        Parameters
        ----------
        param_group : dict
            ``params`` and the settings that differ from the defaults.

        Raises
        ------
        ValueError
            If a setting is not allowed, or a parameter is not one of the module's.
        """
        super().add_param_group(param_group)
        self._forget()

    def _forget(self) -> None:
        """Drop what is known about the module."""
        self._known_layers: list[nn.Module] | None = None
        self._batch_norms: list[tuple[str, nn.Module]] = []
        self._trusted = False

    def _layers(self) -> list[nn.Module]:
        if self._known_layers is None:
            params = [p for group in self.param_groups for p in group["params"]]
            self._known_layers = gram_layers(self.module, params, type(self).__name__)
            self._batch_norms = [
                (name, layer)
                for name, layer in self.module.named_modules()
                if isinstance(layer, nn.modules.batchnorm._BatchNorm)
            ]
        return self._known_layers

    def _move(self, tap: ForwardTap, error: Tensor, squared: float, params: list[Tensor]) -> None:
        check_batch_norm(self._batch_norms, type(self).__name__)
        self._check_size(tap)
        weights = self._group_weights()
        trained = set(params)
        scale = {
            p: c
            for group, c in zip(self.param_groups, weights)
            for p in group["params"]
            if p in trained
        }
        jacobian = Jacobian(tap, scale)
        K = jacobian.gram()
        if not math.isfinite(float(K.diagonal().sum())):
            raise NonFiniteLossError(f"{type(self).__name__}: the Jacobian is not finite.")
        if not self._trusted:
            self._compare(tap, K, scale)
            self._trusted = True
        error = error.to(K.dtype)
        v = self._solve(K, error) if squared else error
        gradients, steps = jacobian.pull_back([-error, v], params)
        if self._keep_gradients(params, gradients) == 0:
            return
        updates = dict(zip(params, steps))
        for group, c in zip(self.param_groups, weights):
            moved = [p for p in group["params"] if updates.get(p) is not None]
            if moved:
                by: list[Any] = [updates[p] for p in moved]
                torch._foreach_add_(moved, by, alpha=group["lr"] * c)

    def _group_weights(self) -> list[float]:
        """Return D's entry of each group."""
        raise NotImplementedError

    def _solve(self, K: Tensor, e: Tensor) -> Tensor:
        """Compute f(K) e."""
        raise NotImplementedError

    def _check_size(self, tap: ForwardTap) -> None:
        size = tap.n_rows * tap.n_outputs
        element = max(4, tap.outputs[0].element_size())
        needed = size * size * element
        if needed > self.max_gram_bytes:
            raise ValueError(
                f"{type(self).__name__}: {tap.n_rows} rows x {tap.n_outputs} outputs in one step "
                f"need a Gram matrix of {size} x {size} entries, {needed} bytes "
                f"({needed / 2**30:.2f} GiB), more than max_gram_bytes={self.max_gram_bytes}. "
                "Take smaller mini-batches, or raise the limit."
            )

    def _compare(self, tap: ForwardTap, K: Tensor, scale: dict[Tensor, float]) -> None:
        """Check once that the Gram matrix is that of the Jacobian in the graph: v'Kv = |J'v|^2.

        It is not if the module couples the patterns of a batch, or uses a layer's parameters
        outside of the layer.
        """
        v = torch.cos(torch.arange(1, len(K) + 1, device=K.device, dtype=K.dtype) ** 2)
        params = list(scale)
        squares = [
            scale[p] * float(g.to(K.dtype).square().sum())
            for p, g in zip(params, tap.pull_back(v, params))
            if g is not None
        ]
        expected, found = sum(squares), float(v @ (K @ v))
        tolerance = 30 * torch.finfo(tap.outputs[0].dtype).eps ** 0.5
        if not abs(found - expected) <= tolerance * max(expected, found):
            raise ValueError(
                f"{type(self).__name__} cannot train {type(self.module).__name__}: the module "
                "couples the patterns of a mini-batch, or uses a layer's parameters outside of "
                f"that layer (v'JJ'v is {found:.6g} layer by layer, but {expected:.6g} as a "
                "whole). Use 'lf' or 'hjb', which take any module."
            )
