"""What holds for every policy, in any loop, and what all of them refuse."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
import torch
from torch import nn

import skbci.weighting
from skbci.weighting import (
    POLICIES,
    AdaMT,
    AlphaGrad,
    DynamicWeightAverage,
    FixedWeights,
    GradApprox,
    GradNorm,
    GramianWeighting,
    LossCollapseWarning,
    NonFiniteError,
    UncertaintyWeighting,
    WeightingPolicy,
    head_parameters,
    resolve_policy,
    shared_gradients,
    weighted_backward,
)


def inverse_norms(gramian):
    return gramian.diagonal().rsqrt()


ALL = [
    FixedWeights(),
    AlphaGrad(),
    AlphaGrad(lr=1.0, p=1),
    AlphaGrad(constraint="project"),
    AlphaGrad(constraint="lead", pull=1.0),
    AdaMT(),
    GradApprox(),
    GradApprox("ratio"),
    UncertaintyWeighting(),
    DynamicWeightAverage(),
    GradNorm(),
    GramianWeighting(inverse_norms),
]
quiet = pytest.mark.filterwarnings("ignore::skbci.weighting.LossCollapseWarning")


def name(policy):
    """The policy as it is written, without a function's address: another in each process."""
    return re.sub(r" at 0x\w+", "", repr(policy))


@pytest.fixture(params=ALL, ids=name)
def policy(request):
    return copy.deepcopy(request.param)


def history(seed=0, n_epochs=6, n_batches=4, K=3):
    rng = np.random.RandomState(seed)
    scale = np.array([1.0, 6.0, 0.2])[:K]
    losses = np.exp(rng.randn(n_epochs, 2 * n_batches, K)) * scale
    gradients = rng.randn(n_epochs, n_batches, K, 5) * scale[:, None]
    return losses, gradients


def run(policy, losses, gradients):
    """Weights after each batch; the second half of each epoch's losses is for validation."""
    weights = []
    for epoch, of_epoch in zip(losses, gradients):
        half = len(of_epoch)
        weights += [policy.update(*pair).copy() for pair in zip(epoch, of_epoch)]
        weights.append(policy.on_epoch(epoch[:half], epoch[half:]).copy())
    return np.array(weights)


@quiet
@pytest.mark.parametrize("K", [1, 2, 3])
def test_weights_start_at_one_stay_positive_and_sum_to_their_number(policy, K):
    losses, gradients = history(K=K)
    np.testing.assert_array_equal(policy.start(K).weights_, np.ones(K))
    weights = run(policy, losses, gradients)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), K, rtol=1e-9)


@quiet
def test_permuting_the_losses_permutes_the_weights(policy):
    losses, gradients = history()
    plain = run(copy.deepcopy(policy).start(3), losses, gradients)
    order = [2, 0, 1]
    if getattr(policy, "constraint", None) == "lead":
        policy.lead = order.index(policy.lead)
    permuted = run(policy.start(3), losses[..., order], gradients[..., order, :])
    np.testing.assert_allclose(permuted, plain[:, order], rtol=1e-7)


def test_equal_losses_and_gradients_leave_equal_weights_equal(policy):
    losses, gradients = history()
    weights = run(
        policy.start(3),
        np.repeat(losses[..., :1], 3, axis=-1),
        np.repeat(gradients[:, :, :1], 3, axis=2),
    )
    np.testing.assert_allclose(weights, 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    "policy",
    [AlphaGrad(), AlphaGrad(p=1), AlphaGrad(constraint="project"), GradNorm(alpha=0.0)],
    ids=repr,
)
def test_a_larger_loss_loses_weight(policy):
    losses, gradients = history()
    G = gradients[0, 0] / np.linalg.norm(gradients[0, 0], axis=1, keepdims=True)
    weights = copy.deepcopy(policy).start(3).update(losses[0, 0], G * [[1], [4], [1]])
    assert weights[1] < 1
    assert weights[1] < min(weights[0], weights[2])


