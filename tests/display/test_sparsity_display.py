from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.display import SparsityDisplay
from skbci.estimators import MLPClassifier, SparseMultitaskClassifier

TASKS = ["imagery", "execution"]
LEVELS = [0.2, 0.4, 0.8]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def results():
    rng = np.random.default_rng(0)
    cells = [("dense", 0.0)] + [(m, s) for m in ("ticket", "SNIP") for s in LEVELS]
    return pd.DataFrame([
        {"method": m, "sparsity": s, "task": t, "subject": who, "seed": seed,
         "accuracy": 0.5 + who / 20 + rng.uniform(0, 0.1), "f1": rng.uniform(0.4, 0.9)}
        for t in TASKS for m, s in cells for who in range(6) for seed in range(2)
    ])


def history(n=8, columns=("train_mean", "valid_mean"), offset=0.0):
    return pd.DataFrame({c: np.linspace(0.7, 0.3, n) + offset for c in columns})


# ---- scores ------------------------------------------------------------------------------------


def test_curves_are_means_over_subjects(results):
    display = SparsityDisplay.from_results(results)
    assert display.axes_.shape == (2, 2)
    assert set(display.lines_) == {(m, t, who) for m in ("accuracy", "f1") for t in TASKS
                                   for who in ("dense", "ticket", "SNIP")}
    for (metric, task, method), line in display.lines_.items():
        part = results[(results["task"] == task) & (results["method"] == method)]
        expected = part.groupby("sparsity")[metric].mean()
        if method == "dense":
            np.testing.assert_allclose(line.get_ydata(), expected.iloc[0])
        else:
            np.testing.assert_allclose(line.get_ydata(), expected)
            np.testing.assert_allclose(line.get_xdata(), LEVELS, atol=0.03)
    words = [text.get_text() for text in display.axes_[0, -1].get_legend().get_texts()]
    assert words == ["dense", "ticket", "SNIP"]
    assert [ax.get_title() for ax in display.axes_[0]] == TASKS
    assert [ax.get_ylabel() for ax in display.axes_[:, 0]] == ["accuracy", "macro F1"]


def test_error_bars(results):
    def half_lengths(spread):
        display = SparsityDisplay.from_results(results, spread=spread)
        bars = display.axes_[0, 0].containers
        return None if not bars[0].has_yerr else [
            (b[1, 1] - b[0, 1]) / 2 for b in bars[0].lines[2][0].get_segments()]

    table = results[results["task"] == "imagery"].pivot_table(
        "accuracy", "subject", ["method", "sparsity"])
    np.testing.assert_allclose(half_lengths("sd"), table["ticket"].std())
    centered = table["ticket"].sub(table.mean(axis=1), axis=0)
    np.testing.assert_allclose(half_lengths("within"), centered.std() / np.sqrt(6))
    assert half_lengths(None) is None
    # A subject who is better with every method makes no difference to the bars within.
    better = results.assign(accuracy=results["accuracy"] + results["subject"])
    before = half_lengths("within")
    results["accuracy"] = better["accuracy"]
    np.testing.assert_allclose(half_lengths("within"), before)


def test_one_metric_one_subject_given_axes(results):
    few = results[results["subject"] == 0].drop(columns=["f1", "subject"])
    figure, axes = plt.subplots(1, 2)
    display = SparsityDisplay.from_results(few, axes=axes)
    assert display.figure_ is figure
    assert display.axes_.shape == (1, 2)
    single = SparsityDisplay.from_results(results, metrics=["f1"])
    assert {key[0] for key in single.lines_} == {"f1"}


