"""Weights and groups given to ``fit`` are followed to where they count, in every network."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from skorch.callbacks import Callback

from skbci.estimators import (
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    NeuralClassifier,
    SparseMultitaskClassifier,
)
from skbci.model_selection import HeldOutSearch, StackedGridSearchCV

RANDOM = np.random.default_rng(0)
N = 48
EPOCHS = RANDOM.normal(size=(N, 3, 64))
FEATURES = RANDOM.normal(size=(N, 4))
LABELS = np.tile([0, 1], N // 2)
GROUPS = np.arange(N) // 2 % 4  # scattered: neither the first rows nor the last
WEIGHTS = RANDOM.uniform(0.5, 2.0, N)
TASK = np.repeat(["a", "b"], N // 2)


class BatchNotes(Callback):
    """Note the rows of each batch, by whether they are trained on; rows carry their number."""

    def initialize(self):
        self.seen_ = {True: set(), False: set()}
        return self

    def on_batch_begin(self, net, batch, training, **kwargs):
        rows = np.asarray(batch[0]).reshape(len(batch[0]), -1)
        self.seen_[training] |= set(rows[:, 0].round().astype(int).tolist())


def numbered(X):
    X = X.copy()
    X.reshape(len(X), -1)[:, 0] = np.arange(len(X))
    return X


NETWORKS = [
    (NeuralClassifier, EPOCHS, {}, {}),
    (MLPClassifier, FEATURES, {}, {}),
    (MLPRegressor, FEATURES, {}, {}),
    (MIN2NetClassifier, EPOCHS, {"subsampling": 16}, {}),
    (FBMSNetClassifier, EPOCHS[:, np.newaxis].repeat(4, axis=1), {"depth": 1}, {}),
    (SparseMultitaskClassifier, EPOCHS, {}, {"task": TASK}),
]
IDS = [case[0].__name__ for case in NETWORKS]


@pytest.mark.parametrize(("kind", "X", "settings", "told"), NETWORKS, ids=IDS)
def test_groups_decide_who_is_held_out(kind, X, settings, told):
    clf = kind(
        early_stopping=True, validation_fraction=0.25, standardize=False, max_epochs=2,
        callbacks=[("notes", BatchNotes())], random_state=0, **settings,
    ).fit(numbered(X), LABELS, groups=GROUPS, **told)
    seen = dict(clf.net_.callbacks_)["notes"].seen_
    train, valid = ({int(GROUPS[row]) for row in seen[side]} for side in (True, False))
    assert len(train) == 3
    assert len(valid) == 1
    assert not train & valid
    assert seen[True] | seen[False] == set(range(N))


@pytest.mark.parametrize(
    ("kind", "X", "settings", "told"), [case for case in NETWORKS if case[0] is not MLPRegressor],
    ids=[name for name in IDS if name != "MLPRegressor"],
)
def test_class_weights_and_row_weights_multiply(kind, X, settings, told):

    def probabilities(class_weight, sample_weight):
        clf = kind(class_weight=class_weight, max_epochs=2, random_state=0, **settings)
        clf.fit(X, LABELS, sample_weight=sample_weight, **told)
        return clf.predict_proba(X, **told)

    together = probabilities({0: 4.0, 1: 0.5}, WEIGHTS)
    product = WEIGHTS * np.where(LABELS == 0, 4.0, 0.5)
    np.testing.assert_array_equal(together, probabilities(None, product))
    assert not np.array_equal(together, probabilities(None, WEIGHTS))
    assert not np.array_equal(together, probabilities({0: 4.0, 1: 0.5}, None))


def test_masks_are_those_of_the_rows_that_count():
    """Each row comes twice, with both labels; one of them has next to no weight."""
    sparse = SparseMultitaskClassifier(sparsity=0.6, max_epochs=1, random_state=0)
    expected = sparse.fit(EPOCHS, LABELS, task=TASK).task_masks_
    twice = np.concatenate([EPOCHS, EPOCHS]), np.concatenate([LABELS, 1 - LABELS])
    weight = np.repeat([1.0, 1e-9], N)
    found = sparse.fit(*twice, task=np.tile(TASK, 2), sample_weight=weight).task_masks_
    assert {*found} == {"a", "b"}
    for task, masks in expected.items():
        for name, mask in masks.items():
            np.testing.assert_array_equal(found[task][name], mask, err_msg=f"{task} {name}")


CLASSIFIERS = [case for case in NETWORKS if case[0] is not MLPRegressor]


@pytest.mark.parametrize(
    ("kind", "X", "settings", "told"), CLASSIFIERS, ids=[case[0].__name__ for case in CLASSIFIERS]
)
def test_losses_of_held_out_rows_are_weighted_means(kind, X, settings, told):
    """As scikit-learn's log loss has it, in the only epoch there is."""
    clf = kind(
        early_stopping=True, validation_fraction=0.25, max_epochs=1, random_state=0,
        callbacks=[("notes", BatchNotes())], standardize=False, **settings,
    )
    X = numbered(X)
    clf.fit(X, LABELS, groups=GROUPS, sample_weight=WEIGHTS, **told)
    held = np.array(sorted(dict(clf.net_.callbacks_)["notes"].seen_[False]))
    history = clf.history_.iloc[-1]
    parts = {"loss": held}
    if told:
        parts = {name: held[TASK[held] == name] for name in ("a", "b")}
    elif "valid_logits" in history:
        parts = {"logits": held}
    for name, rows in parts.items():
        probabilities = clf.predict_proba(X[rows], **{key: v[rows] for key, v in told.items()})
        expected = log_loss(LABELS[rows], probabilities, sample_weight=WEIGHTS[rows])
        assert history[f"valid_{name}"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("batch_size", [8, 200])
def test_weights_stay_with_their_rows_in_shuffled_batches(batch_size):
    """Wrong labels of next to no weight do no harm, and wrong targets neither."""
    X = np.concatenate([FEATURES, FEATURES])
    right = FEATURES[:, 0] > 0
    y, weight = np.concatenate([right, ~right]), np.repeat([1.0, 1e-6], N)
    net = {"batch_size": batch_size, "optimizer": "adam", "lr": 0.05, "max_epochs": 60,
           "random_state": 0}
    clf = MLPClassifier((8,), **net).fit(X, y, sample_weight=weight)
    assert clf.score(FEATURES, right) > 0.95
    signed = np.where(y, 1.0, -1.0)
    reg = MLPRegressor((8,), **net).fit(X, signed, sample_weight=weight)
    assert np.mean((reg.predict(FEATURES) > 0) == right) > 0.95


def test_groups_and_weights_of_a_held_out_search():
    net = MLPClassifier(
        (4,), early_stopping=True, validation_fraction=0.25, standardize=False, max_epochs=2,
        callbacks=[("notes", BatchNotes())], random_state=0,
    )
    X = numbered(FEATURES)
    weight = WEIGHTS * (np.arange(N) % 7 > 0)
    search = HeldOutSearch(net, {"lr": [0.01, 0.1]})
    search.fit(X, LABELS, groups=GROUPS, sample_weight=weight)
    seen = dict(search.best_estimator_.net_.callbacks_)["notes"].seen_
    train, valid = ({int(GROUPS[row]) for row in seen[side]} for side in (True, False))
    assert not train & valid
    assert seen[True] | seen[False] == set(np.flatnonzero(weight).tolist())
    best = clone(net).set_params(**search.best_params_)
    best.fit(X, LABELS, groups=GROUPS, sample_weight=weight)
    np.testing.assert_array_equal(best.predict_proba(X), search.predict_proba(X))


def test_groups_of_a_stacked_search_decide_its_folds():
    net = MLPClassifier((4,), max_epochs=2, random_state=0)
    grid = {"lr": [0.01, 0.1]}
    stacked, plain = (
        search(net, grid, cv=LeaveOneGroupOut()).fit(
            FEATURES, LABELS, groups=GROUPS, sample_weight=WEIGHTS
        )
        for search in (StackedGridSearchCV, GridSearchCV)
    )
    for name in (*(f"split{k}_test_score" for k in range(4)), "mean_test_score"):
        np.testing.assert_array_equal(stacked.cv_results_[name], plain.cv_results_[name])
    assert stacked.n_splits_ == 4
    np.testing.assert_allclose(
        stacked.predict_proba(FEATURES), plain.predict_proba(FEATURES), rtol=1e-12
    )


@pytest.mark.parametrize(("kind", "X", "settings", "told"), NETWORKS, ids=IDS)
def test_held_out_rows_teach_nothing_not_even_their_scale(kind, X, settings, told):
    net = kind(early_stopping=True, validation_fraction=0.25, max_epochs=1, random_state=0,
               callbacks=[("notes", BatchNotes())], **settings)
    notes = clone(net).set_params(standardize=False).fit(
        numbered(X), LABELS, groups=GROUPS, **told
    )
    held = sorted(dict(notes.net_.callbacks_)["notes"].seen_[False])
    other = X.copy()
    other[held] *= 3
    first, second = (
        clone(net).fit(rows, LABELS, groups=GROUPS, **told).predict(X, **told)
        if kind is MLPRegressor
        else clone(net).fit(rows, LABELS, groups=GROUPS, **told).predict_proba(X, **told)
        for rows in (X, other)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", [MLPClassifier, NeuralClassifier, SparseMultitaskClassifier])
@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_batches_in_which_no_row_weighs_anything_change_nothing(kind):
    # Two rows a batch, most of them of the class that does not count.
    labels = np.repeat([0, 1, 2], [32, 8, 8])
    of_tasks = kind is SparseMultitaskClassifier
    told = {"task": np.tile(["a", "b"], N // 2)} if of_tasks else {}
    X = EPOCHS if of_tasks else FEATURES
    clf = kind(optimizer="adam", class_weight={0: 0.0}, batch_size=2, max_epochs=2, random_state=0)
    clf.fit(X, labels, **told)
    assert clf.n_iter_ == 2
    assert np.isfinite(clf.history_["train_loss"]).all()


def test_a_fit_on_the_cpu_seeds_no_accelerator(monkeypatch):
    seeds = []
    monkeypatch.setattr("torch.cuda.manual_seed_all", seeds.append)
    MIN2NetClassifier(
        subsampling=16, max_epochs=1, early_stopping=True, random_state=1
    ).fit(EPOCHS, LABELS)
    assert not seeds
