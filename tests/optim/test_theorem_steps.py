"""The theorems' step sizes and averaged iterate, computed here from the equations."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from skbci.optim import HJB, HJBAD, HJBUnder, Theorem1LR, Theorem2LR

A = np.diag([1.0, 4.0, 9.0])
START = np.array([1.0, -2.0, 0.5])


def quadratic():
    """Half a quadratic form: the loss, its parameter, and a closure for any optimizer."""
    w = nn.Parameter(torch.tensor(START))

    def closure_of(optimizer):
        def closure():
            optimizer.zero_grad()
            loss = 0.5 * w @ torch.tensor(A) @ w
            loss.backward()
            return loss

        return closure

    return w, closure_of


def by_hand(schedule, n, lr=0.05, r=4.0, K=None, eps=1e-4, eps1=1e-8):
    """Iterates w_1 ... w_n by equations (22), (23) and (29) or (43)."""
    w, iterates = START.copy(), []
    for k in range(1, n + 1):
        P, g = 0.5 * w @ A @ w, A @ w
        u = -math.sqrt(2 * P) / (np.linalg.norm(g) + eps) * g / math.sqrt(r)
        eta = lr / math.sqrt(2 * P + eps1) / math.sqrt(k)
        if schedule == "theorem-2":
            eta = K * (K + 1) / 2 * lr / math.sqrt(2 * P + eps1) * math.sqrt(r) / k
        w = w + eta * u
        iterates.append(w)
    return np.array(iterates)


def run(make, n, schedule=None):
    w, closure_of = quadratic()
    optimizer = make([w])
    scheduler = schedule(optimizer) if schedule else None
    closure, iterates = closure_of(optimizer), []
    for _ in range(n):
        optimizer.step(closure)
        iterates.append(w.detach().numpy().copy())
        if scheduler is not None:
            scheduler.step()
    return np.array(iterates), optimizer, w


@pytest.mark.parametrize("defer", [False, True])
@pytest.mark.parametrize(("schedule", "settings"), [
    ("theorem-1", {}), ("theorem-2", {"n_steps": 12}),
])
def test_steps_are_those_of_the_equations(schedule, settings, defer):
    lr = 0.05 if schedule == "theorem-1" else 0.002

    def make(params):
        optimizer = HJB(params, lr=lr, r=4.0, lr_schedule=schedule, **settings)
        optimizer._defer = defer  # as on an accelerator
        return optimizer

    expected = by_hand(schedule, 12, lr=lr, K=12)
    np.testing.assert_allclose(run(make, 12)[0], expected, rtol=1e-10)


@pytest.mark.parametrize(("schedule", "scheduler", "settings"), [
    ("theorem-1", Theorem1LR, {}),
    ("theorem-2", lambda optimizer: Theorem2LR(optimizer, n_steps=9), {"n_steps": 9}),
])
@pytest.mark.parametrize("rule", [HJB, HJBAD, HJBUnder])
def test_schedulers_give_the_same_steps(rule, schedule, scheduler, settings):
    set_inside, _, _ = run(
        lambda p: rule(p, lr=0.01, lr_schedule=schedule, eps1=1e-8, **settings), 9
    )
    from_outside, _, _ = run(lambda p: rule(p, lr=0.01), 9, scheduler)
    np.testing.assert_allclose(set_inside, from_outside, rtol=1e-12)


def test_a_scheduler_serves_other_optimizers():
    iterates, _, _ = run(lambda p: torch.optim.SGD(p, lr=0.05), 6, Theorem1LR)
    w = START.copy()
    for k, found in enumerate(iterates, start=1):
        w = w - 0.05 / math.sqrt(w @ A @ w + 1e-8) / math.sqrt(k) * (A @ w)
        np.testing.assert_allclose(found, w, rtol=1e-12)


def test_a_scheduler_needs_a_closure():
    w, _ = quadratic()
    optimizer = torch.optim.SGD([w], lr=0.1)
    Theorem1LR(optimizer)
    with pytest.raises(TypeError, match="needs a closure"):
        optimizer.step()


@pytest.mark.parametrize("r", [0.5, 100.0])
def test_lengths_of_the_steps(r):
    """The loss cancels: eta_0 / sqrt(r k), and eta_0 K (K + 1) / (2 k) whatever r is."""
    k = np.arange(1, 9)
    for schedule, lengths in (
        ("theorem-1", 0.01 / np.sqrt(r * k)), ("theorem-2", 0.01 * 8 * 9 / 2 / k)
    ):
        iterates, _, _ = run(lambda p, s=schedule: HJB(
            p, lr=0.01, r=r, eps=0.0, eps1=1e-14, lr_schedule=s, n_steps=8), 8)
        steps = np.diff(np.vstack([START, iterates]), axis=0)
        np.testing.assert_allclose(np.linalg.norm(steps, axis=1), lengths, rtol=1e-9)


def test_hjb_ad_takes_the_step_size():
    iterates, _, _ = run(lambda p: HJBAD(p, lr=0.3, lr_schedule="theorem-1"), 5)
    w, total = START.copy(), np.zeros(3)
    for k, found in enumerate(iterates, start=1):
        P, g = 0.5 * w @ A @ w, A @ w
        u = -math.sqrt(2 * P) / (np.linalg.norm(g) + 1e-4) * g / 10
        total = total + u**2
        w = w + 0.3 / math.sqrt(2 * P + 1e-8) / math.sqrt(k) * u / (np.sqrt(total) + 1e-4)
        np.testing.assert_allclose(found, w, rtol=1e-10)


@pytest.mark.parametrize("rule", [HJB, HJBAD, HJBUnder])
def test_the_averaged_iterate_is_that_of_equation_30(rule):
    plain, _, _ = run(lambda p: rule(p, lr=0.1), 7)
    iterates, optimizer, w = run(lambda p: rule(p, lr=0.1, averaging=True), 7)
    np.testing.assert_array_equal(iterates, plain)
    k = np.arange(1, 8)
    expected = 2 / (7 * 8) * (k @ plain)
    optimizer.eval()
    np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-12)
    optimizer.eval()  # once more changes nothing
    np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-12)
    optimizer.train()
    np.testing.assert_array_equal(w.detach().numpy(), plain[-1])


def test_training_goes_on_from_the_last_iterate_not_from_the_average():
    expected, _, _ = run(lambda p: HJB(p, lr=0.1), 6)
    w, closure_of = quadratic()
    optimizer = HJB([w], lr=0.1, averaging=True)
    closure = closure_of(optimizer)
    for k in range(6):
        optimizer.step(closure)
        np.testing.assert_array_equal(w.detach().numpy(), expected[k])
        optimizer.eval()
    np.testing.assert_allclose(
        w.detach().numpy(), np.arange(1, 7) @ expected / 21, rtol=1e-12
    )


def test_weights_that_were_set_are_gone_on_from():
    w, closure_of = quadratic()
    optimizer = HJB([w], lr=0.1, averaging=True)
    for _ in range(3):
        optimizer.step(closure_of(optimizer))
    optimizer.eval()
    w.data.copy_(torch.tensor([5.0, 5.0, 5.0]))  # as early stopping does
    optimizer.train()
    assert w.tolist() == [5, 5, 5]


@pytest.mark.parametrize("way", ["state_dict", "pickle"])
@pytest.mark.parametrize("make", [
    lambda p: HJB(p, lr_schedule="theorem-2", n_steps=9, averaging=True),
    lambda p: HJBAD(p, lr_schedule="theorem-1", averaging=True),
    lambda p: HJBUnder(p, inner=torch.optim.Adam, averaging=True),
])
def test_training_continues_from_a_saved_state(make, way):
    _, optimizer, w = run(make, 4)
    if way == "pickle":
        other, v = pickle.loads(pickle.dumps((optimizer, w)))
    else:
        v = nn.Parameter(w.detach().clone())
        other = make([v])
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for param, one in ((w, optimizer), (v, other)):
        def closure(param=param, one=one):
            one.zero_grad()
            loss = 0.5 * param @ torch.tensor(A) @ param
            loss.backward()
            return loss

        for _ in range(4):
            one.step(closure)
        one.eval()
    torch.testing.assert_close(v, w, rtol=0, atol=0)


@pytest.mark.parametrize("rule", [HJB, HJBAD, HJBUnder])
@pytest.mark.parametrize(("settings", "error", "message"), [
    ({"lr_schedule": "theorem-3"}, ValueError, "lr_schedule='theorem-3' is not one of"),
    ({"n_steps": 0}, ValueError, "n_steps=0 must be"),
    ({"eps1": 0.0}, ValueError, "eps1=0.0 must be"),
    ({"averaging": "yes"}, TypeError, "averaging='yes' must be"),
])
def test_bad_settings_are_named(rule, settings, error, message):
    with pytest.raises(error, match=message):
        rule([nn.Parameter(torch.ones(2))], **settings)


def test_theorem_2_needs_the_number_of_steps():
    with pytest.raises(ValueError, match="needs n_steps"):
        run(lambda p: HJB(p, lr_schedule="theorem-2"), 1)
