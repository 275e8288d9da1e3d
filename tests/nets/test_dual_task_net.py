"""DualTaskNet: its sizes, what its tasks share, and what can be left out of it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from skbci.nets import DualTaskNet
from skbci.nets._depthwise_conv import SameDepthwiseConv1d

TASKS = {"imagery": 2, "execution": 3}


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def small(tasks=TASKS, **settings):
    arguments = {"n_filters": 5, "kernel_size": 9, "pooling": 8, "n_maps": 6, "separable_size": 3,
                 "map_pooling": 2, "n_hidden": 4}
    return DualTaskNet(4, 60, tasks, **{**arguments, **settings})


def test_parameters_are_counted_layer_by_layer():
    net = small()
    trunk = 5 * 4 + 5 * 9 + 2 * 5 + 5 * 3 + 6 * 5 + 2 * 6
    n_features = 6 * ((60 // 8 - 2) // 2)
    assert net.n_features == n_features
    own = sum(4 * (n_features + 1) + n * (4 + 1) for n in TASKS.values())
    assert sum(p.numel() for p in net.parameters()) == trunk + own


@pytest.mark.parametrize(
    ("shape", "tasks", "settings"),
    [
        ((22, 640), {"imagery": 2, "execution": 2}, {}),
        ((3, 256), {"only": 4}, {}),
        ((1, 300), {"a": 2, "b": 3, "c": 5}, {"n_filters": 1, "n_maps": 1}),
        ((4, 8), {"a": 2}, {"kernel_size": 21, "pooling": 1, "separable_size": 8,
                            "map_pooling": 1}),
        ((4, 40), {"a": 2, "b": 2}, {"pooling": 10, "separable_size": 1, "map_pooling": 4,
                                     "n_hidden": {"b": 7, "a": 3}}),
    ],
)
def test_shapes(shape, tasks, settings):
    net = DualTaskNet(*shape, tasks, **settings)
    X = torch.randn(6, *shape)
    outputs = net(X)
    assert net.head_names == tuple(tasks)
    assert [tuple(out.shape) for out in outputs] == [(6, n) for n in tasks.values()]
    sum(out.square().sum() for out in outputs).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
    net.eval()
    for task, out in zip(tasks, net(X)):
        torch.testing.assert_close(net(X, task), out)


def test_shared_and_private_parameters_are_what_the_gradients_say():
    net = small()
    X = torch.randn(8, 4, 60)
    reached = {}
    for task in TASKS:
        net.zero_grad(set_to_none=True)
        net(X, task).square().sum().backward()
        reached[task] = {name for name, p in net.named_parameters() if p.grad is not None}
    assert set(net.shared_names()) == reached["imagery"] & reached["execution"]
    for task in TASKS:
        assert set(net.private_names(task)) == reached[task] - set(net.shared_names())
    every = net.shared_names() + [n for task in TASKS for n in net.private_names(task)]
    assert sorted(every) == sorted(name for name, _ in net.named_parameters())


def test_a_task_does_not_depend_on_the_others():
    """Neither on their being there nor on their data."""
    net = small().eval()
    alone = DualTaskNet(4, 60, {"execution": 3}, n_filters=5, kernel_size=9, pooling=8, n_maps=6,
                        separable_size=3, map_pooling=2, n_hidden=4).eval()
    alone.load_state_dict({k: v for k, v in net.state_dict().items() if ".imagery." not in k})
    X = torch.randn(5, 4, 60)
    torch.testing.assert_close(alone(X)[0], net(X, "execution"))


def test_all_heads_depend_on_the_shared_parameter():
    net = small()
    for out in net(torch.randn(8, 4, 60)):
        (gradient,) = torch.autograd.grad(
            out.square().sum(), net.shared_parameter, retain_graph=True
        )
        assert gradient.abs().max() > 0


def test_filters_in_space_and_time_commute():
    """The trunk's first step is the temporal kernel on every channel, then the spatial filter."""
    net = small().double()
    X = torch.randn(3, 4, 60, dtype=torch.float64)
    ours = net.temporal(net.spatial(X))
    padded = nn.functional.pad(X, (4, 4))
    for s in range(5):
        kernel = net.temporal.weight[s : s + 1].expand(4, 1, 9)
        in_time = nn.functional.conv1d(padded, kernel, groups=4)
        theirs = torch.einsum("c,nct->nt", net.spatial.weight[s, :, 0], in_time)
        torch.testing.assert_close(ours[:, s], theirs)


