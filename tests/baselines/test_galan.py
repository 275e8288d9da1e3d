"""GalanClassifier: canonical variates, against discriminant analysis and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skbci import EEGArray
from skbci.baselines import GalanClassifier


@pytest.fixture
def data():
    X, y = make_blobs(180, 6, centers=3, cluster_std=6.0, random_state=3)
    return X @ np.random.default_rng(0).normal(size=(6, 6)), np.array(["l", "r", "w"])[y]


def test_with_all_features_it_is_discriminant_analysis_with_equal_priors(data):
    X, y = data
    ours = GalanClassifier(6, shrinkage=0).fit(X, y)
    lda = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), lda.predict(X))
    # The two pool the covariance with n - 3 and with n.
    np.testing.assert_allclose(ours.predict_proba(X), lda.predict_proba(X), atol=0.02)


def test_distances_are_mahalanobis_distances_in_the_plane_of_the_centroids(data):
    X, y = data
    clf = GalanClassifier(6, shrinkage=0).fit(X, y)
    means = np.stack([X[y == c].mean(0) for c in clf.classes_])
    apart = X - means[np.searchsorted(clf.classes_, y)]
    inverse = np.linalg.inv(apart.T @ apart / (len(y) - 3))
    wanted = np.einsum("nki,ij,nkj->nk", X[:, None] - means, inverse, X[:, None] - means)
    ours = clf._squared_distance(X)
    # What is orthogonal to the plane adds the same to the distance from each centroid.
    np.testing.assert_allclose(ours - ours[:, :1], wanted - wanted[:, :1], atol=1e-4)


def test_canonical_variates_have_unit_variance_within_classes_and_are_uncorrelated(data):
    X, y = data
    clf = GalanClassifier(4, shrinkage=0).fit(X, y)
    rows = ((X - X.mean(0)) / X.std(0))[:, clf.selected_] @ clf.canonical_
    codes = np.searchsorted(clf.classes_, y)
    apart = rows - np.stack([rows[codes == k].mean(0) for k in range(3)])[codes]
    np.testing.assert_allclose(apart.T @ apart / (len(y) - 3), np.eye(2), atol=1e-6)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_unit_and_offset_of_features_do_not_matter(data, factor):
    X, y = data
    units = factor * np.array([1, 3, 0.1, 7, 1, 2])
    one, other = GalanClassifier(3).fit(X, y), GalanClassifier(3).fit(X * units + 100 * units, y)
    np.testing.assert_array_equal(one.selected_, other.selected_)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X * units + 100 * units),
                               atol=1e-6)


def test_power_is_a_share_and_noise_has_little(data):
    X, y = data
    noise = np.random.default_rng(1).normal(size=(len(y), 6))
    clf = GalanClassifier(6).fit(np.hstack([X, noise]), y)
    assert clf.scores_.sum() == pytest.approx(100)
    assert clf.scores_[:6].min() > 0
    assert clf.scores_[6:].sum() < 5
    assert set(clf.selected_) <= set(range(6))


def test_a_copied_feature_changes_nothing_but_shares_the_power():
    X, y = load_iris(return_X_y=True)
    twice = np.hstack([X, X[:, :1]])
    one, other = GalanClassifier(9).fit(X, y), GalanClassifier(9).fit(twice, y)
    assert np.mean(one.predict(X) == other.predict(twice)) > 0.98
    assert other.scores_[0] == pytest.approx(other.scores_[4])


def test_rows_of_channels_and_bands(data):
    X, y = data
    flat, deep = GalanClassifier(4).fit(X, y), GalanClassifier(4).fit(X.reshape(-1, 2, 3), y)
    assert deep.scores_.shape == (2, 3)
    np.testing.assert_allclose(deep.scores_.ravel(), flat.scores_)
    np.testing.assert_allclose(deep.predict_proba(X.reshape(-1, 2, 3)), flat.predict_proba(X))


def test_eeg_arrays_and_permuted_rows(data):
    X, y = data
    order = np.random.default_rng(0).permutation(len(y))
    clf = GalanClassifier(3).fit(EEGArray(X, {"session": np.ones(len(y))}), y)
    again = GalanClassifier(3).fit(X[order], y[order])
    np.testing.assert_allclose(clf.predict_proba(X), again.predict_proba(X), atol=1e-9)


def test_constant_features_and_constant_classes(data):
    X, y = data
    X = np.hstack([X, np.full((len(y), 1), 0.1)])
    clf = GalanClassifier(7).fit(X, y)
    assert clf.scores_[6] == pytest.approx(0, abs=1e-9)
    assert np.isfinite(clf.predict_proba(X)).all()
    exact = GalanClassifier().fit([[0.0], [0.0], [1.0], [1.0]], [0, 0, 1, 1])
    assert exact.predict([[0.2], [0.9]]).tolist() == [0, 1]


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"n_features": 0}, ValueError, "n_features=0 must be at least 1"),
    ({"n_features": "all"}, TypeError, "n_features='all' must be an integer"),
    ({"shrinkage": -0.1}, ValueError, "shrinkage=-0.1 must be at least 0 and at most 1"),
    ({"shrinkage": "auto"}, TypeError, "shrinkage='auto' must be a number"),
])
def test_bad_parameters_are_named(data, params, error, message):
    with pytest.raises(error, match=message):
        GalanClassifier(**params).fit(*data)


def test_one_class_is_named(data):
    X, _ = data
    with pytest.raises(ValueError, match=r"one class only: \['x'\]"):
        GalanClassifier().fit(X, np.full(len(X), "x"))


def test_canonical_space_of_classes_of_unequal_size_is_that_of_discriminant_analysis():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [100, 20, 60])
    means = np.array([[0.0, 0.0, 0.0], [2.0, 0.5, 0.0], [0.5, 1.5, 0.3]])
    X = means[y] + rng.normal(size=(len(y), 3)) @ rng.normal(size=(3, 3))
    galan = GalanClassifier(3, shrinkage=0.0).fit(X, y)
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    lda = LinearDiscriminantAnalysis(solver="eigen").fit(rows, y)
    for ours, theirs in zip(galan.canonical_.T, lda.scalings_.T):
        cosine = ours @ theirs / (np.linalg.norm(ours) * np.linalg.norm(theirs))
        assert abs(cosine) > 1 - 1e-6
