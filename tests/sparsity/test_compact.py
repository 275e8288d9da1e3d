"""Smaller networks predict the same, and the report counts what is there."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from skbci.nets import MLP, DualTaskNet, MIN2Net
from skbci.sparsity import MagnitudePruning, apply_masks, compact, density, overlap, prunable
from skbci.sparsity._cost import compare_costs


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def full(net):
    return {name: torch.ones_like(w, dtype=torch.bool) for name, w in prunable(net).items()}


def structured(net, share, seed=0):
    """Masks that cut off a share of the units of each hidden layer, on either side."""
    rng = torch.Generator().manual_seed(seed)
    masks = full(net)
    names = list(masks)
    for into, out_of in zip(names, names[1:]):
        n_units = len(masks[into])
        dead = torch.randperm(n_units, generator=rng)[: round(share * n_units)]
        masks[into][dead[::2]] = False
        masks[out_of][:, dead[1::2]] = False
    return masks


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "elu", "identity"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_units_cut_off_are_left_out_and_predictions_stay(activation, share):
    net = MLP(20, 3, (16, 10, 8), activation=activation, dropout=0.2)
    for p in net.parameters():
        nn.init.normal_(p, 0, 0.5)
    masks = structured(net, share)
    X = torch.randn(50, 20)
    smaller, report = compact(net, masks, X, n_repeats=3)
    masked = copy.deepcopy(net).eval()
    apply_masks(masked, masks)
    expected = masked(X).detach()
    torch.testing.assert_close(smaller(X).detach(), expected, rtol=1e-5, atol=1e-5)
    assert report.difference < 1e-5 * (1 + float(expected.abs().max()))
    assert type(smaller) is MLP
    assert not smaller.training
    widths = [layer.out_features for layer in smaller if isinstance(layer, nn.Linear)]
    assert widths == [*(n - round(share * n) for n in (16, 10, 8)), 3]


def test_multiplications_of_convolutions_are_counted_one_by_one():
    net = nn.Sequential(nn.Conv1d(2, 4, 3, groups=2), nn.ConvTranspose1d(4, 6, 5, groups=2))
    cost = compare_costs(net, copy.deepcopy(net), torch.randn(1, 2, 10), 1).before
    # 4 x 8 outputs of 3 inputs each; each of 4 x 8 inputs goes to 3 channels at 5 places.
    assert cost.multiply_adds == 4 * 8 * 3 + 4 * 8 * 3 * 5


def test_the_report_counts_parameters_multiplications_and_bytes():
    net = MLP(20, 3, (16, 10))
    masks = structured(net, 0.5)
    _, report = compact(net, masks, n_repeats=3)
    dropped = sum(int((~m & w.ne(0)).sum()) for m, w in
                  zip(masks.values(), prunable(net).values()))
    for cost, (a, b) in ((report.before, (16, 10)), (report.after, (8, 5))):
        assert cost.multiply_adds == 20 * a + a * b + b * 3
        assert cost.parameters == cost.multiply_adds + a + b + 3
        assert cost.bytes == 4 * cost.parameters
        assert cost.latency > 0
    assert report.before.nonzero == report.before.parameters - dropped
    table = report.to_frame()
    assert table.loc["ratio", "parameters"] == report.after.parameters / report.before.parameters
    assert list(table.index) == ["before", "after", "ratio"]


def test_a_dead_chain_goes_as_a_whole():
    net = MLP(6, 2, (5, 4, 3))
    masks = full(net)
    masks["7.weight"][:, 1] = False  # nothing looks at unit 1 of the third layer
    masks["5.weight"][:, 2] = False
    masks["5.weight"][1, 2] = True  # which alone looks at unit 2 of the second
    masks["3.weight"][:, 0] = False
    masks["3.weight"][2, 0] = True  # which alone looks at unit 0 of the first
    smaller, report = compact(net, masks, torch.randn(9, 6), n_repeats=1)
    assert [m.out_features for m in smaller if isinstance(m, nn.Linear)] == [4, 3, 2, 2]
    assert report.difference < 1e-6


def test_constants_travel_through_layers_without_input():
    net = MLP(6, 2, (5, 4), activation="logistic")
    masks = full(net)
    masks["1.weight"][:] = False
    smaller, report = compact(net, masks, torch.randn(9, 6), n_repeats=1)
    assert [m.out_features for m in smaller if isinstance(m, nn.Linear)] == [1, 1, 2]
    assert report.difference < 1e-6


def test_masks_of_single_weights_save_little():
    """Which the report says: all units are still there at 80 %."""
    net = MLP(40, 3, (20, 10))
    masks = MagnitudePruning(0.8).find(net)
    _, report = compact(net, masks, torch.randn(5, 40), n_repeats=1)
    assert report.after.parameters > 0.9 * report.before.parameters
    assert report.before.nonzero < 0.3 * report.before.parameters


def test_units_die_where_the_floor_lets_them():
    net = MLP(40, 3, (20, 10))
    with torch.no_grad():
        net[1].weight[:12] *= 0.01
    masks = MagnitudePruning(0.8, floor="layer").find(net)
    smaller, report = compact(net, masks, torch.randn(5, 40), n_repeats=1)
    assert smaller[1].out_features <= 8
    assert report.difference < 1e-5


@pytest.mark.parametrize("bias", [True, False])
def test_sequences_of_ones_own(bias):
    net = nn.Sequential(
        nn.Linear(4, 6, bias=bias), nn.Sigmoid(), nn.Dropout(0.1), nn.Linear(6, 5, bias=bias),
        nn.Tanh(), nn.Linear(5, 2, bias=bias), nn.Softplus(),
    )
    masks = structured(net, 0.5)
    X = torch.randn(7, 4)
    smaller, report = compact(net, masks, X, n_repeats=1)
    assert report.difference < 1e-6
    assert [m.out_features for m in smaller if isinstance(m, nn.Linear)] == [3, 3, 2]


class Skip(nn.Sequential):
    def forward(self, X):
        hidden = self[1](self[0](X))
        return self[2](hidden) + hidden[:, :2]


class Scaled(nn.Sequential):
    def forward(self, X):
        return 2 * super().forward(X)


class Backwards(nn.Sequential):
    def forward(self, X):
        return self[0](self[1](self[2](X)))


class Choosing(nn.Sequential):
    def forward(self, X):
        return super().forward(X) if X.mean() > 0 else super().forward(-X)


class Called(nn.Sequential):
    def __call__(self, X):
        return 2 * super().__call__(X)


class Delegating(nn.Sequential):
    def forward(self, X):
        for layer in self:
            X = layer(X)
        return X


def three_layers(kind=nn.Sequential):
    return kind(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))


def hooked(place, register):
    net = three_layers()
    getattr([net, *net][place], register)(lambda layer, *values: None)
    return net


def patched():
    net = three_layers()
    net[0].forward = lambda X: X
    return net


@pytest.mark.parametrize("kind", [Skip, Scaled, Backwards, Choosing, Called])
def test_a_forward_that_does_more_than_run_the_layers_is_refused(kind):
    net = three_layers(kind)
    with pytest.raises(TypeError, match=f"units of {kind.__name__} .*more than run them"):
        compact(net, structured(net, 0.5), torch.randn(5, 4), n_repeats=1)


@pytest.mark.parametrize("build", [
    *(lambda p=p, r=r: hooked(p, r) for p in (0, 1, 2)
      for r in ("register_forward_hook", "register_forward_pre_hook")),
    patched,
])
def test_layers_with_hooks_are_refused(build):
    net = build()
    with pytest.raises(TypeError, match="units of Sequential .*without hooks"):
        compact(net, structured(net, 0.5), torch.randn(5, 4), n_repeats=1)


def test_a_forward_that_only_runs_the_layers_is_taken():
    net = three_layers(Delegating)
    smaller, report = compact(net, structured(net, 0.5), torch.randn(5, 4), n_repeats=1)
    assert type(smaller) is Delegating
    assert smaller[0].out_features == 2
    assert report.difference < 1e-6


def test_a_smaller_network_that_predicts_something_else_is_refused():
    class Careless(nn.Sequential):
        def without_dead_units(self):
            return nn.Sequential(nn.Linear(4, 2))

    net = Careless(nn.Linear(4, 3), nn.Linear(3, 2))
    with pytest.raises(ValueError, match=r"Careless gives outputs that differ by .*without_dead"):
        compact(net, full(net), torch.randn(5, 4), n_repeats=1)


def test_dual_task_net():
    net = DualTaskNet(4, 100, {"a": 2, "b": 3}, n_filters=8, n_maps=6, pooling=8)
    masks = full(net)
    masks["spatial.weight"][:3] = False
    masks["pointwise.weight"][:, 4] = False
    masks["pointwise.weight"][2] = False
    masks["private.a.weight"][:5] = False
    X = torch.randn(6, 4, 100)
    smaller, report = compact(net, masks, X, n_repeats=2)
    assert (smaller.n_filters, smaller.n_maps) == (4, 5)
    assert smaller.n_hidden == {"a": 11, "b": 16}
    assert report.difference < 1e-5
    steps = 100 // 8 - 4
    by_filter = 100 * 4 + 100 * 65 + steps * 5
    expected = 8 * by_filter + steps * 8 * 6 + 2 * 16 * net.n_features + 16 * 5
    assert report.before.multiply_adds == expected
    assert report.after.multiply_adds < expected


def test_the_module_stays_as_it_is():
    net = MLP(6, 2, (5,)).train()
    before = copy.deepcopy(net.state_dict())
    compact(net, structured(net, 0.5), n_repeats=1)
    assert net.training
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("build", "options", "error", "message"),
    [
        (lambda: MIN2Net(3, 40, 2, subsampling=20), {}, TypeError,
         "does not know how the units of MIN2Net depend on each other"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)), {},
         TypeError, "does not know how the units of Sequential"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)), {}, TypeError, "Sequential"),
        (lambda: DualTaskNet(4, 256, {"a": 2}), {}, ValueError, "needs X, some rows to measure"),
        (lambda: MLP(4, 2), {"n_repeats": 0}, ValueError, "n_repeats=0 must be at least 1"),
    ],
)
def test_what_it_cannot_do_is_refused(build, options, error, message):
    net = build()
    with pytest.raises(error, match=message):
        compact(net, full(net), **options)


def test_what_is_missing_is_named():
    with pytest.raises(TypeError, match="compact needs masks, such as a PruningMethod finds"):
        compact(MLP(4, 2))
    with pytest.raises(TypeError, match=r"got dict; for a fitted estimator use .*compact_est"):
        compact({})


# ---- density and overlap ---------------------------------------------------------------------


def test_density_by_layer_and_task():
    a = {"s": torch.tensor([[True, False], [False, False]]), "a": torch.tensor([True, True])}
    b = {"s": torch.tensor([[True, True], [True, False]]), "b": torch.tensor([False])}
    table = density({"a": a, "b": b})
    assert list(table.index) == ["s", "a", "b", "total"]
    assert table["a"].tolist()[:2] == [0.25, 1.0]
    assert table["a"].isna().tolist() == [False, False, True, False]
    assert table.loc["total"].tolist() == [0.5, 0.6]
    assert density(a)["density"].tolist() == [0.25, 1.0, 0.5]


def test_overlap_is_the_jaccard_index():
    a = {"s": torch.tensor([True, True, False, False]), "a": torch.tensor([True])}
    b = {"s": torch.tensor([True, False, True, False]), "b": torch.tensor([True])}
    assert overlap(a, b).to_dict() == {"s": 1 / 3, "total": 1 / 3}
    assert overlap(a, a).eq(1).all()
    nothing = {"s": torch.zeros(4, dtype=torch.bool)}
    assert overlap(nothing, nothing)["s"] == 1
    assert overlap(a, nothing)["s"] == 0


def test_overlap_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match="no parameter in common"):
        overlap({"a": torch.ones(2).bool()}, {"b": torch.ones(2).bool()})
    with pytest.raises(ValueError, match=r"'a' differ in shape: \(2,\) and \(3,\)"):
        overlap({"a": torch.ones(2).bool()}, {"a": torch.ones(3).bool()})
