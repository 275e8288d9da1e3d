"""Saliency and its sample: independent of order, batches and the unit of work."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from skbci.nets import MLP, DualTaskNet, FBMSNet, MIN2Net
from skbci.sparsity import NonFiniteSaliencyError, prunable, saliency, stratified_sample


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def classify(net, X, y):
    output = net(X)
    return F.cross_entropy(output[0] if isinstance(output, tuple) else output, y, reduction="none")


def normed():
    return nn.Sequential(
        nn.Conv1d(3, 4, 3, bias=False), nn.BatchNorm1d(4), nn.ELU(), nn.Dropout(0.5),
        nn.Conv1d(4, 5, 3), nn.BatchNorm1d(5), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 6, 3),
    )


CASES = {
    "MLP": (lambda: MLP(6, 3, (8, 5), dropout=0.3), (6,)),
    "batch norm": (normed, (3, 10)),
    "MIN2Net": (lambda: MIN2Net(3, 40, 3, subsampling=20), (3, 40)),
    "FBMSNet": (lambda: FBMSNet(4, 3, 40, 3), (4, 3, 40)),
    "DualTaskNet": (
        lambda: DualTaskNet(3, 64, {"a": 3}, n_filters=4, n_maps=5, pooling=8), (3, 64)
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    build, shape = CASES[request.param]
    return build(), 1 + 2 * torch.randn(12, *shape), torch.arange(12) % 3


def close(a, b, tolerance=1e-9):
    assert a.keys() == b.keys()
    for name in a:
        scale = float(b[name].max())
        torch.testing.assert_close(a[name] / scale, b[name] / scale, rtol=0, atol=tolerance)


def test_it_is_gradient_times_weight():
    net = MLP(6, 3, (8, 5)).double()
    X, y = torch.randn(9, 6).double(), torch.arange(9) % 3
    F.cross_entropy(net(X), y).backward()
    found = saliency(net, classify, [(X, y)])
    assert list(found) == ["1.weight", "3.weight", "5.weight"]
    for name, weight in prunable(net).items():
        torch.testing.assert_close(found[name], (weight.grad * weight).abs().detach())


def test_it_is_the_effect_of_taking_a_weight_out_to_first_order():
    net = MLP(4, 2, (3,), activation="tanh").double()
    X, y = torch.randn(20, 4).double(), torch.arange(20) % 2
    found, step = saliency(net, classify, [(X, y)]), 1e-6
    before = classify(net, X, y).mean().item()
    for name, weight in prunable(net).items():
        for place in np.ndindex(*weight.shape):
            twin = copy.deepcopy(net)
            with torch.no_grad():
                twin.get_parameter(name)[place] *= 1 - step
            change = abs(classify(twin, X, y).mean().item() - before) / step
            assert change == pytest.approx(float(found[name][place]), rel=1e-3, abs=1e-6)


def test_batch_normalization_uses_the_whole_sample_as_constants():
    net = normed().double()
    net[3].p = 0.0
    X, y = torch.randn(12, 3, 10).double(), torch.arange(12) % 3
    with torch.no_grad():
        first = net[0](X)
        mean, variance = first.mean((0, 2)), first.var((0, 2))
        h = F.elu(F.batch_norm(first, mean, first.var((0, 2), correction=0), *affine(net[1])))
        second = net[4](h)
    h = F.elu(F.batch_norm(net[0](X), mean, variance, *affine(net[1])))
    h = F.relu(F.batch_norm(
        net[4](h), second.mean((0, 2)), second.var((0, 2)), *affine(net[5])
    ))
    F.cross_entropy(net[8](h.flatten(1)), y).backward()
    expected = {name: (w.grad * w).abs().detach() for name, w in prunable(net).items()}
    close(saliency(net, classify, [(X, y)]), expected)


def affine(norm):
    return norm.weight, norm.bias


def test_batches_and_order_make_no_difference(case):
    net, X, y = case
    whole = saliency(net, classify, [(X, y)])
    parts = [(X[:1], y[:1]), (X[1:8], y[1:8]), (X[8:], y[8:])]
    close(saliency(net, classify, parts), whole)
    order = torch.randperm(len(X))
    close(saliency(net, classify, [(X[order], y[order])]), whole)


def test_a_mean_loss_counts_as_much_as_a_loss_a_row(case):
    net, X, y = case
    parts = [(X[:5], y[:5]), (X[5:], y[5:])]
    close(
        saliency(net, lambda *args: classify(*args).mean(), parts), saliency(net, classify, parts)
    )


def test_the_module_stays_as_it_is(case):
    net, X, y = case
    before, random = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    saliency(net, classify, [(X, y)])
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
    assert net.training
    assert all(p.grad is None for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_what_the_loss_does_not_depend_on_is_left_out():
    net = DualTaskNet(3, 64, {"a": 2, "b": 2}, n_filters=4, n_maps=5, pooling=8)
    found = saliency(
        net, lambda net, X, task: net(X, task).sum(1), [(torch.randn(4, 3, 64),)], task="a"
    )
    assert "private.a.weight" in found
    assert "private.b.weight" not in found


def test_prunable_are_weights_of_dense_and_convolution_layers_once():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ConvTranspose1d(2, 2, 3), nn.LayerNorm(4),
        nn.Linear(4, 4), nn.Embedding(3, 4), nn.Linear(4, 4), nn.Linear(4, 4),
    )
    net[6].weight = net[4].weight
    net[7].weight.requires_grad_(False)
    assert list(prunable(net)) == ["0.weight", "2.weight", "4.weight"]


# ---- refusals --------------------------------------------------------------------------------


def test_non_finite_saliency_names_the_parameter():
    net = MLP(6, 3, (8,))
    X, y = torch.randn(4, 6), torch.arange(4) % 3
    X[2, 1] = float("nan")
    with pytest.raises(NonFiniteSaliencyError, match=r"48 weights of '1.weight' is not finite"):
        saliency(net, classify, [(X, y)])
    with torch.no_grad():
        net[3].weight[0, 0] = float("inf")
    with pytest.raises(ValueError, match="look for NaN or infinity"):
        saliency(net, classify, [(torch.randn(4, 6), y)])


@pytest.mark.parametrize(
    ("loss", "batches", "message"),
    [
        (classify, [], "batches holds no rows"),
        (classify, [(torch.zeros(0, 6), torch.zeros(0).long())], "batches holds no rows"),
        (classify, [torch.zeros(4, 6)], r"sequences of Tensors.*such as \[\(X, y\)\]"),
        (lambda net, X: net(X), [(torch.zeros(4, 6),)], r"shape \(4,\), or their mean.*\(4, 3\)"),
        (lambda net, X: 1.0, [(torch.zeros(4, 6),)], "got float"),
        (lambda net, X: X.sum(1), [(torch.zeros(4, 6),)], "does not depend on any weight"),
    ],
)
def test_bad_losses_and_batches_are_refused(loss, batches, message):
    with pytest.raises(ValueError, match=message):
        saliency(MLP(6, 3, (8,)), loss, batches)


def test_a_loss_that_uses_another_module_than_it_is_given_is_refused():
    net = MLP(6, 3, (8,)).double()
    with pytest.raises(ValueError, match="has to use the module that it is given"):
        saliency(net, lambda _, X: net(X).sum(1), [(torch.zeros(4, 6),)])


def test_a_module_without_weights_is_refused():
    with pytest.raises(ValueError, match="no dense or convolution layer"):
        saliency(nn.BatchNorm1d(3), lambda net, X: net(X).sum(1), [(torch.zeros(4, 3),)])


# ---- the sample ------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=40),
    st.integers(0, 2**32 - 1),
    st.integers(3, 50),
)
def test_the_sample_does_not_depend_on_the_order_of_rows(labels, seed, n_rows):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((len(labels), 2, 3)), np.array(labels)
    rows = stratified_sample(X, y, n_rows, random_state=seed)
    order = rng.permutation(len(y))
    again = stratified_sample(X[order], y[order], n_rows, random_state=seed)
    np.testing.assert_array_equal(X[rows], X[order][again])
    np.testing.assert_array_equal(y[rows], y[order][again])
    # As many as asked for, none twice, each class in proportion to less than one row but for
    # those that have one only to be there at all.
    assert len(rows) == min(n_rows, len(y)) == len(set(rows.tolist()))
    kinds, counts = np.unique(y, return_counts=True)
    exact = counts * len(rows) / len(y)
    found = np.array([(y[rows] == kind).sum() for kind in kinds])
    assert (found >= 1).all()
    assert (np.abs(found - exact) < len(kinds)).all()


def test_proportions_are_exact_where_they_can_be():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    X = np.random.default_rng(0).standard_normal((100, 2))
    for n_rows in (10, 20, 50, 100):
        counts = np.bincount(y[stratified_sample(X, y, n_rows)])
        np.testing.assert_array_equal(counts, n_rows * np.array([6, 3, 1]) // 10)


def test_random_states_choose_differently_and_repeatably():
    X, y = np.random.default_rng(0).standard_normal((100, 2)), np.arange(100) % 2
    zero, again, one = (set(stratified_sample(X, y, 20, s).tolist()) for s in (0, 0, 1))
    assert zero == again != one
    for make in (np.random.RandomState, np.random.default_rng):
        first, second = (stratified_sample(X, y, 20, make(3)) for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_saliency_of_a_sample_is_the_same_to_the_bit_whatever_the_order_of_the_data():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 6)).astype(np.float32), rng.integers(0, 3, 200)
    net, found = MLP(6, 3, (8, 5)), []
    for order in (np.arange(200), rng.permutation(200)):
        rows = order[stratified_sample(X[order], y[order], 50)]
        batch = torch.as_tensor(X[rows]), torch.as_tensor(y[rows])
        found.append(saliency(net, classify, [batch]))
    for name in found[0]:
        assert torch.equal(found[0][name], found[1][name])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((3, 2)), [0, 1]), ValueError, "X has 3 rows and y 2"),
        ((np.zeros((0, 2)), []), ValueError, "X has 0 rows"),
        ((np.zeros((3, 2)), [0, 1, 2], 2), ValueError, "n_rows=2 is too few .* 3 classes"),
        ((np.zeros((3, 2)), [0, 1, 2], 2.5), TypeError, "n_rows=2.5 must be an integer"),
        ((np.zeros((3, 2)), [0, 1, 2], 3, "seed"), ValueError, "random_state='seed'"),
    ],
)
def test_bad_samples_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        stratified_sample(*arguments)
