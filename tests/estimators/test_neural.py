"""Contracts of the neural estimators that scikit-learn's common checks do not cover."""

from __future__ import annotations

import pickle
import tracemalloc
import warnings

import joblib
import mne
import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
)
from torch import nn

from skbci import EEGArray
from skbci.estimators import MLPClassifier, MLPRegressor, NeuralClassifier
from skbci.features import SlidingWindows
from skbci.nets import MLP


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(120, n_features=6, centers=3, cluster_std=3.0, random_state=0)
    return X, np.array(["left", "right", "words"])[y]


@pytest.fixture(scope="module")
def epochs():
    """Three channels in volts; the first is louder in one class."""
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 30)
    X = rng.normal(size=(60, 3, 50)) * 1e-5
    X[y == "left", 0] += 1e-5
    return X, y


class Small(nn.Module):
    def __init__(self, n_channels, n_times, n_outputs, width=4):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, width),
                                    nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, n_outputs))

    def forward(self, X):
        return self.layers(X)


# -- names and settings -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["hjb", "hjb-ad", "adam", "adamw", "adagrad", "rmsprop", "sgd"])
def test_every_named_optimizer_learns(name, blobs):
    clf = MLPClassifier((16,), optimizer=name, lr=0.05, max_epochs=60, random_state=0)
    assert clf.fit(*blobs).score(*blobs) > 0.85


def test_adamw_is_torchs_with_decay_apart_from_the_gradient(blobs):
    def fit(optimizer, **settings):
        clf = MLPClassifier((16,), optimizer=optimizer, optimizer__weight_decay=0.3, lr=0.01,
                            max_epochs=5, random_state=0, **settings)
        return clf.fit(*blobs).predict_proba(blobs[0])

    by_name = fit("adamw")
    np.testing.assert_array_equal(by_name, fit(torch.optim.AdamW, optimizer__fused=True))
    assert np.abs(by_name - fit("adam")).max() > 1e-3


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.LBFGS, torch.optim.NAdam])
def test_any_optimizer_class_works(optimizer, blobs):
    clf = MLPClassifier((16,), optimizer=optimizer, lr=0.05, max_epochs=20, random_state=0)
    assert clf.fit(*blobs).score(*blobs) > 0.8


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"optimizer": "hbj"}, "optimizer='hbj' is unknown; use one of .*'hjb'"),
        ({"optimizer__rr": 1}, "has no setting 'rr'; its settings are optimizer__r"),
        ({"optimizer": "sgd", "optimizer__r": 1}, "optimizer 'sgd' has no setting 'r'"),
        ({"learning_rate": 1}, "has no parameter 'learning_rate'.*lr.*starts with"),
        ({"module__width": 1}, "has no parameter 'module__width'"),
        ({"criterion": "mse"}, "criterion='mse' is unknown; use one of"),
        ({"criterion__x": 1}, "'cross-entropy' has no setting 'x'; its settings are none"),
        ({"criterion": torch.nn.NLLLoss, "criterion__x": 1},
         "NLLLoss has no setting 'x'; its settings are criterion__weight, "),
        ({"activation": "rleu"}, "activation='rleu' is not one of"),
        ({"hidden_layer_sizes": (10, 0)}, "hidden_layer_sizes=0 must be at least 1"),
        ({"dropout": 1.0}, r"dropout=1.0 must be at least 0 and below 1"),
        ({"dropout": (0.1, 0.1)}, "2 entries for 1 hidden layers"),
        ({"max_epochs": 0}, "max_epochs=0 must be at least 1"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1 or -1"),
        ({"lr": -1.0}, "lr=-1.0 must be at least 0"),
        ({"callbacks__foo__x": 1}, "callbacks__foo__x belongs to no callback; .* epoch_timer"),
        ({"device": "gpu"}, "device='gpu' is not a torch device"),
        ({"class_weight": {"nobody": 2.0}}, "class_weight names .*nobody"),
    ],
)
def test_unknown_names_and_values_are_refused_at_fit(params, message, blobs):
    clf = MLPClassifier(**params)
    with pytest.raises(ValueError, match=message):
        clf.fit(*blobs)


