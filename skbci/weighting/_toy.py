"""A test surface of two losses over a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skbci._checks import check_array, check_count, check_number, refusal
from skbci.weighting._adam import adam_step
from skbci.weighting._base import WeightingPolicy
from skbci.weighting._evidence import Floats

#: The three starting points of the published picture.
TOY_STARTS: tuple[tuple[float, float], ...] = ((-8.5, 7.5), (-10.0, -1.0), (9.0, 9.0))

_LOWEST = 5e-6
# No loss of the surface is below -20; policies that take ratios see the losses from there.
_OFFSET = 20.0


def toy_losses(x: Tensor) -> Tensor:
    r"""Compute the two losses of the surface.

    Parameters
    ----------
    x : Tensor, shape (..., 2)

    Returns
    -------
    Tensor, shape (..., 2)

    Notes
    -----
    In the upper half-plane two valleys at odds, in the lower one a common bowl:

    .. math:: f_1 &= \log \max(|\tfrac12(-x_1 - 7) - \tanh(-x_2)|,\ 5 \cdot 10^{-6}) + 6 \\
              f_2 &= \log \max(|\tfrac12(-x_1 + 3) + \tanh(-x_2) + 2|,\ 5 \cdot 10^{-6}) + 6 \\
              q &= (x_1^2 + 0.1 x_2^2) / 10 - 20 \\
              c_1 &= \max(\tanh(x_2 / 2), 0), \qquad c_2 = \max(\tanh(-x_2 / 2), 0) \\
              L_k &= f_k c_1 + q c_2 .

    Examples
    --------
    >>> import torch
    >>> toy_losses(torch.tensor([0.0, -30.0]))
    tensor([-11., -11.])
    """
    x1, x2 = x[..., 0], x[..., 1]
    f1 = (0.5 * (-x1 - 7) - torch.tanh(-x2)).abs().clamp_min(_LOWEST).log() + 6
    f2 = (0.5 * (-x1 + 3) + torch.tanh(-x2) + 2).abs().clamp_min(_LOWEST).log() + 6
    q = (x1**2 + 0.1 * x2**2) / 10 - 20
    c1 = torch.tanh(x2 / 2).clamp_min(0)
    c2 = torch.tanh(-x2 / 2).clamp_min(0)
    return torch.stack([f1 * c1 + q * c2, f2 * c1 + q * c2], dim=-1)


def toy_gradients(x: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Compute the two losses at one point, and their gradients written out by hand.

    Parameters
    ----------
    x : sequence of two floats

    Returns
    -------
    losses : ndarray, shape (2,)
    gradients : ndarray, shape (2, 2)
        Loss by coordinate.
    """
    x1, x2 = float(x[0]), float(x[1])
    t, half = np.tanh(x2), np.tanh(x2 / 2)
    inner = np.array([0.5 * (-x1 - 7) + t, 0.5 * (-x1 + 3) - t + 2])
    f = np.log(np.maximum(np.abs(inner), _LOWEST)) + 6
    bowl = (x1**2 + 0.1 * x2**2) / 10 - 20
    c1, c2 = max(half, 0.0), max(-half, 0.0)
    losses = f * c1 + bowl * c2
    moving = np.where(np.abs(inner) >= _LOWEST, 1.0, 0.0) / np.where(inner == 0, np.inf, inner)
    steep = (1 - t**2) * np.array([1.0, -1.0])
    rise = 0.5 * (1 - half**2)
    gradients = np.empty((2, 2))
    gradients[:, 0] = moving * -0.5 * c1 + 0.2 * x1 * c2
    gradients[:, 1] = moving * steep * c1 + 0.02 * x2 * c2
    gradients[:, 1] += f * rise * (x2 >= 0) - bowl * rise * (x2 <= 0)
    return losses, gradients


@dataclass(frozen=True)
class Trajectory:
    """A path over the surface.

    Attributes
    ----------
    points : ndarray, shape (n_steps + 1, 2)
    losses : ndarray, shape (n_steps + 1, 2)
        At the points.
    weights : ndarray, shape (n_steps + 1, 2)
        In force at the points; those of the last point are those of the last step.

    Examples
    --------
    >>> from skbci.weighting import AlphaGrad, trajectory
    >>> way = trajectory(AlphaGrad(lr=1e-3), (-10, -1), n_steps=50)
    >>> way.losses.shape, way.weights.sum(axis=1).round(6).tolist()[:2]
    ((51, 2), [2.0, 2.0])
    """

    points: Floats
    losses: Floats
    weights: Floats


def trajectory(
    policy: WeightingPolicy,
    start: Sequence[float],
    n_steps: int = 20_000,
    lr: float = 1e-3,
    epoch_length: int = 10,
    valid_shift: float = 0.25,
) -> Trajectory:
    """Run Adam on the weighted sum of the two losses.

    Parameters
    ----------
    policy : WeightingPolicy
        Is started anew. The published picture has ``AlphaGrad(lr=1e-3)``.
    start : sequence of two floats
    n_steps : int, default=20000
    lr : float, default=1e-3
        Of Adam.
    epoch_length : int, default=10
        Steps after which policies that act on epochs are asked.
    valid_shift : float, default=0.25
        The surface has no data. What such policies get as validation losses are the losses at the
        point moved by this much along both axes.

    Returns
    -------
    Trajectory

    Notes
    -----
    The point itself is the shared parameter. Policies see the losses from their lower bound -20
    on, which is a constant and changes no gradient, so that those that take ratios of losses can
    take part.

    Examples
    --------
    >>> from skbci.weighting import FixedWeights
    >>> way = trajectory(FixedWeights(), (-10, -1), n_steps=100)
    >>> way.points.shape
    (101, 2)
    """
    check_count(n_steps, "n_steps", low=1)
    check_count(epoch_length, "epoch_length", low=1)
    check_number(lr, "lr", "trajectory", low=0)
    check_number(valid_shift, "valid_shift", "trajectory")
    if not isinstance(policy, WeightingPolicy):
        raise TypeError(refusal(policy, "policy", "trajectory", "must be a WeightingPolicy"))
    policy.start(2)
    point = check_array(start, "start", "trajectory", 1, "two finite numbers")
    if len(point) != 2:
        raise ValueError(refusal(start, "start", "trajectory", "must be two finite numbers"))
    moments = np.zeros((3, 2))
    points, losses, weights = (np.empty((n_steps + 1, 2)) for _ in range(3))
    epoch: list[tuple[Floats, Floats]] = []
    for step in range(n_steps + 1):
        points[step] = point
        losses[step], gradients = toy_gradients(point)
        if step < n_steps:
            weights[step] = policy.update(losses[step] + _OFFSET, gradients)
            point = adam_step(point, weights[step] @ gradients, moments, lr)
        if policy.acts_on == "epoch":
            epoch.append((losses[step], toy_gradients(points[step] + valid_shift)[0]))
            if len(epoch) == epoch_length:
                policy.on_epoch(*np.swapaxes(np.array(epoch) + _OFFSET, 0, 1))
                epoch.clear()
    weights[-1] = weights[-2]
    return Trajectory(points, losses, weights)
