"""HJB's update under other schemes, against the schemes' equations written out here."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from skbci.optim import HJB, HJBAD, OPTIMIZERS, HJBUnder, resolve_optimizer

A = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 5.0]])
B = np.array([1.0, -1.0, 2.0])
START = np.array([1.0, -2.0, 0.5])


def loss_and_gradient(w):
    return 0.5 * w @ A @ w + 3.0 + B @ w * 0.1, A @ w + 0.1 * B


def update(w, r=100.0, eps=1e-4):
    """Equation (22)."""
    P, g = loss_and_gradient(w)
    return -math.sqrt(2 * P) / (np.linalg.norm(g) + eps) * g / math.sqrt(r)


def run(make, n=8, scale=1.0):
    w = nn.Parameter(torch.tensor(START))
    optimizer = make([w])
    iterates = []

    def closure():
        optimizer.zero_grad()
        loss = 0.5 * w @ torch.tensor(A) @ w + 3.0 + torch.tensor(B) @ w * 0.1
        loss.backward()
        w.grad *= scale
        return loss

    for _ in range(n):
        optimizer.step(closure)
        iterates.append(w.detach().numpy().copy())
    return np.array(iterates), w


def by_name(name, **settings):
    factory, settings = resolve_optimizer(name, settings)
    return lambda params: factory(params, lr=0.1, **settings)


def momentum(w, n, mu=0.9, nesterov=False):
    m = np.zeros(3)
    for _ in range(n):
        u = update(w)
        m = mu * m + u
        w = w + 0.1 * (u + mu * m if nesterov else m)
        yield w


def rmsprop(w, n, alpha=0.99):
    v = np.zeros(3)
    for _ in range(n):
        u = update(w)
        v = alpha * v + (1 - alpha) * u**2
        w = w + 0.1 * u / (np.sqrt(v) + 1e-8)
        yield w


def adam(w, n, decay=0.0, b1=0.9, b2=0.999):
    m, v = np.zeros(3), np.zeros(3)
    for t in range(1, n + 1):
        u = update(w)
        m, v = b1 * m + (1 - b1) * u, b2 * v + (1 - b2) * u**2
        w = w * (1 - 0.1 * decay)
        w = w + 0.1 * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
        yield w


@pytest.mark.parametrize(("name", "settings", "expected"), [
    ("hjb-momentum", {}, lambda: momentum(START, 8)),
    ("hjb-momentum", {"inner__momentum": 0.5}, lambda: momentum(START, 8, mu=0.5)),
    ("hjb-nesterov", {}, lambda: momentum(START, 8, nesterov=True)),
    ("hjb-rmsprop", {}, lambda: rmsprop(START, 8)),
    ("hjb-adam", {}, lambda: adam(START, 8)),
    ("hjb-adam", {"inner__betas": (0.5, 0.9)}, lambda: adam(START, 8, b1=0.5, b2=0.9)),
    ("hjb-adamw", {"inner__weight_decay": 0.3}, lambda: adam(START, 8, decay=0.3)),
    ("hjb-adamw", {}, lambda: adam(START, 8, decay=0.01)),
])
def test_steps_are_the_schemes_on_the_update(name, settings, expected):
    found, _ = run(by_name(name, **settings))
    np.testing.assert_allclose(found, list(expected()), rtol=1e-9)


def test_sgd_inside_is_hjb():
    for settings in ({}, {"lr_schedule": "theorem-1"}):
        plain, _ = run(lambda p, s=settings: HJB(p, lr=0.1, **s))
        under, _ = run(lambda p, s=settings: HJBUnder(p, lr=0.1, **s))
        np.testing.assert_allclose(under, plain, rtol=1e-14)


def test_adagrad_inside_is_hjb_ad():
    ours, _ = run(lambda p: HJBAD(p, lr=0.1, eps=0.0))
    torchs, _ = run(lambda p: HJBUnder(p, lr=0.1, eps=0.0, inner=torch.optim.Adagrad))
    np.testing.assert_allclose(torchs, ours, rtol=1e-8)


@pytest.mark.parametrize(
    "name", [name for name, (rule, _) in OPTIMIZERS.items() if rule is HJBUnder]
)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_gradients_scale_does_not_matter(name, scale):
    as_it_is, _ = run(by_name(name, eps=0.0))
    scaled, _ = run(by_name(name, eps=0.0), scale=scale)
    np.testing.assert_allclose(scaled, as_it_is, rtol=1e-9)


@pytest.mark.parametrize("name", ["hjb-rmsprop", "hjb-adam"])
def test_r_cancels_where_past_updates_divide(name):
    a, _ = run(by_name(name, r=0.01, inner__eps=1e-14))
    b, _ = run(by_name(name, r=1e4, inner__eps=1e-14))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


def test_gradients_are_as_before_after_the_step():
    _, w = run(by_name("hjb-adam"), n=1)
    np.testing.assert_allclose(w.grad.numpy(), loss_and_gradient(START)[1], rtol=1e-12)


def test_groups_keep_their_own_settings():
    a, b = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = HJBUnder(
        [{"params": [a]}, {"params": [b], "lr": 0.0}], lr=0.1, inner=torch.optim.Adam
    )

    def closure():
        optimizer.zero_grad()
        loss = a.square().sum() + b.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert b.tolist() == [1, 1]
    np.testing.assert_allclose(a.detach().numpy(), 0.9, rtol=1e-6)


def test_a_bad_loss_changes_nothing():
    w = nn.Parameter(torch.ones(2))
    optimizer = HJBUnder([w], inner=torch.optim.Adam)

    def closure():
        w.grad = torch.ones(2)
        return torch.tensor(math.nan)

    with pytest.raises(ValueError, match="HJBUnder: the loss is nan"):
        optimizer.step(closure)
    assert w.tolist() == [1, 1]


@pytest.mark.parametrize(("settings", "error", "message"), [
    ({"inner": "adam"}, TypeError, "inner='adam' must be a torch.optim.Optimizer class"),
    ({"inner": HJB}, TypeError, "inner=HJB asks for the loss itself"),
    ({"inner": torch.optim.LBFGS}, TypeError, "inner=LBFGS asks for the loss itself"),
    ({"inner__betas": (0.9, 0.9)}, ValueError, "inner__betas=.* is not a setting of inner=SGD"),
    ({"momentum": 0.9}, ValueError, "momentum=0.9 is not a setting of inner=SGD"),
])
def test_bad_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        HJBUnder([nn.Parameter(torch.ones(1))], **settings)


def test_the_table_of_names_knows_the_inner_settings():
    with pytest.raises(ValueError, match="no setting 'betas'.*optimizer__inner__betas"):
        resolve_optimizer("hjb-adam", {"betas": (0.9, 0.99)})
