from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn.neighbors import KNeighborsClassifier

from skbci.baselines import KStar
from skbci.baselines._classifiers import k_star as module
from skbci.baselines._classifiers import k_star_scale

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((90, 4))
Y = np.where(X[:, 0] + 0.5 * X[:, 1] ** 2 + 0.3 * RANDOM.standard_normal(90) > 0.3, "b", "a")
NEW = RANDOM.standard_normal((25, 4))


def effective_number(distance, scale):
    p = np.exp(-distance / scale) / (2 * scale)
    return p.sum() ** 2 / (p**2).sum()


def written_out(X, y, new, blend):
    """The published equations, one test row and attribute at a time."""
    classes = np.unique(y)
    out = np.zeros((len(new), len(classes)))
    for row, a in enumerate(new):
        p = np.ones(len(X))
        for i in range(X.shape[1]):
            d = np.abs(X[:, i] - a[i])
            nearest = (d == d.min()).sum()
            target = nearest + blend / 100 * (len(X) - nearest)
            scale = brentq(lambda s, d=d, t=target: effective_number(d, s) - t, 1e-2, 1e3)
            p *= np.exp(-d / scale) / (2 * scale)
        out[row] = [p[y == label].sum() for label in classes]
    return out / out.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("blend", [10, 39, 80])
def test_probabilities_are_those_of_the_equations(blend):
    found = KStar(blend).fit(X, Y).predict_proba(NEW)
    np.testing.assert_allclose(found, written_out(X, Y, NEW, blend), atol=1e-8)


@given(st.integers(0, 10_000), st.floats(1e-3, 0.999))
@settings(deadline=None, max_examples=40)
def test_the_scale_gives_the_wanted_effective_number(seed, blend):
    random = np.random.RandomState(seed)
    n = random.randint(2, 60)
    distance = np.abs(random.standard_normal((5, n))) * 10.0 ** random.randint(-9, 9)
    distance[0] = np.round(distance[0] / distance[0].max() * 3)  # ties
    distance -= distance.min(axis=1, keepdims=True)
    rate = k_star_scale.inverse_scale(distance, blend)
    for d, r in zip(distance, rate):
        nearest = (d == 0).sum()
        p = np.exp(-d * r)
        assert p.sum() ** 2 / (p**2).sum() == pytest.approx(
            nearest + blend * (n - nearest), rel=1e-8
        )


def test_predictions_do_not_depend_on_units_order_or_chunks(monkeypatch):
    expected = KStar(30).fit(X, Y).predict_proba(NEW)
    scale, shift = np.array([1e6, 1e-6, 3.0, -2.0]), np.array([5.0, 0.0, -7.0, 1.0])
    moved = KStar(30).fit(X * scale + shift, Y).predict_proba(NEW * scale + shift)
    np.testing.assert_allclose(moved, expected, atol=1e-7)
    order = np.random.RandomState(1).permutation(len(X))
    np.testing.assert_allclose(KStar(30).fit(X[order], Y[order]).predict_proba(NEW), expected,
                               atol=1e-8)
    monkeypatch.setattr(module, "_CHUNK", 1)
    np.testing.assert_allclose(KStar(30).fit(X, Y).predict_proba(NEW), expected, atol=1e-9)


def test_a_constant_attribute_says_nothing():
    more = np.column_stack([X, np.ones(len(X))])
    new = np.column_stack([NEW, np.ones(len(NEW))])
    np.testing.assert_allclose(KStar().fit(more, Y).predict_proba(new),
                               KStar().fit(X, Y).predict_proba(NEW), atol=1e-9)


def test_blend_goes_from_the_nearest_neighbour_to_the_class_frequencies():
    nearest = KNeighborsClassifier(1).fit(X[:, :1], Y).predict(NEW[:, :1])
    # As if only the nearest were heard: one training row of 90 is 1.1 %.
    assert (KStar(1e-6).fit(X[:, :1], Y).predict(NEW[:, :1]) == nearest).all()
    everyone = KStar(100).fit(X, Y).predict_proba(NEW)
    np.testing.assert_allclose(everyone, np.tile([(Y == "a").mean(), (Y == "b").mean()], (25, 1)))


def test_training_rows_far_away_and_equal_rows_are_no_trouble():
    far = np.array([[1e12] * 4, X[0]])
    found = KStar(39).fit(np.r_[X, X[:5]], np.r_[Y, Y[:5]]).predict_proba(far)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_three_dimensional_rows_are_flattened():
    cube, new = X.reshape(90, 2, 2), NEW.reshape(25, 2, 2)
    np.testing.assert_array_equal(KStar().fit(cube, Y).predict_proba(new),
                                  KStar().fit(X, Y).predict_proba(NEW))


@pytest.mark.parametrize("blend", [0, -1, 100.5, np.nan])
def test_bad_blends_are_named(blend):
    with pytest.raises(ValueError, match=r"KStar: blend=.* must be .*above 0 and at most 100"):
        KStar(blend).fit(X, Y)


def test_other_bad_input_is_named():
    with pytest.raises(TypeError, match="blend='39' must be a number"):
        KStar("39").fit(X, Y)
    with pytest.raises(ValueError, match=r"y has one class only: \['a'\]"):
        KStar().fit(X, ["a"] * 90)
    with pytest.raises(ValueError, match="NaN"):
        KStar().fit(np.full((90, 4), np.nan), Y)


@pytest.mark.parametrize("blend", [1, 20, 39, 90])
def test_scales_from_cells_are_those_of_the_equations(blend):
    random = np.random.RandomState(1)
    attributes = {
        "normal": random.standard_normal(3000),
        "long tails": random.standard_cauchy(3000),
        "steps": np.round(random.standard_normal(3000), 2) * 1e-6,
        "two lumps": np.r_[random.standard_normal(1500), 40 + 0.1 * random.standard_normal(1500)],
    }
    for name, known in attributes.items():
        scale = k_star_scale.AttributeScale(known, blend / 100)
        assert scale.n_cells or blend == 1, name
        new = np.r_[random.choice(known, 5), random.choice(known, 5) * 1.001, known.max() * 1.1,
                    known.max() + 100 * np.ptp(known)]
        nearest, inverse = scale(new)
        for a, near, rate in zip(new, nearest, inverse):
            d = np.abs(known - a)
            assert near == d.min()
            p = np.exp(-(d - near) * rate)
            n_0 = (d - near == 0).sum()
            wanted = n_0 + blend / 100 * (len(d) - n_0)
            assert p.sum() ** 2 / (p**2).sum() == pytest.approx(wanted, rel=1e-8), name
