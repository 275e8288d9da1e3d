"""Pruned weights stay at zero, and the others are trained as if the pruned ones were not there."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skbci._training.criteria import CrossEntropy
from skbci._training.dense.engine import DenseEngine
from skbci.nets import MLP, DualTaskNet, FBMSNet, MIN2Net
from skbci.optim import EVDHJB, HJB, HJBAD, LevenbergMarquardt, LyapunovDescent
from skbci.sparsity import MaskedTraining, apply_masks, prunable


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


OPTIMIZERS = {
    "hjb": lambda net: HJB(net.parameters(), lr=0.1),
    "hjb-ad": lambda net: HJBAD(net.parameters(), lr=0.1),
    "adam, weight decay": lambda net: torch.optim.Adam(net.parameters(), weight_decay=0.1),
    "adam, fused": lambda net: torch.optim.Adam(net.parameters(), fused=True),
    "adamw": lambda net: torch.optim.AdamW(net.parameters(), lr=0.01),
    "sgd, momentum": lambda net: torch.optim.SGD(
        net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01
    ),
    "rmsprop": lambda net: torch.optim.RMSprop(net.parameters(), momentum=0.5),
    "adagrad": lambda net: torch.optim.Adagrad(net.parameters()),
    "lbfgs": lambda net: torch.optim.LBFGS(net.parameters(), max_iter=3),
    "evdhjb": lambda net: EVDHJB(net.parameters(), lr=0.1, module=net),
    "lm": lambda net: LevenbergMarquardt(net.parameters(), lr=0.1, module=net),
    "lf": lambda net: LyapunovDescent(net.parameters(), lr=0.01, module=net),
}
BY_CLOSURE = {"hjb", "hjb-ad", "lbfgs", "evdhjb", "lm", "lf"}


def random_masks(net, share=0.5):
    rng = torch.Generator().manual_seed(3)
    return {n: torch.rand(w.shape, generator=rng) < share for n, w in prunable(net).items()}


def closure_of(net, optimizer, X, y, reduction="sum"):
    def closure():
        optimizer.zero_grad()
        output = net(X)
        outputs = output if isinstance(output, tuple) else (output,)
        loss = sum(F.cross_entropy(out.flatten(1), y, reduction=reduction) for out in outputs)
        loss.backward()
        return loss

    return closure


def assert_masked(net, masks):
    for name, mask in masks.items():
        weight = net.get_parameter(name).detach()
        assert (weight[~mask] == 0).all()
        assert weight[mask].ne(0).any()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pruned_weights_are_exactly_zero_after_every_step(name):
    net = MLP(6, 3, (8, 5), activation="tanh")
    masks, optimizer = random_masks(net), OPTIMIZERS[name](net)
    X, y = torch.randn(20, 6), torch.arange(20) % 3
    start = copy.deepcopy(net.state_dict())
    closure = closure_of(net, optimizer, X, y)
    with MaskedTraining(net, masks, optimizer):
        for _ in range(6):
            if name in BY_CLOSURE:
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
            assert_masked(net, masks)
    for key, mask in masks.items():
        moved = net.get_parameter(key).detach() != start[key]
        assert moved[mask].float().mean() > 0.9
    assert not torch.equal(net[1].bias, start["1.bias"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_from_before_does_not_bring_weights_back(name):
    """Momentum and accumulators gathered before the masks were found."""
    net = MLP(6, 3, (8, 5), activation="tanh")
    masks, optimizer = random_masks(net), OPTIMIZERS[name](net)
    closure = closure_of(net, optimizer, torch.randn(20, 6), torch.arange(20) % 3)
    for masked in (False, True):
        training = MaskedTraining(net, masks)
        if masked:
            training.attach(optimizer)
        for _ in range(3):
            if name in BY_CLOSURE:
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
        training.detach()
    assert_masked(net, masks)


NETWORKS = {
    "MIN2Net": lambda: MIN2Net(3, 40, 2, subsampling=20),
    "FBMSNet": lambda: FBMSNet(4, 3, 40, 2),
    "DualTaskNet": lambda: DualTaskNet(3, 64, {"a": 2, "b": 2}, pooling=8),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_pruned_weights_are_exactly_zero_after_max_norm(name):
    net = NETWORKS[name]()
    masks = random_masks(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.3, weight_decay=0.1)
    shape = (4, 3, 40) if isinstance(net, FBMSNet) else (net.n_channels, net.n_times)
    X = torch.randn(6, *shape)
    with MaskedTraining(net, masks, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            sum(out.square().mean() for out in net(X)).backward()
            optimizer.step()
            net.apply_max_norm()
            assert_masked(net, masks)


@pytest.mark.parametrize("kind", [HJB, HJBAD, torch.optim.Adam, torch.optim.SGD])
def test_kept_weights_train_as_if_the_others_were_not_there(kind):
    """Against a network whose parameters are the kept weights alone."""
    net = MLP(5, 3, (6,), activation="tanh").double()
    masks = random_masks(net)
    X, y = torch.randn(12, 5).double(), torch.arange(12) % 3
    apply_masks(net, masks)
    free = {
        name: nn.Parameter(p.detach()[masks[name]] if name in masks else p.detach().clone())
        for name, p in net.named_parameters()
    }

    def filled():
        return {
            name: torch.zeros_like(net.get_parameter(name)).masked_scatter(masks[name], value)
            if name in masks else value
            for name, value in free.items()
        }

    settings = {"lr": 0.1} if kind is not torch.optim.Adam else {"lr": 0.1, "weight_decay": 0.1}
    ours, theirs = kind(net.parameters(), **settings), kind(free.values(), **settings)

    def closure():
        theirs.zero_grad()
        loss = F.cross_entropy(
            torch.func.functional_call(net, filled(), (X,)), y, reduction="sum"
        )
        loss.backward()
        return loss

    with MaskedTraining(net, masks, ours):
        for _ in range(5):
            ours.step(closure_of(net, ours, X, y))
            theirs.step(closure)
    for name, value in filled().items():
        torch.testing.assert_close(net.get_parameter(name), value)


def test_a_step_of_hjb_keeps_its_length():
    net = MLP(5, 3, (6,), activation="tanh").double()
    masks = random_masks(net, share=0.3)
    optimizer = HJB(net.parameters(), lr=0.1, r=100.0, eps=0.0)
    with MaskedTraining(net, masks, optimizer):
        before = nn.utils.parameters_to_vector(net.parameters()).detach().clone()
        loss = optimizer.step(
            closure_of(net, optimizer, torch.randn(12, 5).double(), torch.arange(12) % 3)
        )
        after = nn.utils.parameters_to_vector(net.parameters()).detach()
    length = 0.1 * math.sqrt(2 * loss.item() / 100.0)
    assert float((after - before).norm()) == pytest.approx(length, rel=1e-9)


@pytest.mark.parametrize("kind", [HJB, torch.optim.Adam])
def test_an_engine_with_one_flat_vector_is_masked_too(kind):
    """The gradient is written by hand there: no hook of a parameter would see it."""
    net = MLP(5, 3, (6, 4))
    twin = copy.deepcopy(net)
    masks = random_masks(net)
    X, y = torch.randn(12, 5), torch.arange(12) % 3
    engine = DenseEngine(net, CrossEntropy())
    engine.start()
    flat, by_layer = kind([engine.flat], lr=0.05), kind(twin.parameters(), lr=0.05)
    with MaskedTraining(net, masks, flat), MaskedTraining(twin, masks, by_layer):
        for _ in range(5):
            flat.step(lambda: engine(X, y, None, None)[0])
            by_layer.step(closure_of(twin, by_layer, X, y))
            assert_masked(net, masks)
    n_kept = sum(int(m.sum()) for m in masks.values()) + 6 + 4 + 3
    assert int(engine.flat.detach().count_nonzero()) == n_kept
    for ours, theirs in zip(net.parameters(), twin.parameters()):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_masks_that_drop_nothing_change_nothing_to_the_bit(name):
    results = []
    for masked in (False, True):
        torch.manual_seed(0)
        net = MLP(6, 3, (8, 5), activation="tanh")
        optimizer = OPTIMIZERS[name](net)
        closure = closure_of(net, optimizer, torch.randn(20, 6), torch.arange(20) % 3)
        masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in prunable(net).items()}
        training = MaskedTraining(net, masks, optimizer if masked else None).attach()
        for _ in range(4):
            if name in BY_CLOSURE:
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
        training.detach()
        results.append(nn.utils.parameters_to_vector(net.parameters()).detach())
    assert torch.equal(*results)


def test_the_closure_may_be_given_by_name_and_is_called_once():
    net = MLP(4, 2, (3,))
    masks, optimizer = random_masks(net), HJB(net.parameters())
    inner, calls = closure_of(net, optimizer, torch.randn(6, 4), torch.arange(6) % 2), []

    def closure():
        calls.append(1)
        return inner()

    with MaskedTraining(net, masks, optimizer):
        loss = optimizer.step(closure=closure)
        optimizer.step(closure)
    assert loss.ndim == 0
    assert len(calls) == 2
    assert_masked(net, masks)


def test_detached_training_is_free_again_and_attaching_twice_is_once():
    net = MLP(4, 2, (3,))
    masks = {"1.weight": torch.zeros(3, 4, dtype=torch.bool)}
    masks["1.weight"][0] = True
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    training = MaskedTraining(net, masks, optimizer).attach().attach()
    assert len(optimizer._optimizer_step_post_hooks) == 1
    training.detach()
    closure_of(net, optimizer, torch.randn(6, 4).abs(), torch.arange(6) % 2)()
    with torch.no_grad():
        net[1].weight.grad.fill_(1.0)
    optimizer.step()
    assert (net[1].weight[1:] != 0).all()


def test_a_loop_without_an_optimizer_object():
    net = MLP(4, 2, (3,))
    masks = random_masks(net)
    with MaskedTraining(net, masks) as training:
        F.cross_entropy(net(torch.randn(6, 4)), torch.arange(6) % 2).backward()
        training.mask_gradients()
        for name, mask in masks.items():
            assert (net.get_parameter(name).grad[~mask] == 0).all()
        with torch.no_grad():
            for p in net.parameters():
                p.add_(1.0)
        training.mask_weights()
    assert_masked(net, masks)


def test_a_change_of_precision_in_between():
    net = MLP(4, 2, (3,))
    masks, optimizer = random_masks(net), torch.optim.SGD(net.parameters(), lr=0.1)
    with MaskedTraining(net, masks, optimizer):
        net.double()
        closure_of(net, optimizer, torch.randn(6, 4).double(), torch.arange(6) % 2)()
        optimizer.step()
        net.float()
        assert_masked(net, masks)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [HJB, torch.optim.Adam, torch.optim.SGD])
def test_gradients_that_are_not_finite_leave_pruned_weights_at_zero(kind, bad):
    """A penalty may be singular at zero, which is where all pruned weights are."""
    net = MLP(4, 2, (3,))
    masks = random_masks(net)
    twin = copy.deepcopy(net)
    for one, value in ((net, bad), (twin, 1.0)):
        optimizer = kind(one.parameters(), lr=0.1)
        closure = closure_of(one, optimizer, torch.ones(6, 4), torch.arange(6) % 2)

        def poisoned(one=one, value=value, closure=closure):
            loss = closure()
            for name, mask in masks.items():
                one.get_parameter(name).grad[~mask] = value
            return loss

        with MaskedTraining(one, masks, optimizer) as training:
            for _ in range(3):
                optimizer.step(poisoned)
            assert_masked(one, masks)
            with torch.no_grad():
                for name, mask in masks.items():
                    one.get_parameter(name)[~mask] = value
            training.mask_weights()
        assert_masked(one, masks)
    for ours, theirs in zip(net.parameters(), twin.parameters()):
        assert torch.equal(ours, theirs)


def test_pruned_weights_are_zero_without_a_sign():
    net = nn.Linear(3, 2)
    with torch.no_grad():
        net.weight.fill_(-1.0)
    masks = {"weight": torch.zeros(2, 3, dtype=torch.bool)}
    with MaskedTraining(net, masks):
        assert not net.weight.signbit().any()


@pytest.mark.parametrize(
    ("masks", "error", "message"),
    [
        ({"2.weight": torch.ones(3, 4, dtype=torch.bool)}, ValueError,
         "'2.weight', which is not a parameter of MLP; its parameters are"),
        ({"1.weight": torch.ones(3, 4)}, TypeError, "must be a bool Tensor, got torch.float32"),
        ({"1.weight": [[True] * 4] * 3}, TypeError, "must be a bool Tensor, got list"),
        ({"1.weight": torch.ones(4, 3, dtype=torch.bool)}, ValueError,
         r"has the shape \(4, 3\), but the parameter \(3, 4\)"),
    ],
)
@pytest.mark.parametrize("use", [apply_masks, MaskedTraining])
def test_masks_that_do_not_fit_are_refused(use, masks, error, message):
    with pytest.raises(error, match=message):
        use(MLP(4, 2, (3,)), masks)
