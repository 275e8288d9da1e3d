"""What every pruning method promises about the masks that it finds."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from skbci.nets import MLP, DualTaskNet, MIN2Net
from skbci.sparsity import (
    PRUNING,
    LotteryTicket,
    MagnitudePruning,
    MaskedTraining,
    MultitaskSnip,
    NonFiniteSaliencyError,
    PruningMethod,
    Snip,
    SparsityWarning,
    prunable,
    resolve_pruning,
    saliency,
)
from skbci.sparsity._budget import by_layer, keep_top

TASKS = ("imagery", "execution")
LEVELS = (0.0, 0.2, 0.4, 0.8, 0.9)


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def classify(net, X, y, task=None):
    return F.cross_entropy(net(X) if task is None else net(X, task), y, reduction="none")


def train(net, masks, steps=15):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    X, y = data_of(net)
    with MaskedTraining(net, masks, optimizer):
        for _ in range(steps):
            optimizer.zero_grad()
            classify(net, X, y).mean().backward()
            optimizer.step()


def data_of(net, n=24):
    rng = torch.Generator().manual_seed(1)
    shape = (net[1].in_features,) if isinstance(net, MLP) else (net.n_channels, net.n_times)
    return torch.randn(n, *shape, generator=rng), torch.arange(n) % 2


def dense():
    return MLP(10, 2, (12, 7))


def dual():
    return DualTaskNet(3, 80, dict.fromkeys(TASKS, 2), n_filters=6, n_maps=5, pooling=8,
                       kernel_size=9, n_hidden=6)


def batches_of(net):
    X, y = data_of(net)
    return {"imagery": [(X[:11], y[:11])], "execution": [(X[11:], y[11:])]}


def kept(masks):
    return sum(int(mask.sum()) for mask in masks.values())


def size(masks):
    return sum(mask.numel() for mask in masks.values())


def subset(small, large):
    return all(bool((~small[name] | large[name]).all()) for name in small)


# Each gives masks of a fresh copy of the same network.
FIND = {
    "snip": lambda net, s, **k: Snip(s, **k).find(net, classify, [data_of(net)]),
    "magnitude": lambda net, s, **k: MagnitudePruning(s, **k).find(net),
    "magnitude by layer": lambda net, s, **k: MagnitudePruning(s, scope="layer", **k).find(net),
    "lottery": lambda net, s, **k: LotteryTicket(s, 1, **k).find(net, train=train),
}


@pytest.fixture(params=FIND)
def find(request):
    return FIND[request.param]


# ---- properties of all methods ---------------------------------------------------------------


@pytest.mark.parametrize("floor", ["unit", "layer"])
@pytest.mark.parametrize("sparsity", LEVELS)
def test_budgets_are_exact(find, sparsity, floor):
    masks = find(dense(), sparsity, floor=floor)
    n_weights = 10 * 12 + 12 * 7 + 7 * 2
    assert size(masks) == n_weights
    expected = round((1 - sparsity) * n_weights)
    # At 0.9, 22 weights are kept of 21 units: just enough.
    assert kept(masks) == expected


def test_zero_sparsity_keeps_everything(find):
    net = dense()
    masks = find(net, 0.0)
    assert list(masks) == list(prunable(net))
    assert all(mask.all() and mask.dtype == torch.bool for mask in masks.values())


@pytest.mark.parametrize("floor", ["unit", "layer"])
def test_more_sparsity_keeps_nothing_that_less_dropped(find, floor):
    net = dense()
    found = [find(copy.deepcopy(net), s, floor=floor) for s in LEVELS]
    for less, more in zip(found, found[1:]):
        assert subset(more, less)


def test_each_unit_keeps_its_best_weight(find):
    masks = find(dense(), 0.9)
    for mask in masks.values():
        assert mask.any(1).all()


def test_methods_leave_the_module_as_it_was_at_the_start_but_for_the_ticket():
    net = dense()
    before = copy.deepcopy(net.state_dict())
    FIND["snip"](net, 0.5)
    FIND["magnitude"](net, 0.5)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
    masks = LotteryTicket(0.5, 3).find(net, train=train)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name] * masks.get(name, True))


@pytest.mark.parametrize("method", ["snip", "magnitude", "magnitude by layer"])
def test_permuting_units_permutes_masks(method):
    net = dense().double()
    order = torch.randperm(12)
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin[1].weight.copy_(net[1].weight[order])
        twin[1].bias.copy_(net[1].bias[order])
        twin[3].weight.copy_(net[3].weight[:, order])
        # Dead units make saliencies that are equal, at zero.
        for one, unit in ((net, order[:4]), (twin, torch.arange(4))):
            one[1].bias[unit] = -100.0
    for sparsity in (0.3, 0.6, 0.85):
        masks, permuted = (FIND[method](one, sparsity) for one in (net, twin))
        assert torch.equal(permuted["1.weight"], masks["1.weight"][order])
        assert torch.equal(permuted["3.weight"], masks["3.weight"][:, order])
        assert torch.equal(permuted["5.weight"], masks["5.weight"])


@pytest.mark.parametrize("sparsity", LEVELS[:4])
def test_masks_do_not_depend_on_the_order_of_samples(sparsity):
    net, two = dense(), dual()
    X, y = data_of(net)
    for seed in range(3):
        order = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))
        parts = list(zip(X[order].split(7), y[order].split(7)))
        plain, shuffled = (
            Snip(sparsity).find(net, classify, b) for b in ([(X, y)], parts)
        )
        assert all(torch.equal(plain[name], shuffled[name]) for name in plain)
        batches = batches_of(two)
        mixed = {}
        for task, [(X_task, y_task)] in batches.items():
            rows = torch.randperm(len(X_task), generator=torch.Generator().manual_seed(seed))
            mixed[task] = list(zip(X_task[rows].split(4), y_task[rows].split(4)))
        plain, shuffled = (
            MultitaskSnip(sparsity).find(two, classify, b) for b in (batches, mixed)
        )
        assert all(torch.equal(plain[name], shuffled[name]) for name in plain)


# ---- budgets ---------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3), min_size=24, max_size=24), st.integers(1, 24),
       st.sampled_from(["unit", "layer"]))
def test_ties_are_broken_by_magnitude_then_by_place(values, n_kept, floor):
    """Scores of few values, so that most are equal, against the sorted list of them."""
    scores = {
        "a": torch.tensor(values[:12]).double().reshape(3, 4),
        "b": torch.tensor(values[12:]).double().reshape(2, 6),
    }
    sizes = {name: (score * 7 % 3) for name, score in scores.items()}
    units = {"a": torch.arange(12).reshape(3, 4), "b": torch.arange(12).reshape(2, 6)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsityWarning)
        masks, needs = keep_top(scores, sizes, units, n_kept, floor=floor)
    flat = torch.cat([masks["a"].flatten(), masks["b"].flatten()])
    key = [
        (-float(scores[n].flatten()[i]), -float(sizes[n].flatten()[i]), n, i)
        for n in "ab" for i in range(12)
    ]
    groups = [range(k, k + 4) for k in (0, 4, 8)] + [range(12, 18), range(18, 24)]
    groups = groups if floor == "unit" else [range(12), range(12, 24)]
    must = {min(group, key=lambda j: key[j]) for group in groups}
    rest = [j for j in sorted(range(24), key=lambda j: key[j]) if j not in must]
    expected = must | set(rest[: max(0, n_kept - len(must))])
    assert set(flat.nonzero().flatten().tolist()) == expected
    # A weight is kept if its share is within the budget, whatever the budget is.
    share = n_kept / 24
    for name, mask in masks.items():
        assert torch.equal(mask, needs[name] < max(share, 1e-9))


def test_a_layer_that_scores_would_empty_is_named():
    net = dense()
    with torch.no_grad():
        net[3].weight.mul_(1e-3)
    with pytest.warns(SparsityWarning, match=r"nothing of '3.weight' would be left.*each unit"):
        masks = MagnitudePruning(0.6).find(net)
    assert masks["3.weight"].sum(1).tolist() == [1] * 7
    assert kept(masks) == round(0.4 * size(masks))
    with pytest.warns(SparsityWarning, match="best weight of each layer is kept"):
        masks = MagnitudePruning(0.6, floor="layer").find(net)
    assert masks["3.weight"].sum() == 1


def test_no_warning_where_no_layer_is_emptied():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FIND["magnitude by layer"](dense(), 0.8)


def test_a_budget_below_one_weight_a_unit_is_not_met_and_says_so():
    with pytest.warns(SparsityWarning, match="budget of 2 weights is less than one for each unit"):
        masks = MagnitudePruning(0.99).find(dense())
    assert kept(masks) == 12 + 7 + 2


def test_each_layer_loses_the_same_share_by_layer():
    masks = MagnitudePruning(0.5, scope="layer").find(MLP(40, 10, (30, 20)))
    for mask in masks.values():
        assert mask.float().mean() == pytest.approx(0.5, abs=0.02)


def test_ties_within_a_layer_are_broken_by_place_too():
    net = nn.Linear(6, 1, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0, 1.0, 2.0, 1.0, 1.0, 2.0]]))
    for scope in ("global", "layer"):
        masks = MagnitudePruning(0.5, scope=scope).find(net)
        assert masks["weight"].tolist() == [[True, False, True, False, False, True]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_any_precision_of_weights(dtype, scope):
    net = dense()
    with torch.no_grad():
        for weight in prunable(net).values():
            weight.copy_(weight.bfloat16())
    expected = MagnitudePruning(0.6, scope=scope).find(net)
    masks = MagnitudePruning(0.6, scope=scope).find(net.to(dtype))
    if dtype is not torch.float16:  # which has fewer small numbers
        assert all(torch.equal(masks[name], mask) for name, mask in expected.items())
    assert kept(masks) == kept(expected)


def test_places_within_a_layer_order_as_the_scores_do():
    scores = {"a": torch.rand(5, 4), "b": 100 * torch.rand(3, 2)}
    places = by_layer(scores, scores)
    for name in scores:
        assert torch.equal(places[name].flatten().argsort(), scores[name].flatten().argsort())
        assert places[name].max() == 1


def test_units_of_grouped_and_transposed_convolutions():
    for conv in (nn.Conv1d(4, 6, 3, groups=2), nn.ConvTranspose1d(4, 6, 3, groups=2)):
        masks = MagnitudePruning(0.7).find(nn.Sequential(conv))
        weight = conv.weight * masks["0.weight"]
        # With all biases zero a unit without weights would give nothing but zeros.
        function = F.conv1d if isinstance(conv, nn.Conv1d) else F.conv_transpose1d
        out = function(torch.randn(5, 4, 8), weight, groups=2)
        assert out.abs().amax((0, 2)).gt(0).all()


# ---- several tasks ---------------------------------------------------------------------------


@pytest.fixture
def pair():
    return dual(), batches_of(dual())


@pytest.mark.parametrize("sparsity", LEVELS[:4])
def test_each_task_gets_its_own_budget(pair, sparsity):
    net, batches = pair
    method = MultitaskSnip(sparsity)
    masks = method.find(net, classify, batches)
    assert list(masks) == list(prunable(net))
    for task in TASKS:
        own = method.task_masks_[task]
        names = [*net.shared_names(), *net.private_names(task)]
        assert set(own) == set(names) & set(prunable(net))
        assert kept(own) == round((1 - sparsity) * size(own))
        alone = Snip(sparsity).find(Single(net, task), classify, batches[task])
        for name, mask in own.items():
            assert torch.equal(mask, alone[f"net.{name}"])


class Single(nn.Module):
    """One task of a network, without the others' parameters."""

    def __init__(self, net, task):
        super().__init__()
        self.net, self.task = copy.deepcopy(net), task
        for other in set(TASKS) - {task}:
            del self.net.private[other], self.net.heads[other]

    def forward(self, X):
        return self.net(X, self.task)