def test_wrong_types_are_refused(blobs):
    with pytest.raises(TypeError, match=r"max_epochs=2.5 must be an integer"):
        MLPClassifier(max_epochs=2.5).fit(*blobs)
    with pytest.raises(TypeError, match="early_stopping='no' must be True or False"):
        MLPClassifier(early_stopping="no").fit(*blobs)
    with pytest.raises(TypeError, match="must be a name or a torch.optim.Optimizer class"):
        MLPClassifier(optimizer=3).fit(*blobs)
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module class"):
        NeuralClassifier(module="min2net").fit(*blobs)


def test_set_params_refuses_unknown_names_at_once():
    with pytest.raises(ValueError, match="Invalid parameter 'learning_rate'"):
        MLPClassifier().set_params(learning_rate=1)


def test_routes_are_ordinary_parameters():
    clf = MLPClassifier(optimizer="hjb", optimizer__r=10.0)
    assert clf.get_params()["optimizer__r"] == 10.0
    assert clone(clf).get_params() == clf.get_params()
    assert "optimizer__r=10.0" in repr(clf)
    clf.set_params(optimizer__r=3.0, lr=0.5)
    assert (clf.optimizer__r, clf.lr) == (3.0, 0.5)
    pipe = make_pipeline(StandardScaler(), clf).set_params(mlpclassifier__optimizer__eps=0.1)
    assert pipe[-1].optimizer__eps == 0.1


def test_routes_reach_optimizer_module_and_callbacks(epochs):
    clf = NeuralClassifier(Small, module__width=7, optimizer="hjb", optimizer__r=50.0,
                           callbacks=[("scores", EpochScoring("accuracy", on_train=True))],
                           callbacks__scores__name="acc", max_epochs=2, random_state=0)
    clf.fit(*epochs)
    assert clf.net_.module_.layers[1].out_features == 7
    assert clf.net_.optimizer_.param_groups[0]["r"] == 50.0
    assert "acc" in clf.history_


def test_grid_search_over_optimizers_and_their_settings(blobs):
    grid = [
        {"optimizer": ["hjb", "hjb-ad"], "optimizer__r": [10.0, 100.0]},
        {"optimizer": ["adam", torch.optim.SGD], "lr": [0.01]},
    ]
    clf = MLPClassifier((8,), max_epochs=5, random_state=0)
    results = [
        GridSearchCV(clf, grid, cv=3, n_jobs=n, scoring=["accuracy", "neg_log_loss"],
                     refit="accuracy", error_score="raise").fit(*blobs).cv_results_
        for n in (1, 2)
    ]
    scores = [key for key in results[0] if key.startswith("split")]
    assert len(scores) == 6
    for key in scores:
        assert np.array_equal(results[0][key], results[1][key])


# -- module construction -----------------------------------------------------------------


def test_shapes_reach_the_module_and_never_become_parameters(epochs):
    X, y = epochs
    clf = NeuralClassifier(Small, max_epochs=1, random_state=0).fit(X, y)
    assert clf.net_.module_.layers[1].in_features == 150
    assert set(clf.get_params()) == set(NeuralClassifier(Small).get_params())
    clf.fit(X[:, :2, :30], y)  # another shape, the same estimator
    assert clf.net_.module_.layers[1].in_features == 60


def test_a_module_argument_that_nobody_knows_is_named(epochs):
    class Needs(nn.Module):
        def __init__(self, n_outputs, n_filters):
            super().__init__()

    with pytest.raises(ValueError, match="module Needs needs n_filters; give module__n_filters"):
        NeuralClassifier(Needs).fit(*epochs)
    with pytest.raises(ValueError, match="module Small has no argument 'depth'"):
        NeuralClassifier(Small, module__depth=3).fit(*epochs)


