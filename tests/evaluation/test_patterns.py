"""spatial_patterns: where a decision comes from, against what was put in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mne.decoding import CSP
from pyriemann.estimation import Covariances
from pyriemann.geometry.base import logm
from pyriemann.tangentspace import TangentSpace
from scipy.linalg import sqrtm
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skbci import EEGArray
from skbci.baselines import csp_lda, erp_lda, slow_potentials_lr, tangent_space_lr
from skbci.estimators import MIN2NetClassifier, MLPClassifier, NeuralClassifier
from skbci.evaluation import spatial_patterns
from skbci.features import BandEnergy, RankReducer

NAMES = ["C3", "Cz", "C4", "Pz"]
RATE = 100.0


def loud_channel(n_rows=80, channel=2, gain=2.0, seed=0):
    """Noise; one channel is louder in class "b"."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.resize(["a", "b"], n_rows))
    X = rng.standard_normal((n_rows, 4, 300)) * np.array([1, 2, 1, 3])[:, None]
    X[y == "b", channel] *= gain
    return EEGArray(X * 1e-5, sfreq=RATE, ch_names=NAMES), y


def mixed_source(seed=0):
    rng = np.random.default_rng(seed)
    y = np.tile([0, 1], 40)
    sources = rng.standard_normal((80, 4, 300))
    sources[y == 1, 0] *= 3
    mixing = rng.standard_normal((4, 4))
    return EEGArray(mixing @ sources, sfreq=RATE, ch_names=NAMES), y, mixing


def test_filters_give_the_place_of_the_source():
    X, y, mixing = mixed_source()
    maps = spatial_patterns(csp_lda(2, sfreq=RATE).fit(X, y), X)
    assert list(maps.columns) == NAMES
    cosine = np.abs(maps.to_numpy() @ mixing[:, 0])
    cosine /= np.linalg.norm(maps, axis=1) * np.linalg.norm(mixing[:, 0])
    assert cosine.max() > 0.99


def test_tangent_vectors_give_the_change_of_each_channels_power():
    X, y = loud_channel()
    referenced = X - np.asarray(X).mean(axis=1, keepdims=True)  # one rank less
    maps = spatial_patterns(tangent_space_lr(sfreq=RATE, C=0.01).fit(referenced, y), referenced)
    found = maps.loc["b - a"]
    power = np.asarray(referenced).var(axis=-1)
    wanted = power[y == "b"].mean(axis=0) - power[y == "a"].mean(axis=0)
    assert np.corrcoef(found, wanted)[0, 1] > 0.9
    assert found.idxmax() == "C4"
    assert found["C4"] > 0


def test_the_change_of_power_is_that_of_the_tangent_vector_at_its_reference():
    """R^1/2 M R^1/2 by scipy, with M the vector that goes along with the decision."""
    X, y = loud_channel(40)
    X = np.linalg.cholesky(np.eye(4) + 0.5) @ (np.asarray(X) * 1e5)
    pipe = make_pipeline(Covariances("scm"), TangentSpace(), LogisticRegression()).fit(X, y)
    decision = pipe.decision_function(X) - pipe.decision_function(X).mean()
    reference = pipe[1].reference_
    inside = np.linalg.inv(sqrtm(reference))
    tangents = np.stack([logm(inside @ np.cov(row, bias=True) @ inside) for row in X])
    along = np.tensordot(decision, tangents - tangents.mean(axis=0), 1) / (decision @ decision)
    wanted = np.diag(sqrtm(reference) @ along @ sqrtm(reference))
    found = spatial_patterns(pipe, X).loc["b - a"]
    np.testing.assert_allclose(found, wanted, rtol=0.02, atol=0.02 * np.abs(wanted).max())


def test_filters_behind_a_reduction_have_the_patterns_of_those_without_one():
    """Of full rank, the components are only other coordinates of the same signals."""
    X, y, _ = mixed_source()
    maps = []
    for steps in ([], [RankReducer()]):
        csp = CSP(2, transform_into="average_power", log=True)
        pipe = make_pipeline(*steps, csp, LogisticRegression()).fit(np.asarray(X), y)
        found = spatial_patterns(pipe, np.asarray(X)).to_numpy()[:2]
        found = found / np.linalg.norm(found, axis=1, keepdims=True)
        maps.append(found * np.sign(found[:, :1]))
    np.testing.assert_allclose(maps[1], maps[0], atol=1e-3)


def test_linear_decisions_about_band_powers_are_covariances():
    X, y = loud_channel()
    pipe = make_pipeline(BandEnergy(bands=[(8, 12), (20, 30)], n_subbands=1, log=True),
                         StandardScaler(), LogisticRegression(C=0.1)).fit(X, y)
    maps = spatial_patterns(pipe, X)
    assert len(maps) == 2
    assert all(name.startswith("b - a, ") for name in maps.index)
    features, decision = np.asarray(pipe[0].transform(X)), pipe.decision_function(X)
    wanted = [np.cov(column, decision)[0, 1] / decision.var(ddof=1) for column in features.T]
    np.testing.assert_allclose(maps.to_numpy().T.ravel(), wanted, rtol=1e-8)
    assert (maps.idxmax(axis=1) == "C4").all()


