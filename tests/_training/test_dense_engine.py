"""The hand-written gradient equals autograd's, and fits with and without it agree."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skorch.callbacks import Callback
from torch import nn

from skbci._training import net as net_module
from skbci._training.criteria import BinaryCrossEntropy, CrossEntropy, RowLoss, SquaredError
from skbci._training.dense.dropout import DropoutMasks
from skbci._training.dense.engine import DenseEngine, fits_dense_engine
from skbci.estimators import MLPClassifier, NeuralClassifier
from skbci.nets import MLP
from skbci.nets._mlp import ACTIVATIONS

CRITERIA = {
    "cross-entropy": CrossEntropy(),
    "binary-cross-entropy": BinaryCrossEntropy(),
    "squared-error": SquaredError(),
    "any torch loss": RowLoss(nn.CrossEntropyLoss(label_smoothing=0.1, reduction="none")),
}


class MaskedMLP(nn.Module):
    """The same network under autograd, with given masks in the place of dropout."""

    def __init__(self, mlp, masks):
        super().__init__()
        self.layers, self.masks = copy.deepcopy(mlp), masks

    def forward(self, X):
        hidden, n_seen = X.flatten(1), 0
        for layer in list(self.layers)[1:]:
            if isinstance(layer, nn.Dropout):
                hidden = hidden * self.masks[n_seen]
                n_seen += 1
            else:
                hidden = layer(hidden)
        return hidden


@given(
    sizes=st.lists(st.integers(1, 9), max_size=4),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    criterion=st.sampled_from(sorted(CRITERIA)),
    dropout=st.sampled_from([0.0, 0.2, 0.7]),
    weighted=st.booleans(),
    divisor=st.sampled_from([None, 5.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=150)
def test_gradient_equals_autograds(
    sizes, activation, criterion, dropout, weighted, divisor, dtype, seed
):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        mlp = MLP(6, 3, sizes, activation, dropout).to(dtype)
        X, weight = torch.randn(11, 2, 3, dtype=dtype), torch.rand(11, dtype=dtype)
        y = torch.randint(3, (11,))
        if criterion == "squared-error":
            y = torch.randn(11, 3, dtype=dtype)
        engine = DenseEngine(copy.deepcopy(mlp), CRITERIA[criterion])
        engine.start()
    used = []
    for masks in engine.masks.values():
        take = masks.take
        masks.take = lambda shape, take=take: used.append(take(shape)) or used[-1]
    loss, output = engine(X, y, weight if weighted else None, divisor)

    twin = MaskedMLP(mlp, [mask.clone() for mask in used])
    expected_output = twin(X)
    rows = CRITERIA[criterion](expected_output, y)
    expected = ((rows * weight if weighted else rows).sum()) / (divisor or 1.0)
    expected.backward()
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {}
    torch.testing.assert_close(output, expected_output.detach(), **tolerance)
    torch.testing.assert_close(loss, expected.detach(), **tolerance)
    for mine, theirs in zip(engine.module.parameters(), twin.parameters()):
        torch.testing.assert_close(mine.grad, theirs.grad, **tolerance)


@pytest.mark.parametrize(
    "optimizer", ["hjb", "hjb-ad", "adam", "adamw", "adagrad", "rmsprop", "sgd"])
@pytest.mark.parametrize("batch_size", [16, -1])
def test_a_fit_with_the_engine_equals_one_without(optimizer, batch_size, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)).astype(np.float32)
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    clf = MLPClassifier((8, 6), optimizer=optimizer, max_epochs=5, batch_size=batch_size,
                        class_weight="balanced", random_state=0)
    fast = clf.fit(X, y).predict_proba(X)
    assert clf.net_.engine_ is not None
    monkeypatch.setattr(net_module, "fits_dense_engine", lambda *_: False)
    slow = clf.fit(X, y).predict_proba(X)
    assert clf.net_.engine_ is None
    np.testing.assert_allclose(fast, slow, atol=2e-5)


def test_optimizers_that_look_at_layers_get_layers():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4)), np.tile([0, 1], 10)
    clf = MLPClassifier((5,), optimizer=torch.optim.Adafactor, max_epochs=1).fit(X, y)
    assert clf.net_.engine_ is None


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda clf: pickle.loads(pickle.dumps(clf))])
def test_training_goes_on_after_a_copy(copy_of):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), np.tile([0, 1], 20)
    clf = MLPClassifier((5,), optimizer="adam", batch_size=10, max_epochs=3, random_state=0)
    clf.fit(X, y)
    other = copy_of(clf)
    for one in (clf, other):
        one.partial_fit(X, y)
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))
    weights = [p.data_ptr() for p in other.net_.module_.parameters()]
    assert weights[0] == other.net_.engine_.flat.data_ptr()
    assert weights[0] != next(clf.net_.module_.parameters()).data_ptr()


@given(rate=st.floats(0.01, 0.95), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_dropout_masks_have_mean_one_and_the_asked_rate(rate, seed):
    masks = DropoutMasks(rate, np.random.default_rng(seed), torch.zeros(1))
    mask = torch.cat([masks.take(torch.Size((100, 70))) for _ in range(20)])
    margin = 5 * (rate * (1 - rate) / mask.numel()) ** 0.5
    assert (mask == 0).double().mean() == pytest.approx(rate, abs=margin)
    assert mask.unique().tolist() == pytest.approx([0, 1 / (1 - rate)], rel=1e-3)
    assert not torch.equal(mask[:100], mask[100:200])


@pytest.mark.parametrize("optimizer", ["hjb", "hjb-ad", "adam", "sgd"])
def test_hooks_on_the_optimizer_see_every_step(optimizer):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), np.tile([0, 1], 20)
    clf = MLPClassifier((5,), optimizer=optimizer, batch_size=10, max_epochs=1, random_state=0)
    twin = copy.deepcopy(clf.fit(X, y))
    seen = []
    clf.net_.optimizer_.register_step_post_hook(lambda *_: seen.append("a step"))
    clf.partial_fit(X, y)
    twin.partial_fit(X, y)
    assert len(seen) == 4
    assert np.array_equal(clf.predict_proba(X), twin.predict_proba(X))


class Chain(nn.Sequential):
    def __init__(self, n_features, n_outputs):
        super().__init__(nn.Linear(n_features, 4), nn.ELU(), nn.Linear(4, n_outputs))


class Doubled(Chain):
    def forward(self, X):
        return 2 * super().forward(X)


def _sequential(kind):
    def make(n_features=5, n_outputs=3):
        return {
            "like an MLP": lambda: nn.Sequential(
                nn.Flatten(), nn.Linear(n_features, 8), nn.Tanh(), nn.Dropout(0.3),
                nn.Linear(8, n_outputs)),
            "two layers without an activation": lambda: nn.Sequential(
                nn.Linear(n_features, 8), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, n_outputs)),
            "a layer twice": lambda: (lambda layer: nn.Sequential(
                nn.Linear(n_features, 8), layer, nn.ReLU(), layer, nn.ReLU(),
                nn.Linear(8, n_outputs)))(nn.Linear(8, 8)),
            "no bias": lambda: nn.Sequential(nn.Linear(n_features, n_outputs, bias=False)),
            "a norm": lambda: nn.Sequential(
                nn.Linear(n_features, 8), nn.BatchNorm1d(8), nn.Linear(8, n_outputs)),
            "dropout at the input": lambda: nn.Sequential(
                nn.Dropout(0.3), nn.Linear(n_features, n_outputs)),
            "a subclass": lambda: Chain(n_features, n_outputs),
            "a forward of its own": lambda: Doubled(n_features, n_outputs),
            "an end that is not linear": lambda: nn.Sequential(
                nn.Linear(n_features, n_outputs), nn.Sigmoid()),
        }[kind]()

    return make


@pytest.mark.parametrize(
    ("kind", "known"),
    [("like an MLP", True), ("two layers without an activation", True), ("a layer twice", False),
     ("no bias", False), ("a norm", False), ("dropout at the input", False),
     ("a subclass", True), ("a forward of its own", False), ("an end that is not linear", False)],
)
def test_networks_built_like_an_mlp_train_by_the_engine_and_others_by_autograd(
    kind, known, monkeypatch
):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)).astype(np.float32)
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    clf = NeuralClassifier(_sequential(kind), optimizer="adam", max_epochs=4, batch_size=16,
                           random_state=0)
    fast = clf.fit(X, y).predict_proba(X)
    assert (clf.net_.engine_ is not None) == known
    if known and kind != "like an MLP":  # whose dropout masks are drawn in another way
        monkeypatch.setattr(net_module, "fits_dense_engine", lambda *_: False)
        np.testing.assert_allclose(fast, clf.fit(X, y).predict_proba(X), atol=2e-5)


def test_a_hooked_module_is_left_to_autograd():
    with torch.random.fork_rng():
        net = MLP(5, 3, (4,))
    assert fits_dense_engine(net, CrossEntropy(), torch.optim.Adam)
    net[1].register_forward_hook(lambda *_: None)
    assert not fits_dense_engine(net, CrossEntropy(), torch.optim.Adam)


class Clamp(Callback):
    """The usual way to bound weights: a new tensor in the parameter's place."""

    def _clamp(self, net):
        for p in net.module_.parameters():
            p.data = p.data.clamp(-0.2, 0.2)


