"""FBMSNet's sizes, and that composed filters give what the layers give one after the other."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from skbci.nets import FBMSNet
from skbci.nets._log_variance import NormedLogVariance
from skbci.nets._window_moments import window_moments


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def n_parameters(net):
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def expected_count(B, C, n_classes, sizes=(15, 31, 63, 125), maps=None, depth=8, segments=4):
    maps = B if maps is None else maps
    splits = [B - (B // len(sizes)) * (len(sizes) - 1)] + [B // len(sizes)] * (len(sizes) - 1)
    temporal = sum(maps * s * k for s, k in zip(splits, sizes))
    n_maps = len(sizes) * maps
    n_spatial = n_maps * depth
    normed = 2 * n_maps + 2 * n_spatial
    return temporal + normed + n_spatial * (C + 1) + (n_spatial * segments + 1) * n_classes


def test_published_parameter_count():
    assert n_parameters(FBMSNet(9, 20, 400, 2)) == 13_349 == expected_count(9, 20, 2)


def test_the_inserted_layer_has_the_features_size():
    plain, inserted = FBMSNet(9, 20, 400, 2), FBMSNet(9, 20, 400, 2, shared_layer=True)
    assert n_parameters(inserted) - n_parameters(plain) == 1152 * 1153
    assert inserted.shared_parameter is inserted.latent_layer.weight
    assert plain.shared_parameter is plain.spatial.weight


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((9, 3, 400, 2), {}),
        ((4, 5, 130, 3), {}),
        ((6, 2, 81, 4), {"kernel_sizes": (3, 9), "n_maps": 2, "depth": 3, "n_segments": 2}),
        ((1, 4, 40, 2), {"kernel_sizes": (7,)}),
        ((4, 1, 8, 1), {}),
        ((5, 2, 30, 2), {"n_segments": 1, "shared_layer": True}),
    ],
)
def test_shapes_and_parameter_counts(shape, settings):
    B, C, T, n_classes = shape
    net = FBMSNet(*shape, **settings)
    logits, features = net(torch.randn(6, B, C, T))
    assert logits.shape == (6, n_classes)
    assert features.shape == (6, net.n_features)
    names = {"kernel_sizes": "sizes", "n_maps": "maps", "n_segments": "segments"}
    told = {names.get(k, k): v for k, v in settings.items() if k != "shared_layer"}
    extra = net.n_features * (net.n_features + 1) if net.latent_layer is not None else 0
    assert n_parameters(net) == expected_count(B, C, n_classes, **told) + extra
    (logits.sum() + features.square().sum()).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_bands_are_dealt_out_with_the_remainder_first():
    assert FBMSNet(9, 3, 100, 2).splits == [3, 2, 2, 2]
    assert FBMSNet(7, 3, 100, 2).splits == [4, 1, 1, 1]


def parameters_before_the_classifier(net):
    return [p for name, p in net.named_parameters() if not name.startswith("classifier")]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("shape", "settings", "dtype", "tolerance"),
    [
        ((6, 9, 5, 200), {}, torch.float64, 1e-9),
        ((6, 4, 3, 40), {}, torch.float64, 1e-9),  # shorter than its kernels
        ((3, 5, 2, 61), {"kernel_sizes": (1, 3)}, torch.float64, 1e-9),
        ((10, 9, 22, 400), {}, torch.float32, 1e-5),
    ],
)
def test_composed_filters_equal_the_layers_one_after_the_other(
    shape, settings, dtype, tolerance, training
):
    net = FBMSNet(*shape[1:], 2, **settings).to(dtype).train(training)
    for norm in (net.temporal_norm, net.log_variance.norm):
        nn.init.uniform_(norm.weight, 0.5, 2.0)
        nn.init.normal_(norm.bias)
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
    twin = copy.deepcopy(net)
    X = torch.randn(shape, dtype=dtype) * 3 + 0.5
    composed = net.log_variance(net.compose_filters(X))
    direct = twin.log_variance.step_by_step(twin.apply_filters(X))
    torch.testing.assert_close(composed, direct, rtol=tolerance, atol=tolerance)
    weight = torch.randn_like(direct) / len(X)
    for ours, theirs in zip(
        torch.autograd.grad((composed * weight).sum(), parameters_before_the_classifier(net)),
        torch.autograd.grad((direct * weight).sum(), parameters_before_the_classifier(twin)),
    ):
        scale = max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(ours / scale, theirs / scale, rtol=tolerance, atol=tolerance)
    for ours, theirs in zip(net.buffers(), twin.buffers()):
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


def test_gradient_in_the_input():
    net = FBMSNet(4, 2, 30, 2).double()
    X = torch.randn(3, 4, 2, 30, dtype=torch.float64, requires_grad=True)
    for training in (True, False):
        net.train(training)
        assert torch.autograd.gradcheck(lambda X: net(X)[0], (X,), atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_times", [16, 19])
def test_log_variance_equals_torchs_operations(training, n_times):
    layer = NormedLogVariance(3, 4).double().train(training)
    nn.init.uniform_(layer.norm.weight)
    nn.init.normal_(layer.norm.bias)
    x = torch.randn(5, 3, n_times, dtype=torch.float64) * torch.tensor([1.0, 1e-3, 1e3])[:, None]
    x = x.requires_grad_()
    twin = copy.deepcopy(layer)
    ours, theirs = layer(x), twin.step_by_step(x)
    torch.testing.assert_close(ours, theirs)
    weight = torch.randn_like(ours)
    wanted = [(x, *one.parameters()) for one in (layer, twin)]
    for a, b in zip(
        torch.autograd.grad((ours * weight).sum(), wanted[0]),
        torch.autograd.grad((theirs * weight).sum(), wanted[1]),
    ):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-9)
    for a, b in zip(layer.buffers(), twin.buffers()):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("offset", [0.0, 2.0, 100.0, 1000.0])
def test_the_variance_of_maps_far_from_zero_keeps_its_digits(offset):
    x = torch.randn(20, 2, 100) + offset
    layer = NormedLogVariance(2, 4).train()
    layer.norm.momentum = 1.0
    layer(x)
    values = x.double().numpy().swapaxes(0, 1).reshape(2, -1)
    np.testing.assert_allclose(layer.norm.running_var.numpy(), values.var(1, ddof=1), rtol=1e-6)
    np.testing.assert_allclose(layer.norm.running_mean.numpy(), values.mean(1), atol=1e-6,
                               rtol=1e-6)


def test_a_map_that_does_not_vary_gives_the_lower_limit_and_no_gradient():
    layer = NormedLogVariance(2, 2)
    x = torch.randn(4, 2, 10)
    x[:, 1] = 3.0
    x.requires_grad_()
    features = layer(x).reshape(4, 2, 2)
    torch.testing.assert_close(features[:, 1], torch.full((4, 2), 1e-6).log())
    features[:, 1].sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize(("n_times", "size"), [(40, 15), (30, 31), (10, 31), (3, 9), (50, 1)])
def test_window_moments_equal_those_of_all_windows_laid_out(n_times, size):
    x = torch.randn(4, 2, n_times, dtype=torch.float64) + 0.3
    mean, second = window_moments(x, size)
    half = size // 2
    windows = nn.functional.pad(x, (half, half)).unfold(-1, size, 1)
    windows = windows.transpose(1, 2).reshape(-1, 2 * size)
    torch.testing.assert_close(mean, windows.mean(0))
    torch.testing.assert_close(second, windows.T @ windows / len(windows))


def test_features_do_not_depend_on_the_unit_in_training():
    """The normalization takes the scale out, but for its epsilon."""
    net, twin = (FBMSNet(4, 3, 80, 2).double() for _ in range(2))
    twin.load_state_dict(net.state_dict())
    X = torch.randn(6, 4, 3, 80, dtype=torch.float64)
    torch.testing.assert_close(net(X)[1], twin(1e3 * X)[1], rtol=1e-3, atol=1e-3)


def test_evaluation_does_not_depend_on_the_batch():
    net = FBMSNet(9, 4, 200, 3)
    net(torch.randn(20, 9, 4, 200))
    net.eval()
    X = torch.randn(6, 9, 4, 200)
    torch.testing.assert_close(net(X)[0][:2], net(X[:2])[0], rtol=1e-4, atol=1e-4)


def test_max_norm_holds_from_the_start_and_after_steps():
    net = FBMSNet(4, 3, 80, 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.5)
    X, y = torch.randn(8, 4, 3, 80), torch.arange(8) % 2
    for _ in range(3):
        assert net.spatial.weight.flatten(1).norm(dim=1).max() <= 2 + 1e-5
        assert net.classifier.weight.norm(dim=1).max() <= 0.5 + 1e-5
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X)[0], y).backward()
        optimizer.step()
        net.apply_max_norm()
    assert FBMSNet(4, 3, 80, 2, max_norm=False).max_norms == {}


def test_max_norms_are_the_published_ones():
    net = FBMSNet(4, 3, 80, 2)
    with torch.no_grad():
        for weight in net.parameters():
            weight.fill_(10.0)
    net.apply_max_norm()
    for layer, bound in ((net.spatial, 2.0), (net.classifier, 0.5)):
        norms = layer.weight.flatten(1).norm(dim=1)
        torch.testing.assert_close(norms, torch.full_like(norms, bound))


@pytest.mark.parametrize("shared_layer", [True, False])
def test_all_heads_depend_on_the_shared_parameter(shared_layer):
    net = FBMSNet(4, 3, 80, 2, shared_layer=shared_layer)
    assert net.head_names == ("logits", "features")
    for head in net(torch.randn(5, 4, 3, 80)):
        (gradient,) = torch.autograd.grad(
            head.square().sum(), net.shared_parameter, retain_graph=True
        )
        assert gradient.abs().max() > 0


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((3, 4, 400, 2), {}, "n_bands=3 bands cannot be dealt out among 4 kernels"),
        ((9, 4, 7, 2), {}, "n_times=7 samples are too few .* n_segments=4 segments; 8 are needed"),
        ((9, 4, 400, 2), {"kernel_sizes": (15, 30)}, "must hold odd numbers"),
        ((9, 4, 400, 2), {"kernel_sizes": ()}, "must hold odd numbers"),
        ((9, 4, 400, 2), {"kernel_sizes": 15}, "kernel_sizes=15 must hold odd numbers"),
        ((9, 0, 400, 2), {}, "n_channels=0"),
        ((9, 4, 400, 2), {"depth": 0}, "depth=0"),
    ],
)
def test_impossible_sizes_are_refused_by_name(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        FBMSNet(*arguments, **settings)


def test_rows_of_another_shape_are_refused():
    net = FBMSNet(4, 3, 80, 2)
    with pytest.raises(ValueError, match=r"of shape \(4, 3, 80\) .*got rows of shape \(3, 80\)"):
        net(torch.randn(5, 3, 80))