def test_an_instance_is_copied(blobs):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = MLP(6, 3, (5,))
    before = [p.detach().clone() for p in module.parameters()]
    clf = NeuralClassifier(module, max_epochs=3).fit(*blobs)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters()))
    assert clf.net_.module_ is not module


def test_any_torch_loss_can_be_the_criterion(blobs):
    for criterion, extra in [
        (nn.CrossEntropyLoss, {"criterion__label_smoothing": 0.1}),
        (nn.CrossEntropyLoss(label_smoothing=0.1), {}),
        ("binary-cross-entropy", {}),
    ]:
        clf = MLPClassifier((16,), criterion=criterion, lr=0.1, random_state=0, **extra)
        assert clf.fit(*blobs).score(*blobs) > 0.85
        np.testing.assert_allclose(clf.predict_proba(blobs[0]).sum(1), 1, rtol=1e-6)


def test_class_and_instance_of_one_loss_train_alike(blobs):
    probabilities = [
        MLPClassifier((8,), criterion=c, max_epochs=5, batch_size=16, random_state=0)
        .fit(*blobs).predict_proba(blobs[0])
        for c in ("cross-entropy", nn.CrossEntropyLoss, nn.CrossEntropyLoss())
    ]
    np.testing.assert_allclose(probabilities[0], probabilities[1], rtol=1e-4)
    assert np.array_equal(probabilities[1], probabilities[2])


# -- reproducibility, units, traces ------------------------------------------------------


@pytest.mark.parametrize("cls", [MLPClassifier, NeuralClassifier])
def test_two_fits_with_one_seed_are_equal_to_the_bit(cls, blobs):
    settings = {"dropout": 0.3} if cls is MLPClassifier else {"module__dropout": 0.3}
    clf = cls(random_state=3, max_epochs=4, batch_size=32, **settings)
    first = clf.fit(*blobs).predict_proba(blobs[0])
    assert np.array_equal(first, clone(clf).fit(*blobs).predict_proba(blobs[0]))
    other = clone(clf).set_params(random_state=4).fit(*blobs).predict_proba(blobs[0])
    assert not np.array_equal(first, other)


def test_without_a_seed_fits_differ_and_the_global_seeds_stay(blobs):
    clf = MLPClassifier(max_epochs=2)
    a, b = (clf.fit(*blobs).predict_proba(blobs[0]) for _ in range(2))
    assert not np.array_equal(a, b)  # the autouse fixture watches the global states


def test_the_number_of_threads_does_not_matter_and_is_put_back(blobs):
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            clf = MLPClassifier(max_epochs=3, batch_size=32, random_state=0)
            results.append(clf.fit(*blobs).predict_proba(blobs[0]))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*results)


@pytest.mark.parametrize("sizes", [(10,), (50, 30, 10), (3,)])
def test_a_rows_prediction_does_not_depend_on_its_neighbours(sizes, blobs):
    X, y = blobs
    clf = MLPClassifier(sizes, max_epochs=5, random_state=0).fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    for dtype, tolerance in ((np.float64, 1e-14), (np.float32, 0)):
        rows = X.astype(dtype)
        together = clf.predict_proba(rows)
        assert together.dtype == dtype
        np.testing.assert_allclose(clf.predict_proba(rows[order]), together[order],
                                   rtol=0, atol=tolerance)
        alone = np.concatenate([clf.predict_proba(rows[i : i + 1]) for i in range(len(X))])
        np.testing.assert_allclose(alone, together, rtol=0, atol=tolerance)


class LooksAtItself(nn.Module):
    """Has a plain tensor, a buffer that is not saved, and a recurrent layer."""

    def __init__(self, n_outputs):
        super().__init__()
        self.rows = nn.GRU(4, 3, batch_first=True)
        self.out = nn.Linear(3, n_outputs)
        self.register_buffer("offset", torch.ones(3), persistent=False)

    def forward(self, X):
        return self.out(self.rows(X)[0][:, -1] + self.offset)