def test_zero_gradients_change_nothing():
    for policy in (AlphaGrad(), AlphaGrad(constraint="project"), AdaMT(), GradNorm()):
        weights = policy.start(3).update(np.ones(3), np.zeros((3, 4)))
        np.testing.assert_allclose(weights, 1.0)


@quiet
@pytest.mark.parametrize("by", ["state", "pickle"])
def test_training_continues_from_a_saved_state(policy, by):
    losses, gradients = history()
    run(policy.start(3), losses[:4], gradients[:4])
    if by == "pickle":
        other = pickle.loads(pickle.dumps(policy))
    else:
        other = copy.deepcopy(policy).start(5).load_state_dict(policy.state_dict())
    expected = run(policy, losses[4:], gradients[4:])
    np.testing.assert_array_equal(run(other, losses[4:], gradients[4:]), expected)


@quiet
def test_a_saved_state_does_not_change_with_the_policy(policy):
    losses, gradients = history()
    run(policy.start(3), losses, gradients)
    state = policy.state_dict()
    kept = copy.deepcopy(state)
    run(policy, losses + 1, gradients)
    assert pickle.dumps(state) == pickle.dumps(kept)


@quiet
def test_start_forgets(policy):
    losses, gradients = history()
    first = run(policy.start(3), losses, gradients)
    np.testing.assert_array_equal(run(policy.start(3), losses, gradients), first)


# ---- in a torch loop ------------------------------------------------------------------------


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shared, heads = nn.Linear(4, 6), nn.ModuleList(nn.Linear(6, 1) for _ in range(3))
        X = torch.randn(10, 4)
    return shared, heads, X


def losses_of(network):
    shared, heads, X = network
    z = torch.tanh(shared(X))
    return [(k + 1) * (head(z) - k).square().mean() for k, head in enumerate(heads)]


@quiet
def test_in_a_loop_a_policy_sees_what_backward_would_give(policy, network):
    shared, *_ = network
    losses = losses_of(network)
    gradients = []
    for k in range(3):
        shared.zero_grad()
        losses_of(network)[k].backward()
        gradients.append(shared.weight.grad.numpy().copy())
    shared.zero_grad()
    weights = policy.start(3).on_batch(losses, shared.weight)
    assert shared.weight.grad is None
    expected = copy.deepcopy(policy).start(3).update([l.item() for l in losses], gradients)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    assert not weights.requires_grad
    torch.dot(weights, torch.stack(losses)).backward()  # the graph is still there
    assert shared.weight.grad is not None


@quiet
def test_weighted_backward_equals_on_batch_and_backward(policy, network):
    shared, heads, X = network
    with torch.random.fork_rng():
        trunk = nn.Linear(4, 4)
    parameters = [*trunk.parameters(), *shared.parameters(), *heads.parameters()]

    def forward():
        z = shared(torch.tanh(trunk(X)))
        x = torch.tanh(z)
        # The last loss sees two heads, the first two share one.
        losses = [heads[0](x).square().mean(), heads[0](x + 1).exp().mean()]
        return z, [*losses, (heads[1](x) * heads[2](x)).square().mean()]

    twin = copy.deepcopy(policy).start(3)
    policy.start(3)
    above = head_parameters(forward()[0], parameters)
    assert [id(p) for p in above] == [id(p) for p in heads.parameters()]
    for _ in range(3):
        _, losses = forward()
        expected = torch.dot(policy.on_batch(losses, shared.weight), torch.stack(losses))
        gradients = torch.autograd.grad(expected, parameters)
        for p in parameters:
            p.grad = torch.ones_like(p)  # what is there is added to
        z, losses = forward()
        total = weighted_backward(twin, losses, z, shared.weight, above)
        torch.testing.assert_close(total, expected.detach())
        np.testing.assert_allclose(twin.weights_, policy.weights_, rtol=1e-5)
        for p, gradient in zip(parameters, gradients):
            torch.testing.assert_close(p.grad - 1, gradient, rtol=1e-4, atol=1e-6)


