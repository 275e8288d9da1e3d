"""Rows made of several: segments of one class, and weighted means."""

from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci.augmentation import Mixup, Recombine

N_ROWS = 24
LABELS = np.tile(["a", "b", "c"], 8)
SUBJECT = np.repeat(["S1", "S2"], 12)


def numbered_rows(ndim=3):
    """Every number says its row, channel and time."""
    shape = (N_ROWS, 4, 30) if ndim == 3 else (N_ROWS, 2, 4, 30)
    X = np.arange(np.prod(shape), dtype=float).reshape(shape)
    return EEGArray(X, {"subject": SUBJECT, "session": np.tile([1, 1, 1, 2, 2, 2], 4)}, sfreq=10)


@pytest.mark.parametrize("ndim", [3, 4])
@pytest.mark.parametrize("by", ["subject", "session", None])
def test_segments_come_from_rows_of_the_same_class_and_subject(ndim, by):
    X = numbered_rows(ndim)
    new = Recombine(4, by=by, n_copies=3).augment(X, LABELS, random_state=0)
    made, bare = np.asarray(new.X), np.asarray(X)
    assert made.shape == (3 * N_ROWS, *bare.shape[1:])
    came_from = made.reshape(len(made), -1, 30)[:, 0] // bare[0].size
    row = came_from.astype(int)
    times = np.arange(30)
    for i, source in enumerate(new.source):
        # Every time sample of all channels is that of one row, at its own time.
        np.testing.assert_array_equal(made[i], np.moveaxis(
            bare[row[i], ..., times], 0, -1))
        assert set(LABELS[row[i]]) == {new.y[i]} == {LABELS[source]}
        if by is not None:
            assert set(SUBJECT[row[i]]) == {SUBJECT[source]}
        if by == "session":
            session = X.metadata["session"].to_numpy()
            assert set(session[row[i]]) == {session[source]}
        borders = np.flatnonzero(np.diff(row[i])) + 1
        assert set(borders) <= {8, 16, 23}  # 30 in four: 8, 8, 7, 7
        assert row[i][0] == source
    assert (row != row[:, :1]).any()
    if by is None:
        assert len(np.unique(SUBJECT[row])) == 2
        assert any(len(set(SUBJECT[r])) == 2 for r in row)


def test_a_row_that_has_no_like_gives_none():
    X = np.arange(40.0).reshape(5, 2, 4)
    new = Recombine(2, n_copies=2).augment(X, [0, 0, 1, 2, 2], random_state=0)
    assert sorted(new.source) == [0, 0, 1, 1, 3, 3, 4, 4]
    with pytest.raises(ValueError, match="Recombine: no two of the 3 rows share a class"):
        Recombine(2).augment(X[:3], [0, 1, 2])


@pytest.mark.parametrize(("settings", "message"), [
    ({"n_segments": 1}, "n_segments=1 must be at least 2"),
    ({"n_segments": 31}, "n_segments=31 is more than the 30 time samples"),
    ({"by": "place"}, "by='place' names columns that the rows' table does not have"),
])
def test_recombine_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        Recombine(**settings).augment(numbered_rows(), LABELS)


def test_recombine_wants_classes():
    with pytest.raises(ValueError, match="continuous"):
        Recombine().augment(numbered_rows(), np.linspace(0, 1, N_ROWS))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("by", ["subject", None])
def test_mixtures_are_convex_and_their_weights_sum_to_one(by, dtype):
    X = numbered_rows().astype(dtype)
    new = Mixup(1.0, by=by, n_copies=2).augment(X, LABELS, random_state=0)
    made, bare = np.asarray(new.X), np.asarray(X)
    assert made.dtype == dtype
    assert len(made) == 4 * N_ROWS
    first, second = new.source[::2], new.source[1::2]
    share = new.sample_weight[::2]
    np.testing.assert_allclose(share + new.sample_weight[1::2], 1.0, atol=1e-15)
    assert ((share >= 0) & (share <= 1)).all()
    assert share.std() > 0.2
    np.testing.assert_array_equal(made[::2], made[1::2])
    wanted = share[:, None, None] * bare[first] + (1 - share[:, None, None]) * bare[second]
    np.testing.assert_allclose(made[::2], wanted, rtol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_array_equal(new.y, LABELS[new.source])
    assert (first != second).all()
    assert sorted(first) == sorted(np.tile(np.arange(N_ROWS), 2))
    if by == "subject":
        np.testing.assert_array_equal(SUBJECT[first], SUBJECT[second])
    else:
        assert (SUBJECT[first] != SUBJECT[second]).any()


def test_mixtures_carry_the_rows_weights():
    X = numbered_rows()
    weight = np.arange(N_ROWS) % 4.0
    plain = Mixup().augment(X[weight > 0], LABELS[weight > 0], random_state=0)
    new = Mixup().augment(X, LABELS, sample_weight=weight, random_state=0)
    kept = np.flatnonzero(weight > 0)
    np.testing.assert_array_equal(new.source, kept[plain.source])
    np.testing.assert_allclose(new.sample_weight, plain.sample_weight * weight[new.source])
    np.testing.assert_array_equal(np.asarray(new.X), np.asarray(plain.X))


def test_the_smaller_alpha_the_nearer_to_one_row():
    X, y = np.random.default_rng(0).normal(size=(2000, 1)), np.tile([0, 1], 1000)
    for alpha in (0.2, 1.0, 5.0):
        share = Mixup(alpha).augment(X, y, random_state=0).sample_weight[::2]
        # The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
        assert share.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


@pytest.mark.parametrize("alpha", [0.0, -1, np.nan])
def test_mixup_refuses(alpha):
    with pytest.raises(ValueError, match="Mixup: alpha="):
        Mixup(alpha).augment(numbered_rows(), LABELS)
