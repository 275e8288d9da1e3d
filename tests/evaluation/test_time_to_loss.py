from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.estimators import MLPClassifier
from skbci.evaluation import time_to_loss

LOSSES = st.lists(st.floats(0, 10), min_size=1, max_size=20)


@given(LOSSES, st.floats(0, 10))
@settings(deadline=None)
def test_the_first_epoch_at_or_below_the_loss(losses, loss):
    history = pd.DataFrame({"train_loss": losses, "dur": np.arange(1.0, len(losses) + 1)})
    found = time_to_loss(history, loss)
    if min(losses) > loss:
        assert np.isnan(found["epochs"])
        assert np.isnan(found["seconds"])
        return
    epoch = int(found["epochs"])
    assert losses[epoch - 1] <= loss
    assert all(value > loss for value in losses[: epoch - 1])
    assert found["seconds"] == pytest.approx(epoch * (epoch + 1) / 2)


@given(LOSSES)
@settings(deadline=None)
def test_its_own_lowest_loss_is_always_reached(losses):
    history = pd.DataFrame({"train_loss": losses})
    times = [time_to_loss(history, tolerance=t) for t in (0.0, 0.05, 0.5, 1.0)]
    assert times[0]["epochs"] == np.argmin(losses) + 1
    epochs = [found["epochs"] for found in times]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[-1] == 1
    assert all(np.isnan(found["seconds"]) for found in times)


def test_a_divergence_is_not_taken_for_a_low_loss():
    history = pd.DataFrame({"train_loss": [3.0, 1.0, np.nan], "dur": 1.0})
    assert time_to_loss(history)["epochs"] == 2
    assert np.isnan(time_to_loss(history, 0.5)["epochs"])


def test_histories_of_estimators():
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier((10,), max_epochs=15, early_stopping=True, random_state=0)
    pipe = make_pipeline(StandardScaler(), net).fit(X, y)
    history = pipe[-1].history_
    assert time_to_loss(pipe) == time_to_loss(pipe[-1]) == time_to_loss(history)
    assert time_to_loss(pipe, column="valid_loss", tolerance=0)["epochs"] == (
        history["valid_loss"].argmin() + 1
    )


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"history": [1, 2]}, TypeError, "list is not a history"),
    ({"history": pd.DataFrame()}, ValueError, "no epoch in it"),
    ({"column": "loss"}, ValueError, r"no column 'loss'; it has \['train_loss'\]"),
    ({"history": pd.DataFrame({"train_loss": [np.nan]})}, ValueError, "no finite 'train_loss'"),
    ({"tolerance": -1}, ValueError, "tolerance=-1 must be at least 0"),
    ({"loss": np.nan}, ValueError, "loss=nan must be a finite number"),
    ({"loss": "low"}, TypeError, "loss='low' must be a number"),
])
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        time_to_loss(**{"history": pd.DataFrame({"train_loss": [1.0]}), **arguments})