class InSingle(LooksAtItself):
    def forward(self, X):
        return super().forward(X.float())


@pytest.mark.parametrize(("module", "tolerance"), [(LooksAtItself, 1e-14), (InSingle, 1e-6)])
def test_any_module_predicts_in_the_rows_precision_where_it_can(module, tolerance, epochs):
    X, y = epochs
    X = X[..., :4]
    clf = NeuralClassifier(module, max_epochs=3, random_state=0).fit(X, y)
    together = clf.predict_proba(X)
    assert together.dtype == np.float64
    alone = np.concatenate([clf.predict_proba(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_allclose(alone, together, rtol=0, atol=tolerance)
    assert clf.predict_proba(X.astype(np.float32)).dtype == np.float32
    # Weights that have changed since, by whatever means, are seen.
    for value in clf.net_.module_.parameters():
        value.data *= 2
    changed = clf.predict_proba(X)
    assert np.abs(changed - together).max() > 1e-3
    np.testing.assert_allclose(pickle.loads(pickle.dumps(clf)).predict_proba(X), changed)
    assert next(clf.net_.module_.parameters()).dtype == torch.float32


def test_overlapping_windows_are_not_copied_all_at_once():
    recording = np.random.default_rng(0).standard_normal((4, 200_000))
    windows, _ = SlidingWindows(1.0, 1 / 32, sfreq=512).explode(recording)
    clf = NeuralClassifier(Small, max_epochs=1, random_state=0)
    clf.fit(np.asarray(windows[:20]), np.arange(20) % 2)
    tracemalloc.start()
    try:
        clf.predict(windows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * recording.nbytes + 20_000_000


@pytest.mark.parametrize("unit", [1e6, 1e-6])
def test_predictions_do_not_depend_on_the_unit(epochs, unit):
    X, y = epochs
    clf = NeuralClassifier(Small, lr=0.1, max_epochs=40, random_state=0)
    mine = clone(clf).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(mine, clf.fit(X * unit, y).predict_proba(X * unit), atol=1e-4)
    assert (mine.argmax(1) == (y == "right")).mean() > 0.9


def test_without_standardization_the_unit_matters(epochs):
    X, y = epochs
    clf = NeuralClassifier(Small, max_epochs=2, standardize=False, random_state=0).fit(X, y)
    assert not np.allclose(clf.predict_proba(X), clf.predict_proba(X * 1e6))


def test_constant_features_and_offsets_are_harmless(blobs):
    X, y = blobs
    clf = MLPClassifier((16,), lr=0.1, random_state=0)
    score = clf.fit(X, y).score(X, y)
    shifted = np.column_stack([X + 1e4, np.full(len(X), 0.1)])
    assert clf.fit(shifted, y).score(shifted, y) == pytest.approx(score, abs=0.05)
    assert np.isfinite(clf.predict_proba(shifted)).all()


def test_fits_in_threads_are_reproducible_and_leave_no_trace(blobs):
    """Nested parallel searches run as threads, and torch has one random state for all of them."""
    before = torch.get_rng_state()
    settings = [
        MLPClassifier((8,), dropout=0.2, batch_size=16, max_epochs=8, random_state=seed)
        for seed in range(6)
    ]
    alone = [clone(clf).fit(*blobs).predict_proba(blobs[0]) for clf in settings]
    together = joblib.Parallel(n_jobs=4, backend="threading")(
        joblib.delayed(lambda clf: clone(clf).fit(*blobs).predict_proba(blobs[0]))(clf)
        for clf in settings
    )
    assert all(np.array_equal(a, b) for a, b in zip(alone, together))
    assert torch.equal(torch.get_rng_state(), before)


def test_channels_and_rate_must_be_those_of_fit(epochs):
    X, y = epochs
    X = EEGArray(X, sfreq=100.0, ch_names=["C3", "Cz", "C4"])
    clf = NeuralClassifier(Small, max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="the channels of fit in another order"):
        clf.predict(X[:, ::-1])
    with pytest.raises(ValueError, match="other channels than fit"):
        clf.predict(EEGArray(X, sfreq=100.0, ch_names=["C3", "Cz", "Pz"]))
    with pytest.raises(ValueError, match="at 200 Hz, but NeuralClassifier was fitted at 100"):
        clf.predict(EEGArray(X, sfreq=200.0))
    clf.predict(np.asarray(X))


# -- labels, weights ---------------------------------------------------------------------


@pytest.mark.parametrize("labels", [[0, 1, 2], [2, 3, 7], [-1.0, 0.5, 3.0], ["a", "b", "c"],
                                    [True, False, True]])
def test_labels_of_any_kind(labels, blobs):
    X, y = blobs
    if len(set(labels)) < 3 or isinstance(labels[1], float):
        labels = labels if len(set(labels)) < 3 else [-1.0, 0.0, 3.0]
    y = np.array(labels)[np.unique(y, return_inverse=True)[1]]
    clf = MLPClassifier((8,), max_epochs=3, random_state=0).fit(X, y)
    assert np.array_equal(clf.classes_, np.unique(y))
    assert set(clf.predict(X)) <= set(y)
    assert clf.predict_proba(X).shape == (len(X), len(set(labels)))


def test_class_weight_balanced_helps_the_rare_class():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(190, 2)), rng.normal(1.2, 1, size=(10, 2))])
    y = np.repeat([0, 1], [190, 10])
    recall = {}
    for weight in (None, "balanced"):
        clf = MLPClassifier((8,), class_weight=weight, lr=0.05, random_state=0).fit(X, y)
        recall[weight] = (clf.predict(X)[190:] == 1).mean()
    assert recall["balanced"] > recall[None]


def test_sample_weight_travels_by_metadata_routing(blobs):
    X, y = blobs
    weight = np.random.default_rng(0).uniform(size=len(y))
    seen = []

    class Watching(MLPClassifier):
        def fit(self, X, y, sample_weight=None, groups=None):
            seen.append(None if sample_weight is None else len(sample_weight))
            return super().fit(X, y, sample_weight, groups)

    with sklearn.config_context(enable_metadata_routing=True):
        clf = Watching(max_epochs=1, random_state=0).set_fit_request(sample_weight=True)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        cross_val_score(make_pipeline(scaler, clf), X, y, cv=3,
                        params={"sample_weight": weight}, scoring=scorer)
    assert seen == [80, 80, 80]


def test_negative_or_misshapen_weights_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="Negative values"):
        MLPClassifier().fit(X, y, sample_weight=-np.ones(len(y)))
    with pytest.raises(ValueError, match="sample_weight.shape"):
        MLPClassifier().fit(X, y, sample_weight=np.ones(5))
    with pytest.raises(ValueError, match="at least one non-zero|zero for every row"):
        MLPClassifier().fit(X, y, sample_weight=np.zeros(len(y)))


