"""Faster convolutions give what torch's own give, and leave the module as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from skbci._training.layers.faster_layers import faster_layers
from skbci.estimators import NeuralClassifier


def same(*args, **kwargs):
    return nn.Conv2d(*args, padding="same", **kwargs)


LAYERS = {
    "temporal": (lambda: same(1, 4, (1, 33), bias=False), (3, 1, 5, 40)),
    "even": (lambda: same(1, 4, (1, 16)), (3, 1, 5, 40)),
    "longer than the signal": (lambda: same(1, 2, (1, 31)), (3, 1, 5, 12)),
    "padded": (lambda: nn.Conv2d(1, 4, (1, 32), padding=(0, 16)), (3, 1, 5, 40)),
    "padded far": (lambda: nn.Conv2d(2, 2, (1, 9), padding=(0, 12), groups=2), (3, 2, 5, 20)),
    "padded in height, too": (lambda: nn.Conv2d(1, 4, (1, 9), padding=4), (3, 1, 5, 40)),
    "many rows": (lambda: nn.Conv2d(2, 16, (1, 64), padding=(0, 20), groups=2), (9, 2, 30, 200)),
    "valid": (lambda: nn.Conv2d(1, 4, (1, 9)), (3, 1, 5, 40)),
    "spatial": (lambda: nn.Conv2d(4, 8, (5, 1), groups=4), (3, 4, 5, 40)),
    "spatial, weight norm": (
        lambda: parametrizations.weight_norm(nn.Conv2d(4, 8, (5, 1), groups=4)), (3, 4, 5, 40)),
    "separable": (lambda: same(6, 6, (1, 15), groups=6), (3, 6, 1, 40)),
    "multiplied": (lambda: same(3, 6, (1, 8), groups=3), (3, 3, 2, 40)),
    "one axis": (lambda: nn.Conv1d(4, 8, 11, padding=5, groups=4), (3, 4, 40)),
    "one row": (lambda: nn.Conv1d(4, 4, 11, groups=4), (4, 40)),
    "not depthwise": (lambda: nn.Conv2d(4, 4, (1, 9)), (3, 4, 5, 40)),
    "short": (lambda: nn.Conv1d(4, 4, 3, groups=4), (3, 4, 40)),
    "strided": (lambda: nn.Conv1d(4, 4, 9, groups=4, stride=2), (3, 4, 40)),
    "dilated": (lambda: nn.Conv1d(4, 4, 9, groups=4, dilation=2), (3, 4, 40)),
    "circular": (lambda: nn.Conv1d(4, 4, 9, groups=4, padding=4, padding_mode="circular"),
                 (3, 4, 40)),
    "some of the height": (lambda: nn.Conv2d(4, 8, (3, 1), groups=4), (3, 4, 5, 40)),
}


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.filterwarnings("ignore:Using padding")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_equal(name, dtype):
    make, shape = LAYERS[name]
    layer = make().to(dtype)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    before = dict(vars(layer))

    def results():
        layer.zero_grad()
        x.grad = None
        y = layer(x)
        (y * torch.linspace(-1, 1, y.numel(), dtype=dtype).view_as(y)).sum().backward()
        return [y, x.grad, *(p.grad.clone() for p in layer.parameters())]

    expected = results()
    with faster_layers(layer, True):
        found = results()
    assert vars(layer).keys() == before.keys()
    for one, two in zip(found, expected):
        scale = float(two.detach().abs().max())
        tol = 1e-5 if dtype is torch.float32 else 1e-12
        torch.testing.assert_close(one, two, atol=tol * scale, rtol=0)


def test_layers_of_ones_own_are_left_alone_and_errors_give_them_back():
    class Own(nn.Conv1d):
        def _conv_forward(self, x, weight, bias):
            raise KeyError("mine")

    net = nn.Sequential(Own(2, 2, 9, groups=2), nn.Conv1d(2, 2, 9, groups=2))
    with faster_layers(net, True):
        assert [("_conv_forward" in vars(layer)) for layer in copy.deepcopy(net)] == [False, True]

    def fails():
        with faster_layers(net, True):
            net(torch.zeros(1, 2, 20))

    with pytest.raises(KeyError, match="mine"):
        fails()
    assert not [layer for layer in net if "_conv_forward" in vars(layer)]


class Depthwise(nn.Module):
    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, (1, 17), padding=(0, 8)), nn.BatchNorm2d(4),
            nn.Conv2d(4, 8, (n_channels, 1), groups=4), nn.ELU(), nn.AvgPool2d((1, 8)),
            nn.Flatten(), nn.Linear(8 * (n_times // 8), n_outputs))

    def forward(self, X):
        return self.layers(X[:, None])


def test_a_classifier_is_trained_to_the_same_weights():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3, 64)), np.arange(40) % 2
    settings = {"optimizer": "sgd", "lr": 0.1, "max_epochs": 4, "random_state": 0}
    plain, fast = (
        NeuralClassifier(Depthwise, accelerate=wanted, **settings).fit(X, y)
        for wanted in (False, True)
    )
    np.testing.assert_allclose(fast.predict_proba(X), plain.predict_proba(X), atol=1e-4)
    assert type(fast.net_.module_) is Depthwise
    assert "_conv_forward" not in vars(fast.net_.module_.layers[0])
    fast.partial_fit(X, y)
    with pytest.raises(TypeError, match="accelerate"):
        NeuralClassifier(accelerate="yes").fit(X, y)
