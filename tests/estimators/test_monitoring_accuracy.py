"""Early stopping and the falling step size by accuracy, which is to be large."""

from __future__ import annotations

import numpy as np
import pytest
from torch.nn.utils import parameters_to_vector

from skbci.estimators import MIN2NetClassifier, MLPClassifier, NeuralClassifier
from skbci.model_selection import StackedGridSearchCV

rng = np.random.default_rng(3)
X = rng.normal(size=(120, 5))
Y = np.where(X[:, 0] + 1.5 * rng.normal(size=120) > 0, "a", "b")
SETTINGS = {
    "max_epochs": 25, "batch_size": 16, "random_state": 0, "early_stopping": True, "lr": 0.3,
    "n_iter_no_change": 6, "monitor": "valid_accuracy",
}


@pytest.mark.parametrize("kind", [MLPClassifier, NeuralClassifier])
def test_the_epoch_of_the_best_accuracy_is_kept(kind):
    clf = kind(**SETTINGS).fit(X, Y)
    column = clf.history_["valid_accuracy"].to_numpy()
    best = int(column.argmax())
    assert clf.n_iter_ == best + 1 + 6 < 25
    assert column.min() < column.max()
    # The same training, cut off after that epoch, ends with those weights.
    cut = kind(**{**SETTINGS, "max_epochs": best + 1, "n_iter_no_change": 25}).fit(X, Y)
    kept, last = (
        parameters_to_vector(one.net_.module_.parameters()).detach() for one in (clf, cut)
    )
    np.testing.assert_array_equal(kept, last)
    # A fifth of each class, the last of it, is held out.
    held = np.concatenate([rows[-round(0.2 * len(rows)) :] for rows in (
        np.flatnonzero(label == Y) for label in "ab")])
    assert clf.score(X[held], Y[held]) == pytest.approx(column[best])
    by_loss = kind(**{**SETTINGS, "monitor": None}).fit(X, Y)
    assert "valid_accuracy" not in by_loss.history_
    assert by_loss.history_["valid_loss"].argmin() != best


def test_the_step_size_falls_when_the_accuracy_has_not_risen():
    clf = NeuralClassifier(**{**SETTINGS, "n_iter_no_change": 25}, lr_patience=3).fit(X, Y)
    accuracy, lr, best, misses, expected = clf.history_["valid_accuracy"], 0.3, -1.0, 0, []
    for value in accuracy:
        expected.append(lr)
        misses = 0 if value > best + 1e-4 else misses + 1
        best = max(best, value)
        if misses == 3:
            lr, misses = max(lr / 2, 1e-4), 0
    np.testing.assert_allclose(clf.history_["lr"], expected)
    assert lr < 0.3


def test_networks_of_several_losses():
    epochs = np.random.default_rng(1).normal(size=(60, 3, 50))
    y = np.tile([0, 1], 30)
    clf = MIN2NetClassifier(max_epochs=3, early_stopping=True, monitor="valid_accuracy",
                            random_state=0).fit(epochs, y)
    assert clf.history_["valid_accuracy"].between(0, 1).all()


def test_a_search_that_stacks_fits_goes_the_ordinary_way():
    search = StackedGridSearchCV(MLPClassifier(**{**SETTINGS, "max_epochs": 2}), {
        "lr": [0.1, 0.3]}, cv=2).fit(X, Y)
    assert search.n_stacked_fits_ == 0


@pytest.mark.parametrize("column", ["valid_f1", "epoch", "dur", "batches"])
def test_a_column_that_is_none_or_says_nothing_is_named(column):
    with pytest.raises(ValueError, match=f"monitor='{column}' is not a column of the history"):
        MLPClassifier(**{**SETTINGS, "monitor": column}).fit(X, Y)
