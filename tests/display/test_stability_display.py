from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci import EEGArray
from skbci.display import StabilityDisplay
from skbci.estimators import MLPClassifier, MLPRegressor
from skbci.model_selection import LeaveSubjectsOut

X, Y = make_classification(120, 5, random_state=0)
NET = MLPClassifier((8,), batch_size=16, random_state=0)
FOLD = np.repeat([-1, 0], [80, 40])  # one split: the first 80 rows train


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_losses_are_those_of_training_by_hand():
    display = StabilityDisplay.from_estimator(
        NET, X, Y, optimizers=["hjb", "sgd"], lrs=[0.1, 1.0], n_epochs=4,
        cv=PredefinedSplit(FOLD), random_state=3,
    )
    random = np.random.RandomState(3)
    net = MLPClassifier((8,), batch_size=16, random_state=0, optimizer="sgd", lr=1.0)
    expected = []
    for _ in range(4):
        rows = random.permutation(80)
        net.partial_fit(X[:80][rows], Y[:80][rows], classes=[0, 1])
        expected.append([log_loss(Y[part], net.predict_proba(X[part]))
                         for part in (slice(80), slice(80, None))])
    found = display.curves.query("optimizer == 'sgd' and lr == 1.0")
    np.testing.assert_allclose(found[["train_loss", "test_loss"]], expected, rtol=1e-6)
    assert found["epoch"].tolist() == [1, 2, 3, 4]


def test_every_curve_is_drawn_where_it_belongs():
    display = StabilityDisplay.from_estimator(NET, X, Y, optimizers=["hjb", "sgd"],
                                              lrs=[1.0, 0.1], n_epochs=3)
    assert display.axes_.shape == (2, 2)
    assert [ax.get_title() for ax in display.axes_[0]] == ["η = 0.1", "η = 1"]
    assert len(display.lines_) == 2 * 2 * 2
    for (name, lr, loss), line in display.lines_.items():
        mine = display.curves[(display.curves["optimizer"] == name) & (display.curves["lr"] == lr)]
        np.testing.assert_array_equal(line.get_ydata(), mine[loss])
        row, column = ["train_loss", "test_loss"].index(loss), [0.1, 1.0].index(lr)
        assert line in display.axes_[row, column].lines
    assert "log-loss" in display.axes_[0, 0].get_ylabel()
    assert "generalization" in display.axes_[1, 0].get_ylabel()


def test_the_estimator_is_left_alone_and_the_seed_decides():
    pipe = make_pipeline(StandardScaler(), NET)
    a, b = (StabilityDisplay.from_estimator(pipe, X, Y, optimizers=["hjb"], lrs=[0.1], n_epochs=3)
            for _ in range(2))
    pd.testing.assert_frame_equal(a.curves, b.curves)
    assert not hasattr(pipe[-1], "net_")
    assert not hasattr(pipe[0], "mean_")


def test_all_trainings_see_the_same_order_of_rows_whatever_seeds_it():
    seed = np.random.RandomState(3).randint(2**31 - 1)  # the one number that is drawn
    drawn, given = (
        StabilityDisplay.from_estimator(NET, X, Y, optimizers=["hjb", "sgd"], lrs=[0.1],
                                        n_epochs=2, random_state=one).curves
        for one in (np.random.RandomState(3), seed)
    )
    pd.testing.assert_frame_equal(drawn, given)


def test_data_frames_are_taken():
    shown = {"optimizers": ["hjb"], "lrs": [0.1], "n_epochs": 2}
    arrays = StabilityDisplay.from_estimator(NET, X, Y, **shown).curves
    frames = StabilityDisplay.from_estimator(NET, pd.DataFrame(X), pd.Series(Y), **shown).curves
    pd.testing.assert_frame_equal(arrays, frames)


def test_curves_are_means_over_splits():
    shown = {"optimizers": ["hjb"], "lrs": [0.1], "n_epochs": 3}
    splits = list(KFold(2).split(X))
    both = StabilityDisplay.from_estimator(NET, X, Y, cv=splits, **shown).curves
    each = [StabilityDisplay.from_estimator(NET, X, Y, cv=[split], **shown).curves
            for split in splits]
    np.testing.assert_allclose(both["test_loss"],
                               np.mean([one["test_loss"] for one in each], axis=0))


