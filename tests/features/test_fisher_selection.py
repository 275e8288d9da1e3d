"""FisherSelection: the ranking of the analysis of variance, with the rows' table kept."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import f_classif

from skbci import EEGArray
from skbci.features import FisherSelection


def make(n=120, n_features=8, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(["a", "b", "c"], [n // 2, n // 4, n // 4])
    effect = np.linspace(0, 1, n_features)
    X = rng.normal(size=(n, n_features)) + effect * np.searchsorted(["a", "b", "c"], y)[:, None]
    return X, y


def test_ranking_is_that_of_the_analysis_of_variance():
    X, y = make()
    scores = FisherSelection().fit(X, y).scores_
    np.testing.assert_allclose(scores, f_classif(X, y)[0] * 2 / (len(y) - 3))


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_unit_and_offset_do_not_matter(scale):
    X, y = make()
    one, other = FisherSelection(3).fit(X, y), FisherSelection(3).fit(X * scale + 5 * scale, y)
    np.testing.assert_allclose(one.scores_, other.scores_, rtol=1e-6)
    np.testing.assert_array_equal(one.get_support(), other.get_support())


def test_order_of_columns_is_kept_and_more_features_contain_fewer():
    X, y = make()
    masks = [FisherSelection(n).fit(X, y).get_support() for n in range(1, 10)]
    assert [mask.sum() for mask in masks] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    for fewer, more in zip(masks, masks[1:]):
        assert not (fewer & ~more).any()
    np.testing.assert_array_equal(FisherSelection(3).fit_transform(X, y), X[:, masks[2]])


def test_weakest_asks_every_session():
    X, y = make(n=240)
    session = np.tile([1, 2], 120)
    rng = np.random.default_rng(1)
    X = rng.normal(size=X.shape) + 0.3 * (y == "a")[:, None]
    X[:, 0] = (y == "a") * (session == 1) * 10 + rng.normal(size=240)
    rows = EEGArray(X, {"session": session})
    pooled = FisherSelection(1).fit(rows, y)
    weakest = FisherSelection(1, across="weakest").fit(rows, y)
    assert pooled.get_support()[0]
    assert not weakest.get_support()[0]
    parts = [FisherSelection().fit(X[session == s], y[session == s]).scores_ for s in (1, 2)]
    np.testing.assert_allclose(weakest.scores_, np.min(parts, axis=0))


def test_rows_keep_their_table_and_columns_their_names():
    X, y = make()
    rows = EEGArray(X, {"session": np.arange(len(y)) % 2})
    step = FisherSelection(2)
    out = step.fit_transform(rows, y)
    assert isinstance(out, EEGArray)
    assert out.metadata.equals(rows.metadata)
    assert step.get_feature_names_out(list("abcdefgh")).tolist() == [
        name for name, kept in zip("abcdefgh", step.get_support()) if kept
    ]


def test_constant_columns_come_last():
    X, y = make()
    X[:, -1] = 3.0
    step = FisherSelection(7).fit(X, y)
    assert step.scores_[-1] == 0
    assert not step.get_support()[-1]


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"n_features": 0}, ValueError, "n_features=0 must be at least 1"),
    ({"n_features": 2.5}, TypeError, "n_features=2.5 must be an integer"),
    ({"across": "best"}, ValueError, "across='best' is not one of 'pooled', 'weakest'"),
])
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        FisherSelection(**params).fit(*make())


def test_one_class_is_named():
    X, y = make()
    with pytest.raises(ValueError, match=r"one class only: \['a'\]"):
        FisherSelection().fit(X[:30], y[:30])
