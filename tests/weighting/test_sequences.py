"""Each policy gives the sequence of weights that its equation gives, computed here on its own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from skbci.weighting import (
    AdaMT,
    AlphaGrad,
    DynamicWeightAverage,
    FixedWeights,
    GradApprox,
    GradNorm,
    GramianWeighting,
    UncertaintyWeighting,
)
from skbci.weighting._slopes import historical_tangent

pytestmark = pytest.mark.filterwarnings("ignore::skbci.weighting.LossCollapseWarning")

N_STEPS = 60


@pytest.fixture
def batches():
    """Losses (steps x 3) and gradients (steps x 3 x 7) that vary around very different sizes."""
    rng = np.random.RandomState(0)
    losses = np.exp(rng.randn(N_STEPS, 3)) * [1.0, 5.0, 0.2]
    gradients = rng.randn(N_STEPS, 3, 7) * np.array([1.0, 8.0, 0.1])[:, None] + 0.3
    return losses, gradients


def sequence(policy, losses, gradients):
    policy.start(3)
    return np.array([policy.update(*pair).copy() for pair in zip(losses, gradients)])


@pytest.mark.parametrize("p", [1, 2, 3, np.inf])
@pytest.mark.parametrize("lr", [1e-3, 0.01, 1.0])
def test_alphagrad(batches, p, lr):
    losses, gradients = batches
    w, expected = np.ones(3), []
    for G in gradients:
        g = np.array([np.linalg.norm(w_k * G_k, ord=p) for w_k, G_k in zip(w, G)])
        w = w - lr * g / (np.linalg.norm(g, ord=p) + 1e-7)
        w = np.clip(w, 1e-4, None)
        w = w / w.sum() * 3
        expected.append(w)
    np.testing.assert_allclose(sequence(AlphaGrad(lr, p), losses, gradients), expected, rtol=1e-12)


@pytest.mark.parametrize("lr", [0.01, 0.5])
def test_alphagrad_with_projection(batches, lr):
    """The projection as what it is: the nearest point, found by a general-purpose solver."""
    losses, gradients = batches
    policy = AlphaGrad(lr, constraint="project").start(3)
    for loss, G in zip(losses[:8], gradients[:8]):
        w = policy.weights_
        g = w * np.linalg.norm(G, axis=1)
        v = w - lr * g / (np.linalg.norm(g) + 1e-7)
        nearest = minimize(
            lambda u, v=v: ((u - v) ** 2).sum(),
            np.ones(3),
            jac=lambda u, v=v: 2 * (u - v),
            bounds=[(1e-4, None)] * 3,
            constraints={"type": "eq", "fun": lambda u: u.sum() - 3, "jac": lambda u: np.ones(3)},
            method="SLSQP",
            options={"ftol": 1e-14},
        ).x
        np.testing.assert_allclose(policy.update(loss, G), nearest, atol=1e-6)


@pytest.mark.parametrize(("lead", "pull"), [(0, 0.3), (2, 1.0), (1, 0.05)])
def test_alphagrad_under_a_lead(batches, lead, pull):
    losses, gradients = batches
    w, mean, expected = np.ones(3), None, []
    for G in gradients:
        n = np.linalg.norm(G, axis=1)
        mean = n if mean is None else 0.9 * mean + 0.1 * n
        v = np.clip(w - 0.01 * w * n / (np.linalg.norm(w * n) + 1e-7), 1e-4, None)
        for k in range(3):
            if k != lead:
                v[k] = min(v[k], v[lead], v[lead] * pull * mean[lead] / mean[k])
        w = v / v.sum() * 3
        expected.append(w)
    policy = AlphaGrad(constraint="lead", lead=lead, pull=pull)
    np.testing.assert_allclose(sequence(policy, losses, gradients), expected, rtol=1e-12)


@pytest.mark.parametrize("norms", [(1.0, 0.9, 0.8), (5.0, 0.05, 0.3), (0.1, 15.0, 0.0)])
def test_a_leading_loss_is_not_starved(norms):
    """The others pull no harder than they may and have no more weight, and that much they get."""
    policy = AlphaGrad(constraint="lead").start(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that it leads is no collapse
        for _ in range(15_000):
            policy.update(np.ones(3), np.diag(norms))
    w = policy.weights_
    limit = w[0] * np.minimum(1.0, policy.pull * norms[0] / np.maximum(norms[1:], 1e-30))
    assert w[0] >= 1
    assert (w[1:] <= limit * (1 + 1e-12)).all()
    # A step of fixed length undoes smaller weights than itself.
    np.testing.assert_allclose(w[1:][limit > 0.01], limit[limit > 0.01], rtol=1e-2)


def test_weights_stay_positive_where_the_leading_loss_has_no_gradient():
    policy = AlphaGrad(constraint="lead").start(2)
    for _ in range(50):
        w = policy.update(np.ones(2), [[0.0], [1.0]])
        assert (w > 0).all()
        assert w.sum() == pytest.approx(2)
    for _ in range(2000):
        w = policy.update(np.ones(2), [[1.0], [0.1]])
    assert w[1] > 0.5  # the weight comes back with the gradient


@pytest.mark.parametrize("minimum", [0.01, 0.1, 0.3])
def test_adamt(batches, minimum):
    losses, gradients = batches
    w, expected = np.ones(3), []
    for G in gradients:
        m = np.array([np.mean(w_k * G_k) for w_k, G_k in zip(w, G)])
        w = np.clip(m / (m.sum() + 1e-7), minimum, None)
        w = w / w.sum() * 3
        expected.append(w)
    np.testing.assert_allclose(sequence(AdaMT(minimum), losses, gradients), expected, rtol=1e-12)


def test_uncertainty_equals_autograd_and_torchs_adam(batches):
    losses, gradients = batches
    s = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([s], lr=0.025)
    expected = []
    for L in torch.from_numpy(losses):
        optimizer.zero_grad()
        (torch.exp(-s) * L + s).sum().backward()
        optimizer.step()
        expected.append(torch.exp(-s).detach().numpy().copy())
    policy = UncertaintyWeighting(rescaled=False)
    np.testing.assert_allclose(sequence(policy, losses, gradients), expected, rtol=1e-9)
    scaled = np.array(expected) / np.sum(expected, axis=1, keepdims=True) * 3
    policy = UncertaintyWeighting()
    np.testing.assert_allclose(sequence(policy, losses, gradients), scaled, rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.5])
def test_gradnorm_equals_autograd_and_torchs_adam(batches, alpha):
    """The closed form against the gradient of |G - T| taken by autograd."""
    losses, gradients = (torch.from_numpy(part) for part in batches)
    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.025)
    expected = []
    for L, G in zip(losses, gradients):
        pull = torch.linalg.vector_norm(w[:, None] * G, dim=1)
        left = L / losses[0]
        target = (pull.mean() * (left / left.mean()) ** alpha).detach()
        optimizer.zero_grad()
        (pull - target).abs().sum().backward()
        optimizer.step()
        with torch.no_grad():
            w.clamp_(min=1e-4)
            w.mul_(3 / w.sum())
        expected.append(w.detach().numpy().copy())
    policy = GradNorm(alpha=alpha)
    np.testing.assert_allclose(sequence(policy, *batches), expected, rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_dynamic_weight_average(temperature):
    rng = np.random.RandomState(1)
    epochs = np.exp(0.3 * rng.randn(8, 5, 3))  # epoch x batch x loss
    policy = DynamicWeightAverage(temperature).start(3)
    means = epochs.mean(axis=1)
    for t, epoch in enumerate(epochs):
        weights = policy.on_epoch(epoch)
        if t == 0:
            np.testing.assert_array_equal(weights, 1)
            continue
        e = np.exp(means[t] / means[t - 1] / temperature)
        np.testing.assert_allclose(weights, 3 * e / e.sum(), rtol=1e-12)


def gradapprox_by_hand(train, valid, policy, warmup, overlap):
    """The rule from the whole history at once; train and valid are epoch x batch x loss."""
    n_epochs, _, n_losses = train.shape
    # Smoothing and line alike: each series over its own number of batches.
    span_t, span_v = (int(values.shape[1] * overlap) for values in (train, valid))
    weights, references, expected = np.ones(n_losses), {}, []

    def smooth(values, e, k, window):
        return values[: e + 1, :, k].ravel()[-window:].mean()

    def measure(series, span):
        if policy == "secant":
            return np.mean(series[-span:])
        line = series[-max(2, span) :]
        return np.polyfit(np.arange(len(line)), line, 1)[0]

    for e in range(n_epochs):
        if e + 1 > warmup:
            shares = []
            for k in range(n_losses):
                t = [smooth(train, i, k, span_t) for i in range(e + 1)]
                v = [smooth(valid, i, k, span_v) for i in range(e + 1)]
                if policy == "threshold":
                    both = min(span_t, span_v)
                    a, b = np.array(t[-both:]), np.array(v[-both:])
                    shares.append(np.mean(b / ((b - a) ** 2 + 1e-6)))
                    continue
                if policy == "ratio":
                    shares.append(1 / np.mean(v[-span_v:]))
                    continue
                s_t, s_v = measure(t, span_t), measure(v, span_v)
                if policy == "tangent":
                    s_t0 = s_v0 = 0.0
                else:
                    before = measure(t[:-1], span_t), measure(v[:-1], span_v)
                    s_t0, s_v0 = references.setdefault(k, before)
                O = (s_v - s_t) - (s_v0 - s_t0)
                shares.append(max((s_v - s_v0) / (O**2 + 1e-6), 0.0))
                if s_v < s_v0:
                    references[k] = s_t, s_v
            if sum(shares) > 0:
                weights = np.maximum(np.array(shares) / sum(shares) * n_losses, 1e-5)
                weights = weights / weights.sum() * n_losses
        expected.append(weights)
    return np.array(expected)


@pytest.mark.parametrize(
    "policy", ["historical-tangent", "tangent", "secant", "threshold", "ratio"]
)
@pytest.mark.parametrize(
    ("overlap", "n_train", "n_valid"),
    [(1.0, 4, 4), (1.25, 4, 4), (2.0, 4, 1), (1.0, 27, 7), (1.25, 7, 27), (1.0, 3, 1)],
)
def test_gradapprox(policy, overlap, n_train, n_valid):
    rng = np.random.RandomState(2)
    trend = np.exp(-0.1 * np.arange(40))[:, None, None] * [1.0, 2.0, 0.5]
    train = trend + 0.05 * rng.rand(40, n_train, 3)
    valid = trend + 0.5 + 0.2 * rng.rand(40, n_valid, 3) * np.arange(40)[:, None, None]
    expected = gradapprox_by_hand(train, valid, policy, warmup=3, overlap=overlap)
    rule = GradApprox(policy, warmup=3, overlap=overlap).start(3)
    weights = [rule.on_epoch(t, v).copy() for t, v in zip(train, valid)]
    np.testing.assert_allclose(weights, expected, rtol=1e-8)
    assert len({tuple(w) for w in weights}) > 3  # it did something


def test_gradapproxs_reference_moves_only_where_the_validation_slope_improves():
    worse, same, better = (np.array([0.0, step, 2 * step]) for step in (0.2, 0.1, 0.05))
    for valid, wanted in ((worse, (0.3, 0.1)), (same, (0.3, 0.1)), (better, (-0.4, 0.05))):
        train = np.array([0.8, 0.4, 0.0])
        _, reference = historical_tangent(train, valid, (3, 3), (0.3, 0.1))
        np.testing.assert_allclose(reference, wanted, atol=1e-12)


def test_gramian_weighting_asks_with_the_gramian(batches):
    losses, gradients = batches
    asked = []

    def weighting(gramian):
        asked.append(gramian)
        return torch.linalg.solve(gramian, torch.ones(3, dtype=gramian.dtype)).abs()

    weights = sequence(GramianWeighting(weighting), losses, gradients)
    for G, w, gramian in zip(gradients, weights, asked):
        np.testing.assert_allclose(gramian, G @ G.T, rtol=1e-12)
        expected = np.abs(np.linalg.solve(G @ G.T, np.ones(3)))
        np.testing.assert_allclose(w, 3 * expected / expected.sum(), rtol=1e-9)


def test_fixed_weights_stay(batches):
    weights = sequence(FixedWeights((1, 2, 3)), *batches)
    np.testing.assert_allclose(weights, np.tile([0.5, 1.0, 1.5], (N_STEPS, 1)))


@pytest.mark.parametrize(
    ("norms", "interior"),
    [((1.0, 0.9, 0.8), (0.89, 0.99, 1.12)), ((5.0, 0.05, 0.3), (0.025, 2.55, 0.425))],
)
def test_where_alphagrad_ends_while_norms_stay(norms, interior):
    """Rescaling ends in the corner of the smallest norm, projection where w is as 1 / n."""
    G = np.diag(norms)
    rescaled, projected = AlphaGrad().start(3), AlphaGrad(constraint="project").start(3)
    for _ in range(15_000):
        rescaled.update(np.ones(3), G)
        projected.update(np.ones(3), G)
    corner = np.zeros(3)
    corner[np.argmin(norms)] = 3
    np.testing.assert_allclose(rescaled.weights_, corner, atol=1e-2)
    np.testing.assert_allclose(projected.weights_, interior, atol=5e-3)
    equal_pull = projected.weights_ * norms
    np.testing.assert_allclose(equal_pull, equal_pull.mean(), rtol=2e-2)


@pytest.mark.parametrize("start", [(2.9, 0.05, 0.05), (0.05, 2.9, 0.05), (0.05, 0.05, 2.9)])
def test_projection_rests_at_one_point_wherever_it_starts(start):
    policy = AlphaGrad(constraint="project").start(3)
    policy.weights_ = np.array(start)
    for _ in range(5000):
        policy.update(np.ones(3), np.diag([1.0, 0.9, 0.8]))
    np.testing.assert_allclose(policy.weights_, (0.893, 0.992, 1.116), atol=2e-3)
