"""Batch normalization by each subject's own rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from skbci import EEGArray
from skbci.estimators import AdaptiveBatchNorm, MIN2NetClassifier, MLPClassifier, NeuralClassifier
from skbci.nets import FBMSNet, MIN2Net, adapt_batch_norm

C, T = 4, 100


class Powers(nn.Module):
    """Log powers, normalized: a person's amplitude becomes an offset, which goes away."""

    def __init__(self, n_channels, n_outputs):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_channels)
        self.drop = nn.Dropout(0.5)
        self.decide = nn.Linear(n_channels, n_outputs)

    def forward(self, X):
        return self.decide(self.drop(self.norm(torch.log(X.square().mean(-1)))))


def people(gains, n=40, seed=0):
    """Two classes that differ in one channel's power; people that differ in all of theirs."""
    rng = np.random.default_rng(seed)
    y = np.tile(["l", "r"], n * len(gains) // 2)
    subject = np.repeat(np.arange(len(gains)), n)
    X = rng.standard_normal((len(y), C, T))
    X[y == "r", 0] *= 2.0
    return EEGArray(X * np.asarray(gains)[subject][:, None, None], {"subject": subject}), y


@pytest.fixture(scope="module")
def fitted():
    X, y = people([1.0, 1.2, 0.9])
    net = NeuralClassifier(Powers, optimizer="adam", lr=0.02, max_epochs=30, random_state=0)
    return AdaptiveBatchNorm(net).fit(X, y)


def test_a_person_of_another_amplitude_is_decoded_by_its_own_moments(fitted):
    X, y = people([8.0], seed=1)
    assert fitted.estimator_.score(X, y) < 0.6  # one class, whatever it is
    assert fitted.score(X, y) > 0.9


def test_moments_are_those_of_the_rows_computed_by_hand(fitted):
    X, _ = people([8.0], seed=1)
    clf, net = fitted.estimator_, fitted.estimator_.net_.module_
    rows = (np.asarray(X) - clf._standardizer_.mean[:, None]) / clf._standardizer_.scale[:, None]
    power = np.log(np.square(rows).mean(axis=-1))
    normed = (power - power.mean(0)) / np.sqrt(power.var(0, ddof=1) + net.norm.eps)
    normed = normed * net.norm.weight.detach().numpy() + net.norm.bias.detach().numpy()
    logits = normed @ net.decide.weight.detach().numpy().T + net.decide.bias.detach().numpy()
    wanted = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(X), wanted, atol=1e-5)


def test_each_subject_by_itself_and_the_network_stays_as_it_was(fitted):
    X, _ = people([8.0, 0.1], seed=2)
    before = {name: value.clone() for name, value in
              fitted.estimator_.net_.module_.state_dict().items()}
    order = np.random.default_rng(0).permutation(len(X))
    together = fitted.predict_proba(X)
    np.testing.assert_allclose(fitted.predict_proba(X[order]), together[order], atol=1e-6)
    np.testing.assert_allclose(fitted.predict_proba(X[:40]), together[:40], atol=1e-6)
    after = fitted.estimator_.net_.module_.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_few_rows_are_normalized_as_in_the_fit(fitted):
    X, _ = people([8.0], seed=1)
    few = X[:9]
    np.testing.assert_array_equal(fitted.predict_proba(few), fitted.estimator_.predict_proba(few))


def test_the_network_as_fitted_runs_only_where_a_subject_has_few_rows(fitted):
    ran = []
    hook = fitted.estimator_.net_.module_.register_forward_hook(lambda *_: ran.append(1))
    # A copy that adapts takes the hook with it: the moments, then the output.
    for X, times in ((people([8.0], seed=1)[0], 2), (people([8.0, 0.1], seed=2)[0], 4),
                     (people([8.0, 0.1], seed=2)[0][:45], 3)):
        ran.clear()
        vars(fitted.estimator_.net_).pop("_double", None)
        fitted.predict_proba(X)
        assert len(ran) == times
    hook.remove()
    vars(fitted.estimator_.net_).pop("_double", None)


def test_an_adapted_network_that_overflows_is_reported_once():
    X, y = people([1.0, 1.2])
    net = NeuralClassifier(Powers, max_epochs=1, random_state=0)
    clf = AdaptiveBatchNorm(net).fit(X, y)
    with torch.no_grad():
        clf.estimator_.net_.module_.decide.weight.fill_(torch.inf)
    with pytest.warns(UserWarning, match="overflows for 40 of 40 rows") as record:
        said = clf.predict_proba(people([8.0], seed=1)[0])
    assert len(record) == 1
    np.testing.assert_allclose(said, 0.5)


def test_rows_without_signal_do_not_count(fitted):
    X, _ = people([8.0], seed=1)
    spoiled = np.concatenate([np.asarray(X), np.zeros((5, C, T))])
    with pytest.warns(UserWarning, match="no usable signal"):
        said = fitted.predict_proba(EEGArray(spoiled, {"subject": [0] * len(spoiled)}))
    np.testing.assert_allclose(said[: len(X)], fitted.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(said[len(X):], 0.5)


def test_rows_without_the_table_that_the_fit_had_are_an_error(fitted):
    with pytest.raises(ValueError, match="table"):
        fitted.predict(np.zeros((20, C, T)) + np.arange(T))


@pytest.mark.parametrize("net", [
    MIN2Net(C, 400, 2), FBMSNet(9, C, 100, 2, depth=2),
], ids=["MIN2Net", "FBMSNet"])
def test_networks_that_fuse_their_layers_have_the_moments_of_all_rows(net):
    rng = torch.Generator().manual_seed(0)
    shape = (24, C, 400) if isinstance(net, MIN2Net) else (24, 9, C, 100)
    X = 5 * torch.randn(shape, generator=rng) + 1
    adapted = adapt_batch_norm(net, X)
    # Applied again, to what it was computed from, nothing changes.
    again = adapt_batch_norm(adapted, X)
    for name, value in adapted.state_dict().items():
        if "running" in name:
            torch.testing.assert_close(again.state_dict()[name], value, rtol=1e-4, atol=1e-6)
            assert not torch.equal(value, net.state_dict()[name])
    assert not adapted.training


@pytest.mark.parametrize(("estimator", "error", "message"), [
    (LogisticRegression(), TypeError, "must be a network"),
    (MLPClassifier((3,), max_epochs=1), ValueError, "no batch normalization"),
])
def test_what_has_none_is_refused(estimator, error, message):
    X, y = people([1.0])
    with pytest.raises(error, match=message):
        AdaptiveBatchNorm(estimator).fit(X, y)


def test_one_row_has_no_moments():
    with pytest.raises(ValueError, match="two rows or more"):
        adapt_batch_norm(nn.BatchNorm1d(2), torch.zeros(1, 2))


def test_it_is_searched():
    clf = AdaptiveBatchNorm(MIN2NetClassifier()).set_params(estimator__lr=0.01, min_rows=5)
    assert clf.get_params()["estimator__lr"] == 0.01


@pytest.mark.parametrize("momentum", [0.1, 0.3, None])
def test_an_adapted_network_can_be_trained_on_as_before(momentum):
    net = nn.Sequential(nn.BatchNorm1d(3, momentum=momentum))
    adapted = adapt_batch_norm(net, torch.arange(24.0).reshape(8, 3))
    assert adapted[0].momentum == net[0].momentum == momentum