@pytest.mark.parametrize(("n_times", "size"), [(40, 9), (40, 8), (5, 12), (30, 1), (7, 7)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_depthwise_convolution_equals_torchs(n_times, size, dtype):
    conv = SameDepthwiseConv1d(3, size).to(dtype)
    x = torch.randn(4, 3, n_times, dtype=dtype, requires_grad=True)
    left = (size - 1) // 2
    theirs = nn.functional.conv1d(
        nn.functional.pad(x, (left, size - 1 - left)), conv.weight, groups=3
    )
    ours = conv(x)
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
    weight = torch.randn_like(theirs)
    for a, b in zip(
        torch.autograd.grad((ours * weight).sum(), (x, conv.weight)),
        torch.autograd.grad((theirs * weight).sum(), (x, conv.weight)),
    ):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_the_unit_does_not_matter_in_training():
    net, twin = small(dropout=0.0).double(), small(dropout=0.0).double()
    twin.load_state_dict(net.state_dict())
    X = torch.randn(8, 4, 60, dtype=torch.float64)
    for ours, theirs in zip(net(X), twin(1e3 * X)):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_evaluation_does_not_depend_on_the_batch():
    net = small()
    net(torch.randn(20, 4, 60))
    net.eval()
    X = torch.randn(6, 4, 60)
    torch.testing.assert_close(net(X)[1][:2], net(X[:2])[1])


def test_max_norm_holds_from_the_start_and_after_steps():
    net = small()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.5)
    X, y = torch.randn(8, 4, 60), torch.arange(8) % 2
    for _ in range(3):
        assert net.spatial.weight.flatten(1).norm(dim=1).max() <= 2 + 1e-5
        for head in net.heads.values():
            assert head.weight.norm(dim=1).max() <= 0.5 + 1e-5
        optimizer.zero_grad()
        sum(nn.functional.cross_entropy(out, y) for out in net(X)).backward()
        optimizer.step()
        net.apply_max_norm()
    assert small(max_norm=False).max_norms == {}


# ---- leaving out what does nothing -----------------------------------------------------------


def trained(net):
    """Some steps, so that normalization, biases and weights are not those of the start."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for norm in (net.signal_norm, net.map_norm):
        nn.init.normal_(norm.weight, 1.0, 0.3)
        nn.init.normal_(norm.bias, 0.0, 0.5)
    for _ in range(5):
        optimizer.zero_grad()
        X = torch.randn(16, 4, 60) + 0.3
        y = torch.arange(16) % 2
        sum(nn.functional.cross_entropy(out, y) for out in net(X)).backward()
        optimizer.step()
    return net.eval()


def kill(net, which):
    """Cut units off, all three ways."""
    with torch.no_grad():
        if "filters" in which:
            net.spatial.weight[0] = 0
            net.temporal.weight[1] = 0
            net.depthwise.weight[2] = 0
            net.pointwise.weight[:, 3] = 0
        if "maps" in which:
            net.pointwise.weight[0] = 0
            steps = net.n_map_times
            for layer in net.private.values():
                layer.weight[:, steps : 2 * steps] = 0
        if "hidden" in which:
            net.private["imagery"].weight[1] = 0
            net.heads["imagery"].weight[:, 2] = 0
            net.heads["execution"].weight[:, 0] = 0
    return net


@pytest.mark.parametrize(
    ("which", "sizes"),
    [
        ((), (5, 6, {"imagery": 4, "execution": 4})),
        (("filters",), (1, 6, {"imagery": 4, "execution": 4})),
        (("maps",), (5, 4, {"imagery": 4, "execution": 4})),
        (("hidden",), (5, 6, {"imagery": 2, "execution": 3})),
        (("filters", "maps", "hidden"), (1, 4, {"imagery": 2, "execution": 3})),
    ],
)
def test_without_dead_units_predicts_the_same(which, sizes):
    net = kill(trained(small()).double(), which)
    before = copy.deepcopy(net.state_dict())
    smaller = net.without_dead_units()
    assert (smaller.n_filters, smaller.n_maps, smaller.n_hidden) == sizes
    assert not smaller.training
    X = torch.randn(10, 4, 60, dtype=torch.float64)
    for ours, theirs in zip(smaller(X), net(X)):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])


def test_one_unit_stays_in_each_layer_of_an_empty_network():
    net = trained(small())
    for p in net.parameters():
        if p.ndim > 1:
            nn.init.zeros_(p)
    smaller = net.without_dead_units()
    assert (smaller.n_filters, smaller.n_maps) == (1, 1)
    assert set(smaller.n_hidden.values()) == {1}
    X = torch.randn(3, 4, 60)
    for ours, theirs in zip(smaller(X), net(X)):
        torch.testing.assert_close(ours, theirs)


def test_constants_travel_up_to_the_heads():
    net = trained(small()).double()
    with torch.no_grad():
        net.spatial.weight.zero_()
    smaller = net.without_dead_units()
    assert (smaller.n_filters, smaller.n_maps) == (1, 1)
    assert set(smaller.n_hidden.values()) == {1}
    X = torch.randn(3, 4, 60, dtype=torch.float64)
    for ours, theirs in zip(smaller(X), net(X)):
        assert theirs.abs().max() > 0.01
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_dead_chain_goes_as_a_whole():
    """A map that only dead hidden units look at, and a filter that only that map looks at."""
    net = trained(small(tasks={"a": 2}, n_hidden=3))
    with torch.no_grad():
        net.heads["a"].weight[:, 1] = 0
        columns = torch.arange(net.n_map_times) + 2 * net.n_map_times
        net.private["a"].weight[:, columns] = 0
        net.private["a"].weight[1, columns] = 1.0
        net.pointwise.weight[:, 4] = 0
        net.pointwise.weight[2, 4] = 1.0
    smaller = net.without_dead_units()
    assert (smaller.n_filters, smaller.n_maps, smaller.n_hidden) == (4, 5, {"a": 2})
    X = torch.randn(3, 4, 60)
    torch.testing.assert_close(smaller(X)[0], net(X)[0], rtol=1e-5, atol=1e-5)


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        ((0, 640, TASKS), {}, ValueError, "n_channels=0 must be at least 1"),
        ((4, 640, {"a": 0}), {}, ValueError, r"tasks\['a'\]=0 must be at least 1"),
        ((4, 640, {"a": 2.0}), {}, TypeError, r"tasks\['a'\]=2.0 must be an integer"),
        ((4, 640, {}), {}, ValueError, "tasks is empty"),
        ((4, 640, ["a"]), {}, TypeError, "must map each task's name to its number of classes"),
        ((4, 640, {"a.b": 2}), {}, ValueError, "'a.b' cannot name a task"),
        ((4, 640, {"keys": 2}), {}, ValueError, "'keys' cannot name a task"),
        ((4, 640, {"training": 2}), {}, ValueError, "'training' cannot name a task"),
        ((4, 640, {1: 2}), {}, ValueError, "1 cannot name a task"),
        ((4, 255, TASKS), {}, ValueError, r"n_times=255 samples are too few.*256 samples or more"),
        ((4, 20, TASKS), {}, ValueError, "n_times=20 samples are too few"),
        ((4, 640, TASKS), {"n_filters": 0}, ValueError, "n_filters=0"),
        ((4, 640, TASKS), {"dropout": 1.0}, ValueError, "dropout=1.0 must be at least 0"),
        ((4, 640, TASKS), {"n_hidden": {"imagery": 3}}, ValueError, "n_hidden has the tasks"),
        ((4, 640, TASKS), {"n_hidden": 0}, ValueError, "n_hidden=0"),
    ],
)
def test_impossible_sizes_are_refused_by_name(arguments, settings, error, message):
    with pytest.raises(error, match=message):
        DualTaskNet(*arguments, **settings)


def test_the_smallest_size_that_the_message_names_is_enough():
    assert DualTaskNet(4, 256, TASKS).n_map_times == 1


def test_rows_of_another_shape_and_unknown_tasks_are_refused():
    net = small()
    with pytest.raises(ValueError, match=r"of shape \(4, 60\) .*got rows of shape \(60,\)"):
        net(torch.randn(5, 60))
    with pytest.raises(ValueError, match="no task 'rest'; its tasks are"):
        net(torch.randn(5, 4, 60), "rest")
    with pytest.raises(ValueError, match="no task 'rest'"):
        net.private_names("rest")


def test_heads_begin_with_small_logits():
    """So that the first loss is that of guessing, and no task begins with the louder gradient."""
    net = DualTaskNet(4, 256, {"a": 2, "b": 3})
    for task, head in net.heads.items():
        usual = 1 / net.n_hidden[task] ** 0.5  # torch's own bound of a dense layer
        assert 0 < float(head.weight.detach().abs().max()) <= 0.1 * usual
        assert not head.bias.detach().any()