@pytest.mark.parametrize(
    ("arbiter", "combine"),
    [
        ("or", lambda a, b: a | b),
        ("and", lambda a, b: a & b),
        (lambda masks: masks[0] ^ masks[1], lambda a, b: a ^ b),
    ],
)
def test_arbiters_combine_shared_masks_and_leave_private_ones(pair, arbiter, combine):
    net, batches = pair
    method = MultitaskSnip(0.4, arbiter=arbiter, floor="layer")
    masks = method.find(net, classify, batches)
    first, second = (method.task_masks_[task] for task in TASKS)
    shared = set(first) & set(second)
    assert shared == set(net.shared_names()) & set(prunable(net))
    for name in shared:
        assert torch.equal(masks[name], combine(first[name], second[name]))
    for own in (first, second):
        for name in set(own) - shared:
            assert torch.equal(masks[name], own[name])


def test_or_drops_only_what_no_task_keeps_and_monotonously(pair):
    net, batches = pair
    found = [MultitaskSnip(s).find(net, classify, batches) for s in LEVELS[:4]]
    for less, more in zip(found, found[1:]):
        assert subset(more, less)


def test_one_task_is_plain_snip(pair):
    net, _ = pair
    single = Single(net, "imagery")
    X, y = data_of(net)
    loss = lambda net, X, y, task: classify(net, X, y)  # noqa: E731
    multi = MultitaskSnip(0.6).find(single, loss, {"imagery": [(X, y)]})
    plain = Snip(0.6).find(single, classify, [(X, y)])
    assert all(torch.equal(multi[name], plain[name]) for name in plain)


