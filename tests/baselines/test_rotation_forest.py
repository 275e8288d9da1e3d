from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from skbci.baselines import RotationForest, adaptive_rotation_forest

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((120, 7)) @ RANDOM.standard_normal((7, 7))
Y = np.where(X[:, 0] - X[:, 1] + 0.5 * RANDOM.standard_normal(120) > 0, "closed", "open")


@pytest.fixture
def random():
    """A generator of each test's own: what one draws does not depend on those before it."""
    return np.random.RandomState(3)


@pytest.mark.parametrize(("n_features", "size"), [(7, 3), (6, 3), (7, 1), (5, 9), (7, 7)])
def test_rotations_are_orthogonal_and_stay_inside_subsets(n_features, size):
    forest = RotationForest(3, subset_size=size, random_state=0).fit(X[:, :n_features], Y)
    for matrix in forest.rotations_:
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(n_features), atol=1e-12)
        linked = np.abs(matrix) > 1e-14
        assert linked.sum(axis=0).max() <= size
        assert linked.sum(axis=1).max() <= size


def test_trees_see_the_standardized_rows_turned():
    forest = RotationForest(4, random_state=0).fit(X, Y)
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    votes = [tree.predict_proba(rows @ matrix)
             for tree, matrix in zip(forest.estimators_, forest.rotations_)]
    np.testing.assert_allclose(forest.predict_proba(X), np.mean(votes, axis=0), atol=1e-12)


def test_trees_differ_from_each_other():
    matrices = RotationForest(5, random_state=0).fit(X, Y).rotations_
    for i in range(5):
        for j in range(i):
            assert not np.allclose(matrices[i], matrices[j])


def test_turned_features_of_a_subset_are_its_principal_components(random):
    rows = random.standard_normal((6000, 3)) @ [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [0.0, 0.0, 0.4]]
    labels = np.tile([0, 1], 3000)  # both classes have the same covariance
    (matrix,) = RotationForest(1, max_depth=1, random_state=0).fit(rows, labels).rotations_
    turned = (rows - rows.mean(axis=0)) / rows.std(axis=0) @ matrix
    correlation = np.corrcoef(turned.T)
    assert np.abs(correlation - np.eye(3)).max() < 0.1
    variances = turned.var(axis=0)
    # The order of the features in the subset is random, and the columns follow it.
    expected = np.sort(np.linalg.eigvalsh(np.corrcoef(rows.T)))
    np.testing.assert_allclose(np.sort(variances), expected, rtol=0.1)


def test_axes_are_those_of_a_sample_of_the_rows():
    """Of one row for each subset nothing varies, and nothing is turned."""
    whole, one_row = (
        RotationForest(3, sample_fraction=share, random_state=0).fit(X, Y).rotations_
        for share in (1.0, 1e-6)
    )
    assert all((np.abs(matrix).max(axis=0) > 1 - 1e-12).all() for matrix in one_row)
    assert not any((np.abs(matrix).max(axis=0) > 1 - 1e-12).all() for matrix in whole)


def test_rows_are_drawn_with_replacement(random):
    """Two classes can be chosen in three ways, two features ordered in two."""
    rows = random.standard_normal((40, 2)) @ [[2.0, 1.0], [0.0, 0.7]]
    forest = RotationForest(
        30, subset_size=2, sample_fraction=1.0, max_depth=1, random_state=0
    ).fit(rows, np.tile([0, 1], 20))
    found = {tuple(np.abs(matrix).round(9).ravel()) for matrix in forest.rotations_}
    assert len(found) > 3 * 2


def test_units_and_shifts_do_not_matter(random):
    scale, shift = 10.0 ** random.randint(-6, 6, 7), random.standard_normal(7)
    a = RotationForest(10, random_state=0).fit(X, Y).predict_proba(X)
    b = RotationForest(10, random_state=0).fit(X * scale + shift * scale, Y)
    np.testing.assert_allclose(a, b.predict_proba(X * scale + shift * scale), atol=1e-9)


def test_seed_decides_and_jobs_do_not():
    fits = [RotationForest(12, random_state=s, n_jobs=j).fit(X, Y).predict_proba(X)
            for s, j in ((0, None), (0, 2), (1, None))]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_more_trees_beat_one_tree():
    data, target = load_breast_cancer(return_X_y=True)
    tree = cross_val_score(DecisionTreeClassifier(random_state=0), data, target).mean()
    forest = cross_val_score(RotationForest(30, random_state=0), data, target).mean()
    assert forest > max(tree + 0.02, 0.96)


def test_an_oblique_border_needs_fewer_leaves(random):
    plane = random.uniform(-1, 1, (400, 3))
    side = (plane.sum(axis=1) > 0).astype(int)
    straight = DecisionTreeClassifier(min_samples_leaf=2, random_state=0).fit(plane, side)
    turned = RotationForest(20, random_state=0).fit(plane, side)
    new = random.uniform(-1, 1, (1000, 3))
    truth = (new.sum(axis=1) > 0).astype(int)
    assert turned.score(new, truth) > straight.score(new, truth)