def test_weighted_backward_refuses_a_loss_without_gradient(network):
    shared, heads, X = network
    z = shared(X)
    losses = [z.square().mean(), heads[0](X[:, :1].repeat(1, 6)).mean()]
    with pytest.raises(ValueError, match=r"Loss 1 \(of 2\) has no gradient at shared_output"):
        weighted_backward(AlphaGrad().start(2), losses, z, shared.weight, [])


def test_no_second_order_graph_is_built(network):
    shared, *_ = network
    for gradient in shared_gradients(losses_of(network), shared.weight):
        assert gradient.grad_fn is None
        assert not gradient.requires_grad


def test_a_stacked_tensor_of_losses_is_taken_too(network):
    shared, *_ = network
    a = AlphaGrad().start(3).on_batch(losses_of(network), shared.weight)
    b = AlphaGrad().start(3).on_batch(torch.stack(losses_of(network)), shared.weight)
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_have_the_losses_dtype(dtype, network):
    shared, heads, X = network
    parts = shared.to(dtype), heads.to(dtype), X.to(dtype)
    assert AlphaGrad().start(3).on_batch(losses_of(parts), shared.weight).dtype == dtype


def test_gradient_norms_are_kept_for_the_history(network):
    shared, *_ = network
    policy = AlphaGrad(p=1).start(3)
    assert policy.gradient_norms_ is None
    losses = losses_of(network)
    policy.on_batch(losses, shared.weight)
    expected = [g.norm().item() for g in shared_gradients(losses, shared.weight)]
    np.testing.assert_allclose(policy.gradient_norms_, expected, rtol=1e-5)


# ---- collapse -------------------------------------------------------------------------------


def test_a_collapse_is_named_once_for_each_start():
    policy = AlphaGrad(lr=0.1)
    for _ in range(2):
        policy.start(2)
        with pytest.warns(LossCollapseWarning, match=r"loss 1 has 9\d% of all weight") as seen:
            run(policy, np.ones((1, 600, 2)), np.tile([[3.0], [1.0]], (1, 300, 1, 1)))
        assert len(seen) == 1


@pytest.mark.filterwarnings("error")
def test_nothing_is_said_where_weights_do_not_collapse():
    policy = AlphaGrad(constraint="project").start(3)
    for _ in range(2000):
        policy.update(np.ones(3), np.diag([5.0, 1.0, 0.8]))
    FixedWeights((1, 0)).start(2).update([1.0, 1.0])  # asked for
    AlphaGrad().start(1).update([1.0], [[1.0]])


# ---- refusals -------------------------------------------------------------------------------


def test_a_policy_must_be_started(policy):
    with pytest.raises(ValueError, match=r"call start\(n_losses\) first"):
        policy.update([1.0, 1.0], np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"call start\(n_losses\) first"):
        policy.state_dict()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_losses_that_are_not_finite_are_refused_and_change_nothing(policy, bad):
    policy.start(2)
    before = pickle.dumps(policy.state_dict())
    with pytest.raises(NonFiniteError, match="loss 1 is (nan|inf); losses must be finite"):
        policy.update([1.0, bad], np.ones((2, 2)))
    with pytest.raises(NonFiniteError, match="losses must be finite"):
        policy.on_epoch([1.0, bad], [1.0, 1.0])
    assert pickle.dumps(policy.state_dict()) == before


def test_gradients_that_are_not_finite_are_refused():
    with pytest.raises(NonFiniteError, match="the gradient of loss 0 is not finite"):
        AlphaGrad().start(2).update([1.0, 1.0], [[np.nan], [1.0]])


@pytest.mark.parametrize("policy", [UncertaintyWeighting(), GradNorm(), DynamicWeightAverage()])
def test_negative_losses_are_refused_where_ratios_are_taken(policy):
    policy = copy.deepcopy(policy).start(2)
    with pytest.raises(ValueError, match=r"loss 0 is negative \(-2\)"):
        policy.update([-2.0, 1.0], np.ones((2, 2)))


