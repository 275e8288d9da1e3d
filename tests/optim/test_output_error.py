"""What LM, EVDHJB and LF ask of the module and the closure, and what they leave behind."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from torch import nn

from skbci.nets import MLP
from skbci.optim import EVDHJB, LevenbergMarquardt, LyapunovDescent, NonFiniteLossError

RULES = [LevenbergMarquardt, EVDHJB, LyapunovDescent]
GRAM_RULES = [LevenbergMarquardt, EVDHJB]


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def problem(n=12, **settings):
    net = MLP(5, 3, (7, 6), **settings)
    return net, torch.randn(n, 5), torch.arange(n) % 3


def closure_of(net, X, y):
    def closure():
        loss = nn.functional.cross_entropy(net(X), y, reduction="sum")
        loss.backward()
        return loss

    return closure


def weights(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()]).clone()


# -- the module -------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_the_module_is_needed(rule):
    net, _, _ = problem()
    with pytest.raises(TypeError, match=r"needs the torch module that it trains: .*module=net"):
        rule(net.parameters())
    with pytest.raises(TypeError, match="not a str"):
        rule(net.parameters(), module="net")


@pytest.mark.parametrize("rule", RULES)
def test_foreign_parameters_are_refused(rule):
    net, _, _ = problem()
    with pytest.raises(ValueError, match=r"shape \(2,\) does not belong to the module MLP"):
        rule([*net.parameters(), nn.Parameter(torch.ones(2))], module=net)
    optimizer = rule(net.parameters(), module=net)
    with pytest.raises(ValueError, match="does not belong to the module"):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))]})


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.memory = nn.GRU(5, 4, batch_first=True)
        self.out = nn.Linear(4, 3)

    def forward(self, X):
        return self.out(self.memory(X.unsqueeze(1))[0][:, -1])


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_unknown_layers_are_refused_by_name(rule):
    net = Recurrent()
    with pytest.raises(ValueError, match=r"cannot train 'memory' \(GRU\).*'lf' or 'hjb'"):
        rule(net.parameters(), module=net)
    _, X, y = problem()
    optimizer = rule(net.out.parameters(), module=net)  # the rest stays fixed
    before = weights(net.memory), weights(net.out)
    optimizer.step(closure_of(net, X, y))
    assert torch.equal(weights(net.memory), before[0])
    assert not torch.equal(weights(net.out), before[1])


def test_lf_takes_any_layer():
    net = Recurrent()
    _, X, y = problem()
    optimizer = LyapunovDescent(net.parameters(), lr=0.01, module=net)
    losses = [optimizer.step(closure_of(net, X, y)).item() for _ in range(20)]
    assert losses[-1] < losses[0]


def with_batch_norm(**settings):
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6, **settings), nn.ReLU(),
                         nn.Linear(6, 3))


@pytest.mark.parametrize("rule", GRAM_RULES)
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_in_training_mode_is_refused_by_name(rule, affine):
    net = with_batch_norm(affine=affine)
    _, X, y = problem()
    optimizer = rule(net.parameters(), module=net)
    before = weights(net)
    message = r"'1' \(BatchNorm1d\) in training mode.*whole mini-batch"
    with pytest.raises(ValueError, match=message):
        optimizer.step(closure_of(net, X, y))
    assert torch.equal(weights(net), before)
    net[1].eval()
    optimizer.step(closure_of(net, X, y))
    assert not torch.equal(weights(net), before)


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_batch_norm_without_running_statistics_is_refused_in_either_mode(rule):
    net = with_batch_norm(track_running_stats=False).eval()
    _, X, y = problem()
    with pytest.raises(ValueError, match="whole mini-batch"):
        rule(net.parameters(), module=net).step(closure_of(net, X, y))


def test_lf_trains_through_batch_norm():
    net = with_batch_norm()
    _, X, y = problem()
    optimizer = LyapunovDescent(net.parameters(), lr=0.01, module=net)
    losses = [optimizer.step(closure_of(net, X, y)).item() for _ in range(20)]
    assert losses[-1] < losses[0]


class Centred(nn.Module):
    """Couples the patterns without a layer that says so."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, X):
        hidden = self.a(X)
        return self.b(torch.tanh(hidden - hidden.mean(0)))


