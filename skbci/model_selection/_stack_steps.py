"""Optimizer steps of many networks, each with its own settings."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skbci.model_selection import _stack_engine
from skbci.model_selection._stack_members import Member
from skbci.optim import HJB, HJBAD

# The networks' weights start at multiples of so many numbers.
_ROW = 16


def step_key(member: Member) -> tuple[str, str, str]:
    """Sort members so that equal rules, and equal settings, lie side by side."""
    optimizer = member.net.optimizer_
    settings = _settings(member)
    kind = type(optimizer)
    return (
        f"{kind.__module__}.{kind.__qualname__}",
        str(settings.get("accumulate", "")),
        repr(sorted(settings.items())),
    )


def _settings(member: Member) -> dict[str, Any]:
    group = member.net.optimizer_.param_groups[0]
    return {name: value for name, value in group.items() if name != "params"}


def padding(n_weights: int) -> int:
    """Give the zeros after a network's weights, so that all networks' start alike in memory."""
    return -n_weights % _ROW


def build_steps(members: Sequence[Member]) -> list[Steps]:
    """Give the steps of members that are sorted by `step_key`."""
    out: list[Steps] = []
    start = 0
    for _, same in groupby(members, key=lambda member: step_key(member)[:2]):
        part = list(same)
        kind = type(part[0].net.optimizer_)
        steps = {HJB: HJBSteps, HJBAD: HJBADSteps}.get(kind, TorchSteps)
        out.append(steps(part, start))
        start += len(part)
    return out


class Steps:
    """Optimizer steps of the networks ``start`` to ``start + n`` of a stack."""

    def __init__(self, members: list[Member], start: int) -> None:
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
        """Change the weights by the losses (n,); tell which networks have diverged (n,)."""
        raise NotImplementedError

    def state(self, i: int) -> dict[str, Any]:
        """Give what the optimizer of the own network ``i`` would know by now."""
        return {}


class TorchSteps(Steps):
    """Element-wise rules: torch's own optimizer, with a parameter group for equal settings."""

    def __init__(self, members: list[Member], start: int) -> None:
        super().__init__(members, start)
        # A copy with the class's hooks; its own parameters come with `bind`.
        self.optimizer = copy.copy(members[0].net.optimizer_)
        # torch's fused kernels round a vector's last numbers in another way: a parameter each.
        fused = self.optimizer.param_groups[0].get("fused")
        self.exact = bool(fused) and _stack_engine.place_matters(members[0].train[0])
        self.dtype = torch.float64 if members[0].double else torch.float32
        # Settings, and how many networks each parameter of the group holds, with its state.
        self.groups: list[tuple[dict[str, Any], list[tuple[int, dict[str, Any]]]]] = []
        for _, same in groupby(members, key=step_key):
            part = list(same)
            settings = _settings(part[0])
            (state,) = list(part[0].net.optimizer_.state.values()) or [{}]
            counts = [1] * len(part) if self.exact else [len(part)]
            self.groups.append((settings, [(n, self._spread(state, n)) for n in counts]))

    def bind(self, flat: Tensor, grad: Tensor, n_weights: int) -> None:
        """Give each parameter group its part of the stack's weights."""
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
                mine = kept[(kept >= at) & (kept < at + count)] - at
                at += count
                if len(mine):
                    left.append((len(mine), _select(self.optimizer.state[param], mine)))
            if left:
                groups.append((settings, left))
        self.groups = groups

    def step(self, loss: Tensor) -> None:
        """Let torch do it."""
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
        """Give a fresh optimizer's state for n networks."""
        out = {}
        for name, value in state.items():
            if isinstance(value, Tensor):
                value = value.clone()
                if value.ndim:
                    more = 0 if self.exact else padding(len(value))
                    value = F.pad(value.to(self.dtype), (0, more)).expand(n, -1).clone()
            out[name] = value
        return out


def _select(state: dict[str, Any], mine: np.ndarray) -> dict[str, Any]:
    """Give the state of some of a parameter's networks."""
    return {
        name: value[torch.as_tensor(mine, device=value.device)]
        if isinstance(value, Tensor) and value.ndim
        else value
        for name, value in state.items()
    }


