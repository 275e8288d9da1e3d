"""Estimators whose optimizer has the theorems' step sizes, or averages its iterates."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn
from torch.nn.utils import parameters_to_vector

from skbci._training import net as net_module
from skbci.estimators import MLPClassifier, NeuralClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 4))
Y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int)


class Weights(Callback):
    """Notes the weights before training and after every step."""

    def on_train_begin(self, net, **kwargs):
        if not hasattr(self, "seen_"):
            self.seen_ = [self._now(net)]

    def on_batch_end(self, net, training=True, **kwargs):
        if training:
            self.seen_.append(self._now(net))

    def _now(self, net):
        return parameters_to_vector(net.module_.parameters()).detach().double().numpy().copy()


def fit(optimizer, rule=MLPClassifier, y=Y, **settings):
    settings = {
        "lr": 0.05, "max_epochs": 3, "batch_size": 20, "random_state": 1,
        "callbacks": [("weights", Weights())], "optimizer": optimizer, **settings,
    }
    if rule is MLPClassifier:
        settings.setdefault("hidden_layer_sizes", (5,))
    clf = rule(**settings).fit(X, y)
    seen = np.array(dict(clf.net_.callbacks_)["weights"].seen_)
    return clf, seen, parameters_to_vector(clf.net_.module_.parameters()).detach().numpy()


@pytest.mark.parametrize("optimizer", ["hjb", "hjb-ad", "hjb-adam"])
@pytest.mark.parametrize("rule", [MLPClassifier, NeuralClassifier])
def test_the_fitted_network_is_the_averaged_iterate(optimizer, rule):
    clf, seen, weights = fit(optimizer, rule, optimizer__averaging=True)
    k = np.arange(1, 3 * 5 + 1)
    assert len(seen) == len(k) + 1
    expected = 2 / (len(k) * (len(k) + 1)) * (k @ seen[1:])
    np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-6)
    _, same, last = fit(optimizer, rule)
    np.testing.assert_array_equal(same, seen)  # the average is only looked at
    assert np.abs(last - weights).max() > 1e-3
    twin = copy.deepcopy(clf.net_.module_)
    nn.utils.vector_to_parameters(torch.tensor(expected, dtype=torch.float32), twin.parameters())
    with torch.no_grad():
        logits = twin.eval()(clf._input_tensor(X)).numpy()
    np.testing.assert_array_equal(clf.predict(X), logits.argmax(axis=1))


def test_early_stopping_judges_and_keeps_averages():
    noise = np.random.default_rng(1).integers(0, 2, len(X))
    clf, seen, weights = fit(
        "hjb", y=noise, optimizer__averaging=True, early_stopping=True, n_iter_no_change=3,
        lr=0.5, max_epochs=30,
    )
    best = int(clf.history_["valid_loss"].to_numpy().argmin()) + 1
    assert best < clf.n_iter_
    n = best * (len(seen) - 1) // clf.n_iter_
    k = np.arange(1, n + 1)
    np.testing.assert_allclose(weights, 2 / (n * (n + 1)) * (k @ seen[1 : n + 1]), atol=1e-4)


def test_theorem_2_gets_the_number_of_steps():
    clf, seen, _ = fit("hjb", optimizer__lr_schedule="theorem-2", lr=1e-4, optimizer__eps=0.0)
    assert clf.net_.optimizer_.param_groups[0]["n_steps"] == 15
    lengths = np.linalg.norm(np.diff(seen, axis=0), axis=1)
    k = np.arange(1, 16)
    np.testing.assert_allclose(lengths, 1e-4 * 15 * 16 / 2 / k, rtol=1e-3)


def test_theorem_1_shortens_the_steps():
    _, seen, _ = fit("hjb", optimizer__lr_schedule="theorem-1", optimizer__eps=0.0)
    lengths = np.linalg.norm(np.diff(seen, axis=0), axis=1)
    np.testing.assert_allclose(lengths, 0.05 / 10 / np.sqrt(np.arange(1, 16)), rtol=1e-3)


def test_an_online_pass_goes_on_from_the_last_iterate():
    clf, _, _ = fit("hjb", optimizer__averaging=True)
    clf.partial_fit(X[:20], Y[:20])
    state = clf.net_.optimizer_.state
    assert clf.net_.optimizer_.param_groups[0]["k"] == 16
    weights = parameters_to_vector(clf.net_.module_.parameters()).detach()
    torch.testing.assert_close(weights, state["average"]["0"], rtol=0, atol=0)
    assert not torch.equal(weights, state["iterate"]["0"])


@pytest.mark.parametrize("optimizer", ["hjb-momentum", "hjb-adam", "hjb-rmsprop"])
def test_the_hand_written_gradient_gives_the_steps_of_autograd(optimizer, monkeypatch):
    _, _, fast = fit(optimizer)
    monkeypatch.setattr(net_module, "fits_dense_engine", lambda *_, **__: False)
    _, _, slow = fit(optimizer)
    np.testing.assert_allclose(fast, slow, rtol=1e-3, atol=1e-5)
