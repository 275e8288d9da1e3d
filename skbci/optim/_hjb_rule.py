"""Base of the optimizers that step by HJB's update."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from skbci._checks import check_flag
from skbci.optim._closure_optimizer import ClosureOptimizer, global_norm
from skbci.optim._theorem_steps import check_schedule, theorem_step

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


class HJBRule(ClosureOptimizer):
    """Base of the optimizers that are given HJB's update u, equation (22) of the HJB paper.

    Adds the learning rates of the paper's theorems and the averaged iterate that they are about.
    """

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        name = type(self).__name__
        check_schedule(defaults["lr_schedule"], defaults["n_steps"], defaults["eps1"], name)
        check_flag(defaults["averaging"], "averaging", name)
        # Steps taken, and how many of them are in the average.
        super().__init__(params, {**defaults, "k": 0, "n_averaged": 0})

    # -- the update -----------------------------------------------------------------------

    def _hjb_factors(self, loss: Tensor) -> Iterator[tuple[dict[str, Any], list, list, Any, Any]]:
        """Yield each group's settings, parameters, gradients, the factor from g to u, and eta.

        Factor and learning rate are numbers on the CPU and 0-dim tensors elsewhere. Nothing is
        yielded for a bad loss whose error is yet to come.
        """
        self._average()
        parts = self._gradients()
        if not parts:
            return
        norm = global_norm([g for _, _, grads in parts for g in grads])
        if self._defer is None:
            self._defer = loss.device.type != "cpu"
        if self._defer:
            self._check_later(loss, norm)
            self._count()
            ok = torch.isfinite(loss) & (loss >= 0) & torch.isfinite(norm) & (norm > 0)
            for group, params, grads in parts:
                factor = -torch.sqrt(2 * loss) / (norm + group["eps"]) * group["r"] ** -0.5
                grads = [torch.where(ok, g, 0) for g in grads]
                lr = self.step_size(group, torch.where(ok, loss, 0))
                yield group, params, grads, torch.where(ok, factor, 0), lr
            return
        P, length = loss.item(), norm.item()
        self._check_loss(P)
        self._check_norm(length)
        self._count()
        for group, params, grads in parts:
            reach = math.sqrt(2 * P / group["r"])
            factor = -reach / (length + group["eps"]) if length else 0.0
            yield group, params, grads, factor, self.step_size(group, P)

    def step_size(self, group: dict[str, Any], P: Any) -> Any:
        """Return the learning rate of the step that a parameter group is at.

        Parameters
        ----------
        group : dict
            One of ``param_groups``; its ``k`` is the number of the step, from 1 on.
        P : float or Tensor
            The loss.

        Returns
        -------
        float or Tensor
        """
        schedule = group["lr_schedule"]
        if schedule is None:
            return group["lr"]
        square = 2 * P + group["eps1"]
        root = torch.sqrt(square) if isinstance(square, Tensor) else math.sqrt(square)
        return theorem_step(
            schedule, group["lr"], root, group["k"], group["r"], group["n_steps"]
        )

    def _count(self) -> None:
        for group in self.param_groups:
            group["k"] += 1

    # -- the averaged iterate -------------------------------------------------------------

    def train(self) -> None:
        """Go on from the last iterate, after `eval`.

        Weights that were changed since are gone on from as they are, and the average up to then is
        taken to be them. A step calls this by itself.
        """
        iterate = self._notes.pop("iterate", None)
        if iterate is None:
            return
        average, params = self._notes["average"], dict(self._averaged())
        unchanged = all(torch.equal(p, average[key]) for key, p in params.items())
        with torch.no_grad():
            for key, p in params.items():
                if unchanged:
                    p.copy_(iterate[key])
                else:
                    average[key] = p.detach().clone()

    def eval(self) -> None:
        """Put the averaged iterate into the parameters; without ``averaging`` do nothing."""
        self._average()
        if "average" not in self._notes or "iterate" in self._notes:
            return
        average, iterate = self._notes["average"], {}
        with torch.no_grad():
            for key, p in self._averaged():
                iterate[key] = p.detach().clone()
                p.copy_(average[key])
        self._notes["iterate"] = iterate

    def _before_closure(self) -> None:
        self.train()

    @property
    def _notes(self) -> dict[Any, Any]:
        """Return what is kept of all parameters, beside the state of an inner optimizer."""
        return self.state

    def _averaged(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the parameters whose iterates are averaged, by number."""
        number = 0
        for group in self.param_groups:
            for p in group["params"]:
                if group["averaging"] and p.requires_grad:
                    yield str(number), p
                number += 1

    def _average(self) -> None:
        """Add the last step's iterate, as whatever comes after a step has left it.

        With weights growing as 1, 2, ..., the k-th has the share 2 / (k + 1) of the average.
        """
        behind = [
            g for g in self.param_groups if g["averaging"] and g["n_averaged"] < g["k"]
        ]
        if not behind or "iterate" in self._notes:
            return
        share = 2 / (behind[0]["k"] + 1)
        keys, params = zip(*self._averaged())
        average = self._notes.get("average", {})
        old = [average.get(key, p) for key, p in zip(keys, params)]
        with torch.no_grad():
            change = torch._foreach_sub(params, old)
            torch._foreach_mul_(change, share)
            self._notes["average"] = dict(zip(keys, torch._foreach_add(old, change)))
        for group in behind:
            group["n_averaged"] = group["k"]