def test_slow_means_have_a_map_for_each_window():
    rng = np.random.default_rng(1)
    y = np.tile([0, 1], 30)
    X = rng.standard_normal((60, 4, 200))
    X[y == 1, 0, 50:100] += 4.0
    X = EEGArray(X, sfreq=RATE, ch_names=NAMES)
    maps = spatial_patterns(slow_potentials_lr(width=0.5).fit(X, y), X)
    assert maps.shape == (4, 4)
    assert maps.abs().max(axis=1).argmax() == 1  # from 0.5 to 1 s
    assert maps.iloc[1].idxmax() == "C3"


def test_several_classes_have_a_map_each():
    X, y = loud_channel(90)
    y = np.where(np.arange(90) % 3 == 0, "c", y)
    pipe = make_pipeline(BandEnergy(bands=[(8, 30)], n_subbands=1, log=True),
                         LogisticRegression(max_iter=1000)).fit(X, y)
    assert [name.split(",")[0] for name in spatial_patterns(pipe, X).index] == ["a", "b", "c"]


class Flat(nn.Module):
    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__()
        self.layer = nn.Linear(n_channels * n_times, n_outputs)

    def forward(self, X):
        return self.layer(X.flatten(1))


def test_relevance_of_a_linear_network_adds_up_to_its_logits():
    X, y = loud_channel()
    net = NeuralClassifier(Flat, max_epochs=2, random_state=0).fit(X, y)
    relevance = net.input_relevance(X, y)
    assert relevance.shape == X.shape
    standardized = torch.as_tensor(np.asarray(
        net._standardizer_.transform(np.asarray(X)), dtype=np.float32))
    layer = net.net_.module_.layer
    logits = (layer(standardized.flatten(1)) - layer.bias).detach().numpy()
    index = (y == "b").astype(int)
    wanted = logits[np.arange(80), index] - logits[np.arange(80), 1 - index]
    np.testing.assert_allclose(relevance.sum(axis=(1, 2)), wanted, rtol=1e-3, atol=1e-4)
    own = net.input_relevance(X)
    told = net.input_relevance(X, net.predict(X))
    np.testing.assert_array_equal(own, told)
    with pytest.raises(ValueError, match="not among the classes"):
        net.input_relevance(X, np.full(80, "z"))
    with pytest.raises(NotFittedError):
        NeuralClassifier(Flat).input_relevance(X)


def test_gradients_of_a_network_point_at_the_wave():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 40)
    X = rng.standard_normal((80, 4, 100))
    X[:, 1] += np.sin(np.arange(100) / 3) * (2 * y - 1)[:, None]
    X = EEGArray(X, sfreq=RATE, ch_names=NAMES)
    net = NeuralClassifier(Flat, optimizer="adam", lr=1e-3, max_epochs=20, random_state=0)
    maps = spatial_patterns(net.fit(X, y), X, y)
    assert list(maps.index) == ["0", "1"]
    assert (maps.idxmax(axis=1) == "Cz").all()


def test_gradients_of_networks_with_several_losses():
    X, y = loud_channel(24)
    net = MIN2NetClassifier(max_epochs=1, random_state=0).fit(X, y)
    assert spatial_patterns(net, X, y).shape == (2, 4)


def test_permutation_takes_the_score_of_the_channel_that_matters():
    X, y = loud_channel(gain=6.0)
    pipe = make_pipeline(BandEnergy(bands=[(1, 45)], n_subbands=1, log=True),
                         KNeighborsClassifier(5)).fit(X, y)
    maps = spatial_patterns(pipe, X, y)
    assert list(maps.index) == ["loss of score"]
    losses = maps.iloc[0]
    assert losses["C4"] > 0.3
    assert losses.drop("C4").abs().max() < 0.1
    np.testing.assert_array_equal(maps, spatial_patterns(pipe, X, y, method="permutation"))


def test_bad_input():
    X, y = loud_channel(24)
    pipe = csp_lda(2).fit(X, y)
    with pytest.raises(ValueError, match="method='saliency'"):
        spatial_patterns(pipe, X, method="saliency")
    with pytest.raises(ValueError, match="no network"):
        spatial_patterns(pipe, X, y, method="gradient")
    with pytest.raises(ValueError, match="needs the labels y"):
        spatial_patterns(pipe, X, method="permutation")
    with pytest.raises(ValueError, match="got shape"):
        spatial_patterns(pipe, np.zeros((3, 4)))
    with pytest.raises(NotFittedError):
        spatial_patterns(csp_lda(2), X)
    flat = make_pipeline(BandEnergy(log=True), MLPClassifier((4,), max_epochs=1)).fit(X, y)
    with pytest.raises(ValueError, match="no linear decision"):
        spatial_patterns(flat, X, method="linear")


def test_xdawn_and_erp_pipelines():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1, 0, 0], 20)
    X = rng.standard_normal((80, 4, 100))
    X[y == 1, 3, 30:50] += 1.5
    X = EEGArray(X, sfreq=RATE, ch_names=NAMES)
    maps = spatial_patterns(erp_lda().fit(X, y), X)
    assert maps.shape[1] == 4
