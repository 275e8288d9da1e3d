from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.display import ConvergenceDisplay
from skbci.estimators import MLPClassifier
from skbci.evaluation import time_to_loss


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def history(losses, seconds=0.5):
    return pd.DataFrame({"train_loss": np.asarray(losses, float), "dur": seconds})


RUNS = {
    "hjb": [history([1, 0.4, 0.2]), history([1, 0.6, 0.1]), history([2, 0.5, 0.3])],
    "adam": history([1, 0.9, 0.8, 0.7], 0.1),
}


def test_curves_are_medians_and_bands_reach_from_lowest_to_highest():
    display = ConvergenceDisplay.from_histories(RUNS)
    hjb, adam = display.lines_
    np.testing.assert_allclose(hjb.get_ydata(), [1, 0.5, 0.2])
    np.testing.assert_allclose(hjb.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(adam.get_ydata(), [1, 0.9, 0.8, 0.7])
    (band,) = display.bands_
    edges = band.get_paths()[0].vertices
    assert edges[:, 1].min() == 0.1
    assert edges[:, 1].max() == 2
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["hjb", "adam"]
    assert display.ax_.get_yscale() == "log"


def test_curves_over_seconds_and_a_loss_to_reach():
    display = ConvergenceDisplay.from_histories(RUNS, x="seconds", loss=0.25, log=False)
    np.testing.assert_allclose(display.lines_[0].get_xdata(), [0.5, 1.0, 1.5])
    np.testing.assert_allclose(display.lines_[1].get_xdata(), [0.1, 0.2, 0.3, 0.4])
    assert [0.25, 0.25] in [list(line.get_ydata()) for line in display.ax_.lines]
    assert display.ax_.get_yscale() == "linear"
    assert "s" in display.ax_.get_xlabel()


def test_times_are_medians_in_which_a_failure_is_infinitely_long():
    table = ConvergenceDisplay.from_histories(RUNS).times_to_loss(0.2)
    assert table.loc["hjb", ["epochs", "seconds"]].tolist() == [3, 1.5]
    assert table.loc["hjb", "reached"] == pytest.approx(2 / 3)
    assert np.isnan(table.loc["adam", "seconds"])
    assert table.loc["adam", "reached"] == 0
    assert np.isnan(ConvergenceDisplay.from_histories(RUNS).times_to_loss(0.15).loc["hjb",
                                                                                   "epochs"])
    own = ConvergenceDisplay.from_histories({"adam": RUNS["adam"]}).times_to_loss()
    assert own.loc["adam", "epochs"] == time_to_loss(RUNS["adam"])["epochs"]


def test_bars_are_the_times():
    display = ConvergenceDisplay.from_histories(RUNS, kind="bar", loss=0.75, unit="epochs")
    heights = [bar.get_height() for bars in display.bars_ for bar in bars]
    assert heights == [2, 4]
    assert "epochs" in display.ax_.get_ylabel()
    assert not display.lines_


def test_bars_of_several_sets_with_one_that_never_converged():
    times = pd.DataFrame({"HJB": [0.3, 20.0], "EVDHJB": [4.0, np.nan]}, index=["BC", "ADU"])
    display = ConvergenceDisplay.from_times(times)
    for bars, name in zip(display.bars_, times):
        np.testing.assert_allclose([bar.get_height() for bar in bars], times[name])
    places = [[bar.get_x() + bar.get_width() / 2 for bar in bars] for bars in display.bars_]
    assert (np.diff(places, axis=0) > 0).all()  # side by side
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["BC", "ADU"]
    assert display.ax_.get_yscale() == "log"
    assert "never" in display.ax_.get_ylabel()
    crosses = [c for c in display.ax_.collections if len(c.get_offsets())]
    assert len(crosses) == 1
    assert crosses[0].get_offsets()[0][0] == pytest.approx(places[1][1])
    low, high = display.ax_.get_ylim()
    assert low < 0.3
    assert high > 20


def test_estimators_pipelines_and_given_axes():
    X, y = load_iris(return_X_y=True)
    net = MLPClassifier((5,), max_epochs=6, random_state=0).fit(X, y)
    pipe = make_pipeline(StandardScaler(), MLPClassifier((5,), max_epochs=4, random_state=0))
    figure, (left, right) = plt.subplots(1, 2)
    display = ConvergenceDisplay.from_estimators({"net": net, "pipe": pipe.fit(X, y)}, ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()
    assert [len(line.get_xdata()) for line in display.lines_] == [6, 4]
    np.testing.assert_allclose(display.lines_[0].get_ydata(), net.history_["train_loss"])


def test_many_curves_can_be_told_apart():
    display = ConvergenceDisplay.from_histories({str(k): history([2, 1]) for k in range(12)})
    looks = {(line.get_color(), str(line.get_linestyle()), line.get_dashes()
              if hasattr(line, "get_dashes") else "") for line in display.lines_}
    assert len(looks) == 12


def test_saved_picture_holds_every_label(tmp_path):
    times = pd.DataFrame(np.exp(np.random.default_rng(0).normal(0, 2, (9, 7))),
                         index=[f"set {k}" for k in range(9)],
                         columns=[f"optimizer {k}" for k in range(7)])
    for display in (ConvergenceDisplay.from_times(times), ConvergenceDisplay.from_histories(RUNS)):
        display.figure_.savefig(tmp_path / "picture.png")
        inside = display.figure_.bbox
        texts = [*display.ax_.get_legend().get_texts(), display.ax_.xaxis.label,
                 display.ax_.yaxis.label]
        if display.times is not None:
            texts += display.ax_.get_xticklabels()
        for box in (text.get_window_extent() for text in texts):
            assert box.x0 >= inside.x0
            assert box.x1 <= inside.x1


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ConvergenceDisplay.from_histories({}), "at least one named history"),
    (lambda: ConvergenceDisplay.from_estimators({}), r"estimators=\{\} must be a dict with at"),
    (lambda: ConvergenceDisplay.from_histories(RUNS, kind="pie"), "kind='pie' is not one of"),
    (lambda: ConvergenceDisplay.from_histories(RUNS, x="steps"), "x='steps' is not one of"),
    (lambda: ConvergenceDisplay.from_histories(RUNS, kind="bar", unit="days"), "unit='days'"),
    (lambda: ConvergenceDisplay.from_histories(RUNS, column="valid_loss"),
     "history of 'hjb' has no column 'valid_loss'"),
    (lambda: ConvergenceDisplay.from_histories(
        {"a": pd.DataFrame({"train_loss": [1.0]})}, x="seconds"), "'a' has no column 'dur'"),
    (lambda: ConvergenceDisplay(times=pd.DataFrame({"a": [1.0]})).plot(), "kind='bar'"),
    (lambda: ConvergenceDisplay.from_times(pd.DataFrame({"a": [np.nan]})), "times holds no pos"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
