"""Steps of many networks by HJB's update."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skbci._training.prepared_fit import PreparedFit
from skbci._training.stack import engine as stack_engine
from skbci._training.stack.optimizers import Steps, TorchSteps, settings_of, step_key
from skbci.optim import HJB, HJBAD, HJBUnder


def build_steps(members: Sequence[PreparedFit]) -> list[Steps]:
    """Return the steps of members that are sorted by `step_key`."""
    out: list[Steps] = []
    start = 0
    for _, same in groupby(members, key=lambda member: step_key(member)[:2]):
        part = list(same)
        kind = type(part[0].net.optimizer_)
        steps = {HJB: HJBSteps, HJBAD: HJBADSteps, HJBUnder: HJBUnderSteps}.get(kind, TorchSteps)
        out.append(steps(part, start))
        start += len(part)
    return out


class _Updates(Steps):
    """The factors from the networks' gradients to HJB's updates."""

    def __init__(self, members: list[PreparedFit], start: int) -> None:
        super().__init__(members, start)
        self.optimizers: list[HJB | HJBAD | HJBUnder] = [
            member.net.optimizer_ for member in members
        ]
        groups = [settings_of(optimizer) for optimizer in self.optimizers]
        self.setting = {
            name: np.array([group[name] for group in groups], dtype=float)
            for name in ("lr", "r", "eps")
        }
        self.scheduled = np.array([group["lr_schedule"] is not None for group in groups])

    def keep(self, kept: np.ndarray, start: int) -> None:
        """Take the settings of the members that stay."""
        super().keep(kept, start)
        self.setting = {name: values[kept] for name, values in self.setting.items()}
        self.scheduled = self.scheduled[kept]
        self.optimizers = [self.optimizers[i] for i in kept]

    def _factors(self, loss: Tensor) -> tuple[np.ndarray, Tensor]:
        """Return the factors from the gradients to HJB's updates, zero for the diverged."""
        norm = torch.linalg.vector_norm(self.grad[:, : self.n_weights], dim=1)
        P, length = torch.stack([loss.double(), norm.double()]).cpu().numpy()
        if (P < 0).any():
            raise ValueError("A loss is negative.")  # an ordinary fit says whose and why
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

    def _step_sizes(self, loss: Tensor, bad: Tensor) -> np.ndarray:
        """Return each network's own learning rate, where it has a schedule for it."""
        if not self.scheduled.any():
            return self.setting["lr"]
        out, losses = self.setting["lr"].copy(), loss.tolist()
        for i in np.flatnonzero(self.scheduled):
            (group,) = self.optimizers[i].param_groups
            group["k"] += 1
            if not bad[i]:
                out[i] = self.optimizers[i].step_size(group, losses[i])
        return out


class HJBSteps(_Updates):
    """`HJB`: the length of a network's step goes by its own loss and gradient norm."""

    def step(self, loss: Tensor) -> Tensor:
        """Go along minus the gradient."""
        factor, bad = self._factors(loss)
        length = self._step_sizes(loss, bad) * factor
        if stack_engine.place_matters(self.flat):
            for weights, gradient, alpha in zip(self.flat, self.grad, length.tolist()):
                if alpha:
                    weights.add_(gradient, alpha=alpha)
        else:
            self.flat.add_(self._times(self.grad, length))
        return bad


class HJBADSteps(_Updates):
    """`HJBAD`: AdaGrad on the updates of HJB."""

    def __init__(self, members: list[PreparedFit], start: int) -> None:
        super().__init__(members, start)
        self.by_norm = settings_of(members[0].net.optimizer_)["accumulate"] == "norm"
        self.sum: Tensor | None = None

    def state(self, i: int) -> dict[str, Any]:
        """Return the network's sums of squares."""
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
        lr = self._column(self._step_sizes(loss, bad))
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


class HJBUnderSteps(_Updates):
    """`HJBUnder`: torch's optimizer on the updates of HJB."""

    def __init__(self, members: list[PreparedFit], start: int) -> None:
        super().__init__(members, start)
        self.inner = TorchSteps(members, start)

    def bind(self, flat: Tensor, grad: Tensor, n_weights: int) -> None:
        """Hand the inner optimizer its part of the stack's weights, too."""
        super().bind(flat, grad, n_weights)
        self.inner.bind(flat, grad, n_weights)

    def keep(self, kept: np.ndarray, start: int) -> None:
        """Take the settings and the inner optimizer's state of the members that stay."""
        super().keep(kept, start)
        self.inner.keep(kept, start)

    def state(self, i: int) -> dict[str, Any]:
        """Return the inner optimizer's state of a network."""
        return self.inner.state(i)

    def step(self, loss: Tensor) -> Tensor:
        """Let torch step, with minus the update in the gradient's place."""
        factor, bad = self._factors(loss)
        self.grad.copy_(self._times(self.grad, -factor))
        self.inner.step(loss)
        return bad