def test_what_no_task_depends_on_stays(pair):
    net, batches = pair
    masks = MultitaskSnip(0.8).find(net, classify, {"imagery": batches["imagery"]})
    assert masks["private.execution.weight"].all()
    assert not masks["private.imagery.weight"].all()


def test_the_joint_loss_of_snip_is_the_weighted_sum(pair):
    net, batches = pair
    weights = {"imagery": 0.3, "execution": 2.0}
    both = {t: (X.double(), y) for t, [(X, y)] in batches.items()}
    net.eval()  # so that normalization does not depend on the tasks' data
    method = Snip(0.0, task_weights=weights)
    method.find(net, classify, batches)

    def joint(net, X, y):
        return sum(weights[t] * classify(net, *both[t], task=t).mean() for t in TASKS)

    expected = saliency(net, joint, [both["imagery"]])
    for name, value in method.saliency_.items():
        torch.testing.assert_close(value, expected[name])


def opposed():
    """Each task needs the two inputs of three units that the other does not."""
    net = nn.Sequential(nn.Linear(4, 3, bias=False))
    rows = {"a": torch.tensor([[9.0, 8.0, 0.1, 0.2]]), "b": torch.tensor([[0.2, 0.1, 9.0, 8.0]])}
    with torch.no_grad():
        net[0].weight.fill_(1.0)
    return net, lambda net, X, task: net(X).sum(1), {t: [(X,)] for t, X in rows.items()}


