"""The averaged iterates of the networks of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skbci._training.prepared_fit import PreparedFit


class Averages:
    """What the HJB rules' ``averaging`` keeps, for the members that ask for it.

    All members of a stack have taken the same number of steps.
    """

    def __init__(self, members: Sequence[PreparedFit]) -> None:
        groups = [member.net.optimizer_.param_groups[0] for member in members]
        self.asked = np.array([bool(group.get("averaging")) for group in groups])
        self.k = 0
        self.mean: Tensor | None = None

    def add(self, flat: Tensor) -> None:
        """Add the weights (n_members, n_weights or more) that a step has arrived at."""
        if not self.asked.any():
            return
        self.k += 1
        now = flat[self._rows(flat)]
        old = now if self.mean is None else self.mean
        self.mean = old + (now - old) * (2 / (self.k + 1))

    def shown(self, flat: Tensor) -> Tensor:
        """Return the weights to predict with."""
        if self.mean is None:
            return flat
        out = flat.clone()
        out[self._rows(flat)] = self.mean
        return out

    def keep(self, kept: np.ndarray) -> None:
        """Forget all but some of the members."""
        if self.mean is not None:
            place = np.cumsum(self.asked) - 1
            subset = place[kept[self.asked[kept]]]
            self.mean = self.mean[torch.as_tensor(subset, device=self.mean.device)]
        self.asked = self.asked[kept]
        if not self.asked.any():
            self.mean = None

    def write(self, i: int, flat: Tensor, optimizer: Any) -> None:
        """Leave a member's optimizer as its own training would have."""
        if not self.asked[i] or self.mean is None:
            return
        (group,) = optimizer.param_groups
        group["n_averaged"] = self.k
        n_weights = group["params"][0].numel()
        place = int(self.asked[:i].sum())
        for name, values in (("average", self.mean[place]), ("iterate", flat[i])):
            optimizer.state[name] = {"0": values[:n_weights].float().clone()}

    def _rows(self, like: Tensor) -> Tensor:
        return torch.as_tensor(np.flatnonzero(self.asked), device=like.device)
