"""Optimizer steps of many networks, each with its own settings."""

from __future__ import annotations

import copy
from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skbci._training.prepared_fit import PreparedFit
from skbci._training.stack import engine as stack_engine
from skbci.optim import HJBUnder

if TYPE_CHECKING:
    from torch.optim import Optimizer

# The networks' weights start at multiples of so many numbers.
_ROW = 16


def step_key(member: PreparedFit) -> tuple[str, str, str]:
    """Sort members so that equal rules, and equal settings, lie side by side."""
    optimizer = member.net.optimizer_
    settings = settings_of(optimizer)
    kind = type(optimizer)
    return (
        f"{kind.__module__}.{kind.__qualname__}",
        str(settings.get("accumulate", getattr(optimizer, "inner", ""))),
        repr(sorted(settings.items())),
    )


def settings_of(optimizer: Optimizer) -> dict[str, Any]:
    """Return the settings of an optimizer's only parameter group."""
    group = optimizer.param_groups[0]
    return {name: value for name, value in group.items() if name != "params"}


def padding(n_weights: int) -> int:
    """Return the zeros after a network's weights, so that all networks' start alike in memory."""
    return -n_weights % _ROW


class Steps:
    """Optimizer steps of the networks ``start`` to ``start + n`` of a stack."""

    def __init__(self, members: list[PreparedFit], start: int) -> None:
        self.start = start
        self.n = len(members)

    @property
    def rows(self) -> slice:
        """The stack's rows that are stepped."""
        return slice(self.start, self.start + self.n)

    def bind(self, flat: Tensor, grad: Tensor, n_weights: int) -> None:
        """Work on these weights and gradients from now on.

        Both have the shape (n_members, n_weights or more); what is more is zero.
        """
        self.flat, self.grad = flat[self.rows], grad[self.rows]
        self.n_weights = n_weights

    def keep(self, kept: np.ndarray, start: int) -> None:
        """Forget all but some of the own rows; the first has the place ``start`` then."""
        self.start, self.n = start, len(kept)

    def step(self, loss: Tensor) -> Tensor | None:
        """Change the weights by the losses (n,); return which networks have diverged (n,)."""
        raise NotImplementedError

    def state(self, i: int) -> dict[str, Any]:
        """Return what the optimizer of the own network ``i`` would know by now."""
        return {}


class TorchSteps(Steps):
    """Element-wise rules: torch's own optimizer, with a parameter group for equal settings."""

    def __init__(self, members: list[PreparedFit], start: int) -> None:
        super().__init__(members, start)
        # A copy with the class's hooks; its own parameters come with `bind`.
        self.optimizer = copy.copy(_torchs(members[0]))
        # torch's fused kernels round a vector's last numbers in another way: a parameter each.
        fused = self.optimizer.param_groups[0].get("fused")
        self.exact = bool(fused) and stack_engine.place_matters(members[0].train[0])
        self.dtype = torch.float64 if members[0].double else torch.float32
        # Settings, and how many networks each parameter of the group holds, with its state.
        self.groups: list[tuple[dict[str, Any], list[tuple[int, dict[str, Any]]]]] = []
        for _, same in groupby(members, key=step_key):
            part = list(same)
            settings = settings_of(_torchs(part[0]))
            (state,) = list(_torchs(part[0]).state.values()) or [{}]
            counts = [1] * len(part) if self.exact else [len(part)]
            self.groups.append((settings, [(n, self._spread(state, n)) for n in counts]))

    def bind(self, flat: Tensor, grad: Tensor, n_weights: int) -> None:
        """Hand each parameter group its part of the stack's weights."""
        super().bind(flat, grad, n_weights)
        width = n_weights if self.exact else flat.shape[1]
        self.optimizer.state = defaultdict(dict)
        self.optimizer.param_groups = []
        at = 0
        for settings, parts in self.groups:
            params = []
            for count, state in parts:
                param = torch.nn.Parameter(self.flat[at : at + count, :width])
                param.grad = self.grad[at : at + count, :width]
                if state:
                    self.optimizer.state[param] = state
                params.append(param)
                at += count
            self.optimizer.param_groups.append({**settings, "params": params})

    def keep(self, kept: np.ndarray, start: int) -> None:
        """Take the optimizer's state of the members that stay."""
        super().keep(kept, start)
        groups, at = [], 0
        for (settings, parts), bound in zip(self.groups, self.optimizer.param_groups):
            left = []
            for (count, _), param in zip(parts, bound["params"]):
                subset = kept[(kept >= at) & (kept < at + count)] - at
                at += count
                if len(subset):
                    left.append((len(subset), _select(self.optimizer.state[param], subset)))
            if left:
                groups.append((settings, left))
        self.groups = groups

    def step(self, loss: Tensor) -> None:
        """Take the step of torch's optimizer."""
        self.optimizer.step()

    def state(self, i: int) -> dict[str, Any]:
        """Cut the network's part out of its parameter's state."""
        for group in self.optimizer.param_groups:
            for param in group["params"]:
                if i < len(param):
                    part = _select(self.optimizer.state[param], np.array([i]))
                    return {name: self._own(value) for name, value in part.items()}
                i -= len(param)
        raise IndexError(i)

    def _own(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return value[0, : self.n_weights].float() if value.ndim else value.clone()

    def _spread(self, state: dict[str, Any], n: int) -> dict[str, Any]:
        """Return a fresh optimizer's state for n networks."""
        out = {}
        for name, value in state.items():
            if isinstance(value, Tensor):
                value = value.clone()
                if value.ndim:
                    more = 0 if self.exact else padding(len(value))
                    value = F.pad(value.to(self.dtype), (0, more)).expand(n, -1).clone()
            out[name] = value
        return out


def _torchs(member: PreparedFit) -> Optimizer:
    """Return the optimizer that steps by the gradient alone."""
    optimizer = member.net.optimizer_
    return optimizer.inside if isinstance(optimizer, HJBUnder) else optimizer


def _select(state: dict[str, Any], subset: np.ndarray) -> dict[str, Any]:
    """Return the state of some of a parameter's networks."""
    return {
        name: value[torch.as_tensor(subset, device=value.device)]
        if isinstance(value, Tensor) and value.ndim
        else value
        for name, value in state.items()
    }
