from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skbci import EEGArray
from skbci.display import ComparisonDisplay
from skbci.evaluation import compare
from skbci.model_selection import WithinSubject

Y = np.tile([0, 1], 40)
X = EEGArray(np.random.RandomState(0).standard_normal((80, 3)) + Y[:, None],
             {"subject": np.repeat(["a", "b", "c", "d"], 20)})
PIPELINES = {"1-NN": KNeighborsClassifier(1), "LR": LogisticRegression(),
             "9-NN": KNeighborsClassifier(9)}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    return compare(PIPELINES, X, Y, cv=WithinSubject(2), baseline="LR", progress=False)


def _names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_points_means_and_chance_are_where_the_numbers_are(result):
    display = ComparisonDisplay.from_comparison(result)
    best_first = result.summary["mean"].sort_values(ascending=False, kind="stable").index
    assert _names(display) == list(best_first)
    assert display.ax_.yaxis_inverted()
    for points, name in zip(display.points_, best_first):
        offsets = points.get_offsets()
        np.testing.assert_allclose(offsets[:, 0], result.subjects[name])
    np.testing.assert_allclose(display.means_[0].get_xdata(), result.summary["mean"][best_first])
    assert list(display.line_.get_xdata()) == [result.chance] * 2
    assert "chance 0.50" in [text.get_text() for text in display.ax_.texts]
    assert "4 subjects" in display.ax_.get_xlabel()


def test_intervals_are_those_of_the_t_distribution(result):
    display = ComparisonDisplay.from_comparison(result, sort=False)
    assert _names(display) == list(PIPELINES)
    scores = result.subjects["1-NN"]
    low, high = stats.t.interval(0.95, 3, scores.mean(), stats.sem(scores))
    drawn = display.means_[2][0].get_segments()[0]
    np.testing.assert_allclose(drawn[:, 0], [low, high])


def test_differences_are_paired_and_leave_the_baseline_out(result):
    display = ComparisonDisplay.from_comparison(result, kind="difference")
    assert set(_names(display)) == {"1-NN", "9-NN"}
    for points, name in zip(display.points_, _names(display)):
        expected = result.subjects[name] - result.subjects["LR"]
        np.testing.assert_allclose(points.get_offsets()[:, 0], expected)
    assert list(display.line_.get_xdata()) == [0, 0]
    assert "minus that of LR" in display.ax_.get_xlabel()


def test_given_axes_are_used_and_other_axes_left_alone(result):
    figure, (left, right) = plt.subplots(1, 2)
    display = ComparisonDisplay.from_comparison(result, ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()


def test_from_estimators_over_folds_draws_no_interval():
    display = ComparisonDisplay.from_estimators(PIPELINES, np.asarray(X), Y, cv=4)
    assert "(4 folds; mean)" in display.ax_.get_xlabel()
    for segment in display.means_[2][0].get_segments():
        assert np.ptp(segment[:, 0]) == 0


def test_no_two_points_lie_on_each_other():
    scores = pd.DataFrame({"a": np.repeat([0.5, 0.6, 0.9], 7), "b": np.linspace(0.4, 0.5, 21)})
    display = ComparisonDisplay(scores=scores).plot()
    for row, points in enumerate(display.points_):
        offsets = np.round(points.get_offsets(), 9)
        assert len(np.unique(offsets, axis=0)) == 21
        place = _names(display).index("ab"[row]) if row else 0
        assert (np.abs(offsets[:, 1] - place) < 0.5).all()


def test_redrawing_gives_the_same_picture_and_unknown_scores_are_left_out(result):
    one, other = (ComparisonDisplay.from_comparison(result) for _ in range(2))
    for a, b in zip(one.points_, other.points_):
        np.testing.assert_array_equal(a.get_offsets(), b.get_offsets())
    holes = pd.DataFrame({"a": [0.5, np.nan, 0.7]})
    display = ComparisonDisplay(scores=holes, chance=np.nan).plot()
    assert len(display.points_[0].get_offsets()) == 2
    assert display.line_ is None


def test_saved_picture_holds_every_label(result, tmp_path):
    display = ComparisonDisplay.from_comparison(result)
    display.figure_.savefig(tmp_path / "comparison.png")
    inside = display.figure_.bbox
    for text in [*display.ax_.get_yticklabels(), *display.ax_.texts, display.ax_.xaxis.label]:
        box = text.get_window_extent()
        assert box.x0 >= inside.x0
        assert box.x1 <= inside.x1
        assert box.y0 >= inside.y0
        assert box.y1 <= inside.y1


def test_importing_the_room_imports_no_pyplot():
    code = "import sys, skbci.display; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("kind", "baseline", "message"),
    [
        ("violin", "LR", "kind='violin' is not one of 'strip', 'difference'"),
        ("difference", None, "needs a baseline"),
        ("difference", "a", "no pipeline but the baseline 'a'"),
    ],
)
def test_bad_input_is_named(kind, baseline, message):
    scores = pd.DataFrame({"a": [0.5, 0.6]})
    with pytest.raises(ValueError, match=message):
        ComparisonDisplay(scores=scores, baseline=baseline).plot(kind=kind)