@pytest.mark.parametrize("arbiter", ["and", lambda masks: torch.zeros_like(masks[0])])
def test_an_arbiter_that_empties_units_or_layers_is_named_and_the_floor_stays(arbiter):
    net, loss, batches = opposed()
    with pytest.warns(SparsityWarning, match="nothing of 3 of the 3 units of '0.weight'; one we"):
        masks = MultitaskSnip(0.5, arbiter=arbiter).find(net, loss, batches)
    assert masks["0.weight"].sum(1).tolist() == [1, 1, 1]
    with pytest.warns(SparsityWarning, match="arbiter left nothing of '0.weight'; one weight"):
        masks = MultitaskSnip(0.5, arbiter=arbiter, floor="layer").find(net, loss, batches)
    assert masks["0.weight"].sum() == 1


@pytest.mark.filterwarnings("ignore::skbci.sparsity.SparsityWarning")
@pytest.mark.parametrize("floor", ["unit", "layer"])
@pytest.mark.parametrize("arbiter", ["and", "or"])
@pytest.mark.parametrize("sizes", [(2, 2), (2, 7)])
def test_arbiters_keep_the_floor_and_nothing_that_less_sparsity_dropped(arbiter, floor, sizes):
    net = DualTaskNet(3, 80, dict(zip(TASKS, sizes)), n_filters=8, n_maps=7, pooling=8,
                      kernel_size=9, n_hidden={"imagery": 6, "execution": 11})
    levels = [*np.arange(0, 0.9, 0.1), 0.82, 0.85, 0.88, 0.9, 0.93, 0.95, 0.97, 0.99]
    found, n_filled, batches = [], 0, batches_of(net)
    for level in levels:
        method = MultitaskSnip(level, arbiter=arbiter, floor=floor)
        masks = method.find(net, classify, batches)
        for name, mask in masks.items():
            rows = mask.flatten(1) if floor == "unit" else mask.flatten()[None]
            assert rows.any(1).all()
            asked = [own[name] for own in method.task_masks_.values() if name in own]
            both = torch.stack(asked)
            plain = both.all(0) if arbiter == "and" else both.any(0)
            plain_rows = plain.flatten(1) if floor == "unit" else plain.flatten()[None]
            filled = ~plain_rows.any(1)
            assert torch.equal(rows[~filled], plain_rows[~filled])
            assert (rows[filled].sum(1) == 1).all()
            n_filled += int(filled.sum())
        found.append(masks)
    assert n_filled > 0 or arbiter == "or"
    for less, more in zip(found, found[1:]):
        assert subset(more, less)