def test_constant_features_rare_classes_and_cubes_are_taken():
    labels = np.array(["x"] * 60 + ["y"] * 59 + ["z"])
    rows = np.column_stack([X, np.ones(120)])
    forest = RotationForest(5, random_state=0).fit(rows, labels)
    assert set(forest.classes_) == {"x", "y", "z"}
    np.testing.assert_allclose(forest.predict_proba(rows).sum(axis=1), 1)
    cube = RotationForest(5, random_state=0).fit(rows.reshape(120, 2, 4), labels)
    np.testing.assert_array_equal(cube.predict_proba(rows.reshape(120, 2, 4)),
                                  forest.predict_proba(rows))


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"n_estimators": 0}, ValueError, "RotationForest: n_estimators=0 must be at least 1"),
    ({"subset_size": 1.5}, TypeError, r"subset_size=1\.5 must be an integer"),
    ({"sample_fraction": 0}, ValueError, r"sample_fraction=0 must be above 0 and at most 1"),
    ({"sample_fraction": "all"}, TypeError, "sample_fraction='all' must be a number"),
    ({"criterion": "j48"}, ValueError, "criterion"),
])
def test_bad_settings_are_named(params, error, message):
    with pytest.raises(error, match=message):
        RotationForest(**{"n_estimators": 3, "random_state": 0, **params}).fit(X, Y)


def test_one_class_is_named():
    with pytest.raises(ValueError, match="one class only"):
        RotationForest(3, random_state=0).fit(X, np.zeros(120))


# -- weights ------------------------------------------------------------------------------


def test_whole_weights_count_rows_and_their_order_does_not_matter(random):
    weight = random.randint(0, 4, len(X))
    weighted = RotationForest(8, random_state=0).fit(X, Y, sample_weight=weight)
    order = random.permutation(weight.sum())
    repeated = RotationForest(8, random_state=0).fit(
        X.repeat(weight, axis=0)[order], Y.repeat(weight)[order]
    )
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_of_other_weights_only_the_ratios_matter(random):
    weight = random.uniform(0.1, 3, len(X))
    a, b = (RotationForest(8, random_state=0).fit(X, Y, sample_weight=scale * weight)
            for scale in (1.0, 1e-3))
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-12)
    even = RotationForest(8, random_state=0).fit(X, Y, sample_weight=np.full(len(X), 1 / len(X)))
    plain = RotationForest(8, random_state=0).fit(X, Y)
    np.testing.assert_allclose(even.predict_proba(X), plain.predict_proba(X), atol=1e-12)


def test_heavy_rows_are_got_right(random):
    """Labels at random: what a shallow forest cannot learn of all rows, it learns of a few."""
    noise = random.randint(0, 2, len(X))
    heavy = np.zeros(len(X), bool)
    heavy[:12] = True
    forest = RotationForest(30, max_depth=3, min_samples_leaf=1, random_state=0)
    plain = forest.fit(X, noise).score(X[heavy], noise[heavy])
    weighted = forest.fit(X, noise, sample_weight=np.where(heavy, 30.0, 1.0))
    assert weighted.score(X[heavy], noise[heavy]) > max(plain, 0.9)


def test_leaves_hold_the_weight_they_should(random):
    weight = random.randint(1, 4, len(X))
    forest = RotationForest(5, min_samples_leaf=7, random_state=0).fit(X, Y, sample_weight=weight)
    for tree in forest.estimators_:
        leaves = tree.tree_.children_left < 0
        assert tree.tree_.weighted_n_node_samples[leaves].min() >= 7


@pytest.mark.parametrize("weight", [np.full(120, -1.0), np.ones(7), np.zeros(120)])
def test_bad_weights_are_refused(weight):
    with pytest.raises(ValueError, match="[Ss]ample.weight|[Nn]egative"):
        RotationForest(2).fit(X, Y, sample_weight=weight)


# -- boosted ------------------------------------------------------------------------------


def test_the_adaptive_forest_is_adaboost_over_rotation_forests():
    """SAMME's weights and votes, worked out here forest by forest."""
    boosted = adaptive_rotation_forest(4, n_estimators=3, max_depth=1, random_state=0).fit(X, Y)
    assert len(boosted.estimators_) == 4
    weight, votes = np.full(len(X), 1 / len(X)), np.zeros(len(X))
    for forest in boosted.estimators_:
        twin = RotationForest(3, max_depth=1, random_state=forest.random_state)
        said = twin.fit(X, Y, sample_weight=weight).predict(X)
        error = weight[said != Y].sum() / weight.sum()
        vote = np.log((1 - error) / error)
        weight = weight * np.exp(vote * (said != Y))
        weight /= weight.sum()
        votes += vote * np.where(said == "open", 1, -1)
    np.testing.assert_array_equal(boosted.predict(X), np.where(votes > 0, "open", "closed"))


def test_boosting_shallow_forests_beats_one_of_them():
    rows = np.random.RandomState(1).standard_normal((400, 2))
    labels = (rows[:, 0] * rows[:, 1] > 0).astype(int)
    settings = {"n_estimators": 5, "max_depth": 1}
    one = cross_val_score(RotationForest(**settings, random_state=0), rows, labels).mean()
    boosted = adaptive_rotation_forest(20, **settings, random_state=0)
    assert cross_val_score(boosted, rows, labels).mean() > one + 0.1


def test_axes_are_those_of_one_class_or_of_both():
    """Each class by itself varies along the features, both together along the diagonal."""
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 100)
    X = rng.standard_normal((200, 2)) * [1.0, 0.3] + 4.0 * y[:, None]
    forest = RotationForest(80, subset_size=2, random_state=0).fit(X, y)
    oblique = [np.abs(rotation).min() > 0.5 for rotation in forest.rotations_]
    assert 0.3 < np.mean(oblique) < 0.7
