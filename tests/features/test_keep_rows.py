"""KeepRows: the wrapped transformer's result, with the table of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci import EEGArray
from skbci.estimators import MLPClassifier
from skbci.features import KeepRows


def make(n=90):
    rng = np.random.default_rng(0)
    y = np.tile(["a", "b"], n // 2)
    X = rng.normal(size=(n, 6)) + (y == "a")[:, None]
    return EEGArray(X, {"subject": np.repeat([1, 2, 3], n // 3)}), y


@pytest.mark.parametrize("inner", [PCA(3), StandardScaler(), SelectKBest(k=2)])
def test_same_numbers_with_the_table(inner):
    X, y = make()
    out = KeepRows(inner).fit_transform(X, y)
    np.testing.assert_array_equal(np.asarray(out), inner.fit_transform(np.asarray(X), y))
    assert out.metadata["subject"].tolist() == X.metadata["subject"].tolist()
    assert type(KeepRows(inner).fit(np.asarray(X), y).transform(np.asarray(X))) is np.ndarray


def test_early_stopping_behind_it_holds_out_a_subject():
    X, y = make()
    settings = {"max_epochs": 3, "early_stopping": True, "random_state": 0}
    kept = make_pipeline(KeepRows(StandardScaler()), MLPClassifier((4,), **settings)).fit(X, y)
    by_hand = StandardScaler().fit_transform(np.asarray(X))
    told = MLPClassifier((4,), **settings).fit(by_hand, y, groups=X.metadata["subject"])
    np.testing.assert_array_equal(kept[-1].history_["valid_loss"], told.history_["valid_loss"])


def test_inverse_names_and_settings_of_the_transformer():
    X, _ = make()
    kept = KeepRows(PCA(6)).fit(X)
    back = kept.inverse_transform(kept.transform(X))
    np.testing.assert_allclose(np.asarray(back), np.asarray(X), atol=1e-10)
    assert back.metadata.equals(X.metadata)
    assert kept.get_feature_names_out().tolist() == [f"pca{i}" for i in range(6)]
    assert not hasattr(KeepRows(EverySecond()), "inverse_transform")
    assert kept.set_params(transformer__n_components=2).fit_transform(X).shape == (90, 2)


def test_metadata_reaches_the_transformer():
    X, _ = make()
    weight = np.random.default_rng(1).uniform(size=len(X))
    wanted = StandardScaler().fit(np.asarray(X), sample_weight=weight).mean_
    plain = KeepRows(StandardScaler()).fit(X, sample_weight=weight)
    np.testing.assert_array_equal(plain.transformer_.mean_, wanted)
    with config_context(enable_metadata_routing=True):
        routed = KeepRows(StandardScaler().set_fit_request(sample_weight=True))
        np.testing.assert_array_equal(
            routed.fit(X, sample_weight=weight).transformer_.mean_, wanted)


def test_data_frames_stay_data_frames():
    X, _ = make()
    frame = KeepRows(StandardScaler().set_output(transform="pandas")).fit_transform(X)
    assert list(frame.columns) == [f"x{i}" for i in range(6)]


class EverySecond(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X)[::2]


def test_another_number_of_rows_is_refused():
    X, _ = make()
    with pytest.raises(ValueError, match="EverySecond gave 45 rows for 90"):
        KeepRows(EverySecond()).fit(X).transform(X)
