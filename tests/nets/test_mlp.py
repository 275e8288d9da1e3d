"""The MLP's shape, its parameter count and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from skbci.nets import MLP


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("sizes", [(), (5,), (50, 30, 10)])
def test_parameter_count(sizes):
    widths = [90, *sizes, 2]
    expected = sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    assert sum(p.numel() for p in MLP(90, 2, sizes).parameters()) == expected


def test_deeper_inputs_are_flattened():
    net = MLP(12, 2, (4,))
    X = torch.randn(7, 3, 4)
    torch.testing.assert_close(net(X), net(X.reshape(7, 12)))


def test_dropout_stands_after_the_layers_it_is_given_for():
    kinds = [type(layer) for layer in MLP(8, 3, (5, 4), dropout=(0.2, 0.0))]
    assert kinds == [nn.Flatten, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear, nn.ReLU, nn.Linear]


def test_without_activation_the_network_is_linear():
    net = MLP(4, 2, (3,), activation="identity")
    a, b = torch.randn(5, 4), torch.randn(5, 4)
    zero = net(torch.zeros(1, 4))
    torch.testing.assert_close(net(a + b) + zero, net(a) + net(b))