class ClampEpoch(Clamp):
    def on_epoch_end(self, net, **kwargs):
        self._clamp(net)


class ClampBatch(Clamp):
    def on_batch_end(self, net, training=True, **kwargs):
        if training:
            self._clamp(net)


class ClearEpoch(Callback):
    def on_epoch_begin(self, net, **kwargs):
        net.optimizer_.zero_grad()


class ClearBatch(Callback):
    def on_batch_begin(self, net, **kwargs):
        net.optimizer_.zero_grad()


class NewGradients(Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        for _, p in named_parameters:
            p.grad = p.grad * 0.5 if p.ndim > 1 else None


class Freeze(Callback):
    def on_train_begin(self, net, **kwargs):
        next(net.module_.parameters()).requires_grad_(False)


@pytest.mark.parametrize(
    "callback", [ClampEpoch, ClampBatch, ClearEpoch, ClearBatch, NewGradients, Freeze]
)
@pytest.mark.parametrize("optimizer", ["hjb", "adam"])
def test_what_callbacks_do_to_weights_and_gradients_counts(callback, optimizer, monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)).astype(np.float32), np.tile([0, 1, 2], 20)
    clf = MLPClassifier((8,), optimizer=optimizer, lr=0.05, batch_size=16, max_epochs=4,
                        callbacks=[callback()], random_state=0)
    fast = clf.fit(X, y).predict_proba(X)
    assert clf.net_.engine_ is not None
    monkeypatch.setattr(net_module, "fits_dense_engine", lambda *_: False)
    np.testing.assert_allclose(fast, clf.fit(X, y).predict_proba(X), atol=2e-5)


