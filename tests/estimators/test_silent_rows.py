"""Networks: one row without usable signal spoils no other, and of it the prior is said."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from torch import nn

from skbci.estimators import (
    EvidenceAccumulator,
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    NeuralClassifier,
    SparseMultitaskClassifier,
)
from skbci.stream import OnlineDecoder

N, C, T = 40, 3, 128


class Mean(nn.Module):
    """The channels' log-variances, and a dense layer."""

    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__()
        self.layer = nn.Linear(n_channels, n_outputs)

    def forward(self, X):
        return self.layer(X.var(dim=-1).clamp_min(1e-6).log())


NETWORKS = {
    "NeuralClassifier": NeuralClassifier(Mean, max_epochs=5, random_state=0),
    "MIN2NetClassifier": MIN2NetClassifier(max_epochs=2, random_state=0),
    "FBMSNetClassifier": FBMSNetClassifier(max_epochs=2, random_state=0, sfreq=128),
    "SparseMultitaskClassifier": SparseMultitaskClassifier(max_epochs=2, random_state=0),
}


def make(seed=0, n=N):
    """Epochs; 3 of 4 are "left"."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 3, "right", "left")
    X = rng.standard_normal((n, C, T)) * 1e-5
    X[y == "left", 0] *= 2
    return X, y


def with_faults(X):
    X = X.copy()
    X[2], X[7, 2] = 0.0, 0.1875
    X[11, 1] *= 1e35
    return X


@pytest.fixture(params=list(NETWORKS))
def network(request):
    return NETWORKS[request.param]


def test_training_is_that_without_them(network):
    X, y = make()
    rest = np.delete(np.arange(N), [2, 7, 11])
    wanted = network.fit(X[rest], y[rest]).predict_proba(X)
    with pytest.warns(UserWarning, match=(
        r"3 of 40 rows have no usable signal: row 2 \(flat in all channels\), row 7 \(flat in "
        r"channel 2\), row 11 \(too large in channel 1\). Such rows are set aside."
    )):
        found = network.fit(with_faults(X), y).predict_proba(X)
    np.testing.assert_array_equal(found, wanted)
    left = np.mean(y[rest] == "left")
    np.testing.assert_allclose(network.prior_, [left, 1 - left])


def test_the_prior_is_said_of_them_and_nothing_else_of_the_others(network):
    X, y = make()
    network.fit(X, y)
    rest = np.delete(np.arange(N), [2, 7, 11])
    with pytest.warns(UserWarning, match="row 7 .*The prior is predicted there."):
        found = network.predict_proba(with_faults(X))
    np.testing.assert_allclose(found[[2, 7, 11]], np.tile([0.75, 0.25], (3, 1)), rtol=1e-12)
    wanted = network.predict_proba(X)
    np.testing.assert_allclose(found[rest], wanted[rest], rtol=1e-12)
    with pytest.warns(UserWarning, match="no usable signal"):
        labels = network.predict(with_faults(X))
    assert (labels[[2, 7, 11]] == "left").all()
    np.testing.assert_array_equal(labels[rest], network.predict(X)[rest])
    if hasattr(network, "transform"):
        with pytest.warns(UserWarning, match="no usable signal"):
            assert np.isfinite(network.transform(with_faults(X))).all()


def test_nothing_left_of_a_class_is_an_error(network):
    X, y = make()
    X[y == "right"] = 0.0
    with pytest.raises(ValueError, match="30 of 40 rows have a usable signal"):
        network.fit(X, y)


@pytest.mark.parametrize("value", [1e300, -1e60, 1e20])
def test_a_feature_that_is_absurdly_large(value):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    y = (np.arange(60) % 3 == 0).astype(int)
    rest = np.delete(np.arange(60), 3)
    bad = X.copy()
    bad[3, 2] = value
    for net, target in ((MLPClassifier((8,), max_epochs=3, random_state=0), y),
                        (MLPRegressor((8,), max_epochs=3, random_state=0), X[:, 0] + 5)):
        ask = "predict_proba" if hasattr(net, "predict_proba") else "predict"
        wanted = getattr(net.fit(X[rest], target[rest]), ask)(X)
        with pytest.warns(UserWarning, match=r"row 3 \(too large in feature 2\)"):
            net.fit(bad, target)
        np.testing.assert_array_equal(getattr(net, ask)(X), wanted)
        with pytest.warns(UserWarning, match=r"row 3 \(too large in feature 2\)"):
            found = getattr(net, ask)(bad)
        mean = [np.mean(y[rest] == 0), np.mean(y[rest] == 1)] if ask == "predict_proba" else (
            np.mean(target[rest]))
        np.testing.assert_allclose(found[3], mean)
        np.testing.assert_allclose(found[rest], wanted[rest], rtol=1e-12)


def test_constant_and_heavy_tailed_features_are_no_faults():
    rng = np.random.default_rng(0)
    X = np.exp(3 * rng.standard_normal((200, 4)))
    X[:, 1] = 0.0
    X[:, 2] = 7.0
    X[5, 1] = 1.0
    y = np.arange(200) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        MLPClassifier((4,), max_epochs=1, random_state=0).fit(X, y).predict(X * 1e3)


def test_an_output_that_overflows_is_the_prior():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3)).astype(np.float32)
    net = MLPClassifier((4,), max_epochs=2, random_state=0).fit(X, np.arange(40) % 2)
    with np.errstate(all="ignore"):
        for layer in net.net_.module_:
            if isinstance(layer, nn.Linear):
                layer.weight.data.mul_(1e30)
        with pytest.warns(UserWarning, match="output overflows for .* of 40 rows"):
            proba = net.predict_proba(X)
    assert np.isfinite(proba).all()


def test_partial_fit_passes_over_a_batch_without_signal():
    X, y = make()
    net = NeuralClassifier(Mean, random_state=0).partial_fit(X, y)
    before = net.predict_proba(X)
    with pytest.warns(UserWarning, match="4 of 4 rows"):
        net.partial_fit(np.zeros((4, C, T)), y[:4])
    np.testing.assert_array_equal(net.predict_proba(X), before)


@pytest.mark.parametrize("around", [lambda e: e, lambda e: EvidenceAccumulator(e, 4)],
                         ids=["alone", "evidence"])
def test_a_stream_says_the_same(around):
    X, y = make()
    clf = around(NETWORKS["NeuralClassifier"]).fit(X, y)
    recording = np.concatenate(list(with_faults(make(1)[0][:20])), axis=1)
    decoder = OnlineDecoder(clf, 1.0, 0.5, sfreq=T)
    with pytest.warns(UserWarning, match="window that begins at 2 s has no usable signal"):
        _, online = decoder.update(recording)
    windows = np.stack([recording[:, a : a + T] for a in range(0, 19 * T + 1, T // 2)])
    with pytest.warns(UserWarning, match="no usable signal"):
        offline = clf.predict_proba(windows)
    np.testing.assert_allclose(online, offline, rtol=1e-5, atol=1e-7)