class Decoder(nn.Module):
    """Uses a layer's weight outside of the layer."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 4), nn.Linear(5, 3)

    def forward(self, X):
        return self.b(torch.tanh(self.a(X)) @ self.a.weight)


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(1, 4), nn.Linear(20, 3)

    def forward(self, X):
        hidden = self.a(X.t().unsqueeze(2))  # features x rows x 1
        return self.b(torch.tanh(hidden).transpose(0, 1).flatten(1))


@pytest.mark.parametrize("rule", GRAM_RULES)
@pytest.mark.parametrize(("kind", "n"), [(Centred, 10), (Decoder, 10), (TimeFirst, 5)])
def test_modules_that_are_no_chain_of_independent_layers_are_found_out(rule, kind, n):
    net = kind()
    _, X, y = problem(n=n)
    before = weights(net)
    with pytest.raises(ValueError, match=f"cannot train {kind.__name__}: the module couples"):
        rule(net.parameters(), module=net).step(closure_of(net, X, y))
    assert torch.equal(weights(net), before)


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_rows_that_belong_to_no_pattern_are_refused(rule):
    net = TimeFirst()
    _, X, y = problem(n=7)
    with pytest.raises(ValueError, match="Linear has 5 rows for 7 patterns"):
        rule(net.parameters(), module=net).step(closure_of(net, X, y))


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_layers_that_share_half_of_their_parameters_are_refused(rule):
    net = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5))
    net[2].weight = net[0].weight
    with pytest.raises(ValueError, match=r"cannot train '2' \(Linear\): it shares one of its"):
        rule(net.parameters(), module=net)


@pytest.mark.parametrize("rule", RULES)
def test_modules_must_return_tensors_with_a_row_for_each_pattern(rule):
    class Named(nn.Linear):
        def forward(self, X):
            return {"logits": super().forward(X)}

    class Total(nn.Linear):
        def forward(self, X):
            return super().forward(X).sum()

    net = Named(2, 2)
    with pytest.raises(TypeError, match="Named returned dict; it must return a tensor"):
        rule(net.parameters(), module=net).step(lambda: net(torch.ones(3, 2)))
    net = Total(2, 2)

    def closure():
        loss = net(torch.ones(3, 2)).square()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match=r"Total have the shapes \(\); the first axis"):
        rule(net.parameters(), module=net).step(closure)


# -- the closure ------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_closure_is_needed(rule):
    net, _, _ = problem()
    with pytest.raises(TypeError, match="needs a closure that computes the loss"):
        rule(net.parameters(), module=net).step()


@pytest.mark.parametrize("rule", RULES)
def test_a_closure_that_does_not_do_its_part_is_refused(rule):
    net, X, y = problem()
    optimizer = rule(net.parameters(), module=net)
    with pytest.raises(ValueError, match="called MLP 0 times"):
        optimizer.step(lambda: torch.tensor(1.0))
    with pytest.raises(ValueError, match="no gradient reached the output of MLP.*call backward"):
        optimizer.step(lambda: net(X).square().sum())

    def twice():
        loss = nn.functional.cross_entropy(torch.cat([net(X), net(-X)]), torch.cat([y, y]))
        loss.backward()
        return loss

    with pytest.raises(ValueError, match="called MLP 2 times.*call it once, with the whole"):
        optimizer.step(twice)


@pytest.mark.parametrize("rule", RULES)
def test_a_closure_may_look_at_the_module_without_gradients(rule):
    net, X, y = problem()
    twin = copy.deepcopy(net)
    rule(net.parameters(), module=net).step(closure_of(net, X, y))

    def closure():
        with torch.no_grad():
            twin(X)
        return closure_of(twin, X, y)()

    rule(twin.parameters(), module=twin).step(closure)
    assert torch.equal(weights(net), weights(twin))


@pytest.mark.parametrize("rule", RULES)
def test_a_penalty_on_the_weights_is_refused(rule):
    net, X, y = problem()
    before = weights(net)

    def closure():
        loss = nn.functional.cross_entropy(net(X), y, reduction="sum")
        loss = loss + 0.1 * net[1].weight.square().sum()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match=r"shape \(7, 5\) other than through the module's output"):
        rule(net.parameters(), module=net).step(closure)
    assert torch.equal(weights(net), before)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1.0, ValueError, "-1.0; it must not be negative"),
        (math.nan, NonFiniteLossError, "loss is nan; it must be finite"),
        (math.inf, NonFiniteLossError, "loss is inf; it must be finite"),
    ],
)
def test_a_bad_loss_is_refused_before_weights_change(rule, value, error, message):
    net, X, _ = problem()
    before = weights(net)

    def closure():
        loss = net(X).sum() * 1e-9 + value
        loss.backward()
        return loss

    with pytest.raises(error, match=message):
        rule(net.parameters(), module=net).step(closure)
    assert torch.equal(weights(net), before)


@pytest.mark.parametrize("rule", RULES)
def test_an_error_or_jacobian_that_is_not_finite_is_refused(rule):
    net, X, y = problem()

    def closure():
        out = net(X)
        out.sum().backward(torch.tensor(math.inf))
        return torch.tensor(1.0)

    with pytest.raises(NonFiniteLossError, match="the output error is not finite"):
        rule(net.parameters(), module=net).step(closure)
    class Steep(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(5, 3)

        def forward(self, X):
            return torch.sqrt(self.a(X * 0).square())  # the slope is nan at zero

    net = Steep()
    net.a.bias.data.zero_()
    before = weights(net)
    with pytest.raises(NonFiniteLossError, match="is not finite"):
        rule(net.parameters(), module=net).step(closure_of(net, X * 0, y))
    assert torch.equal(weights(net), before)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "bad", [torch.ones(5), torch.ones(12, 1), -torch.ones(12), torch.full((12,), math.nan)]
)
def test_bad_row_weights_are_refused(rule, bad):
    net, X, y = problem()
    with pytest.raises(ValueError, match="must hold a number of at least 0 for each of the 12"):
        rule(net.parameters(), module=net).step(closure_of(net, X, y), row_weights=bad)


# -- settings and size ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "settings", "message"),
    [
        (EVDHJB, {"lr": -1.0}, "lr=-1.0 must be at least 0"),
        (EVDHJB, {"r": -2.0}, "r=-2.0 must be above 0"),
        (EVDHJB, {"r": 0.0}, "r=0"),
        (LevenbergMarquardt, {"mu": 0.0}, "mu=0.0 must be above 0"),
        (LevenbergMarquardt, {"mu": math.inf}, "mu=inf must be a finite number, above 0"),
        (LevenbergMarquardt, {"lr": math.nan}, "lr=nan must be a finite number"),
        (LyapunovDescent, {"mu": -1.0}, "mu=-1.0 must be above 0"),
        (LyapunovDescent, {"eps": -1.0}, "eps=-1.0 must be at least 0"),
        (EVDHJB, {"max_gram_bytes": 0}, "max_gram_bytes=0 must be above 0 bytes"),
    ],
)
def test_bad_settings_are_refused(rule, settings, message):
    net, _, _ = problem()
    with pytest.raises(ValueError, match=message):
        rule(net.parameters(), module=net, **settings)


@pytest.mark.parametrize("value", [True, "1 GiB", None])
def test_the_limit_must_be_a_number(value):
    net, _, _ = problem()
    with pytest.raises(TypeError, match=f"max_gram_bytes={value!r} must be a number in bytes"):
        EVDHJB(net.parameters(), module=net, max_gram_bytes=value)


def test_bad_settings_of_a_group_are_refused():
    net, _, _ = problem()
    with pytest.raises(ValueError, match="r=-1.0 must be above 0"):
        EVDHJB([{"params": net.parameters(), "r": -1.0}], module=net)


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_a_batch_too_large_for_memory_is_refused_before_anything_is_allocated(rule):
    net = nn.Linear(1, 2)
    X = torch.ones(200_000, 1)  # the Gram matrix would take 596 GiB
    y = torch.zeros(200_000, dtype=torch.long)
    before = weights(net)
    message = (
        r"200000 rows x 2 outputs.*400000 x 400000 entries, 640000000000 bytes \(596\.05 GiB\), "
        "more than max_gram_bytes=1073741824"
    )
    with pytest.raises(ValueError, match=message):
        rule(net.parameters(), module=net).step(closure_of(net, X, y))
    assert torch.equal(weights(net), before)


@pytest.mark.parametrize("rule", GRAM_RULES)
def test_the_limit_is_met_exactly(rule):
    net, X, y = problem(n=5)
    needed = (5 * 3) ** 2 * 4
    rule(net.parameters(), module=net, max_gram_bytes=needed).step(closure_of(net, X, y))
    with pytest.raises(ValueError, match="900 bytes"):
        rule(net.parameters(), module=net, max_gram_bytes=needed - 1).step(closure_of(net, X, y))


# -- what is left behind ----------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_gradients_are_there_after_a_step_and_old_ones_do_not_count(rule):
    net, X, y = problem()
    twin = copy.deepcopy(net)
    expected = torch.autograd.grad(closure_loss(net, X, y), list(net.parameters()))
    for p in twin.parameters():
        p.grad = torch.ones_like(p)
    rule(twin.parameters(), module=twin).step(closure_of(twin, X, y))
    for p, g in zip(twin.parameters(), expected):
        torch.testing.assert_close(p.grad, g)


def closure_loss(net, X, y):
    return nn.functional.cross_entropy(net(X), y, reduction="sum")


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_left_on_the_module(rule):
    net, X, y = problem()
    optimizer = rule(net.parameters(), module=net)
    optimizer.step(closure_of(net, X, y))
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    assert not any(layer._forward_hooks for layer in net.modules())
    assert torch.is_grad_enabled()
    out = net(X)
    assert out.grad_fn is not None  # the graph is whole again


@pytest.mark.parametrize("rule", RULES)
def test_the_global_random_state_is_not_used(rule):
    net, X, y = problem()
    before = torch.get_rng_state()
    rule(net.parameters(), module=net).step(closure_of(net, X, y))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("rule", RULES)
def test_dropout_is_drawn_once_a_step(rule):
    """As many random numbers are used as by a single forward pass."""
    net, X, y = problem(dropout=0.5)
    start = torch.get_rng_state()
    net(X)
    after = torch.get_rng_state()
    torch.set_rng_state(start)
    rule(net.parameters(), module=net).step(closure_of(net, X, y))
    assert torch.equal(torch.get_rng_state(), after)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("how", ["state_dict", "pickle", "deepcopy"])
def test_training_continues_from_what_was_saved(rule, how):
    net, X, y = problem()
    optimizer = rule(net.parameters(), lr=0.05, module=net)
    for _ in range(3):
        optimizer.step(closure_of(net, X, y))
    if how == "state_dict":
        twin = copy.deepcopy(net)
        other = rule(twin.parameters(), lr=123.0, module=twin)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    elif how == "pickle":
        twin, other = pickle.loads(pickle.dumps((net, optimizer)))
    else:
        twin, other = copy.deepcopy((net, optimizer))
    for _ in range(3):
        optimizer.step(closure_of(net, X, y))
        other.step(closure_of(twin, X, y))
    assert torch.equal(weights(net), weights(twin))


@pytest.mark.parametrize("rule", RULES)
def test_works_under_a_learning_rate_scheduler(rule):
    net, X, y = problem()
    optimizer = rule(net.parameters(), lr=0.0, module=net)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: epoch)
    before = weights(net)
    optimizer.step(closure_of(net, X, y))
    scheduler.step()
    assert torch.equal(weights(net), before)


@pytest.mark.parametrize(
    ("rule", "lr"), [(LevenbergMarquardt, 1.0), (EVDHJB, 0.1), (LyapunovDescent, 0.03)]
)
def test_it_learns(rule, lr):
    net, X, _ = problem(n=100)
    y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()
    optimizer = rule(net.parameters(), lr=lr, module=net)
    for _ in range(200):
        optimizer.step(closure_of(net, X, y))
    assert (net(X).argmax(1) == y).double().mean() > 0.9