# -- history, callbacks, divergence ------------------------------------------------------


def test_history_has_a_row_an_epoch(blobs):
    clf = MLPClassifier((8,), max_epochs=7, random_state=0).fit(*blobs)
    assert clf.n_iter_ == len(clf.history_) == 7
    assert {"epoch", "train_loss", "dur"} <= set(clf.history_.columns)
    assert clf.history_["train_loss"].iloc[-1] < clf.history_["train_loss"].iloc[0]


def test_recorded_loss_is_the_mean_whatever_the_optimizer_is_fed(blobs):
    first = [
        MLPClassifier((8,), optimizer=o, max_epochs=1, batch_size=-1, random_state=0)
        .fit(*blobs).history_["train_loss"][0]
        for o in ("hjb", "sgd")
    ]
    assert first[0] == pytest.approx(first[1], rel=1e-6)


def test_callbacks_hear_epochs_and_batches(blobs):
    class Listener(Callback):
        def initialize(self):
            self.heard_ = []
            return self

        def on_train_begin(self, net, **kwargs):
            self.heard_.append("train_begin")

        def on_epoch_end(self, net, **kwargs):
            self.heard_.append("epoch_end")

        def on_batch_end(self, net, training, **kwargs):
            self.heard_.append("batch_end")

        def on_grad_computed(self, net, named_parameters, **kwargs):
            assert all(p.grad is not None for _, p in named_parameters)
            self.heard_.append("grad")

    listener = Listener()
    clf = MLPClassifier(max_epochs=2, batch_size=60, callbacks=[listener]).fit(*blobs)
    heard = dict(clf.net_.callbacks_)["Listener"].heard_
    assert heard == ["train_begin", *(["grad", "batch_end"] * 2 + ["epoch_end"]) * 2]
    assert not hasattr(listener, "heard_")  # the estimator trains with a copy


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: LRScheduler("StepLR", step_size=2),
        lambda folder: LRScheduler("ReduceLROnPlateau", monitor="train_loss"),
        lambda folder: GradientNormClipping(0.1),
        lambda folder: Checkpoint(monitor=None, dirname=folder),
        lambda folder: EpochScoring("roc_auc_ovr", on_train=True),
        lambda folder: EarlyStopping(monitor="train_loss", patience=2),
    ],
    ids=["step", "plateau", "clip", "checkpoint", "auc", "stop"],
)
def test_skorch_callbacks_work(make, blobs, tmp_path):
    clf = MLPClassifier((8,), callbacks=[make(tmp_path)], max_epochs=4, random_state=0)
    assert clf.fit(*blobs).n_iter_ >= 2


