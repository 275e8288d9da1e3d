"""LM, EVDHJB and LF against small dense linear algebra, on every kind of layer."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode

from skbci.nets import MLP
from skbci.optim import EVDHJB, HJB, LevenbergMarquardt, LyapunovDescent
from skbci.optim._jacobian import jacobian as _jacobian

RULES = [LevenbergMarquardt, EVDHJB, LyapunovDescent]
GRAM_RULES = [LevenbergMarquardt, EVDHJB]


class Called(nn.Module):
    """A module out of a function of its parts."""

    def __init__(self, forward, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = forward

    def forward(self, x):
        return self.function(self, x)


def tied():
    net = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 2))
    net[2].weight, net[2].bias = net[0].weight, net[0].bias
    return net


def in_evaluation(net):
    for layer in net.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
            layer.weight.data.normal_()
            layer.eval()
    return net


def partly_frozen():
    net = MLP(5, 3, (6, 4))
    net[1].weight.requires_grad_(False)
    net[3].bias.requires_grad_(False)
    return net


def random_affine(net):
    for p in net.parameters():
        if not nn.parameter.is_lazy(p):
            nn.init.normal_(p, std=0.7)
    return net


NETWORKS = {
    "dense": lambda: (MLP(5, 3, (7, 6)), (6, 5)),
    "smooth": lambda: (MLP(5, 3, (9, 8), "tanh"), (6, 5)),
    "root is a layer": lambda: (nn.Linear(5, 2), (6, 5)),
    "without biases": lambda: (nn.Sequential(nn.Linear(4, 3, bias=False), nn.Tanh(),
                                             nn.Linear(3, 2, bias=False)), (5, 4)),
    "in place": lambda: (nn.Sequential(nn.Linear(5, 6), nn.ReLU(inplace=True), nn.Linear(6, 4),
                                       nn.ELU(inplace=True), nn.Linear(4, 2)), (6, 5)),
    "partly frozen": lambda: (partly_frozen(), (6, 5)),
    "conv1d": lambda: (nn.Sequential(nn.Conv1d(3, 4, 3, stride=2, padding=1), nn.ELU(),
                                     nn.Conv1d(4, 6, 2, dilation=2, groups=2), nn.Flatten(),
                                     nn.Linear(6, 2)), (4, 3, 5)),
    "depthwise": lambda: (nn.Sequential(nn.Conv1d(3, 6, 3, groups=3, padding="same"), nn.Tanh(),
                                        nn.Conv1d(6, 2, 4)), (4, 3, 4)),
    "conv2d": lambda: (nn.Sequential(
        nn.Conv2d(2, 4, (2, 3), stride=(1, 2), padding=(1, 0), groups=2), nn.ReLU(),
        nn.Conv2d(4, 3, 2, dilation=(2, 1), padding="same", padding_mode="circular", bias=False),
        nn.AvgPool2d(2), nn.Flatten(), nn.LazyLinear(2)), (3, 2, 4, 6)),
    "conv3d": lambda: (nn.Sequential(nn.Conv3d(1, 2, (2, 1, 2), padding_mode="replicate",
                                               padding=1), nn.Tanh(), nn.Flatten(),
                                     nn.LazyLinear(2)), (3, 1, 3, 2, 2)),
    "over time": lambda: (nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2),
                                        nn.Flatten(), nn.Linear(10, 2)), (4, 5, 4)),
    "bands as rows": lambda: (Called(
        lambda s, x: s.out(torch.tanh(s.conv(x.flatten(0, 1))).reshape(len(x), -1)),
        conv=nn.Conv1d(2, 3, 3, groups=1), out=nn.Linear(3 * 3 * 4, 2)), (3, 3, 2, 6)),
    "times as rows": lambda: (Called(
        lambda s, x: s.out(torch.tanh(s.a(x.flatten(0, 1))).reshape(len(x), -1)),
        a=nn.Linear(4, 3), out=nn.Linear(15, 2)), (4, 5, 4)),
    "called twice": lambda: (Called(
        lambda s, x: s.out(torch.tanh(s.a(torch.tanh(s.a(x)))) + x), a=nn.Linear(4, 4),
        out=nn.Linear(4, 2)), (5, 4)),
    "convolved twice": lambda: (Called(
        lambda s, x: s.a(torch.tanh(s.a(x)) + x).flatten(1)[:, :3],
        a=nn.Conv1d(2, 2, 3, padding=1)), (4, 2, 5)),
    "tied": lambda: (tied(), (5, 5)),
    "two branches": lambda: (Called(
        lambda s, x: (s.a(x), s.b(torch.tanh(s.a(x)))), a=nn.Linear(4, 3), b=nn.Linear(3, 1)),
        (4, 4)),
    "one unit": lambda: (Called(lambda s, x: s.a(x)[:, 0], a=nn.Linear(4, 1)), (3, 4)),
    "by keyword": lambda: (Called(lambda s, x: s.a(input=x), a=nn.Linear(4, 2)), (3, 4)),
    "unused layer": lambda: (Called(lambda s, x: s.a(x), a=nn.Linear(4, 2), b=nn.Linear(3, 3)),
                             (3, 4)),
    "layer norm": lambda: (random_affine(nn.Sequential(
        nn.Linear(4, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 2))), (5, 4)),
    "layer norm over time": lambda: (random_affine(nn.Sequential(
        nn.Conv1d(2, 4, 3), nn.LayerNorm((4, 4)), nn.Flatten(), nn.Linear(16, 2))), (3, 2, 6)),
    "group norm": lambda: (random_affine(nn.Sequential(
        nn.Conv2d(2, 4, 2), nn.GroupNorm(2, 4), nn.Flatten(), nn.LazyLinear(2))), (3, 2, 3, 4)),
    "instance norm": lambda: (random_affine(nn.Sequential(
        nn.Conv1d(2, 3, 2), nn.InstanceNorm1d(3, affine=True), nn.Flatten(),
        nn.LazyLinear(2))), (3, 2, 6)),
    "batch norm in evaluation": lambda: (in_evaluation(nn.Sequential(
        nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Tanh(), nn.Flatten(), nn.LazyLinear(2))),
        (3, 2, 6)),
    "dropout": lambda: (MLP(6, 2, (9, 7), dropout=0.4), (5, 6)),
}


def build(name, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net, shape = NETWORKS[name]()
        X = torch.randn(shape, dtype=torch.float64)
        net = net.double()
        with torch.no_grad():
            net(X)
        return net, X


def exact(dense, net, X, target, seed=0):
    """J and e with the same dropout masks as in `dense.step`."""
    net = copy.deepcopy(net)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        J = dense.jacobian(net, X)
        torch.manual_seed(seed)
        e = target - dense.outputs(net, X).detach()
    return J, e


def polar(J, e, r=1.0):
    """R^-1 J' U S^(-1/2) U' e over the directions that J has."""
    U, s, V = torch.linalg.svd(J, full_matrices=False)
    kept = s > 1e-6 * s[0]
    return V[kept].T @ (U[:, kept].T @ e) / math.sqrt(r)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("mu", [1e-3, 1.0])
def test_lm_equals_the_damped_normal_equations(name, mu, dense):
    net, X = build(name)
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    expected = torch.linalg.solve(J.T @ J + mu * torch.eye(J.shape[1]).double(), J.T @ e)
    found = dense.step(LevenbergMarquardt, net, X, target, mu=mu)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_evdhjb_equals_the_eigendecomposition(name, dense):
    net, X = build(name)
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    found = dense.step(EVDHJB, net, X, target, r=9.0)
    torch.testing.assert_close(found, polar(J, e, 9.0), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NETWORKS)
def test_lf_takes_its_share_of_the_squared_error(name, dense):
    net, X = build(name)
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    found = dense.step(LyapunovDescent, net, X, target, mu=0.3, eps=0.0)
    assert (e @ J @ found).item() == pytest.approx(0.3 * (e @ e).item(), rel=1e-9)
    torch.testing.assert_close(found, 0.3 * (e @ e) / (J.T @ e).square().sum() * (J.T @ e))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_convolutions_of_any_shape(data, dense):
    draw = data.draw
    n_axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    size = [draw(st.integers(3, 7)) for _ in range(n_axes)]
    kernel = [draw(st.integers(1, 3)) for _ in range(n_axes)]
    dilation = [draw(st.integers(1, 2)) for _ in range(n_axes)]
    mode = draw(st.sampled_from(["zeros", "reflect", "circular", "replicate"]))
    same = draw(st.booleans())
    stride = [1 if same else draw(st.integers(1, 3)) for _ in range(n_axes)]
    most = [min(2, n - 1) for n in size]
    padding = "same" if same else [draw(st.integers(0, m)) for m in most]
    if not same and any(
        n + 2 * p < d * (k - 1) + 1 for n, p, d, k in zip(size, padding, dilation, kernel)
    ):
        return
    kind = (nn.Conv1d, nn.Conv2d)[n_axes - 1]
    with torch.random.fork_rng():
        torch.manual_seed(draw(st.integers(0, 9)))
        net = nn.Sequential(
            kind(*channels, kernel, stride, padding, dilation, groups, draw(st.booleans()), mode),
            nn.Tanh(), nn.Flatten(), nn.LazyLinear(2),
        ).double()
        X = torch.randn(draw(st.integers(1, 4)), channels[0], *size, dtype=torch.float64)
        net(X)
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    piece = _jacobian._PIECE
    try:
        _jacobian._PIECE = draw(st.sampled_from([1, 60, piece]))
        found = dense.step(LevenbergMarquardt, net, X, target, mu=0.1)
    finally:
        _jacobian._PIECE = piece
    eye = torch.eye(len(e), dtype=torch.float64)
    expected = J.T @ torch.linalg.solve(J @ J.T + 0.1 * eye, e)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["conv1d", "depthwise", "conv2d", "over time",
                                  "convolved twice", "bands as rows"])
@pytest.mark.parametrize("entries", [1, 50, 333])
def test_pieces_of_any_size_give_the_same_gram_matrix(name, entries, dense, monkeypatch):
    net, X = build(name)
    X = X[:1]  # the Gram matrix is smaller than a piece may be
    target = dense.target(net, X)
    whole = dense.step(LevenbergMarquardt, net, X, target)
    monkeypatch.setattr(_jacobian, "_PIECE", entries)
    torch.testing.assert_close(dense.step(LevenbergMarquardt, net, X, target), whole)


# -- identities -------------------------------------------------------------------------


def test_lm_tends_to_back_propagation_as_the_damping_grows(dense):
    net, X = build("dense")
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    cosines = []
    for mu in (1.0, 1e2, 1e8):
        u = dense.step(LevenbergMarquardt, net, X, target, mu=mu)
        cosines.append((u @ (J.T @ e) / u.norm() / (J.T @ e).norm()).item())
    assert cosines == sorted(cosines)
    torch.testing.assert_close(1e8 * u, J.T @ e, rtol=1e-5, atol=1e-6)


def test_lm_tends_to_gauss_newton_as_the_damping_vanishes(dense):
    """With full-rank J J' the linearized error is gone after one step."""
    net, X = build("smooth")
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    u = dense.step(LevenbergMarquardt, net, X, target, mu=1e-10)
    torch.testing.assert_close(J @ u, e, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("r", [1.0, 100.0])
def test_evdhjb_and_hjb_spend_the_same_effort_where_the_rank_is_full(r, dense):
    """Both solve eq. 14: u'Ru = e'e = 2P with half the squared error."""
    net, X = build("smooth")
    target = dense.target(net, X)
    _, e = exact(dense, net, X, target)
    u = dense.step(EVDHJB, net, X, target, r=r)
    assert (r * u @ u).item() == pytest.approx((e @ e).item(), rel=1e-8)
    twin = copy.deepcopy(net)
    optimizer = HJB(twin.parameters(), lr=1.0, r=r, eps=0.0)
    before = dense.flat(twin)
    optimizer.step(dense.closure(twin, X, target, optimizer))
    assert (dense.flat(twin) - before).norm().item() == pytest.approx(u.norm().item(), rel=1e-8)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["dense", "conv2d"])
