"""The HJB rules' identities, limits and refusals."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from skbci.nets import MLP
from skbci.optim import HJB, HJBAD, NonFiniteLossError


def problem(seed=0, n=12, features=5, classes=3):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = MLP(features, classes, (7, 6)).double()
        X = torch.randn(n, features, dtype=torch.float64)
        y = torch.randint(classes, (n,))
    return net, X, y


def closure_of(net, X, y, optimizer, factor=1.0, reduction="sum"):
    def closure():
        optimizer.zero_grad()
        loss = factor * nn.functional.cross_entropy(net(X), y, reduction=reduction)
        loss.backward()
        return loss

    return closure


def flat(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()]).clone()


def one_step(optimizer_class, factor=1.0, groups=False, reduction="sum", **settings):
    """The step taken from the same start, the loss there and its gradient."""
    net, X, y = problem()
    params = list(net.parameters())
    parts = [{"params": params[:2]}, {"params": params[2:]}] if groups else params
    optimizer = optimizer_class(parts, **settings)
    before = flat(net)
    loss = optimizer.step(closure_of(net, X, y, optimizer, factor, reduction)).detach()
    gradient = torch.cat([p.grad.reshape(-1) for p in params])
    return flat(net) - before, loss, gradient


@pytest.mark.parametrize("r", [1.0, 100.0])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_step_length_does_not_depend_on_the_gradients_scale(r, factor):
    step, loss, gradient = one_step(HJB, factor, lr=0.03, r=r, eps=0.0)
    assert step.norm().item() == pytest.approx(0.03 * math.sqrt(2 * loss / r), rel=1e-9)
    cosine = -(step @ gradient) / (step.norm() * gradient.norm())
    assert cosine.item() == pytest.approx(1.0, abs=1e-12)


def test_step_equals_the_equation_computed_by_hand():
    step, loss, g = one_step(HJB, lr=0.01, r=100.0, eps=1e-4)
    g, P = g.numpy(), float(loss)
    expected = 0.01 * math.sqrt(2 * P) / (np.linalg.norm(g) + 1e-4) * (-g) / math.sqrt(100)
    np.testing.assert_allclose(step.numpy(), expected, rtol=1e-9, atol=1e-15)


def test_mean_loss_shortens_the_step_by_the_root_of_the_batch_size():
    by_sum, _, _ = one_step(HJB, eps=0.0)
    by_mean, _, _ = one_step(HJB, eps=0.0, reduction="mean")
    assert (by_sum.norm() / by_mean.norm()).item() == pytest.approx(math.sqrt(12), rel=1e-9)


def test_control_effort_equals_twice_the_loss():
    """u' R u = 2 P, the constraint that the rule solves (eq. 14), whatever r is."""
    for r in (0.5, 40.0):
        step, loss, _ = one_step(HJB, lr=1.0, r=r, eps=0.0)
        assert (r * step @ step).item() == pytest.approx(2 * loss.item(), rel=1e-9)


def test_with_half_squared_error_the_gradient_is_minus_Jt_e():
    net, X, _ = problem()
    target = torch.ones(12, 3, dtype=torch.float64)
    e = (target - net(X)).detach().reshape(-1)
    rows = []
    for output in net(X).reshape(-1):
        rows.append(torch.cat([
            g.reshape(-1) for g in torch.autograd.grad(output, net.parameters(), retain_graph=True)
        ]))
    J = torch.stack(rows)
    u = e.norm() / (J.T @ e).norm() * (J.T @ e) / math.sqrt(100)  # eq. 21
    optimizer = HJB(net.parameters(), lr=1.0, r=100.0, eps=0.0)

    def closure():
        optimizer.zero_grad()
        loss = 0.5 * ((target - net(X)) ** 2).sum()
        loss.backward()
        return loss

    before = flat(net)
    optimizer.step(closure)
    torch.testing.assert_close(flat(net) - before, u)


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
def test_parameter_groups_do_not_change_the_step(optimizer_class):
    whole, _, _ = one_step(optimizer_class)
    parts, _, _ = one_step(optimizer_class, groups=True)
    torch.testing.assert_close(whole, parts)


