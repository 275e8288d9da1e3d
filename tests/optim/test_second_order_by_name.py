"""LM, EVDHJB and LF as hyperparameters of estimators."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from torch import nn

from skbci.estimators import MLPClassifier, MLPRegressor, NeuralClassifier
from skbci.optim import EVDHJB, LevenbergMarquardt, LyapunovDescent

NAMES = {"evdhjb": EVDHJB, "lm": LevenbergMarquardt, "lf": LyapunovDescent}


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(150, n_features=6, centers=3, cluster_std=2.0, random_state=0)
    return X, np.array(["left", "right", "words"])[y]


@pytest.fixture(scope="module")
def epochs():
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 30)
    X = rng.normal(size=(60, 3, 40)) * 1e-5
    X[y == "left", 0] += 1e-5
    return X, y


class Convolutional(nn.Module):
    """Full, depthwise and dilated convolutions, and a dense layer."""

    def __init__(self, n_channels, n_times, n_outputs, width=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Unflatten(1, (1, n_channels)),
            nn.Conv2d(1, width, (1, 9), padding="same"),
            nn.Conv2d(width, 2 * width, (n_channels, 1), groups=width, bias=False),
            nn.GroupNorm(2, 2 * width), nn.ELU(inplace=True), nn.AvgPool2d((1, 4)),
            nn.Conv2d(2 * width, width, (1, 3), dilation=(1, 2)), nn.ELU(), nn.Dropout(0.1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, n_outputs),
        )

    def forward(self, X):
        return self.layers(X)


def state(clf):
    return [p.detach().numpy().copy() for p in clf.net_.module_.parameters()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(state(first), state(second)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("criterion", ["cross-entropy", "binary-cross-entropy"])
def test_learns_with_the_default_settings(name, criterion, blobs):
    clf = MLPClassifier((16,), optimizer=name, criterion=criterion, batch_size=32,
                        max_epochs=60, random_state=0)
    assert clf.fit(*blobs).score(*blobs) > 0.9
    assert isinstance(clf.net_.optimizer_, NAMES[name])
    assert clf.net_.optimizer_.module is clf.net_.module_
    assert clf.history_.train_loss.iloc[-1] < clf.history_.train_loss.iloc[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_class_does_as_well_as_its_name(name, blobs):
    settings = {"max_epochs": 2, "random_state": 0}
    by_name = MLPClassifier((5,), optimizer=name, **settings).fit(*blobs)
    by_class = MLPClassifier((5,), optimizer=NAMES[name], **settings).fit(*blobs)
    assert same(by_name, by_class)


@pytest.mark.parametrize("name", NAMES)
def test_convolutions_learn(name, epochs):
    clf = NeuralClassifier(Convolutional, optimizer=name, lr=0.05, batch_size=20, max_epochs=15,
                           random_state=0)
    assert clf.fit(*epochs).score(*epochs) > 0.9


def test_full_gauss_newton_steps_learn_within_few_epochs(blobs):
    clf = MLPClassifier((16,), optimizer="lm", lr=1.0, max_epochs=3, random_state=0)
    assert clf.fit(*blobs).score(*blobs) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_regression_learns(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = np.stack([X[:, 0] - 2 * X[:, 1], np.abs(X[:, 2])], axis=1)
    reg = MLPRegressor((20,), optimizer=name, lr=0.05, max_epochs=50, random_state=0).fit(X, y)
    assert reg.score(X, y) > 0.8


def test_grid_search_gives_the_same_results_in_one_process_and_in_two(blobs):
    search = GridSearchCV(
        MLPClassifier((6,), dropout=0.2, max_epochs=4, batch_size=30, random_state=0),
        [{"optimizer": ["evdhjb"], "optimizer__r": [10.0, 100.0]},
         {"optimizer": ["lm"], "optimizer__mu": [0.1, 10.0], "lr": [1.0]},
         {"optimizer": ["lf"], "optimizer__mu": [0.5, 1.0]}],
        cv=2, return_train_score=True,
    )
    scores = [
        clone(search).set_params(n_jobs=n).fit(*blobs).cv_results_ for n in (1, 2)
    ]
    for key in ("mean_test_score", "mean_train_score"):
        assert np.array_equal(scores[0][key], scores[1][key])
        assert np.isfinite(scores[0][key]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_is_reproducible_to_the_bit(name, blobs):
    clf = MLPClassifier((9, 7), dropout=0.3, optimizer=name, max_epochs=4, random_state=3)
    before = torch.get_rng_state()
    threads = torch.get_num_threads()
    first = clone(clf).fit(*blobs)
    torch.set_num_threads(2)
    try:
        second = clone(clf).fit(*blobs)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert same(first, second)
    assert not same(first, clone(clf).set_params(random_state=4).fit(*blobs))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_partial_fit_goes_on_after_pickling(name, blobs):
    X, y = blobs
    clf = MLPClassifier((8,), dropout=0.2, optimizer=name, batch_size=25, max_epochs=3,
                        random_state=0).fit(X, y)
    twin = pickle.loads(pickle.dumps(clf))
    assert twin.net_.optimizer_.module is twin.net_.module_
    for part in (slice(0, 50), slice(50, 80)):
        clf.partial_fit(X[part], y[part])
        twin.partial_fit(X[part], y[part])
    assert same(clf, twin)


@pytest.mark.parametrize("name", NAMES)
def test_sample_weights_are_repeated_rows(name, blobs):
    X, y = blobs
    counts = np.tile([1, 2, 0], 50)
    settings = {"optimizer": name, "batch_size": -1, "max_epochs": 5, "random_state": 0}
    weighted = MLPClassifier((6,), **settings).fit(X, y, sample_weight=counts)
    repeated = MLPClassifier((6,), **settings).fit(np.repeat(X, counts, 0), np.repeat(y, counts))
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-4, atol=1e-6
    )


class Gradients(Callback):
    """Keeps what each event sees."""

    def __init__(self):
        self.inside, self.after = [], []

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.inside.append([p.grad for _, p in named_parameters])

    def on_batch_end(self, net, training=False, **kwargs):
        self.after.append([p.grad.clone() for p in net.module_.parameters()])


@pytest.mark.parametrize("name", NAMES)
def test_callbacks_see_gradients_once_the_step_is_done(name, blobs):
    clf = MLPClassifier((5,), optimizer=name, max_epochs=1, callbacks=[("seen", Gradients())])
    seen = dict(clf.fit(*blobs).net_.callbacks_)["seen"]
    assert all(g is None for gradients in seen.inside for g in gradients)
    assert all(bool(g.any()) for gradients in seen.after for g in gradients)


def test_the_limit_on_memory_is_a_setting(blobs):
    clf = MLPClassifier((5,), optimizer="lm", batch_size=-1, optimizer__max_gram_bytes=10_000)
    with pytest.raises(ValueError, match="150 rows x 3 outputs in one step need a Gram matrix"):
        clf.fit(*blobs)
    clf.set_params(batch_size=10).fit(*blobs)


@pytest.mark.parametrize("name", ["evdhjb", "lm"])
def test_batch_norm_is_refused_by_name(name, epochs):
    class Normalized(nn.Sequential):
        def __init__(self, n_features, n_outputs):
            super().__init__(nn.Flatten(), nn.Linear(n_features, 4), nn.BatchNorm1d(4),
                             nn.Linear(4, n_outputs))

    clf = NeuralClassifier(Normalized, optimizer=name, max_epochs=2)
    with pytest.raises(ValueError, match=r"'2' \(BatchNorm1d\) in training mode"):
        clf.fit(*epochs)
    clf.set_params(optimizer="lf", lr=0.05, max_epochs=100, random_state=0)
    assert clf.fit(*epochs).score(*epochs) > 0.9


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"optimizer": "lm", "optimizer__r": 1}, "optimizer 'lm' has no setting 'r'; its settings "
         r"are optimizer__mu, optimizer__max_gram_bytes \(and lr\)"),
        ({"optimizer": "evdhjb", "optimizer__module": 1}, "'evdhjb' has no setting 'module'"),
        ({"optimizer": "lf", "optimizer__mu": -1.0}, "mu=-1.0 must be above 0"),
        ({"optimizer": "evd-hjb"}, r"unknown; use one of \[.*'evdhjb'.*'lf', 'lm'"),
    ],
)
def test_unknown_settings_are_refused(params, message, blobs):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**params).fit(*blobs)


@pytest.mark.parametrize("name", NAMES)
def test_divergence_warns_and_keeps_finite_weights(name, blobs):
    clf = MLPClassifier((16,), optimizer=name, lr=1e30, max_epochs=20, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(*blobs)
    assert any(issubclass(w.category, ConvergenceWarning) for w in caught)
    assert all(np.isfinite(p).all() for p in state(clf))