@pytest.mark.parametrize(
    ("losses", "gradients", "message"),
    [
        ([1.0, 1.0, 1.0], np.ones((3, 2)), "started with 2 losses, but losses has the shape"),
        ([1.0, 1.0], np.ones((3, 2)), "3 gradients were given for 2 losses"),
        ([1.0, 1.0], None, "needs the losses' gradients"),
    ],
)
def test_what_does_not_fit_is_refused(losses, gradients, message):
    with pytest.raises(ValueError, match=message):
        AlphaGrad().start(2).update(losses, gradients)


def test_validation_losses_are_needed_by_gradapprox():
    with pytest.raises(ValueError, match="valid_losses is needed"):
        GradApprox().start(2).on_epoch([1.0, 1.0])


def test_bad_losses_in_a_loop_are_refused(network):
    shared, _, X = network
    losses, policy = losses_of(network), AlphaGrad().start(3)
    with pytest.raises(ValueError, match="started with 3 losses, but got 2"):
        policy.on_batch(losses[:2], shared.weight)
    with pytest.raises(ValueError, match="needs shared_parameter"):
        policy.on_batch(losses)
    with pytest.raises(ValueError, match="Loss 1 must be a scalar Tensor, got shape"):
        policy.on_batch([losses[0], torch.ones(2), losses[2]], shared.weight)
    with pytest.raises(ValueError, match="Loss 2 must be a scalar Tensor, got 0.5"):
        policy.on_batch([losses[0], losses[1], 0.5], shared.weight)
    with pytest.raises(ValueError, match=r"Loss 1 \(of 3\) has no gradient"):
        policy.on_batch([losses[0], X.mean(), losses[2]], shared.weight)
    elsewhere = nn.Parameter(torch.ones(())).square()
    with pytest.raises(ValueError, match=r"Loss 2 \(of 3\) has no gradient"):
        policy.on_batch([losses[0], losses[1], elsewhere], shared.weight)
    with pytest.raises(ValueError, match="requires a gradient"):
        policy.on_batch(losses, X)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: AlphaGrad(lr=0), "lr=0 must be above 0"),
        (lambda: AlphaGrad(lr=float("nan")), "lr=nan"),
        (lambda: AlphaGrad(p=0.5), "p=0.5 must be at least 1 or inf"),
        (lambda: AlphaGrad(p="2"), "p='2' must be a number or inf"),
        (lambda: AlphaGrad(p=None), "p=None must be a number or inf"),
        (lambda: AlphaGrad(minimum=1.0), "minimum=1.0 must be above 0 and below 1"),
        (lambda: AlphaGrad(constraint="clip"), "constraint='clip' is not one of"),
        (lambda: AlphaGrad(pull=0), "pull=0 must be above 0"),
        (lambda: AlphaGrad(lead=-1), "lead=-1 must be at least 0"),
        (lambda: AlphaGrad(constraint="lead", lead=3).start(3), "lead=3 is the place of no loss"),
        (lambda: AdaMT(minimum=-1), "minimum=-1"),
        (lambda: GradApprox("slope"), "policy='slope' is not one of"),
        (lambda: GradApprox(warmup=1), "warmup=1 must be at least 2"),
        (lambda: GradApprox(overlap=0), "overlap=0"),
        (lambda: GradNorm(alpha=-1.0), "alpha=-1.0"),
        (lambda: UncertaintyWeighting(lr="fast"), "lr='fast'"),
        (lambda: DynamicWeightAverage(0.0), "temperature=0.0"),
        (lambda: FixedWeights((1, -1)), "not negative and not all zero"),
        (lambda: FixedWeights((0, 0)), "not negative and not all zero"),
        (lambda: FixedWeights((1, 2)).start(3), "has 2 entries for 3 losses"),
        (lambda: AlphaGrad().start(0), "n_losses=0 must be at least 1"),
        (lambda: AlphaGrad().load_state_dict({"w": 1}), "not the state of AlphaGrad"),
    ],
)
def test_bad_settings_are_refused(build, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()


# ---- TorchJD --------------------------------------------------------------------------------


class MinimumNorm(nn.Module):
    """Stands in for a TorchJD weighting: a module from a Gramian to weights."""

    def forward(self, gramian):
        weights = torch.linalg.solve(gramian, torch.ones(len(gramian), dtype=gramian.dtype))
        return weights / weights.sum()


def test_a_module_plugs_in_and_a_name_is_looked_up_late(monkeypatch):
    import sys
    from types import ModuleType

    fake = ModuleType("torchjd.aggregation")
    fake.MinimumNormWeighting = MinimumNorm
    monkeypatch.setitem(sys.modules, "torchjd", ModuleType("torchjd"))
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", fake)
    G = np.array([[2.0, 0.0], [0.0, 1.0]])
    for weighting in (MinimumNorm(), "MinimumNormWeighting"):
        weights = GramianWeighting(weighting).start(2).update([1.0, 1.0], G)
        np.testing.assert_allclose(weights, [0.4, 1.6])
    weights = GramianWeighting(MinimumNorm(), rescaled=False).start(2).update([1.0, 1.0], G)
    np.testing.assert_allclose(weights, [0.2, 0.8])
    with pytest.raises(ValueError, match="no 'Nothing'; it has MinimumNormWeighting"):
        GramianWeighting("Nothing").start(2)


def test_without_torchjd_a_name_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torchjd", None)
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(ImportError, match=r'pip install "skbci\[torchjd\]"'):
        GramianWeighting("UPGradWeighting").start(2)


@pytest.mark.parametrize(
    ("weighting", "message"),
    [
        (lambda G: G, "one finite weight for each is needed"),
        (lambda G: G.diagonal() * torch.nan, "one finite weight for each is needed"),
        (lambda G: -G.diagonal(), "cannot be scaled to a positive sum"),
    ],
)
def test_a_weighting_that_gives_something_else_is_refused(weighting, message):
    with pytest.raises(ValueError, match=message):
        GramianWeighting(weighting).start(2).update([1.0, 1.0], np.eye(2))


def test_a_weighting_must_be_callable():
    with pytest.raises(TypeError, match="must be callable"):
        GramianWeighting(3)


# ---- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_every_name_gives_a_policy(name):
    assert isinstance(resolve_policy(name), WeightingPolicy)


def test_every_public_policy_has_a_name():
    named = {kind for kind, _ in POLICIES.values()}
    public = {
        kind
        for kind in vars(skbci.weighting).values()
        if isinstance(kind, type) and issubclass(kind, WeightingPolicy)
    }
    assert named == public - {WeightingPolicy}


def test_settings_win_over_what_a_name_implies():
    assert resolve_policy("alphagrad-project").constraint == "project"
    assert resolve_policy("alphagrad-project", {"constraint": "rescale"}).constraint == "rescale"
    assert resolve_policy("alphagrad-lead", {"pull": 0.2}).pull == 0.2
    assert resolve_policy(AlphaGrad, {"lr": 0.5}).lr == 0.5


def test_an_instance_is_copied():
    mine = AlphaGrad(lr=0.3)
    other = resolve_policy(mine)
    other.start(2)
    assert other.lr == 0.3
    assert not hasattr(mine, "weights_")


@pytest.mark.parametrize(
    ("policy", "settings", "error", "message"),
    [
        ("alpha", {}, ValueError, "loss_weighting='alpha' is unknown; use one of"),
        (
            "alphagrad",
            {"rate": 1},
            ValueError,
            "no setting 'rate'; its settings are loss_weighting__lr, loss_weighting__p",
        ),
        (AlphaGrad(), {"lr": 1}, ValueError, "loss_weighting__lr cannot be set on an instance"),
        (3, {}, TypeError, "must be a name"),
        (dict, {}, TypeError, "must be a name"),
    ],
)
def test_what_is_no_policy_is_refused(policy, settings, error, message):
    with pytest.raises(error, match=message):
        resolve_policy(policy, settings)
