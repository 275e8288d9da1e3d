"""The losses equal their equations, and stay finite where nothing is to be learned."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss

CLOSEST = {"normalize": False, "negatives": "closest"}


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def rows(n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


def distances(x, squared=False):
    x = np.asarray(x, dtype=float)
    squares = ((x[:, None] - x[None]) ** 2).sum(-1)
    return squares if squared else np.sqrt(squares)


def all_triplets_by_loops(x, y, margin=1.0, squared=False, weights=None):
    """The mean over all semi-hard triplets of unit embeddings, one after the other."""
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    d, total, norm = distances(x, squared), 0.0, 0.0
    for a, p, n in itertools.product(range(len(x)), repeat=3):
        semi_hard = d[a, p] < d[a, n] < d[a, p] + margin
        if a != p and y[a] == y[p] and y[n] != y[a] and semi_hard:
            weight = weights[a] * weights[p] * weights[n]
            total += weight * (d[a, p] - d[a, n] + margin)
            norm += weight
    return total / norm if norm else 0.0


def triplet_by_loops(x, y, margin=1.0, squared=False, weights=None):
    """The definition with one negative a pair, one pair after the other."""
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    distance = distances(x, squared)
    total = norm = 0.0
    for a in range(len(x)):
        negatives = [n for n in range(len(x)) if y[n] != y[a] and weights[n] > 0]
        for p in range(len(x)):
            if p == a or y[p] != y[a] or not negatives:
                continue
            beyond = [distance[a, n] for n in negatives if distance[a, n] > distance[a, p]]
            d_an = min(beyond) if beyond else max(distance[a, n] for n in negatives)
            weight = weights[a] * weights[p]
            total += weight * max(distance[a, p] - d_an + margin, 0.0)
            norm += weight
    return total / norm if norm else 0.0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 14),
    classes=st.integers(1, 4),
    margin=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
    squared=st.booleans(),
)
def test_triplet_equals_its_definition(seed, n, classes, margin, squared):
    generator = torch.Generator().manual_seed(seed)
    x = rows(n, 3, seed)
    y = torch.randint(classes, (n,), generator=generator)
    loss = SemiHardTripletLoss(margin, squared=squared, **CLOSEST)(x, y)
    assert loss.item() == pytest.approx(triplet_by_loops(x, y, margin, squared), abs=1e-12)
    loss = SemiHardTripletLoss(margin, squared=squared)(x, y)
    assert loss.item() == pytest.approx(all_triplets_by_loops(x, y, margin, squared), abs=1e-9)


def test_the_published_triplet_loss_is_the_default():
    loss = SemiHardTripletLoss()
    assert (loss.margin, loss.normalize, loss.negatives, loss.squared) == (1.0, True, "all", False)


def test_gradients_of_the_published_loss_are_small_for_large_embeddings():
    """Of unit embeddings the gradient falls as one over their length."""
    x, y, norms = rows(30, 6), torch.arange(30) % 2, []
    for scale in (1.0, 10.0):
        scaled = (scale * x).requires_grad_()
        (gradient,) = torch.autograd.grad(SemiHardTripletLoss()(scaled, y), scaled)
        norms.append(float(gradient.norm()))
    assert norms[0] / norms[1] == pytest.approx(10, rel=1e-6)


def test_triplet_gradient_of_all_equals_that_of_the_listed_triplets():
    x, y = rows(12, 3).requires_grad_(), torch.arange(12) % 3
    (found,) = torch.autograd.grad(SemiHardTripletLoss(0.4)(x, y), x)
    unit = nn.functional.normalize(x)
    d, terms = torch.cdist(unit, unit), []
    for a, p, n in itertools.product(range(12), repeat=3):
        if a != p and y[a] == y[p] and y[n] != y[a] and d[a, p] < d[a, n] < d[a, p] + 0.4:
            terms.append(d[a, p] - d[a, n] + 0.4)
    (expected,) = torch.autograd.grad(torch.stack(terms).mean(), x)
    torch.testing.assert_close(found, expected)


def test_unknown_negatives_are_refused():
    with pytest.raises(ValueError, match="negatives='hardest' is not one of"):
        SemiHardTripletLoss(negatives="hardest")


def test_triplet_is_the_same_for_permuted_rows_and_renamed_classes():
    x, y = rows(20, 4), torch.arange(20) % 3
    order = torch.from_numpy(np.random.RandomState(0).permutation(20))
    loss = SemiHardTripletLoss()
    expected = loss(x, y)
    torch.testing.assert_close(loss(x[order], y[order]), expected)
    torch.testing.assert_close(loss(x, torch.tensor([7, 3, 5])[y]), expected)
    shifted = SemiHardTripletLoss(**CLOSEST)
    torch.testing.assert_close(shifted(x + 3.0, y), shifted(x, y))  # only distances count


def test_triplet_normalizes_on_request():
    x, y = rows(10, 4), torch.arange(10) % 2
    loss = SemiHardTripletLoss(normalize=True)
    torch.testing.assert_close(loss(x, y), loss(x * rows(10, 1).abs(), y))
    torch.testing.assert_close(
        loss(x, y), SemiHardTripletLoss(normalize=False)(nn.functional.normalize(x), y)
    )


@pytest.mark.parametrize(
    "y", [[0], [1, 1, 1, 1], [0, 1, 2, 3]], ids=["one row", "one class", "no positive pair"]
)
def test_triplet_is_zero_and_differentiable_without_a_triplet(y):
    x = rows(len(y), 3).requires_grad_()
    loss = SemiHardTripletLoss()(x, torch.tensor(y))
    assert loss.item() == 0
    (gradient,) = torch.autograd.grad(loss, x)
    assert torch.equal(gradient, torch.zeros_like(x))


def test_triplet_is_zero_for_classes_far_apart():
    y = torch.tensor([0, 0, 0, 1, 1, 1])
    x = 0.1 * rows(6, 3) + 100.0 * y[:, None]
    for kind in (CLOSEST, {"normalize": False}):
        assert SemiHardTripletLoss(margin=1.0, **kind)(x, y).item() == 0


@pytest.mark.parametrize("squared", [False, True])
def test_triplet_has_a_finite_gradient_where_rows_coincide(squared):
    x = torch.zeros(6, 3, requires_grad=True)
    for kind, value in ((CLOSEST, 1.0), ({}, 0.0)):  # equally far is not semi-hard
        loss = SemiHardTripletLoss(squared=squared, **kind)(x, torch.arange(6) % 2)
        loss.backward()
        assert loss.item() == pytest.approx(value)
        assert torch.isfinite(x.grad).all()


def test_triplet_gradient_equals_finite_differences():
    x, y = rows(9, 3).requires_grad_(), torch.arange(9) % 2
    for kind in (CLOSEST, {}):
        assert torch.autograd.gradcheck(lambda x, s=kind: SemiHardTripletLoss(**s)(x, y), (x,))


def test_triplet_learns_to_separate():
    x, y = rows(40, 5).requires_grad_(), torch.arange(40) % 2
    loss, optimizer = SemiHardTripletLoss(**CLOSEST), torch.optim.Adam([x], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()
    distance = torch.cdist(x, x).detach()
    same = y[:, None] == y[None]
    assert distance[same].max() < distance[~same].min()


def test_rows_of_weight_zero_are_absent_from_a_triplet():
    x, y = rows(12, 3), torch.arange(12) % 3
    weights = torch.ones(12, dtype=torch.float64)
    weights[[2, 7, 8]] = 0
    kept = weights > 0
    for loss in (SemiHardTripletLoss(), SemiHardTripletLoss(**CLOSEST)):
        torch.testing.assert_close(loss(x, y, weights), loss(x[kept], y[kept]))


def test_triplet_weights_pairs_by_the_product_of_their_rows():
    x, y = rows(12, 3), torch.arange(12) % 3
    weights = rows(12, 1).abs()[:, 0]
    expected = triplet_by_loops(x, y, weights=weights)
    assert SemiHardTripletLoss(**CLOSEST)(x, y, weights).item() == pytest.approx(expected)
    expected = all_triplets_by_loops(x, y, weights=weights)
    assert SemiHardTripletLoss()(x, y, weights).item() == pytest.approx(expected)
    by_class = SemiHardTripletLoss(class_weight=[1.0, 2.0, 0.5])(x, y)
    expected = all_triplets_by_loops(x, y, weights=np.array([1.0, 2.0, 0.5])[y])
    assert by_class.item() == pytest.approx(expected)


def test_center_loss_equals_its_equation():
    x, y = rows(8, 5), torch.tensor([0, 2, 1, 2, 2, 0, 1, 1])
    loss = CenterLoss(3, 5).double()
    centers = loss.centers.detach().numpy()
    expected = np.mean(0.5 * ((x.numpy() - centers[y]) ** 2).sum(1))
    assert loss(x, y).item() == pytest.approx(expected)


def test_centers_are_learned_and_end_at_the_means_of_their_classes():
    x, y = rows(30, 4), torch.arange(30) % 3
    loss = CenterLoss(3, 4).double()
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()
    means = torch.stack([x[y == k].mean(0) for k in range(3)])
    torch.testing.assert_close(loss.centers.detach(), means)


def test_centers_of_absent_classes_do_not_move():
    loss = CenterLoss(3, 4)
    loss(torch.randn(5, 4), torch.tensor([0, 0, 2, 2, 0])).backward()
    assert torch.equal(loss.centers.grad[1], torch.zeros(4))
    assert (loss.centers.grad[0] != 0).all()


def test_reconstruction_equals_torch_mean_squared_error():
    x, other = rows(6, 12).reshape(6, 3, 4), rows(6, 12, seed=1).reshape(6, 3, 4)
    torch.testing.assert_close(ReconstructionLoss()(other, x), nn.functional.mse_loss(other, x))


def losses(reduction):
    y = torch.arange(8) % 3
    x = rows(8, 4)
    torch.manual_seed(0)
    return [
        (SemiHardTripletLoss(reduction=reduction), x, y),
        (CenterLoss(3, 4, reduction).double(), x, y),
        (ReconstructionLoss(reduction), x, rows(8, 4, seed=1)),
    ]


@pytest.mark.parametrize("which", range(3))
def test_reductions_agree_and_weights_of_one_change_nothing(which):
    mean, x, y = losses("mean")[which]
    by_row, total = losses("none")[which][0](x, y), losses("sum")[which][0](x, y)
    assert by_row.shape == (8,)
    torch.testing.assert_close(by_row.mean(), mean(x, y))
    torch.testing.assert_close(by_row.sum(), total)
    torch.testing.assert_close(mean(x, y, torch.ones(8, dtype=torch.float64)), mean(x, y))


@pytest.mark.parametrize("which", [1, 2])
def test_weighted_mean_of_rows(which):
    mean, x, y = losses("mean")[which]
    weights = rows(8, 1, seed=5).abs()[:, 0]
    by_row = losses("none")[which][0](x, y)
    expected = np.average(by_row.detach().numpy(), weights=weights.numpy())
    assert mean(x, y, weights).item() == pytest.approx(expected)


@pytest.mark.parametrize("which", range(3))
def test_all_weights_zero_give_zero(which):
    mean, x, y = losses("mean")[which]
    assert mean(x, y, torch.zeros(8, dtype=torch.float64)).item() == 0


def test_class_weight_equals_torch_cross_entropys_convention():
    """The weighted mean is divided by the sum of the weights that the rows have."""
    x, y = rows(7, 4), torch.tensor([0, 1, 1, 2, 0, 1, 2])
    plain, weighted = CenterLoss(3, 4, "none"), CenterLoss(3, 4, class_weight=[1.0, 3.0, 0.5])
    weighted.centers = plain.centers
    expected = np.average(
        plain(x.float(), y).detach(), weights=np.array([1.0, 3.0, 0.5])[y.numpy()]
    )
    assert weighted(x.float(), y).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SemiHardTripletLoss(-1.0), "margin=-1.0 must be at least 0"),
        (lambda: SemiHardTripletLoss(float("nan")), "margin=nan"),
        (lambda: SemiHardTripletLoss(reduction="max"), "reduction='max' is not one of"),
        (lambda: SemiHardTripletLoss(class_weight=[1.0, -2.0]), "must not be negative"),
        (lambda: CenterLoss(0, 3), "n_classes=0 must be at least 1"),
        (lambda: CenterLoss(2, 3, class_weight=[1.0]), "it must hold 2 numbers"),
        (lambda: ReconstructionLoss("rows"), "reduction='rows' is not one of"),
    ],
)
def test_bad_settings_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: SemiHardTripletLoss()(x, torch.tensor([0, 1])),
            ValueError,
            "one class index for each row",
        ),
        (lambda x: SemiHardTripletLoss()(x, torch.zeros(3)), TypeError, "integer class indices"),
        (lambda x: CenterLoss(2, 4)(x, torch.tensor([0, 1, 2])), ValueError, "a label is 2"),
        (lambda x: CenterLoss(2, 5)(x, torch.tensor([0, 1, 1])), ValueError, "n_features=5"),
        (lambda x: ReconstructionLoss()(x, x[:2]), ValueError, "they must agree"),
        (
            lambda x: ReconstructionLoss()(x, x, torch.ones(2)),
            ValueError,
            "one weight for each row",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(torch.zeros(3, 4))