class HJBSteps(Steps):
    """`HJB`: the length of a network's step goes by its own loss and gradient norm."""

    def __init__(self, members: list[Member], start: int) -> None:
        super().__init__(members, start)
        groups = [_settings(member) for member in members]
        self.setting = {
            name: np.array([group[name] for group in groups], dtype=float)
            for name in ("lr", "r", "eps")
        }

    def keep(self, kept: np.ndarray, start: int) -> None:
        """Take the settings of the members that stay."""
        super().keep(kept, start)
        self.setting = {name: values[kept] for name, values in self.setting.items()}

    def step(self, loss: Tensor) -> Tensor:
        """Go along minus the gradient."""
        factor, bad = self._factors(loss)
        length = self.setting["lr"] * factor
        if _stack_engine.place_matters(self.flat):
            for weights, gradient, alpha in zip(self.flat, self.grad, length.tolist()):
                if alpha:
                    weights.add_(gradient, alpha=alpha)
        else:
            self.flat.add_(self._times(self.grad, length))
        return bad

    def _factors(self, loss: Tensor) -> tuple[np.ndarray, Tensor]:
        """Give the factors from the gradients to HJB's updates, zero for the diverged."""
        norm = torch.linalg.vector_norm(self.grad[:, : self.n_weights], dim=1)
        P, length = torch.stack([loss.double(), norm.double()]).cpu().numpy()
        if (P < 0).any():
            raise ValueError("A loss is negative.")  # the ordinary fit tells whose and why
        bad = ~(np.isfinite(P) & np.isfinite(length))
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = -np.sqrt(2 * P / self.setting["r"]) / (length + self.setting["eps"])
        factor = np.where(bad | (length == 0), 0.0, factor)
        return factor, torch.from_numpy(bad)

    def _times(self, values: Tensor, factor: np.ndarray) -> Tensor:
        """Multiply networks' values by their factors; a zero stops what is not finite, too."""
        column = self._column(factor)
        return torch.where(column == 0, 0, values * column)

    def _column(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=self.flat.dtype, device=self.flat.device)[:, None]


class HJBADSteps(HJBSteps):
    """`HJBAD`: AdaGrad on the updates of HJB."""

    def __init__(self, members: list[Member], start: int) -> None:
        super().__init__(members, start)
        self.by_norm = _settings(members[0])["accumulate"] == "norm"
        self.sum: Tensor | None = None

    def state(self, i: int) -> dict[str, Any]:
        """Give the network's sums of squares."""
        if self.sum is None:
            return {}
        own = self.sum[i, : self.n_weights].clone()
        return {"sum": own[0] if self.by_norm else own.float()}

    def keep(self, kept: np.ndarray, start: int) -> None:
        """Take the sums of the members that stay."""
        super().keep(kept, start)
        if self.sum is not None:
            self.sum = self.sum[torch.as_tensor(kept, device=self.sum.device)]

    def step(self, loss: Tensor) -> Tensor:
        """Add to the sums of squares, then move."""
        factor, bad = self._factors(loss)
        update = self._times(self.grad, factor)
        lr = self._column(self.setting["lr"])
        if self.by_norm:
            own = update[:, : self.n_weights]
            squared = torch.linalg.vector_norm(own, dim=1, keepdim=True) ** 2
            self.sum = squared if self.sum is None else self.sum + squared
            denominator = torch.sqrt(self.sum) + self._column(self.setting["eps"])
            scale = torch.where(denominator > 0, lr / denominator, 0)
            self.flat.add_(update * scale)
            return bad
        if self.sum is None:
            self.sum = torch.zeros_like(self.flat)
        self.sum.addcmul_(update, update)
        tiny = torch.finfo(self.flat.dtype).tiny
        eps = np.where(self.setting["eps"] > 0, self.setting["eps"], tiny)
        denominator = torch.sqrt(self.sum).add_(self._column(eps))
        self.flat.add_((update * lr).div_(denominator))
        return bad