def test_clearing_gradients_between_fits_does_not_stop_the_training():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), np.tile([0, 1], 20)
    clf = MLPClassifier((5,), optimizer="adam", max_epochs=1, random_state=0).fit(X, y)
    before = clf.predict_proba(X)
    clf.net_.optimizer_.zero_grad()
    clf.partial_fit(X, y)
    assert not np.array_equal(clf.predict_proba(X), before)


class NoDropoutAtFirst(Callback):
    def on_epoch_begin(self, net, **kwargs):
        rate = 0.0 if len(net.history) < 2 else 1.0
        for layer in net.module_:
            if isinstance(layer, nn.Dropout):
                layer.p = rate


def test_a_rate_of_dropout_can_change_from_epoch_to_epoch(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)).astype(np.float32), np.tile([0, 1, 2], 20)
    clf = MLPClassifier((8,), dropout=0.9, lr=0.05, batch_size=-1, max_epochs=3,
                        callbacks=[NoDropoutAtFirst()], random_state=0)
    fast = clf.fit(X, y).predict_proba(X)  # without a unit the last epoch trains biases alone
    monkeypatch.setattr(net_module, "fits_dense_engine", lambda *_: False)
    np.testing.assert_allclose(fast, clf.fit(X, y).predict_proba(X), atol=2e-5)


class NeverTrains(nn.Sequential):
    def train(self, mode=True):
        return super().train(False)


def _tied():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), second)


def _hooked_weight():
    net = nn.Sequential(nn.Linear(3, 3))
    net[0].weight.register_hook(lambda gradient: 0 * gradient)
    return net


def _replaced_forward():
    net = nn.Sequential(nn.Linear(3, 3))
    net[0].forward = lambda X: X
    return net


@pytest.mark.parametrize(
    "make", [_tied, _hooked_weight, _replaced_forward, lambda: NeverTrains(nn.Linear(3, 3))]
)
def test_what_autograd_would_do_otherwise_is_left_to_it(make):
    with torch.random.fork_rng():
        net = make()
    assert not fits_dense_engine(net, CrossEntropy(), torch.optim.Adam)


def test_hooks_on_all_modules_are_left_to_autograd():
    with torch.random.fork_rng():
        net = MLP(5, 3, (4,))
    hook = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert not fits_dense_engine(net, CrossEntropy(), torch.optim.Adam)
    finally:
        hook.remove()