def test_frozen_parameters_stay(blobs):
    clf = MLPClassifier((8,), callbacks=[Freezer("1.*")], max_epochs=2, random_state=0)
    first = clf.fit(*blobs).net_.module_[1].weight.detach().clone()
    clf.set_params(max_epochs=5).fit(*blobs)
    assert torch.equal(first, clf.net_.module_[1].weight)


def test_skorch_scores_both_sides(blobs):
    scores = [EpochScoring("accuracy", on_train=side, name=name, lower_is_better=False)
              for side, name in ((True, "train_acc"), (False, "valid_acc"))]
    clf = MLPClassifier((8,), early_stopping=True, callbacks=scores, lr=0.1, max_epochs=15,
                        random_state=0).fit(*blobs)
    assert clf.history_[["train_acc", "valid_acc"]].iloc[-1].between(0.5, 1).all()


def test_listening_to_batches_does_not_change_the_fit(blobs):
    class Batches(Callback):
        def on_batch_end(self, net, **kwargs):
            pass

    settings = {"max_epochs": 3, "batch_size": 32, "random_state": 0, "dropout": 0.2}
    quiet = MLPClassifier(**settings).fit(*blobs)
    loud = MLPClassifier(callbacks=[Batches()], **settings).fit(*blobs)
    np.testing.assert_allclose(
        quiet.predict_proba(blobs[0]), loud.predict_proba(blobs[0]), atol=1e-5
    )


@pytest.mark.parametrize("optimizer", ["sgd", "hjb"])
def test_divergence_warns_and_keeps_finite_weights(optimizer, blobs):
    X, y = blobs
    clf = MLPClassifier((16,), optimizer=optimizer, lr=1e30, max_epochs=50, random_state=0)
    with pytest.warns(ConvergenceWarning, match="diverged.*try a smaller lr"):
        clf.fit(X, y)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert all(torch.isfinite(p).all() for p in clf.net_.module_.parameters())
    assert clf.n_iter_ < 50


def test_verbose_prints_a_line_an_epoch(blobs, capsys):
    MLPClassifier(max_epochs=2, verbose=1).fit(*blobs)
    assert "train_loss" in capsys.readouterr().out


