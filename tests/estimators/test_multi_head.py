"""Several heads, each with a loss, weighed by a policy."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from torch import nn

from skbci import EEGArray
from skbci.estimators import NeuralClassifier
from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss
from skbci.nets import MLP
from skbci.weighting import POLICIES, AlphaGrad, LossCollapseWarning, weighted_backward

LOSSES = {"logits": "cross-entropy", "code": "triplet", "copy": "reconstruction"}


class Autoencoder(nn.Module):
    """Three heads on one shared layer."""

    head_names = ("logits", "code", "copy")

    def __init__(self, n_channels, n_times, n_outputs, width=4):
        super().__init__()
        size = n_channels * n_times
        self.below = nn.Linear(size, 8)
        self.norm = nn.BatchNorm1d(8)
        self.shared = nn.Linear(8, width)
        self.logits = nn.Linear(width, n_outputs)
        self.copy = nn.Linear(width, size)

    @property
    def shared_parameter(self):
        return self.shared.weight

    def hidden(self, X):
        return self.norm(torch.tanh(self.below(X.flatten(1))))

    def forward(self, X):
        code = self.shared(self.hidden(X))
        return self.logits(code), code, self.copy(code).view(X.shape)


class Skipping(Autoencoder):
    """The copy also comes from below the shared layer."""

    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__(n_channels, n_times, n_outputs)
        self.past = nn.Linear(8, n_channels * n_times)

    def forward(self, X):
        hidden = self.hidden(X)
        code = self.shared(hidden)
        copy = self.copy(code) + self.past(hidden)
        return self.logits(code), code, copy.view(X.shape)


class Tied(Autoencoder):
    """The decoder's last layer is the encoder's first one."""

    def forward(self, X):
        code = self.shared(self.hidden(X))
        copy = (code @ self.shared.weight) @ self.below.weight
        return self.logits(code), code, copy.view(X.shape)


class Twice(Autoencoder):
    """The shared layer is used for two halves of the rows."""

    def forward(self, X):
        hidden = self.hidden(X)
        code = torch.cat([self.shared(part) for part in hidden.split((len(X) + 1) // 2)])
        return self.logits(code), code, self.copy(code).view(X.shape)


class Bounded(Autoencoder):
    def apply_max_norm(self):
        with torch.no_grad():
            self.logits.weight.mul_(0.01 / self.logits.weight.norm().clamp_min(0.01))


@pytest.fixture(scope="module")
def epochs():
    """Two channels in volts; the first is louder in one class."""
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 30)
    X = rng.normal(size=(60, 2, 10)) * 1e-5
    X[y == "left", 0] += 1e-5
    return X, y


def make(module=Autoencoder, **params):
    settings = {"losses": LOSSES, "optimizer": "adam", "max_epochs": 3, "batch_size": 20,
                "random_state": 0}
    return NeuralClassifier(module, **{**settings, **params})


def module_parameters(clf):
    return {k: v.detach().clone() for k, v in clf.net_.module_.named_parameters()}


def assert_same(first, second, **tolerance):
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], **tolerance)


# -- the result of training --------------------------------------------------------------


@pytest.mark.parametrize("policy", ["fixed", "alphagrad", "adamt", "uncertainty", "gradnorm"])
@pytest.mark.parametrize("cls", [Autoencoder, Skipping, Tied, Twice])
def test_training_is_that_of_an_ordinary_torch_loop(cls, policy, epochs):
    X, y = epochs
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = cls(2, 10, 2)
    clf = make(net, loss_weighting=policy, batch_size=-1, max_epochs=6, lr=0.01).fit(X, y)

    scaled = (X - X.mean((0, 2), keepdims=True)) / X.std((0, 2), keepdims=True)
    inputs, labels = torch.tensor(scaled).float(), torch.tensor((y == "right").astype(int))
    kind, settings = POLICIES[policy]
    weighting = kind(**settings).start(3)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(6):
        logits, code, copy = net(inputs)
        losses = [nn.functional.cross_entropy(logits, labels),
                  SemiHardTripletLoss()(code, labels), ReconstructionLoss()(copy, inputs)]
        weights = weighting.on_batch(losses, net.shared_parameter)
        total = torch.dot(weights, torch.stack(losses))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        row = clf.history_.iloc[epoch]
        assert row["train_loss"] == pytest.approx(float(total.detach()), rel=1e-4)
        for k, head in enumerate(LOSSES):
            assert row[f"train_{head}"] == pytest.approx(float(losses[k].detach()), rel=1e-4)
            assert row[f"weight_{head}"] == pytest.approx(float(weights[k]), rel=1e-4)
            if weighting.uses_gradients:
                norm = weighting.gradient_norms_[k]
                assert row[f"gradient_norm_{head}"] == pytest.approx(norm, rel=1e-3)
    assert_same(module_parameters(clf), dict(net.named_parameters()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("cls", "once"), [(Autoencoder, True), (Skipping, False), (Tied, False), (Twice, False)]
)
def test_heads_are_gone_through_once_where_one_layer_parts_them(cls, once, epochs, monkeypatch):
    calls = []

    def spy(*args):
        calls.append(args)
        return weighted_backward(*args)

    monkeypatch.setattr("skbci._training.multi_head_net.weighted_backward", spy)
    clf = make(cls, loss_weighting="alphagrad", max_epochs=1).fit(*epochs)
    assert len(calls) == (3 if once else 0)
    if once:
        heads = {id(p) for name, p in clf.net_.module_.named_parameters()
                 if name.startswith(("logits", "copy"))}
        assert {id(p) for p in calls[0][-1]} == heads


def test_one_loss_is_the_criterion_on_the_first_output(epochs):
    losses = {"logits": "cross-entropy", "code": None, "copy": None}
    one = make(losses=losses).fit(*epochs)
    plain = make(losses=None).fit(*epochs)
    assert_same(module_parameters(one), module_parameters(plain), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one.history_["train_logits"], plain.history_["train_loss"], 1e-4)
    assert not hasattr(plain, "loss_weighting_")
    assert list(plain.history_) == ["epoch", "train_loss", "dur"]


def test_hjb_steps_by_the_weighted_sum_over_the_mini_batch(epochs):
    X, y = epochs
    settings = {"optimizer": "hjb", "optimizer__r": 4.0, "optimizer__eps": 0.0, "lr": 0.1}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Autoencoder(2, 10, 2)
    for weight in (None, np.linspace(0.5, 2, len(y))):
        clf = make(net, batch_size=-1, max_epochs=1, **settings).fit(X, y, sample_weight=weight)
        after = module_parameters(clf)
        moved = sum((after[k] - v).square().sum() for k, v in net.named_parameters()).sqrt()
        total = len(y) if weight is None else weight.sum()
        P = clf.history_["train_loss"][0] * total
        assert float(moved.detach()) == pytest.approx(0.1 * np.sqrt(2 * P / 4.0), rel=1e-4)


def test_recorded_losses_do_not_depend_on_what_the_optimizer_is_fed(epochs):
    first = [
        make(optimizer=optimizer, batch_size=-1, max_epochs=1).fit(*epochs).history_
        for optimizer in ("hjb", "sgd")
    ]
    columns = [c for c in first[0] if c not in ("dur", "epoch")]
    np.testing.assert_allclose(first[0][columns], first[1][columns], rtol=1e-6)


@pytest.mark.parametrize(
    "optimizer", ["hjb", "hjb-ad", "adagrad", "rmsprop", "sgd", torch.optim.AdamW]
)
def test_every_optimizer_learns(optimizer, epochs):
    clf = make(optimizer=optimizer, lr=0.05, max_epochs=25).fit(*epochs)
    assert clf.score(*epochs) > 0.9
    assert clf.history_["train_copy"].iloc[-1] < clf.history_["train_copy"].iloc[0]


def test_an_optimizer_that_asks_twice_gets_the_same_weights(epochs):
    looked = []

    class Watched(AlphaGrad):
        def update(self, losses, gradients=None):
            looked.append(losses)
            return super().update(losses, gradients)

    losses = {"logits": "cross-entropy", "code": None, "copy": "reconstruction"}
    clf = make(losses=losses, optimizer=torch.optim.LBFGS, batch_size=-1, loss_weighting=Watched,
               optimizer__line_search_fn="strong_wolfe", lr=1.0).fit(*epochs)
    assert len(looked) == 3  # once a batch, of which there is one an epoch
    assert clf.history_["train_loss"].iloc[-1] < 0.7 * clf.history_["train_loss"].iloc[0]


@pytest.mark.parametrize("optimizer", ["evdhjb", "lm", "lf"])
def test_rules_for_one_output_refuse_several_losses(optimizer, epochs):
    with pytest.raises(ValueError, match=f"optimizer='{optimizer}' steps by the error of one"):
        make(optimizer=optimizer).fit(*epochs)


@pytest.mark.filterwarnings("ignore::skbci.weighting.LossCollapseWarning")
@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"gramian"}))
def test_every_policy_trains_and_goes_on(policy, epochs):
    X, y = epochs
    clf = make(loss_weighting=policy, early_stopping=True, max_epochs=6).fit(X, y)
    weights = clf.history_[[f"weight_{head}" for head in LOSSES]]
    np.testing.assert_allclose(weights.sum(axis=1), 3, rtol=1e-9)
    assert (weights > 0).all(axis=None)
    clf = pickle.loads(pickle.dumps(clf))
    before = clf.loss_weighting_.weights_.copy()
    assert clf.loss_weighting_ is clf.net_.policy_
    twin = pickle.loads(pickle.dumps(clf))
    for one in (clf, twin):
        one.partial_fit(X, y)
    assert_same(module_parameters(clf), module_parameters(twin), rtol=0, atol=0)
    assert clf.n_iter_ == 7
    after = clf.loss_weighting_.weights_
    assert np.array_equal(after, twin.loss_weighting_.weights_)
    # GradApprox has nothing to compare with in a pass without validation.
    stays = policy in ("fixed", "gradapprox")
    assert np.array_equal(before, after) == stays
    if policy != "adamt":  # it forgets from batch to batch
        assert np.abs(before - after).max() < 0.5  # from where it was, not from (1, 1, 1)


def test_a_policys_class_and_instance(epochs):
    results = [
        make(loss_weighting=policy, **extra).fit(*epochs).history_["weight_copy"]
        for policy, extra in [("alphagrad", {"loss_weighting__lr": 0.1}),
                              (AlphaGrad, {"loss_weighting__lr": 0.1}), (AlphaGrad(lr=0.1), {})]
    ]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
    instance = AlphaGrad(lr=0.1)
    make(loss_weighting=instance).fit(*epochs)
    assert not hasattr(instance, "weights_")  # the estimator trains with a copy


def test_a_users_own_losses(epochs):
    class Entropy(nn.Module):
        target = "input"

        def forward(self, output, X):
            assert output.shape == X.shape
            return (output - X).abs().mean()

    losses = {"logits": nn.CrossEntropyLoss(label_smoothing=0.1), "code": CenterLoss,
              "copy": Entropy}
    clf = make(losses=losses, max_epochs=30, lr=0.01).fit(*epochs)
    assert clf.score(*epochs) > 0.9
    assert clf.history_["train_copy"].iloc[-1] < clf.history_["train_copy"].iloc[0]
    squared = make(losses={**LOSSES, "copy": nn.MSELoss}).fit(*epochs)
    same = make().fit(*epochs)
    assert_same(module_parameters(squared), module_parameters(same), rtol=1e-4, atol=1e-5)


def test_sigmoid_outputs_give_probabilities_that_fit(epochs):
    clf = make(losses={**LOSSES, "logits": "binary-cross-entropy"}).fit(*epochs)
    clf.net_.module_.eval()
    with torch.no_grad():
        rows = torch.as_tensor(clf._standardizer_.transform(epochs[0]), dtype=torch.float32)
        units = torch.sigmoid(clf.net_.module_(rows)[0]).numpy()
    expected = units / units.sum(1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(epochs[0]), expected, rtol=1e-5)


# -- rows and their weights --------------------------------------------------------------


def test_whole_weights_count_rows(epochs):
    X, y = epochs
    counts = np.random.default_rng(0).integers(0, 4, size=len(y))
    settings = {"batch_size": -1, "standardize": False}
    weighted = make(**settings).fit(X * 1e5, y, sample_weight=counts)
    repeated = make(**settings).fit(np.repeat(X * 1e5, counts, 0), np.repeat(y, counts))
    assert_same(module_parameters(weighted), module_parameters(repeated), rtol=0, atol=0)


def test_row_weights_reach_every_loss_that_takes_them(epochs):
    X, y = epochs
    weight = np.random.default_rng(0).uniform(0.1, 2, size=len(y))
    clf = make(batch_size=-1, max_epochs=1, standardize=False).fit(X, y, sample_weight=weight)
    plain = make(batch_size=-1, max_epochs=1, standardize=False).fit(X, y)
    for head in LOSSES:
        assert clf.history_[f"train_{head}"][0] != plain.history_[f"train_{head}"][0]
    double = make(batch_size=-1, max_epochs=1, standardize=False)
    double.fit(X, y, sample_weight=0.5 * weight)  # losses are means: their scale is nothing
    assert_same(module_parameters(clf), module_parameters(double), rtol=1e-3, atol=1e-5)


def test_class_weight_helps_the_rare_class():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(190, 2, 4)), rng.normal(0.4, 1, size=(10, 2, 4))])
    y = np.repeat([0, 1], [190, 10])
    recall = {}
    for weight in (None, "balanced"):
        clf = make(class_weight=weight, lr=0.02, max_epochs=10).fit(X, y)
        recall[weight] = (clf.predict(X)[190:] == 1).mean()
    assert recall["balanced"] > recall[None]


def test_batches_of_one_class_or_one_row(epochs):
    X, y = epochs
    clf = make(lr=0.01).fit(X, y)
    left = X[y == "left"]
    clf.partial_fit(left, y[y == "left"])  # no shuffling: no batch has a triplet
    assert clf.history_["train_code"].iloc[-1] == 0
    assert clf.history_["train_logits"].iloc[-1] > 0
    sizes = []

    class Watch(Autoencoder):
        def forward(self, X):
            if self.training:
                sizes.append(len(X))
            return super().forward(X)

    make(Watch, max_epochs=1).fit(X[:41], y[:41])
    assert sizes == [20, 21]  # the last row joins: batch normalization needs two


def test_batch_size_one_and_single_rows_train_without_batch_normalization(epochs):
    X, y = epochs

    class Bare(Autoencoder):
        def hidden(self, X):
            return torch.tanh(self.below(X.flatten(1)))

    clf = make(Bare, batch_size=1, max_epochs=2).fit(X, y)
    # The two rows at the end are of one class, at times.
    assert np.isfinite(clf.history_["train_loss"]).all()
    clf.partial_fit(X[:1], y[:1])
    assert clf.history_["train_code"].iloc[-1] == 0


# -- history -----------------------------------------------------------------------------


def test_history_has_the_promised_columns(epochs):
    clf = make(loss_weighting="alphagrad", early_stopping=True).fit(*epochs)
    h = clf.history_
    for prefix in ("train", "valid", "weight", "gradient_norm"):
        assert {f"{prefix}_{head}" for head in LOSSES} <= set(h)
    assert {"train_loss", "valid_loss", "dur"} <= set(h)
    total = sum(h[f"weight_{head}"] * h[f"valid_{head}"] for head in LOSSES)
    np.testing.assert_allclose(h["valid_loss"], total, rtol=1e-6)
    fixed = make().fit(*epochs).history_
    assert not [c for c in fixed if c.startswith(("gradient_norm", "valid"))]
    total = sum(fixed[f"weight_{head}"] * fixed[f"train_{head}"] for head in LOSSES)
    np.testing.assert_allclose(fixed["train_loss"], total, rtol=1e-5)


def test_validation_losses_do_not_depend_on_how_rows_are_sorted(epochs):
    """Batches of one class would have no triplet."""
    X, y = epochs
    order = np.argsort(y, kind="stable")
    for rows in (np.arange(len(y)), order):
        groups = (np.arange(len(y)) >= 30).astype(int)[rows]
        clf = make(early_stopping=True, validation_fraction=0.5, batch_size=10, max_epochs=1)
        clf.fit(X[rows], y[rows], groups=groups)
        assert clf.history_["valid_code"][0] > 0.1


def test_a_collapse_warns_once_and_shows_in_the_history(epochs):
    clf = make(loss_weighting="alphagrad", loss_weighting__lr=0.5, max_epochs=40)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        clf.fit(*epochs)
        clf.partial_fit(*epochs)
    collapses = [w for w in seen if issubclass(w.category, LossCollapseWarning)]
    assert len(collapses) == 1
    assert "AlphaGrad: the loss weights have collapsed" in str(collapses[0].message)
    largest = clf.history_.filter(like="weight_").iloc[-1].idxmax().removeprefix("weight_")
    assert f"the loss of {largest!r} has " in str(collapses[0].message)
    assert clf.history_[[f"weight_{head}" for head in LOSSES]].iloc[-1].max() > 2.85


def test_skorch_callbacks_hear_of_heads(epochs):
    from skorch.callbacks import Callback, EpochScoring

    class Listener(Callback):
        def initialize(self):
            self.heard_ = []
            return self

        def on_grad_computed(self, net, named_parameters, **kwargs):
            assert all(p.grad is not None for _, p in named_parameters)
            self.heard_.append("grad")

        def on_batch_end(self, net, training, y_pred, **kwargs):
            assert y_pred.shape[1] == 2
            self.heard_.append("train" if training else "valid")

    score = EpochScoring("accuracy", name="valid_acc", lower_is_better=False)
    clf = make(callbacks=[Listener(), score], max_epochs=1, early_stopping=True,
               batch_size=24).fit(*epochs)
    heard = dict(clf.net_.callbacks_)["Listener"].heard_
    assert heard == ["grad", "train", "grad", "train", "valid"]
    assert clf.history_["valid_acc"].between(0, 1).all()


# -- stopping and the step size ----------------------------------------------------------


def test_the_first_heads_loss_is_monitored_whatever_the_weights(epochs):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2, 10)), np.tile([0, 1], 40)  # noise: it can only overfit
    clf = make(early_stopping=True, n_iter_no_change=4, max_epochs=60, lr=0.02,
               loss_weighting="alphagrad").fit(X, y)
    losses = clf.history_["valid_logits"]
    assert clf.n_iter_ < 60
    assert clf.n_iter_ == pytest.approx(losses.idxmin() + 1 + 4, abs=1)
    held = np.sort(np.concatenate([np.flatnonzero(y == c)[-8:] for c in (0, 1)]))
    p = clf.predict_proba(X[held])[np.arange(16), y[held]]
    assert -np.log(p).mean() == pytest.approx(losses.min(), rel=1e-3)


def test_another_column_can_be_monitored(epochs):
    clf = make(early_stopping=True, n_iter_no_change=2, tol=10.0, max_epochs=20)
    for column in ("valid_copy", "valid_loss", "train_loss", "weight_copy"):
        assert clf.set_params(monitor=column).fit(*epochs).n_iter_ == 3
    with pytest.raises(ValueError, match="monitor='valid_kopy' is not a column .* valid_copy"):
        clf.set_params(monitor="valid_kopy").fit(*epochs)
    with pytest.raises(ValueError, match="monitor='train_kopy' is not a column"):
        clf.set_params(monitor="train_kopy", early_stopping=False, lr_patience=2).fit(*epochs)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("losses", [None, {**LOSSES, "code": "center"}])
def test_the_step_size_falls_on_a_plateau_down_to_its_floor(losses, early_stopping, epochs):
    own = {} if losses is None else {"center_lr": 0.5}
    clf = make(losses=losses, lr=0.08, lr_patience=2, lr_factor=0.5, min_lr=0.015, tol=1e9,
               early_stopping=early_stopping, n_iter_no_change=50, max_epochs=9, **own)
    clf.fit(*epochs)  # with such a tol only the first epoch is an improvement
    rates = clf.history_["lr"]
    np.testing.assert_allclose(rates, [0.08] * 3 + [0.04] * 2 + [0.02] * 2 + [0.015] * 2)
    if losses is not None:
        assert clf.net_.optimizer_.param_groups[1]["lr"] == pytest.approx(0.5 / 16)
    clf.partial_fit(*epochs)
    assert clf.history_["lr"].iloc[-1] == 0.015


def test_without_patience_the_step_size_stays(epochs):
    assert "lr" not in make().fit(*epochs).history_


def test_auto_stops_early_where_there_are_rows_to_hold_out(epochs):
    X, y = epochs
    clf = make(early_stopping="auto", lr_patience=1)
    assert "valid_loss" in clf.fit(X, y).history_
    few = clf.fit(X[:20], y[:20])
    assert "valid_loss" not in few.history_
    assert "lr" in few.history_


def test_centers_have_a_rate_of_their_own(epochs):
    losses = {**LOSSES, "code": "center"}
    centers = {}
    for rate in (None, 0.0, 0.3):
        clf = make(losses=losses, center_lr=rate, max_epochs=4).fit(*epochs)
        centers[rate] = clf.net_.criterion_.parts[1].loss.centers.detach().clone()
        clf.set_params(lr=1e-9).partial_fit(*epochs)
        after = clf.net_.criterion_.parts[1].loss.centers.detach()
        moved = float((after - centers[rate]).abs().max())
        assert moved > 0.1 if rate else moved < 1e-6  # a new lr is not theirs
    with torch.random.fork_rng():
        assert not torch.equal(centers[None], centers[0.0])
    assert (centers[0.3] - centers[0.0]).abs().max() > (centers[None] - centers[0.0]).abs().max()


@pytest.mark.parametrize("losses", [LOSSES, None])
@pytest.mark.parametrize("optimizer", ["adam", "hjb", "sgd"])
def test_max_norm_is_applied_after_every_step(losses, optimizer, epochs):
    clf = make(Bounded, losses=losses, optimizer=optimizer, lr=0.5).fit(*epochs)
    assert float(clf.net_.module_.logits.weight.detach().norm()) <= 0.01 * (1 + 1e-5)
    clf.partial_fit(*epochs)
    assert float(clf.net_.module_.logits.weight.detach().norm()) <= 0.01 * (1 + 1e-5)


# -- reproducibility and scikit-learn ----------------------------------------------------


def test_two_fits_with_one_seed_are_equal_to_the_bit(epochs):
    clf = make(loss_weighting="alphagrad", losses={**LOSSES, "code": "center"})
    first = module_parameters(clf.fit(*epochs))
    assert_same(first, module_parameters(clone(clf).fit(*epochs)), rtol=0, atol=0)
    other = module_parameters(clone(clf).set_params(random_state=1).fit(*epochs))
    assert not torch.equal(first["copy.weight"], other["copy.weight"])


def test_grid_search_gives_the_same_for_any_number_of_jobs(epochs):
    grid = [
        {"loss_weighting": ["fixed", "uncertainty"], "optimizer": ["hjb", "adam"]},
        {"loss_weighting": ["alphagrad"], "loss_weighting__lr": [0.01, 0.1],
         "losses__code__margin": [0.5, 1.0]},
    ]
    clf = NeuralClassifier(
        MLPWithCode, losses={"logits": "cross-entropy", "code": "triplet"}, max_epochs=3,
        batch_size=16, random_state=0,
    )
    results = [
        GridSearchCV(clf, grid, cv=3, n_jobs=n, scoring=["accuracy", "neg_log_loss"],
                     refit="accuracy", error_score="raise").fit(*epochs).cv_results_
        for n in (1, 2)
    ]
    scores = [key for key in results[0] if key.startswith("split")]
    assert len(scores) == 6
    for key in scores:
        assert np.array_equal(results[0][key], results[1][key])
    losses = results[0]["mean_test_neg_log_loss"]
    assert len(np.unique(losses)) == len(losses)  # every setting does something


class MLPWithCode(MLP):
    head_names = ("logits", "code")

    def __init__(self, n_features, n_outputs):
        super().__init__(n_features, n_outputs, (6,))

    @property
    def shared_parameter(self):
        return self[1].weight

    def forward(self, X):
        code = torch.relu(self[1](X.flatten(1)))
        return self[-1](code), code


def test_feature_rows_have_heads_too(epochs):
    X, y = epochs
    clf = make(MLPWithCode, losses={"logits": "cross-entropy", "code": "triplet"}, batch_size=-1,
               loss_weighting="alphagrad", lr=0.01, max_epochs=30)
    assert clf.fit(X.reshape(60, -1), y).score(X.reshape(60, -1), y) > 0.9


def test_routes_are_ordinary_parameters(epochs):
    clf = make(loss_weighting="alphagrad", loss_weighting__lr=0.3, losses__code__margin=2.0)
    assert clf.get_params()["loss_weighting__lr"] == 0.3
    assert clone(clf).get_params() == clf.get_params()
    clf.set_params(loss_weighting__lr=0.2, losses__code__margin=0.5, module__width=3).fit(*epochs)
    assert clf.loss_weighting_.lr == 0.2
    assert clf.net_.criterion_.parts[1].loss.margin == 0.5
    assert clf.net_.module_.shared.out_features == 3


def test_losses_taken_away_take_their_attribute_with_them(epochs):
    clf = make().fit(*epochs)
    assert clf.loss_weighting_.weights_.tolist() == [1, 1, 1]
    clf.set_params(losses=None).fit(*epochs)
    assert not hasattr(clf, "loss_weighting_")


def test_pickling_keeps_predictions_and_centers(epochs):
    clf = make(losses={**LOSSES, "code": "center"}, center_lr=0.1).fit(*epochs)
    other = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(clf.predict_proba(epochs[0]), other.predict_proba(epochs[0]))
    for one in (clf, other):
        one.partial_fit(*epochs)
    assert torch.equal(
        clf.net_.criterion_.parts[1].loss.centers, other.net_.criterion_.parts[1].loss.centers
    )


def test_partial_fit_from_the_start(epochs):
    X, y = epochs
    clf = make(loss_weighting="alphagrad", lr=0.02)
    for _ in range(20):
        clf.partial_fit(X, y)
    assert clf.score(X, y) > 0.9
    assert clf.n_iter_ == 20
    assert not np.array_equal(clf.loss_weighting_.weights_, [1, 1, 1])


def test_groups_of_an_array_are_held_out(epochs):
    X, y = epochs
    X = EEGArray(X, sfreq=10.0, metadata={"subject": np.repeat([1, 2, 3], 20)})
    clf = make(early_stopping=True, validation_fraction=0.3, loss_weighting="gradapprox").fit(X, y)
    assert "valid_code" in clf.history_


# -- bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"losses": {"logits": "cross-entropy", "code": None}},
         "losses has no entry for 'copy' of module Autoencoder; name a loss, or None"),
        ({"losses": {**LOSSES, "kode": "triplet"}},
         "losses names 'kode', which module Autoencoder does not give; its heads are 'logits'"),
        ({"losses": dict.fromkeys(LOSSES)}, "losses names no loss at all"),
        ({"losses": {**LOSSES, "code": "tripplet"}},
         "'tripplet' of head 'code' is unknown; use one of .*'triplet'"),
        ({"losses__code__alpha": 1}, "'triplet' of head 'code' has no setting 'alpha'; its "
         "settings are losses__code__margin"),
        ({"losses__logits__x": 1}, "has no setting 'x'; its settings are none"),
        ({"losses__kode__margin": 1}, "losses__kode__margin belongs to no loss; settings are "),
        ({"losses": {**LOSSES, "code": SemiHardTripletLoss()}, "losses__code__margin": 1},
         "losses__code__margin cannot be set on an instance of SemiHardTripletLoss"),
        ({"loss_weighting": "alphgrad"}, "loss_weighting='alphgrad' is unknown; use one of"),
        ({"loss_weighting__lr": 1}, "loss_weighting 'fixed' has no setting 'lr'"),
        ({"loss_weighting": "gradapprox"}, "GradApprox compares .* early_stopping=False leaves"),
        ({"losses": None, "loss_weighting": "alphagrad"},
         "loss_weighting='alphagrad' is about several losses, but losses=None"),
        ({"losses": None, "losses__code__margin": 1}, "losses__code__margin is about several"),
        ({"losses": None, "center_lr": 0.1}, "center_lr=0.1 is about several losses"),
        ({"criterion": "binary-cross-entropy"}, "is not used when losses are given"),
        ({"lr_patience": 0}, "lr_patience=0 must be at least 1 or None"),
        ({"lr_factor": 1.0}, "lr_factor=1.0 must be above 0 and below 1"),
        ({"min_lr": -1.0}, "min_lr=-1.0 must be at least 0"),
        ({"center_lr": float("inf")}, "center_lr=inf must be a finite number"),
    ],
)
def test_what_does_not_fit_is_refused(params, message, epochs):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(*epochs)


def test_wrong_types_are_refused(epochs):
    with pytest.raises(TypeError, match="losses='triplet' must be a dict"):
        make(losses="triplet").fit(*epochs)
    with pytest.raises(TypeError, match="losses: 3 of head 'code' must be a name"):
        make(losses={**LOSSES, "code": 3}).fit(*epochs)
    with pytest.raises(TypeError, match="loss_weighting=3 must be a name"):
        make(loss_weighting=3).fit(*epochs)
    with pytest.raises(TypeError, match="monitor=3 must name a column"):
        make(monitor=3).fit(*epochs)
    with pytest.raises(TypeError, match="early_stopping='yes' must be True or False or 'auto'"):
        make(early_stopping="yes").fit(*epochs)


def test_modules_must_say_what_they_give(epochs):
    class Nameless(Autoencoder):
        head_names = None

    class Short(Autoencoder):
        def forward(self, X):
            return super().forward(X)[:2]

    class Unshared(Autoencoder):
        shared_parameter = None

    class Dictionary(Autoencoder):
        def forward(self, X):
            return dict(zip(self.head_names, super().forward(X)))

    with pytest.raises(ValueError, match="module Nameless has no attribute head_names"):
        make(Nameless).fit(*epochs)
    with pytest.raises(ValueError, match="module Short gives 2 outputs, but its head_names are"):
        make(Short).fit(*epochs)
    with pytest.raises(ValueError, match="AlphaGrad compares gradients .* no attribute shared_"):
        make(Unshared, loss_weighting="alphagrad").fit(*epochs)
    make(Unshared).fit(*epochs)  # fixed weights need none
    with pytest.raises(TypeError, match="module Dictionary gives a dict; .* a tuple of tensors"):
        make(Dictionary).fit(*epochs)


def test_heads_may_come_as_a_list(epochs):
    class Listing(Autoencoder):
        def forward(self, X):
            return list(super().forward(X))

    one, other = (make(module).fit(*epochs) for module in (Autoencoder, Listing))
    X = epochs[0]
    assert np.array_equal(one.predict_proba(X), other.predict_proba(X))


def test_a_head_that_does_not_hang_on_the_shared_layer_is_named(epochs):
    class Apart(Autoencoder):
        def forward(self, X):
            hidden = self.hidden(X)
            code = self.shared(hidden)
            return self.logits(code), code, self.copy(hidden[:, :4]).view(X.shape)

    with pytest.raises(ValueError, match=r"Loss 2 .* no gradient .*Loss 0 is 'logits'"):
        make(Apart, loss_weighting="alphagrad").fit(*epochs)


class NaNLater(nn.Module):
    """Becomes NaN after some batches."""

    target = "input"

    def __init__(self, after=7):
        super().__init__()
        self.left = after

    def forward(self, output, X):
        self.left -= self.training
        loss = (output - X).square().mean()
        return loss if self.left >= 0 else loss * float("nan")


@pytest.mark.parametrize("policy", ["fixed", "alphagrad", "dwa", "uncertainty"])
@pytest.mark.parametrize("optimizer", ["adam", "hjb"])
def test_a_loss_that_becomes_nan_stops_training_with_good_weights(policy, optimizer, epochs):
    losses = {"logits": "cross-entropy", "code": "center", "copy": NaNLater}
    clf = make(losses=losses, optimizer=optimizer, loss_weighting=policy, max_epochs=10)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 3.*'copy'.*try a smaller lr"):
        clf.fit(*epochs)  # three batches an epoch
    assert clf.n_iter_ == 3
    assert all(torch.isfinite(v).all() for v in clf.net_.module_.state_dict().values())
    assert all(torch.isfinite(v).all() for v in clf.net_.criterion_.state_dict().values())
    assert np.isfinite(clf.predict_proba(epochs[0])).all()
    assert np.isfinite(clf.loss_weighting_.weights_).all()


@pytest.mark.parametrize("optimizer", ["sgd", "hjb"])
def test_divergence_warns_and_keeps_finite_weights(optimizer, epochs):
    clf = make(optimizer=optimizer, lr=1e30, max_epochs=50, loss_weighting="alphagrad")
    with pytest.warns(ConvergenceWarning, match=r"diverged.*try a smaller lr"):
        clf.fit(*epochs)
    assert np.isfinite(clf.predict_proba(epochs[0])).all()
    assert clf.n_iter_ < 50


class Negative(nn.Module):
    def forward(self, output, y):
        return -output.square().mean() - 5


@pytest.mark.parametrize("policy", ["uncertainty", "gradnorm", "dwa"])
def test_negative_losses_are_refused_by_policies_that_take_ratios(policy, epochs):
    losses = {**LOSSES, "code": Negative}
    name = type(POLICIES[policy][0](**POLICIES[policy][1])).__name__
    with pytest.raises(ValueError, match=f"{name}: loss 1 is negative .* 1 is 'code'"):
        make(losses=losses, loss_weighting=policy).fit(*epochs)
    make(losses=losses, loss_weighting="alphagrad", lr=1e-4).fit(*epochs)


def test_a_negative_sum_is_refused_by_hjb(epochs):
    with pytest.raises(ValueError, match="HJB: the loss is -.*; it must not be negative"):
        make(losses={**LOSSES, "code": Negative}, optimizer="hjb").fit(*epochs)