def test_groups_of_eeg_rows_and_real_targets():
    eeg = EEGArray(X, {"subject": np.arange(120) % 3})
    display = StabilityDisplay.from_estimator(NET, eeg, Y, optimizers=["hjb"], lrs=[0.1],
                                              n_epochs=2, cv=LeaveSubjectsOut(3))
    assert display.curves[["train_loss", "test_loss"]].notna().all().all()
    regression = StabilityDisplay.from_estimator(
        MLPRegressor((8,), random_state=0), X, X[:, 0], optimizers=["hjb"], lrs=[0.1], n_epochs=30)
    assert "squared error" in regression.axes_[0, 0].get_ylabel()
    assert regression.curves["test_loss"].iloc[-1] < np.var(X[:, 0])


def test_a_divergence_ends_the_curve_with_a_cross():
    curves = pd.DataFrame({
        "optimizer": "sgd", "lr": 1.0, "epoch": [1, 2, 3],
        "train_loss": [1.0, 5.0, np.nan], "test_loss": [1.0, 6.0, np.nan],
    })
    display = StabilityDisplay(curves=curves).plot()
    crosses = [line for line in display.axes_[0, 0].lines if line.get_marker() == "x"]
    (cross,) = crosses
    assert cross.get_xydata().tolist() == [[2.0, 5.0]]


def test_a_step_that_is_too_large_is_seen():
    display = StabilityDisplay.from_estimator(
        NET, X, Y, optimizers=["sgd"], lrs=[0.1, 1e30], n_epochs=6)
    wild = display.curves.query("lr == 1e30")["train_loss"]
    calm = display.curves.query("lr == 0.1")["train_loss"]
    assert wild.isna().any() or wild.iloc[-1] > 10 * calm.iloc[-1]
    assert calm.iloc[-1] < calm.iloc[0]


def test_histories_and_given_axes():
    nets = {("hjb", lr): MLPClassifier((8,), lr=lr, max_epochs=4, early_stopping=True,
                                       random_state=0).fit(X, Y).history_ for lr in (0.1, 1.0)}
    figure, axes = plt.subplots(2, 2)
    display = StabilityDisplay.from_histories(nets, axes=axes)
    assert display.figure_ is figure
    np.testing.assert_allclose(display.lines_["hjb", 1.0, "test_loss"].get_ydata(),
                               nets["hjb", 1.0]["valid_loss"])
    plain = nets["hjb", 0.1][["train_loss"]]
    assert StabilityDisplay.from_histories({("hjb", 0.1): plain}).curves["test_loss"].isna().all()


def test_saved_picture_holds_every_label(tmp_path):
    display = StabilityDisplay.from_estimator(NET, X, Y, optimizers=["hjb", "adagrad"], n_epochs=2)
    display.figure_.savefig(tmp_path / "picture.png")
    inside = display.figure_.bbox
    texts = [*display.axes_[0, -1].get_legend().get_texts(), display.axes_[0, 0].yaxis.label,
             display.axes_[1, 0].yaxis.label, display.axes_[1, 0].xaxis.label]
    for box in (text.get_window_extent() for text in texts):
        assert box.x0 >= inside.x0
        assert box.x1 <= inside.x1
        assert box.y0 >= inside.y0


@pytest.mark.parametrize(("call", "message"), [
    (lambda: StabilityDisplay.from_histories({}), "at least one history"),
    (lambda: StabilityDisplay.from_estimator(NET, X, Y, lrs=[]), "lrs must hold at least"),
    (lambda: StabilityDisplay.from_estimator(NET, X, Y, n_epochs=0), "n_epochs=0"),
    (lambda: StabilityDisplay.from_estimator(NET, X, Y, optimizers=["sdg"]), "'sdg' is unknown"),
    (lambda: StabilityDisplay(curves=pd.DataFrame({"lr": [1.0]})).plot(), "column 'optimizer'"),
    (lambda: StabilityDisplay.from_histories(
        {("a", 1): pd.DataFrame({"train_loss": [1.0]})}, axes=plt.subplots()[1]), "has shape"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