@pytest.mark.parametrize("accumulate", ["parameter", "norm"])
def test_hjb_ad_equals_adagrad_over_hjb_updates(accumulate):
    net, X, y = problem()
    twin = copy.deepcopy(net)
    optimizer = HJBAD(net.parameters(), lr=0.05, r=7.0, eps=1e-4, accumulate=accumulate)
    total = 0.0
    for _ in range(5):
        loss = nn.functional.cross_entropy(twin(X), y, reduction="sum")
        gradients = torch.autograd.grad(loss, list(twin.parameters()))
        g = torch.cat([part.reshape(-1) for part in gradients])
        u = -torch.sqrt(2 * loss.detach()) / (g.norm() + 1e-4) * g / math.sqrt(7.0)
        total = total + (u**2 if accumulate == "parameter" else (u**2).sum())
        step = 0.05 * u / (torch.sqrt(total) + 1e-4)
        nn.utils.vector_to_parameters(
            nn.utils.parameters_to_vector(twin.parameters()).detach() + step, twin.parameters()
        )
        optimizer.step(closure_of(net, X, y, optimizer))
    torch.testing.assert_close(flat(net), flat(twin), rtol=1e-9, atol=1e-12)


def test_r_cancels_in_hjb_ad_as_eps_vanishes():
    weights = []
    for r in (0.1, 100.0, 1e4):
        net, X, y = problem()
        optimizer = HJBAD(net.parameters(), r=r, eps=1e-12)
        for _ in range(10):
            optimizer.step(closure_of(net, X, y, optimizer))
        weights.append(flat(net))
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(weights[0], weights[2], rtol=1e-6, atol=1e-8)


def test_literal_hjb_ad_moves_at_most_two_eta_root_T():
    net, X, y = problem()
    optimizer = HJBAD(net.parameters(), lr=0.01, accumulate="norm")
    before = flat(net)
    for _ in range(100):
        optimizer.step(closure_of(net, X, y, optimizer))
    assert (flat(net) - before).norm() <= 2 * 0.01 * math.sqrt(100)


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
@pytest.mark.parametrize("eps", [0.0, 1e-4])
def test_zero_gradient_gives_no_step_and_no_nan(optimizer_class, eps):
    w = nn.Parameter(torch.ones(3))
    optimizer = optimizer_class([w], eps=eps)

    def closure():
        optimizer.zero_grad()
        loss = (w * 0).sum() + 2.0
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    assert w.tolist() == [1, 1, 1]


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
@pytest.mark.parametrize("defer", [False, True])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1.0, ValueError, "-1.0; it must not be negative"),
        (math.nan, NonFiniteLossError, "loss is nan; it must be finite"),
        (math.inf, NonFiniteLossError, "loss is inf; it must be finite"),
    ],
)
def test_a_bad_loss_is_refused_before_weights_change(
    optimizer_class, defer, value, error, message
):
    w = nn.Parameter(torch.ones(3))
    optimizer = optimizer_class([w])
    optimizer._defer = defer  # as on an accelerator: no step now, the error one step later

    def closure():
        optimizer.zero_grad()
        loss = w.sum() * 0 + value
        loss.backward()
        w.grad.fill_(1.0)
        return loss

    if defer:
        optimizer.step(closure)
        assert w.tolist() == [1, 1, 1]
    with pytest.raises(error, match=message):
        optimizer.step(closure)
    assert w.tolist() == [1, 1, 1]