def test_warnings_name_the_task():
    net, loss, batches = opposed()
    with pytest.warns(SparsityWarning) as seen:
        MultitaskSnip(0.9).find(net, loss, batches)
    words = [str(warning.message) for warning in seen]
    assert len(words) == 2
    for task, said in zip("ab", words):
        assert said.startswith(f"Task '{task}': The budget of 1 weights is less than one")


# ---- lottery tickets -------------------------------------------------------------------------


def test_rounds_drop_the_same_share_each_and_train_what_is_left():
    seen = []

    def watched(net, masks):
        for name, weight in prunable(net).items():
            assert torch.equal(weight.detach(), start[name] * masks[name])
        seen.append(kept(masks))
        train(net, masks)

    net = dense()
    start = {name: weight.detach().clone() for name, weight in prunable(net).items()}
    masks = LotteryTicket(0.8, n_rounds=3).find(net, train=watched)
    n_weights = size(masks)
    assert seen == [round(0.2 ** (done / 3) * n_weights) for done in range(3)]
    assert kept(masks) == round((1 - 0.8) * n_weights)


def test_one_round_is_magnitude_pruning_of_the_trained_network():
    net, twin = (dense() for _ in range(2))
    twin.load_state_dict(net.state_dict())
    ticket = LotteryTicket(0.5, n_rounds=1).find(net, train=train)
    pruned = MagnitudePruning(0.5).find(twin, train=train)
    assert all(torch.equal(ticket[name], pruned[name]) for name in ticket)


def test_rewinding_restores_buffers_too():
    net = MIN2Net(3, 40, 2, subsampling=20)
    before = copy.deepcopy(net.state_dict())

    def run(net, masks):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        with MaskedTraining(net, masks, optimizer):
            sum(out.square().mean() for out in net(torch.randn(6, 3, 40))).backward()
            optimizer.step()

    masks = LotteryTicket(0.5, 2).find(net, train=run)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name] * masks.get(name, 1))


def test_nothing_is_trained_without_sparsity():
    def forbidden(net, masks):
        raise AssertionError

    assert size(LotteryTicket(0.0).find(dense(), train=forbidden)) == 10 * 12 + 12 * 7 + 14


def test_training_that_does_not_enforce_its_masks_is_refused():
    def careless(net, masks):
        with torch.no_grad():
            for p in net.parameters():
                p.add_(1.0)

    with pytest.raises(ValueError, match=r"pruned weights of '1.weight' are not zero"):
        LotteryTicket(0.5, 2).find(dense(), train=careless)