def test_order_of_the_rows_does_not_matter(rule, name, dense):
    net, X = build(name)
    target = dense.target(net, X)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(3))
    permuted = target.view(-1, len(X))[:, order].reshape(-1)
    torch.testing.assert_close(
        dense.step(rule, net, X[order], permuted), dense.step(rule, net, X, target),
        rtol=1e-8, atol=1e-10,
    )


@pytest.mark.parametrize("rule", RULES)
def test_a_row_of_weight_two_equals_two_rows(rule, dense):
    net, X = build("conv1d")
    target = dense.target(net, X)
    twice = torch.tensor([0, 0, 1, 2, 2, 3])
    repeated = dense.step(rule, net, X[twice], target.view(-1, len(X))[:, twice].reshape(-1))
    weights = torch.tensor([2.0, 1.0, 2.0, 1.0])
    weighted = dense.step(rule, net, X, target, weights)
    torch.testing.assert_close(weighted, repeated, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("rule", RULES)
def test_a_row_of_weight_zero_does_not_count(rule, dense):
    net, X = build("dense")
    target = dense.target(net, X)
    kept = [0, 2, 3, 5]
    weights = torch.zeros(6)
    weights[kept] = 1
    torch.testing.assert_close(
        dense.step(rule, net, X, target, weights),
        dense.step(rule, net, X[kept], target.view(3, 6)[:, kept].reshape(-1)),
        rtol=1e-6, atol=1e-8,
    )


# -- deficient rank ---------------------------------------------------------------------


def deficient(kind):
    net, X = build("dense")
    if kind == "duplicate patterns":
        X = X[[0, 0, 1, 2, 2, 2]]
    elif kind == "dead units":
        net[1].weight.data.zero_()
        net[1].bias.data.fill_(-1.0)
    elif kind == "zero input":
        X = X * torch.tensor([1, 1, 0, 0, 0, 0]).double().unsqueeze(1)
    elif kind == "fixed sum":
        net = nn.Sequential(net, nn.Softmax(dim=1))
    elif kind == "few weights":
        net = build("root is a layer")[0]
        X = torch.cat([X, X.flip(0) * 0.3, X * X])
    return net, X


KINDS = ["duplicate patterns", "dead units", "zero input", "fixed sum", "few weights"]


@pytest.mark.parametrize("kind", KINDS)
def test_deficient_rank_gives_the_pseudo_inverse(kind, dense):
    net, X = deficient(kind)
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    assert torch.linalg.matrix_rank(J) < len(e)
    found = dense.step(EVDHJB, net, X, target, r=1.0)
    torch.testing.assert_close(found, polar(J, e), rtol=1e-5, atol=1e-6)
    eye = torch.eye(J.shape[1], dtype=torch.float64)
    found = dense.step(LevenbergMarquardt, net, X, target, mu=0.01)
    torch.testing.assert_close(
        found, torch.linalg.solve(J.T @ J + 0.01 * eye, J.T @ e), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mu", [1e-30, 1e-12, 1e-6])
def test_deficient_rank_in_single_precision_stays_finite(kind, mu, dense):
    net, X = deficient(kind)
    net, X = net.float(), X.float()
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    u = dense.step(EVDHJB, net, X, target, r=1.0)
    assert torch.isfinite(u).all()
    assert u.norm() <= 1.01 * e.norm()
    expected = polar(J.double(), e.double())
    assert (u - expected).norm() < 0.02 * expected.norm()
    assert torch.isfinite(dense.step(LevenbergMarquardt, net, X, target, mu=mu)).all()


@pytest.mark.parametrize("name", ["smooth", "conv2d", "batch norm in evaluation"])
def test_single_precision_is_close_to_double(name, dense):
    net, X = build(name)
    target = dense.target(net, X)
    for rule in RULES:
        expected = dense.step(rule, net, X, target)
        found = dense.step(rule, copy.deepcopy(net).float(), X.float(), target.float())
        assert (found - expected).norm() < 1e-3 * expected.norm()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("stop", ["no error", "no gradient"])
def test_zero_error_or_zero_gradient_gives_no_step(rule, stop, dense):
    net, X = build("dense")
    if stop == "no error":
        target = dense.outputs(net, X).detach()
    else:  # an error that no weight can reach
        net[-1].weight.data.zero_()
        net[-1].bias.requires_grad_(False)
        for p in net[-1].parameters():
            p.requires_grad_(False)
        target = dense.target(net, X)
    assert dense.step(rule, net, X, target).abs().max() == 0


# -- groups -----------------------------------------------------------------------------


def test_control_effort_may_differ_between_groups(dense):
    net, X = build("smooth")
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    params = list(net.parameters())
    first = sum(p.numel() for p in params[:3])
    R = torch.full((J.shape[1],), 5.0, dtype=torch.float64)
    R[:first] = 0.5
    s, U = torch.linalg.eigh(J @ (J / R).T)
    expected = (J / R).T @ (U @ (s**-0.5 * (U.T @ e)))
    twin = copy.deepcopy(net)
    own = list(twin.parameters())
    groups = [{"params": own[:3], "r": 0.5}, {"params": own[3:]}]
    optimizer = EVDHJB(groups, lr=1.0, r=5.0, module=twin)
    optimizer.step(dense.closure(twin, X, target, optimizer))
    torch.testing.assert_close(dense.flat(twin) - dense.flat(net), expected, rtol=1e-7, atol=1e-8)


def test_damping_and_step_size_may_differ_between_groups(dense):
    net, X = build("dense")
    target = dense.target(net, X)
    J, e = exact(dense, net, X, target)
    first = sum(p.numel() for p in list(net.parameters())[:3])
    mu = torch.full((J.shape[1],), 0.2, dtype=torch.float64)
    mu[:first] = 3.0
    expected = torch.linalg.solve(J.T @ J + torch.diag(mu), J.T @ e)
    expected[:first] *= 0.1
    twin = copy.deepcopy(net)
    own = list(twin.parameters())
    groups = [{"params": own[:3], "mu": 3.0, "lr": 0.1}, {"params": own[3:]}]
    optimizer = LevenbergMarquardt(groups, mu=0.2, module=twin)
    optimizer.step(dense.closure(twin, X, target, optimizer))
    torch.testing.assert_close(dense.flat(twin) - dense.flat(net), expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_parameters_outside_of_the_optimizer_stay_and_do_not_count(rule, dense):
    net, X = build("dense")
    target = dense.target(net, X)
    frozen = copy.deepcopy(net)
    for p in frozen[1].parameters():
        p.requires_grad_(False)
    expected = dense.step(rule, frozen, X, target)
    twin = copy.deepcopy(net)
    optimizer = rule(list(twin.parameters())[2:], lr=1.0, module=twin)
    optimizer.step(dense.closure(twin, X, target, optimizer))
    step = dense.flat(twin) - dense.flat(net)
    torch.testing.assert_close(step[-len(expected):], expected)
    assert step[: -len(expected)].abs().max() == 0


# -- memory -----------------------------------------------------------------------------


class Largest(TorchDispatchMode):
    """Records the size of the largest tensor that any operation gives."""

    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(value, torch.Tensor):
                self.numel = max(self.numel, value.untyped_storage().nbytes() // 4)
        return out


@pytest.mark.parametrize("rule", GRAM_RULES)
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_memory_does_not_grow_with_rows_times_weights(rule, kind):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net, X = (
            (MLP(700, 3, (600, 300)), torch.randn(20, 700))
            if kind == "dense"
            else (nn.Sequential(nn.Conv1d(48, 96, 9), nn.ReLU(), nn.Flatten(),
                                nn.Linear(96 * 8, 3)), torch.randn(40, 48, 16))
        )
    y = torch.arange(len(X)) % 3
    weights = sum(p.numel() for p in net.parameters())
    dense_jacobian = 3 * len(X) * weights
    allowed = max((3 * len(X)) ** 2, weights, _jacobian._PIECE)
    optimizer = rule(net.parameters(), module=net)
    with Largest() as largest:
        optimizer.step(cross_entropy(net, X, y))
    assert largest.numel <= allowed
    assert dense_jacobian > 4 * allowed  # so that the test can tell


def cross_entropy(net, X, y):
    def closure():
        loss = nn.functional.cross_entropy(net(X), y, reduction="sum")
        loss.backward()
        return loss

    return closure


# -- matching outputs -------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_with_a_matching_output_the_error_is_label_minus_probability(rule, dense):
    """Cross-entropy of logits steps as half the squared error with the same e."""
    net, X = build("dense")
    y = torch.arange(6) % 3
    with torch.no_grad():
        logits = net(X)
        e = nn.functional.one_hot(y, 3) - torch.softmax(logits, 1)
    expected = dense.step(rule, net, X, (logits + e).t().reshape(-1))
    twin = copy.deepcopy(net)
    optimizer = rule(twin.parameters(), lr=1.0, module=twin)
    optimizer.step(cross_entropy(twin, X, y))
    torch.testing.assert_close(dense.flat(twin) - dense.flat(net), expected)
    loss = nn.functional.cross_entropy(net(X), y, reduction="sum")
    gradients = torch.autograd.grad(loss, list(net.parameters()))
    for p, g in zip(twin.parameters(), gradients):
        torch.testing.assert_close(p.grad, g)


def test_outputs_that_the_loss_ignores_do_not_count(dense):
    net, X = build("two branches")
    target = dense.target(net, X)[: 3 * len(X)]

    def step(module, of):
        twin = copy.deepcopy(module)
        optimizer = EVDHJB(twin.parameters(), lr=1.0, module=twin)

        def closure():
            error = target - of(twin(X)).t().reshape(-1)
            loss = 0.5 * error.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return dense.flat(twin.a) - dense.flat(module.a)

    alone = Called(lambda s, x: s.a(x), a=net.a)
    torch.testing.assert_close(step(net, lambda out: out[0]), step(alone, lambda out: out))


def test_layers_with_a_parametrized_weight_are_refused():
    with torch.random.fork_rng():
        net = nn.Sequential(nn.Linear(3, 2))
        parametrize.register_parametrization(net[0], "weight", nn.Tanh())
    with pytest.raises(ValueError, match="cannot train '0' .*normalization layers"):
        EVDHJB(net.parameters(), module=net)
