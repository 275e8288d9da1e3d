"""The two-loss surface, and the ways over it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skbci.weighting import (
    TOY_STARTS,
    AlphaGrad,
    DynamicWeightAverage,
    FixedWeights,
    GradApprox,
    GradNorm,
    toy_losses,
    trajectory,
)
from skbci.weighting._toy import toy_gradients

pytestmark = pytest.mark.filterwarnings("ignore::skbci.weighting.LossCollapseWarning")

POINTS = [*TOY_STARTS, (0.0, -5.8), (3.0, 0.4), (-3.0, -0.4), (-5.0, 20.0), (2.5, 1e-3)]


def by_equation(x1, x2):
    f1 = np.log(max(abs(0.5 * (-x1 - 7) - np.tanh(-x2)), 5e-6)) + 6
    f2 = np.log(max(abs(0.5 * (-x1 + 3) + np.tanh(-x2) + 2), 5e-6)) + 6
    q = (x1**2 + 0.1 * x2**2) / 10 - 20
    c1, c2 = max(np.tanh(x2 / 2), 0), max(np.tanh(-x2 / 2), 0)
    return np.array([f1 * c1 + q * c2, f2 * c1 + q * c2])


@pytest.mark.parametrize("point", POINTS)
def test_values_and_gradients(point):
    x = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    losses = toy_losses(x)
    np.testing.assert_allclose(losses.detach(), by_equation(*point), rtol=1e-12)
    values, gradients = toy_gradients(point)
    np.testing.assert_allclose(values, by_equation(*point), rtol=1e-12)
    for k in range(2):
        (by_torch,) = torch.autograd.grad(losses[k], x, retain_graph=True)
        np.testing.assert_allclose(gradients[k], by_torch, rtol=1e-9, atol=1e-12)
        step = 1e-6 * np.eye(2)
        by_difference = [
            (by_equation(*(point + h))[k] - by_equation(*(point - h))[k]) / 2e-6 for h in step
        ]
        if abs(point[0] + 5) > 1e-3:  # there the logarithm is cut off
            np.testing.assert_allclose(gradients[k], by_difference, rtol=1e-5, atol=1e-6)


def test_where_the_logarithm_is_cut_off_the_gradient_is_zero():
    losses, gradients = toy_gradients((-5.0, 20.0))  # the first valley's floor
    assert losses[0] == pytest.approx(np.log(5e-6) + 6)
    assert gradients[0, 0] == 0


def test_many_points_at_once():
    x = torch.tensor(POINTS, dtype=torch.float64)
    np.testing.assert_allclose(toy_losses(x), [by_equation(*p) for p in POINTS], rtol=1e-12)


@pytest.mark.parametrize("start", TOY_STARTS)
@pytest.mark.parametrize("policy", [FixedWeights(), AlphaGrad(lr=1e-2), GradNorm()], ids=repr)
def test_a_trajectory_equals_torch_adam_with_the_policy_in_its_loop(start, policy):
    way = trajectory(policy, start, n_steps=60)
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=1e-3)
    policy.start(2)
    for step in range(60):
        np.testing.assert_allclose(way.points[step], x.detach(), rtol=1e-9)
        optimizer.zero_grad()
        losses = toy_losses(x)
        weights = policy.on_batch(losses + 20.0, x)
        np.testing.assert_allclose(way.weights[step], weights, rtol=1e-9)
        torch.dot(weights, losses).backward()
        optimizer.step()
    np.testing.assert_allclose(way.losses, [by_equation(*p) for p in way.points])


@pytest.mark.parametrize("policy", [GradApprox(warmup=2), DynamicWeightAverage()], ids=repr)
def test_policies_that_act_on_epochs_act(policy):
    weights = trajectory(policy, (-8.5, 7.5), n_steps=4000, epoch_length=10).weights
    assert not np.allclose(weights, 1.0)
    assert all((block == block[0]).all() for block in weights[:4000].reshape(400, 10, 2))


def test_alphagrad_leaves_the_valley_where_equal_weights_stay():
    """The published picture: from (-8.5, 7.5) only AlphaGrad finds the bowl."""
    bottom = toy_losses(torch.tensor([0.0, -5.8])).mean().item()
    fixed = trajectory(FixedWeights(), TOY_STARTS[0]).losses[-1]
    alphagrad = trajectory(AlphaGrad(lr=1e-3), TOY_STARTS[0]).losses[-1]
    assert alphagrad.mean() == pytest.approx(bottom, abs=0.05)
    assert fixed.mean() > 0


@pytest.mark.parametrize("point", [(1.5, 0.0), (-8.0, 0.0), (2.0, 3.0), (2.0, -3.0)])
def test_gradients_are_autograds_on_the_ridge_too(point):
    x = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    wanted = [torch.autograd.grad(loss, x, retain_graph=True)[0] for loss in toy_losses(x)]
    np.testing.assert_allclose(toy_gradients(point)[1], torch.stack(wanted), rtol=1e-12)


@pytest.mark.parametrize("start", [(1.0,), (np.nan, 0.0)])
def test_a_bad_start_is_refused(start):
    with pytest.raises(ValueError, match="two finite numbers"):
        trajectory(FixedWeights(), start, n_steps=2)