# -- partial_fit -------------------------------------------------------------------------


def test_partial_fit_learns_from_a_stream(blobs):
    X, y = blobs
    clf = MLPClassifier((16,), lr=0.1, random_state=0)
    clf.partial_fit(X[:20], y[:20], classes=np.unique(y))
    before = clf.score(X, y)
    for _ in range(30):
        for start in range(0, 120, 20):
            clf.partial_fit(X[start : start + 20], y[start : start + 20])
    assert clf.score(X, y) > max(before, 0.85)


def test_partial_fit_goes_on_from_fit(blobs):
    X, y = blobs
    clf = MLPClassifier((16,), max_epochs=3, random_state=0).fit(X, y)
    before = [p.detach().clone() for p in clf.net_.module_.parameters()]
    clf.partial_fit(X[:10], y[:10])
    assert clf.n_iter_ == 4
    after = [p.detach() for p in clf.net_.module_.parameters()]
    assert 0 < max((a - b).abs().max().item() for a, b in zip(before, after)) < 0.1


def test_partial_fit_takes_single_rows_and_a_new_step(blobs):
    X, y = blobs
    clf = MLPClassifier((8,), standardize=False, random_state=0)
    clf.partial_fit(X[:1], y[:1], classes=np.unique(y))
    before = [p.detach().clone() for p in clf.net_.module_.parameters()]
    clf.set_params(lr=0.0).partial_fit(X[1:2], y[1:2])
    assert all(torch.equal(a, b) for a, b in zip(before, clf.net_.module_.parameters()))


def test_numpy_scalars_are_sizes_too(blobs):
    clf = MLPClassifier(np.int64(5), dropout=np.float32(0.2), max_epochs=1).fit(*blobs)
    assert clf.net_.module_[1].out_features == 5


def test_partial_fit_takes_rows_in_order(blobs):
    X, y = blobs
    results = []
    for seed in (1, 2):
        clf = MLPClassifier((8,), batch_size=10, max_epochs=2, random_state=0).fit(X, y)
        clf.random_state = seed  # no shuffling: another seed changes nothing
        results.append(clf.partial_fit(X[:50], y[:50]).predict_proba(X))
    assert np.array_equal(*results)


def test_partial_fit_refuses_foreign_labels(blobs):
    X, y = blobs
    clf = MLPClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match=r"labels \['feet'\] that are not among the classes"):
        clf.partial_fit(X[:2], ["feet", "left"])
    with pytest.raises(ValueError, match="differ from those of the first call"):
        clf.partial_fit(X, y, classes=["left", "feet"])


# -- early stopping ----------------------------------------------------------------------


def test_early_stopping_stops_and_keeps_the_best_epoch():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 20)), np.tile([0, 1], 40)  # noise: it can only overfit
    clf = MLPClassifier((64,), optimizer="adam", early_stopping=True, n_iter_no_change=5,
                        random_state=0).fit(X, y)
    losses = clf.history_["valid_loss"]
    assert clf.n_iter_ < 100
    assert clf.n_iter_ == pytest.approx(losses.idxmin() + 1 + 5, abs=1)
    held = np.sort(np.concatenate([np.flatnonzero(y == c)[-8:] for c in (0, 1)]))
    p = clf.predict_proba(X[held])[np.arange(16), y[held]]
    assert -np.log(p).mean() == pytest.approx(losses.min(), rel=1e-3)


def test_partial_fit_after_early_stopping(blobs):
    clf = MLPClassifier((8,), early_stopping=True, max_epochs=5, random_state=0).fit(*blobs)
    clf.partial_fit(*blobs)
    assert np.isnan(clf.history_["valid_loss"].iloc[-1])


# -- input -------------------------------------------------------------------------------