@pytest.mark.parametrize("gone", ["rows", "values"])
@pytest.mark.parametrize("method", ["dense", "ticket"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("subjects", [True, False])
def test_a_method_without_scores_in_one_task_is_left_out_there(
    results, gone, method, task, subjects
):
    rows = (results["method"] == method) & (results["task"] == task)
    if gone == "rows":
        few, lost = results[~rows], {("accuracy", task, method), ("f1", task, method)}
    else:
        few, lost = results.copy(), {("f1", task, method)}
        few.loc[rows, "f1"] = np.nan
    if not subjects:
        few = few.drop(columns="subject")
    display = SparsityDisplay.from_results(few)
    every = {(m, t, who) for m in ("accuracy", "f1") for t in TASKS
             for who in ("dense", "ticket", "SNIP")}
    assert set(display.lines_) == every - lost
    words = [text.get_text() for text in display.axes_[0, -1].get_legend().get_texts()]
    assert words == list(dict.fromkeys(few["method"]))
    for key, line in SparsityDisplay.from_results(
            results if subjects else results.drop(columns="subject"), spread=None).lines_.items():
        if key not in lost:
            np.testing.assert_allclose(display.lines_[key].get_ydata(), line.get_ydata())


def test_a_metric_without_values_leaves_its_panels_empty(results):
    display = SparsityDisplay.from_results(results.assign(f1=np.nan))
    assert {key[0] for key in display.lines_} == {"accuracy"}
    assert display.axes_.shape == (2, 2)


# ---- density -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(24, 2, 64)), np.arange(24) % 2
    clf = SparseMultitaskClassifier(sparsity=0.5, max_epochs=1, random_state=0)
    return clf.fit(X, y, task=np.repeat(TASKS, 12))


def test_bars_are_densities(fitted):
    display = SparsityDisplay.from_estimator(fitted)
    table = fitted.density_
    assert list(display.bars_) == ["execution", "imagery", "network"]
    for column, bars in display.bars_.items():
        np.testing.assert_allclose([bar.get_width() for bar in bars],
                                   100 * table[column].fillna(0))
    (marks,) = display.axes_[0, 0].collections
    overlap = fitted.overlap_.iloc[:, 0].reindex(table.index)
    np.testing.assert_allclose(marks.get_offsets()[:, 0].filled(np.nan), 100 * overlap)
    names = [label.get_text() for label in display.axes_[0, 0].get_yticklabels()]
    assert names == [name.removesuffix(".weight") for name in table.index]


def test_one_task_pipelines_and_searches():
    X, y = load_iris(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), MLPClassifier((5,), sparsity=0.5, max_epochs=1))
    pipe.fit(X, y)

    class Search:
        best_estimator_ = pipe

    ax = plt.figure().add_subplot()
    display = SparsityDisplay.from_estimator(Search(), ax=ax)
    assert display.axes_[0, 0] is ax
    assert list(display.bars_) == ["density"]
    assert ax.get_legend() is None


# ---- convergence -------------------------------------------------------------------------------


def test_histories_are_averaged():
    runs = {"dense": {0: history()}, "ticket": {0.2: history()},
            "SNIP": {0.8: [history(), history(offset=0.2), history(5)]}}
    display = SparsityDisplay.from_histories(runs)
    assert display.axes_.shape == (1, 2)
    pairs = {(0.2, "dense"), (0.2, "ticket"), (0.8, "dense"), (0.8, "SNIP")}
    assert set(display.lines_) == {(*pair, f"{part}_mean") for pair in pairs
                                   for part in ("train", "valid")}
    alone = SparsityDisplay.from_histories({"dense": {0.0: history()}})
    assert alone.axes_[0, 0].get_title() == "0 % sparsity"
    line = display.lines_[0.8, "SNIP", "train_mean"]
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 9))
    np.testing.assert_allclose(line.get_ydata()[5:], history()["train_mean"][5:] + 0.1)
    assert line.get_linestyle() != display.lines_[0.8, "SNIP", "valid_mean"].get_linestyle()
    assert line.get_color() == display.lines_[0.8, "SNIP", "valid_mean"].get_color()
    only = SparsityDisplay.from_histories({"a": {0.5: history()}}, columns=["train_mean"])
    words = [text.get_text() for text in only.axes_[0, 0].get_legend().get_texts()]
    assert words == ["a"]


def test_estimators_are_histories(fitted):
    display = SparsityDisplay.from_histories({"ours": {0.5: fitted}}, columns=["train_imagery"])
    assert display.lines_[0.5, "ours", "train_imagery"].get_ydata() == fitted.history_[
        "train_imagery"].to_numpy()


def test_saved_pictures_hold_every_label(tmp_path, results, fitted):
    for display in (SparsityDisplay.from_results(results), SparsityDisplay.from_estimator(fitted),
                    SparsityDisplay.from_histories({"ours": {0.5: history()}})):
        display.figure_.savefig(tmp_path / "picture.png")
        inside = display.figure_.bbox
        texts = [*display.axes_[0, -1].get_legend().get_texts(),
                 *display.axes_[0, 0].get_yticklabels(), display.axes_[-1, 0].xaxis.label]
        for box in (text.get_window_extent() for text in texts):
            assert box.x0 >= inside.x0
            assert box.x1 <= inside.x1
        assert display.axes_[-1, 0].xaxis.label.get_window_extent().y0 >= inside.y0


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: SparsityDisplay.from_results(pd.DataFrame({"method": ["a"]})), ValueError,
     "no column 'sparsity'"),
    (lambda: SparsityDisplay.from_results(
        pd.DataFrame({"method": ["a"], "sparsity": [0.1], "task": ["t"], "accuracy": [1.0]}),
        spread="range"), ValueError, "spread='range' is not one of"),
    (lambda: SparsityDisplay.from_estimator(LogisticRegression()), TypeError,
     "LogisticRegression has no density_"),
    (lambda: SparsityDisplay.from_estimator(MLPClassifier()), TypeError, "no density_"),
    (lambda: SparsityDisplay.from_results(
        pd.DataFrame({"method": [], "sparsity": [], "task": [], "accuracy": []})), ValueError,
     "results has no rows"),
    (lambda: SparsityDisplay.from_results(
        pd.DataFrame({"method": ["a"], "sparsity": ["40 %"], "task": ["t"], "accuracy": [1.0]})),
     TypeError, "column 'sparsity' of results must hold numbers"),
    (lambda: SparsityDisplay.from_histories({"dense": history()}), TypeError,
     r"histories\['dense'\] is DataFrame; it must map each sparsity to a history"),
    (lambda: SparsityDisplay.from_histories({"ours": {"much": history()}}), TypeError,
     r"histories\['ours'\] has the key 'much', which is not a number"),
    (lambda: SparsityDisplay.from_histories({}), ValueError, "histories holds no history to draw"),
    (lambda: SparsityDisplay.from_histories({"a": {0.1: history()}}, columns=["valid_x"]),
     ValueError, "history of 'a' has no column 'valid_x'"),
    (lambda: SparsityDisplay.from_histories({"a": {0.1: history()}},
                                            axes=plt.subplots(1, 2)[1]), ValueError,
     "1 x 1 panels need 1 axes, but 2 are given"),
])
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
