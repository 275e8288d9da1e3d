"""The stack's gradient is autograd's, and to the bit that of each network by itself."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from skbci._training.criteria import BinaryCrossEntropy, CrossEntropy, SquaredError
from skbci._training.dense.engine import DenseEngine
from skbci._training.double_copy import DoubleCopy
from skbci._training.evaluation import predict_rows
from skbci._training.stack.engine import StackEngine
from skbci.nets import MLP


@pytest.mark.parametrize("loss", [CrossEntropy, BinaryCrossEntropy, SquaredError])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "elu", "identity"])
def test_stacked_gradient_is_autograds(loss, activation):
    for sizes, n_rows, weighted in product([(), (7,), (8, 4, 3)], [8, 11], [False, True]):
        check_gradient(loss(), activation, sizes, n_rows, weighted)


def check_gradient(loss, activation, sizes, n_rows, weighted):
    """Compare losses and gradients of four networks with autograd's, under given masks."""
    generator = torch.Generator().manual_seed(n_rows)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    m, n_in, n_out = 4, 5, 3
    with torch.random.fork_rng():
        nets = [MLP(n_in, n_out, sizes, activation).double() for _ in range(m)]
    data, target = draw(m, n_rows, n_in), draw(m, n_rows, n_out)
    if not isinstance(loss, SquaredError):
        target = target.argmax(2)
    weight = draw(m, n_rows).abs() if weighted else None
    masks = [(draw(m, n_rows, size) > 0).double() * 2 for size in sizes]
    divisor = torch.arange(1, m + 1).double()

    engine = StackEngine(DenseEngine(nets[0], loss), loss)
    nets[0].zero_grad()
    flat = torch.stack([parameters_to_vector(net.parameters()).detach() for net in nets])
    grad = torch.zeros_like(flat)
    with torch.no_grad():
        losses = engine.gradient(
            engine.views(flat), engine.views(grad), (data, target, weight), masks, divisor
        )
    for i, net in enumerate(nets):
        hidden, left = data[i], [mask[i] for mask in masks]
        for part in list(net)[1:]:
            hidden = part(hidden)
            if not isinstance(part, torch.nn.Linear):
                hidden = hidden * left.pop(0)
        rows = loss(hidden, target[i])
        expected = (rows if weight is None else rows * weight[i]).sum() / divisor[i]
        expected.backward()
        torch.testing.assert_close(losses[i], expected.detach())
        torch.testing.assert_close(
            grad[i], torch.cat([p.grad.flatten() for p in net.parameters()])
        )


@pytest.mark.parametrize("loss", [CrossEntropy, BinaryCrossEntropy, SquaredError])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "elu", "identity"])
@pytest.mark.parametrize("n_rows", [3, 13, 32])
@pytest.mark.parametrize("dropout", [False, True])
def test_a_stack_computes_each_networks_own_bits(loss, activation, n_rows, dropout):
    generator = torch.Generator().manual_seed(n_rows)
    m, sizes, criterion = 3, (9, 6), loss()

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        engines = [DenseEngine(MLP(5, 3, sizes, activation), criterion) for _ in range(m)]
    X, target, weight = draw(m, n_rows, 5), draw(m, n_rows, 3), draw(m, n_rows).abs()
    if loss is not SquaredError:
        target = target.argmax(2)
    masks = [(draw(m, n_rows, size) > 0).float() * 2 if dropout else None for size in sizes]
    stack = StackEngine(engines[0], criterion)
    # Each network's weights start at a multiple of 64 bytes, as a tensor of its own does.
    flat = torch.stack([
        torch.nn.functional.pad(e.flat.data, (0, -e.flat.numel() % 16)) for e in engines
    ])
    grad = torch.zeros_like(flat)
    with torch.no_grad():
        losses = stack.gradient(
            stack.views(flat), stack.views(grad), (X, target, weight), masks, weight.sum(1)
        )
        outputs = stack.output(stack.views(flat.double()), X.double()).float()
    for i, engine in enumerate(engines):
        engine._mask = lambda layer, hidden, i=i: masks[layer][i] if dropout else None
        own, _ = engine(X[i].clone(), target[i], weight[i].clone(), weight[i].sum())
        assert torch.equal(losses[i], own)
        assert torch.equal(grad[i, : engine.flat.numel()], engine.grad)
        predicted = predict_rows(engine.module, X[i], "cpu", DoubleCopy())
        assert torch.equal(outputs[i], predicted)