def test_mne_epochs_go_straight_in(epochs):
    X, y = epochs
    info = mne.create_info(["C3", "Cz", "C4"], 100.0, "eeg")
    E = mne.EpochsArray(X, info, verbose=False)
    clf = NeuralClassifier(Small, max_epochs=5, random_state=0)
    assert np.array_equal(clone(clf).fit(E, y).predict(E), clone(clf).fit(X, y).predict(X))
    np.testing.assert_array_equal(
        cross_val_score(clf, E, y, cv=3), cross_val_score(clf, X, y, cv=3)
    )


def test_sfreq_reaches_a_module_that_asks(epochs):
    class Clocked(Small):
        def __init__(self, n_channels, n_times, n_outputs, sfreq):
            super().__init__(n_channels, n_times, n_outputs)
            self.sfreq = sfreq

    X, y = epochs
    clf = NeuralClassifier(Clocked, max_epochs=1).fit(EEGArray(X, sfreq=100.0), y)
    assert clf.net_.module_.sfreq == 100.0
    with pytest.raises(ValueError, match="needs sfreq; give module__sfreq"):
        NeuralClassifier(Clocked, max_epochs=1).fit(X, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(epochs, bad):
    X, y = epochs
    broken = X.copy()
    broken[3, 1, 7] = bad
    with pytest.raises(ValueError, match="NaN|infinity"):
        NeuralClassifier(Small).fit(broken, y)
    clf = NeuralClassifier(Small, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="NaN|infinity"):
        clf.predict(broken)


def test_a_constant_channel_is_named(epochs):
    X, y = epochs
    flat = EEGArray(X.copy(), ch_names=["C3", "Cz", "C4"])
    flat[:, 1] = 3e-6
    with pytest.raises(ValueError, match="Constant channel: channel 'Cz'"):
        NeuralClassifier(Small).fit(flat, y)


def test_one_class_one_row_wrong_shape(epochs):
    X, y = epochs
    with pytest.raises(ValueError, match=r"at least two classes, but y has one class only: \['l"):
        NeuralClassifier(Small).fit(X, np.repeat("left", len(X)))
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        NeuralClassifier(Small).fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="y has 59 labels, but X has 60 rows"):
        NeuralClassifier(Small).fit(X, y[:-1])
    clf = NeuralClassifier(Small, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="X has 2 channels .* was fitted with 3 channels"):
        clf.predict(X[:, :2])
    with pytest.raises(ValueError, match="X has 40 time samples a row, .* fitted with 50"):
        clf.predict(X[..., :40])
    with pytest.raises(ValueError, match="fitted on 3-D input"):
        clf.predict(X[:, 0])
    assert clf.predict(X[:1]).shape == (1,)


def test_pickling_a_fitted_estimator(epochs):
    X, y = epochs
    clf = MLPClassifier((8,), max_epochs=3, random_state=0).fit(X, y)
    other = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))
    other.partial_fit(X, y)


# -- regression --------------------------------------------------------------------------


def test_regressor_fits_and_keeps_the_targets_unit():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(300, 2))
    y = 1e3 + 50 * np.sin(2 * X[:, 0]) + 10 * X[:, 1]
    reg = MLPRegressor((30,), optimizer="hjb", lr=0.1, random_state=0).fit(X, y)
    assert reg.score(X, y) > 0.97
    both = reg.fit(X, np.column_stack([y, -y])).predict(X)
    assert both.shape == (300, 2)
    np.testing.assert_allclose(both[:, 0], -both[:, 1], atol=15)


def test_regressor_has_no_class_weight():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "class_weight" not in MLPRegressor().get_params()


@pytest.mark.parametrize("kind", ["m8[s]", "M8[ns]", complex])
def test_targets_of_a_regressor_are_real_numbers(kind):
    X = np.random.default_rng(0).normal(size=(12, 3))
    with pytest.raises((TypeError, ValueError), match="time spans|dates|Complex data not sup"):
        MLPRegressor((3,), max_epochs=1).fit(X, np.arange(12).astype(kind))
