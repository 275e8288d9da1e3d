"""Weights kept within a ball."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class MaxNormModule(nn.Module):
    """A module some of whose weights have a largest norm for each unit.

    Attributes
    ----------
    max_norms : dict of str to float
        Largest Euclidean norm of each unit's incoming weights, by parameter name; empty where
        nothing is constrained.
    """

    max_norms: Mapping[str, float]

    @torch.no_grad()
    def apply_max_norm(self) -> None:
        r"""Project each constrained weight, in place; call it after every optimization step.

        A unit's weights :math:`w` with :math:`\lVert w \rVert > c` become
        :math:`c\, w / \lVert w \rVert`, their nearest point in the ball; all others stay.
        """
        for name, limit in self.max_norms.items():
            shrink_to_(self.get_parameter(name), limit)


def shrink_to_(weight: Tensor, limit: float) -> Tensor:
    """Scale those rows (along the first axis) that are longer than ``limit`` down to it."""
    norms = torch.linalg.vector_norm(weight.flatten(1), dim=1)
    factors = (limit / norms.clamp_min(torch.finfo(norms.dtype).tiny)).clamp_max_(1.0)
    return weight.mul_(factors.reshape(-1, *[1] * (weight.ndim - 1)))