def test_a_gradient_that_is_not_finite_is_refused():
    w = nn.Parameter(torch.ones(2))
    optimizer = HJB([w])

    def closure():
        optimizer.zero_grad()
        w.grad = torch.tensor([1.0, math.inf])
        return torch.tensor(1.0)

    with pytest.raises(NonFiniteLossError, match="gradient is not finite"):
        optimizer.step(closure)
    assert w.tolist() == [1, 1]


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
def test_deferred_steps_equal_immediate_ones(optimizer_class):
    ends = []
    for defer in (False, True):
        net, X, y = problem()
        optimizer = optimizer_class(net.parameters())
        optimizer._defer = defer
        for _ in range(5):
            optimizer.step(closure_of(net, X, y, optimizer))
        ends.append(flat(net))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-12, atol=1e-15)


class NoHostReads(TorchDispatchMode):
    """Fails where a tensor's value is read by the host, which would wait for the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        reads = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.is_nonzero.default)
        assert func not in reads, f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("optimizer_class", "settings"),
    [(HJB, {}), (HJBAD, {}), (HJBAD, {"accumulate": "norm"})],
)
def test_a_step_on_an_accelerator_reads_nothing_back(optimizer_class, settings):
    net, X, y = problem()
    optimizer = optimizer_class(net.parameters(), **settings)
    optimizer._defer = True  # as on an accelerator
    with NoHostReads():
        for _ in range(3):
            optimizer.step(closure_of(net, X, y, optimizer))


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
@pytest.mark.parametrize("accumulate", ["parameter", "norm"])
def test_training_continues_from_a_state_dict(optimizer_class, accumulate):
    settings = {"accumulate": accumulate} if optimizer_class is HJBAD else {}
    net, X, y = problem()
    optimizer = optimizer_class(net.parameters(), **settings)
    for _ in range(3):
        optimizer.step(closure_of(net, X, y, optimizer))
    twin = copy.deepcopy(net)
    other = optimizer_class(twin.parameters(), lr=123.0, **settings)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        optimizer.step(closure_of(net, X, y, optimizer))
        other.step(closure_of(twin, X, y, other))
    assert torch.equal(flat(net), flat(twin))


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
def test_it_learns(optimizer_class):
    net, X, _ = problem(n=200)
    y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()
    optimizer = optimizer_class(net.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.step(closure_of(net, X, y, optimizer))
    assert (net(X).argmax(1) == y).double().mean() > 0.95


@pytest.mark.parametrize("optimizer_class", [HJB, HJBAD])
@pytest.mark.parametrize(
    "settings", [{"lr": -1.0}, {"r": 0.0}, {"r": -2.0}, {"eps": -1e-9}, {"lr": math.nan}]
)
def test_bad_settings_are_refused(optimizer_class, settings):
    name = next(iter(settings))
    with pytest.raises(ValueError, match=f"{name}="):
        optimizer_class([nn.Parameter(torch.ones(1))], **settings)


def test_a_closure_is_needed():
    with pytest.raises(TypeError, match="needs a closure"):
        HJB([nn.Parameter(torch.ones(1))]).step()


def test_unknown_accumulation_is_refused():
    with pytest.raises(ValueError, match="accumulate='layer' is not one of 'parameter', 'norm'"):
        HJBAD([nn.Parameter(torch.ones(1))], accumulate="layer")


def test_sparse_gradients_are_refused():
    embedding = nn.Embedding(4, 2, sparse=True, _weight=torch.ones(4, 2))
    optimizer = HJB(embedding.parameters())

    def closure():
        optimizer.zero_grad()
        loss = embedding(torch.tensor([1])).square().sum()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match="sparse"):
        optimizer.step(closure)


def test_works_under_a_learning_rate_scheduler():
    net, X, y = problem()
    optimizer = HJB(net.parameters(), lr=0.1, eps=0.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    lengths = []
    for _ in range(3):
        before = flat(net)
        loss = optimizer.step(closure_of(net, X, y, optimizer)).item()
        lengths.append((flat(net) - before).norm().item() / math.sqrt(2 * loss / 100))
        scheduler.step()
    assert lengths == pytest.approx([0.1, 0.05, 0.025])