# ---- names and refusals ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", PRUNING.values())
@pytest.mark.parametrize(
    ("sparsity", "error"),
    [(1.0, ValueError), (1, ValueError), (-0.1, ValueError), (float("nan"), ValueError),
     (1.5, ValueError), ("0.4", TypeError), (None, TypeError), (True, TypeError)],
)
def test_sparsity_outside_its_range_is_refused(kind, sparsity, error):
    with pytest.raises(error, match=rf"{kind.__name__}: sparsity={sparsity!r} must"):
        kind(sparsity)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Snip(0.4, floor="row"), "floor='row' is not one of"),
        (lambda: Snip(0.4, task_weights={"a": -1}), r"task_weights\['a'\]=-1"),
        (lambda: MultitaskSnip(arbiter="xor"), "arbiter='xor' is not one of"),
        (lambda: MagnitudePruning(scope="unit"), "scope='unit' is not one of"),
        (lambda: LotteryTicket(n_rounds=0), "n_rounds=0 must be at least 1"),
    ],
)
def test_bad_settings_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("find", "error", "message"),
    [
        (lambda net: Snip().find(net), TypeError, "Snip.find needs loss, a callable"),
        (lambda net: Snip().find(net, classify), TypeError, "no batches"),
        (lambda net: MultitaskSnip().find(net, classify, [data_of(net)]), TypeError,
         "mapping of each task to its data"),
        (lambda net: MultitaskSnip().find(net, classify, {}), TypeError, "mapping of each task"),
        (lambda net: LotteryTicket().find(net), TypeError, "needs train, a callable"),
        (lambda net: Snip(task_weights={"a": 1.0}).find(net, classify, [data_of(net)]),
         ValueError, "batches is not a mapping"),
        (lambda net: Snip(task_weights={"a": 1.0}).find(net, classify, {"b": [data_of(net)]}),
         ValueError, r"names the tasks \['a'\], but there are batches of \['b'\]"),
        (lambda net: Snip().find(nn.BatchNorm1d(3), classify, []), ValueError,
         "nothing to prune"),
    ],
)
def test_what_is_missing_is_named(find, error, message):
    with pytest.raises(error, match=message):
        find(dense())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda masks: masks[0].float(), "got torch.float32 of shape"),
        (lambda masks: masks, r"bool Tensor of shape"),
        (lambda masks: None, "got NoneType"),
    ],
)
def test_an_arbiter_that_does_not_give_a_mask_is_refused(pair, answer, message):
    net, batches = pair
    with pytest.raises(ValueError, match=message):
        MultitaskSnip(arbiter=answer).find(net, classify, batches)


def test_weights_that_are_not_finite_are_refused():
    net = dense()
    with torch.no_grad():
        net[1].weight[0, 0] = float("nan")
    with pytest.raises(NonFiniteSaliencyError, match="'1.weight' is not finite"):
        MagnitudePruning().find(net)


def test_methods_by_name():
    for name, kind in PRUNING.items():
        method = resolve_pruning(name, 0.7)
        assert type(method) is kind
        assert method.sparsity == 0.7
        assert method.acts in ("before", "rounds", "after")
        assert type(resolve_pruning(kind, 0.7)) is kind
    given_ = LotteryTicket(0.2, n_rounds=7)
    copied = resolve_pruning(given_, 0.7)
    assert (copied.sparsity, copied.n_rounds, given_.sparsity) == (0.7, 7, 0.2)


def test_instances_whose_constructors_need_more():
    class Widest(MagnitudePruning):
        def __init__(self, sparsity, width):
            super().__init__(sparsity)
            self.width = width

    copied = resolve_pruning(Widest(0.2, 3), 0.7)
    assert (copied.sparsity, copied.width) == (0.7, 3)
    with pytest.raises(ValueError, match="Widest: sparsity=1.5 must be"):
        resolve_pruning(Widest(0.2, 3), 1.5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("snap", 0.4), ValueError, "pruning='snap' is unknown; use one of"),
        (("lottery", 0.4, {"n_round": 2}), ValueError, "has no setting 'n_round'; its settings"),
        (("snip", 0.4, {"sparsity": 2}), ValueError, "has no setting 'sparsity'"),
        ((Snip(), 0.4, {"floor": "layer"}), ValueError, "cannot be set on an instance of Snip"),
        ((Snip(), 1.0), ValueError, "sparsity=1.0"),
        ((3, 0.4), TypeError, "pruning=3 must be a name"),
    ],
)
def test_bad_names_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        resolve_pruning(*arguments)


def test_a_method_of_ones_own():
    class First(PruningMethod):
        def _find(self, module, loss, batches, train):
            return {n: torch.arange(w.numel()).reshape(w.shape) < w.numel() * (1 - self.sparsity)
                    for n, w in prunable(module).items()}

    assert repr(First(0.5)) == "First(sparsity=0.5, floor='unit')"
    assert np.mean([m.float().mean() for m in First(0.5).find(dense()).values()]) == 0.5
