"""MIN2Net's sizes, its equality with torch's own layers, and its safety on few channels."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

from skbci.nets import MIN2Net
from skbci.nets._same_conv import SameConv1d, paddings

pytestmark = [
    pytest.mark.filterwarnings("ignore:TF32 acceleration"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even"),
]


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def expected_count(C, T, n_classes, D=1, subsampling=100, pooling=4, latent=None):
    half = max(1, C // 2)
    short = T // (T // subsampling) // pooling
    bottom = half * short * max(1, D // 2)
    latent = latent or max(1, int(C * n_classes / 2)) * D
    encoder = C * (64 * C + 1) + 2 * C + half * (32 * C + 1) + 2 * half + (bottom + 1) * latent
    decoder = (latent + 1) * bottom + half * (64 * half + 1) + C * (32 * half + 1)
    return encoder + decoder + (latent + 1) * n_classes


def n_parameters(net):
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def test_published_parameter_count():
    assert n_parameters(MIN2Net(20, 400, 2)) == 55_232 == expected_count(20, 400, 2)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((3, 400, 2), {}),
        ((22, 450, 4), {}),
        ((15, 1001, 3), {"subsampling": 250}),
        ((32, 80, 2), {"subsampling": 10}),
        ((1, 100, 2), {}),
        ((8, 400, 2), {"n_bands": 3}),
        ((5, 400, 2), {"n_bands": 2, "latent_dim": 7}),
        ((4, 10, 2), {"subsampling": None, "pooling": None}),
        ((4, 1, 1), {"subsampling": None, "pooling": None}),
    ],
)
def test_shapes_and_parameter_counts(shape, settings):
    C, T, n_classes = shape
    D = settings.get("n_bands", 1)
    net = MIN2Net(C, T, n_classes, **settings)
    X = torch.randn(6, D, C, T) if D > 1 else torch.randn(6, C, T)
    outputs = net(X)
    latent = settings.get("latent_dim", max(1, int(C * n_classes / 2)) * D)
    assert [tuple(o.shape) for o in outputs] == [(6, n_classes), (6, latent), tuple(X.shape)]
    subsampling = settings.get("subsampling", 100) or min(100, T)
    pooling = settings.get("pooling", 4) or min(4, T)
    expected = expected_count(*shape, D, subsampling, pooling, settings.get("latent_dim"))
    assert n_parameters(net) == expected
    sum(o.square().sum() for o in outputs).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def directly(net, X):
    """The published order of layers, by torch's own."""

    def conv(x, layer):
        left, right = paddings(layer.kernel_size[0])
        return nn.functional.conv2d(
            nn.functional.pad(x, (0, 0, left, right)), layer.weight[..., None], layer.bias
        )

    def norm(x, layer):
        return nn.functional.batch_norm(
            x, None, None, layer.weight, layer.bias, training=True, eps=layer.eps
        )

    F = nn.functional
    x = X[..., None] if X.ndim == 3 else X.permute(0, 2, 3, 1)  # row x channel x time x band
    pairs = 2 if net.n_bands > 1 else 1
    x = norm(F.elu(conv(x, net.encoder_conv1)), net.encoder_norm1)
    x = F.avg_pool2d(x, (net.n_times // 100, pairs))
    x = norm(F.elu(conv(x, net.encoder_conv2)), net.encoder_norm2)
    x = F.avg_pool2d(x, (4, 1))
    n_short, n_pairs = x.shape[2:]
    # Bands stand last here and first in the network.
    latent = net.latent_layer(x.permute(0, 3, 1, 2).flatten(1))
    y = net.decoder_input(latent).unflatten(1, (n_pairs, -1, n_short)).permute(0, 2, 3, 1)
    y = F.elu(nn.UpsamplingNearest2d((4 * n_short, n_pairs))(conv(y, net.decoder_conv2)))
    y = F.elu(nn.UpsamplingNearest2d((net.n_times, net.n_bands))(conv(y, net.decoder_conv1)))
    y = y[..., 0] if X.ndim == 3 else y.permute(0, 3, 1, 2)
    return net.classifier(latent), latent, y


@pytest.mark.parametrize(
    ("shape", "dtype", "tolerance"),
    [
        ((7, 3, 400), torch.float64, 1e-10),
        ((7, 6, 450), torch.float64, 1e-10),
        ((7, 3, 6, 230), torch.float64, 1e-10),
        ((20, 22, 400), torch.float32, 1e-5),
    ],
)
def test_equal_to_torchs_own_layers_forward_and_backward(shape, dtype, tolerance):
    D = shape[1] if len(shape) == 4 else 1
    net = MIN2Net(shape[-2], shape[-1], 2, n_bands=D).to(dtype)
    X = torch.randn(shape, dtype=dtype)
    with torch.backends.mkldnn.flags(enabled=False):
        direct = directly(net, X)
        weights = [torch.randn_like(o) / o.numel() ** 0.5 for o in direct]
        loss = sum((o * w).sum() for o, w in zip(direct, weights))
        expected = torch.autograd.grad(loss, tuple(net.parameters()))
    outputs = net(X)
    for o, d in zip(outputs, direct):
        torch.testing.assert_close(o, d, rtol=tolerance, atol=tolerance)
    loss = sum((o * w).sum() for o, w in zip(outputs, weights))
    for g, e in zip(torch.autograd.grad(loss, tuple(net.parameters())), expected):
        scale = max(1.0, float(e.abs().max()))
        torch.testing.assert_close(g / scale, e / scale, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 31, 64, 65])
@pytest.mark.parametrize("n_times", [1, 5, 25, 40])
def test_same_convolution_equals_torchs(size, n_times):
    conv = SameConv1d(3, 4, size).double()
    x = torch.randn(5, 3, n_times, dtype=torch.float64, requires_grad=True)
    with torch.backends.mkldnn.flags(enabled=False):
        expected = nn.functional.conv1d(x, conv.weight, conv.bias, padding="same")
        torch.testing.assert_close(conv(x), expected)
        wanted = (x, conv.weight, conv.bias)
        g = torch.randn_like(expected)
        for ours, theirs in zip(
            torch.autograd.grad(conv(x), wanted, g), torch.autograd.grad(expected, wanted, g)
        ):
            torch.testing.assert_close(ours, theirs)


def test_a_pass_through_a_convolution_leaves_its_weight_out(monkeypatch):
    """Policies go through the decoder to the latent layer, and need no gradient on the way."""
    import skbci.nets._same_conv as module

    net, X = MIN2Net(4, 400, 2), torch.randn(5, 4, 400)
    loss = net(X)[2].square().mean()

    def refuse(*args):
        raise AssertionError("the weight's gradient was computed")

    monkeypatch.setattr(module._WeightGradient, "backward", refuse)
    torch.autograd.grad(loss, net.shared_parameter, retain_graph=True)
    with pytest.raises(AssertionError, match="was computed"):
        torch.autograd.grad(loss, net.decoder_conv1.weight)


def test_three_channels_train_without_corrupting_the_heap():
    """torch 2.13's own convolution of that shape does corrupt it, in its backward pass."""
    script = textwrap.dedent(
        """
        import torch
        from skbci.nets import MIN2Net

        torch.manual_seed(0)
        net = MIN2Net(3, 400, 2)
        optimizer = torch.optim.Adam(net.parameters())
        X, y = torch.randn(10, 3, 400), torch.arange(10) % 2
        first = last = None
        for _ in range(60):
            optimizer.zero_grad()
            logits, latent, reconstruction = net(X)
            loss = torch.nn.functional.cross_entropy(logits, y)
            loss = loss + (reconstruction - X).square().mean()
            loss.backward()
            optimizer.step()
            net.apply_max_norm()
            first = loss.item() if first is None else first
        assert loss.item() < first
        print("trained")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165"},
    )
    assert done.returncode == 0, done.stderr
    assert "trained" in done.stdout


def test_evaluation_does_not_depend_on_the_batch():
    net = MIN2Net(4, 400, 3).eval()
    X = torch.randn(6, 4, 400)
    for whole, part in zip(net(X), net(X[:2])):
        torch.testing.assert_close(whole[:2], part, rtol=1e-4, atol=1e-5)


def test_decode_of_encode_is_the_reconstruction():
    net = MIN2Net(4, 400, 3).eval()
    X = torch.randn(6, 4, 400)
    logits, latent, reconstruction = net(X)
    torch.testing.assert_close(net.encode(X), latent)
    torch.testing.assert_close(net.decode(latent), reconstruction)
    torch.testing.assert_close(net.classifier(latent), logits)


def test_max_norm_bounds_long_rows_and_leaves_short_ones():
    net = MIN2Net(4, 400, 2)
    limits = {
        "encoder_conv1": 2.0,
        "encoder_conv2": 2.0,
        "decoder_conv2": 1.0,
        "decoder_conv1": 1.0,
        "latent_layer": 0.5,
        "decoder_input": 0.5,
        "classifier": 0.5,
    }
    assert net.max_norms == {f"{name}.weight": limit for name, limit in limits.items()}
    for name, limit in limits.items():
        weight = net.get_parameter(f"{name}.weight")
        norms = weight.detach().flatten(1).norm(dim=1)
        with torch.no_grad():
            weight.mul_((limit / norms).reshape(-1, *[1] * (weight.ndim - 1)))
            weight[0] *= 3.0
            weight[1:] *= 0.5
        before = weight.detach().clone()
        net.apply_max_norm()
        torch.testing.assert_close(weight[0], before[0] / 3)
        assert torch.equal(weight[1:], before[1:])
        once = weight.detach().clone()
        net.apply_max_norm()
        torch.testing.assert_close(weight, once, rtol=1e-6, atol=0)


def test_max_norm_holds_from_the_start_and_can_be_left_out():
    torch.manual_seed(0)
    bounded = MIN2Net(4, 400, 2)
    torch.manual_seed(0)
    free = MIN2Net(4, 400, 2, max_norm=False)
    assert bounded.classifier.weight.norm(dim=1).max() <= 0.5 + 1e-6
    assert free.classifier.weight.norm(dim=1).max() > 0.5
    before = [p.detach().clone() for p in free.parameters()]
    free.apply_max_norm()
    assert all(torch.equal(a, b) for a, b in zip(before, free.parameters()))


def test_all_heads_depend_on_the_shared_parameter():
    net = MIN2Net(4, 400, 2)
    assert net.head_names == ("logits", "latent", "reconstruction")
    for head in net(torch.randn(5, 4, 400)):
        (gradient,) = torch.autograd.grad(
            head.square().sum(), net.shared_parameter, retain_graph=True
        )
        assert gradient.abs().max() > 0


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((3, 80, 2), {}, "n_times=80 samples are too few for subsampling=100; use at most 80"),
        ((3, 80, 2), {"subsampling": 3}, "leaves 3 of n_times=80 .* too few for pooling=4"),
        ((0, 400, 2), {}, "n_channels=0 must be at least 1"),
        ((3, 400, 0), {}, "n_classes=0 must be at least 1"),
        ((3, 400, 2), {"latent_dim": 0}, "latent_dim=0"),
        ((3, 400, 2), {"n_bands": 0}, "n_bands=0"),
        ((3, 400, 2), {"kernel_sizes": (64,)}, "must hold two sizes"),
        ((3, 400, 2), {"kernel_sizes": 64}, "kernel_sizes=64 must hold two sizes"),
    ],
)
def test_impossible_sizes_are_refused_by_name(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        MIN2Net(*arguments, **settings)


def test_sizes_must_be_integers():
    with pytest.raises(TypeError, match=r"n_times=4.5 must be an integer"):
        MIN2Net(3, 4.5, 2)


def test_rows_of_another_shape_are_refused():
    net = MIN2Net(4, 400, 2)
    with pytest.raises(ValueError, match=r"rows of shape \(8, 200\)"):
        net(torch.randn(5, 8, 200))
    assert net(torch.randn(5, 1, 4, 400))[2].shape == (5, 1, 4, 400)
