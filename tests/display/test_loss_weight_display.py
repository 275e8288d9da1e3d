from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.display import LossWeightDisplay
from skbci.estimators import MIN2NetClassifier, MLPClassifier

HEADS = ("logits", "latent", "reconstruction")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def history(n_epochs=12, *, valid=True, gradients=True, heads=HEADS):
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(len(heads)), n_epochs) * len(heads)
    table = pd.DataFrame({"train_loss": rng.random(n_epochs), "dur": 0.1})
    for k, head in enumerate(heads):
        table["weight_" + head] = weights[:, k]
        table["train_" + head] = rng.random(n_epochs) * 10.0**-k
        if valid:
            table["valid_" + head] = rng.random(n_epochs) * 10.0**-k
        if gradients:
            table["gradient_norm_" + head] = rng.random(n_epochs)
    return table


class Fitted:
    """What a fitted network shows of itself."""

    def __init__(self, table):
        self.history_ = table


def test_curves_are_the_columns():
    table = history()
    display = LossWeightDisplay.from_history(table)
    assert display.heads_ == list(HEADS)
    assert list(display.axes_) == ["weights", "losses", "gradients"]
    wanted = {p + h for p in ("weight_", "train_", "valid_", "gradient_norm_") for h in HEADS}
    assert set(display.lines_) == wanted
    places = {"weight_": "weights", "train_": "losses", "valid_": "losses",
              "gradient_norm_": "gradients"}
    for column, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 13))
        np.testing.assert_array_equal(line.get_ydata(), table[column])
        (panel,) = (p for prefix, p in places.items() if column.startswith(prefix))
        assert line.axes is display.axes_[panel]


def test_a_head_has_one_colour_and_validation_other_dashes():
    lines = LossWeightDisplay.from_history(history()).lines_
    for head in HEADS:
        same = {lines[p + head].get_color() for p in ("weight_", "train_", "valid_",
                                                      "gradient_norm_")}
        assert len(same) == 1
        assert lines["train_" + head].get_linestyle() != lines["valid_" + head].get_linestyle()
    assert len({lines["weight_" + head].get_color() for head in HEADS}) == len(HEADS)


def test_only_what_is_known_is_drawn():
    assert list(LossWeightDisplay.from_history(history(gradients=False)).axes_) == ["weights",
                                                                                    "losses"]
    unseen = history().assign(gradient_norm_logits=np.nan, gradient_norm_latent=np.nan,
                              gradient_norm_reconstruction=np.nan)
    assert "gradients" not in LossWeightDisplay.from_history(unseen).axes_
    display = LossWeightDisplay.from_history(history(valid=False))
    assert not any(column.startswith("valid_") for column in display.lines_)
    words = [text.get_text() for text in display.axes_["gradients"].get_legend().get_texts()]
    assert words == list(HEADS)
    one = history()[["weight_logits", "weight_latent"]]
    assert list(LossWeightDisplay.from_history(one).axes_) == ["weights"]


def test_a_head_may_be_called_loss():
    """The weighted sum is no head, and a head of that name is still one."""
    table = history(heads=("a", "b"))
    assert "train_loss" not in LossWeightDisplay.from_history(table).lines_
    own = history(heads=("loss", "b"))
    display = LossWeightDisplay.from_history(own)
    np.testing.assert_array_equal(display.lines_["train_loss"].get_ydata(), own["train_loss"])


@pytest.mark.parametrize("largest", [2.8, 2.9])
def test_collapse_has_a_line_of_its_own(largest):
    table = history()
    table.loc[5, ["weight_logits", "weight_latent", "weight_reconstruction"]] = [
        3 - largest - 0.01, 0.01, largest]
    weights = table[["weight_" + head for head in HEADS]].to_numpy()
    display = LossWeightDisplay.from_history(table)
    levels = [line.get_ydata()[0] for line in display.axes_["weights"].lines
              if line.get_linestyle() == ":"]
    expected = [pytest.approx(0.95 * 3)] if weights.max() > 0.95 * 3 else []
    assert levels == expected
    assert bool(levels) == (largest > 2.85)


def test_logarithmic_axes_leave_gaps_where_a_loss_is_zero():
    table = history()
    table.loc[3, "train_latent"] = 0.0
    display = LossWeightDisplay.from_history(table)
    assert [ax.get_yscale() for ax in display.axes_.values()] == ["linear", "log", "log"]
    assert np.isnan(display.lines_["train_latent"].get_ydata()[3])
    plain = LossWeightDisplay.from_history(table, log=False)
    assert plain.axes_["losses"].get_yscale() == "linear"
    assert plain.lines_["train_latent"].get_ydata()[3] == 0
    nothing = table.assign(**{p + h: 0.0 for p in ("train_", "valid_") for h in HEADS})
    LossWeightDisplay.from_history(nothing).figure_.canvas.draw()


def test_panels_given_axes_and_one_epoch():
    figure, axes = plt.subplots(1, 3)
    display = LossWeightDisplay.from_history(history(), axes=axes,
                                             panels=["losses", "weights"])
    assert display.figure_ is figure
    assert display.axes_["losses"] is axes[0]
    assert display.axes_["weights"] is axes[1]
    assert not axes[2].has_data()
    single = LossWeightDisplay.from_history(history(1))
    assert single.lines_["weight_logits"].get_marker() == "o"


def test_estimators_pipelines_and_searches():
    table = history()
    pipe = make_pipeline(StandardScaler(), MLPClassifier())
    pipe.steps[-1] = ("net", Fitted(table))

    class Search:
        best_estimator_ = Fitted(table)

    for given in (Fitted(table), pipe, Search()):
        drawn = LossWeightDisplay.from_estimator(given).lines_
        np.testing.assert_array_equal(drawn["weight_latent"].get_ydata(), table["weight_latent"])


def test_a_network_of_three_heads():
    X = np.random.default_rng(0).normal(size=(24, 2, 64))
    clf = MIN2NetClassifier(loss_weighting="alphagrad", max_epochs=3, batch_size=8, random_state=0)
    clf.fit(X, np.tile(["left", "right"], 12))
    display = LossWeightDisplay.from_estimator(clf)
    assert display.heads_ == list(HEADS)
    assert list(display.axes_) == ["weights", "losses", "gradients"]
    for column, line in display.lines_.items():
        kept = clf.history_[column].to_numpy()
        positive = kept > (-np.inf if column.startswith("weight_") else 0)
        np.testing.assert_array_equal(line.get_ydata()[positive], kept[positive])
    total = sum(display.lines_["weight_" + head].get_ydata() for head in HEADS)
    np.testing.assert_allclose(total, 3)


def test_saved_picture_holds_every_label(tmp_path):
    table = history()
    table.loc[5, ["weight_logits", "weight_latent", "weight_reconstruction"]] = [2.98, 0.01, 0.01]
    for panels in (None, ["weights"]):
        display = LossWeightDisplay.from_history(table, panels=panels)
        display.figure_.savefig(tmp_path / "picture.png")
        inside = display.figure_.bbox
        drawn = list(display.axes_.values())
        texts = [*drawn[-1].get_legend().get_texts(), *drawn[0].texts]
        for ax in drawn:
            texts += [ax.title, ax.xaxis.label]
        for box in (text.get_window_extent() for text in texts):
            assert box.x0 >= inside.x0
            assert box.x1 <= inside.x1
            assert box.y1 <= inside.y1


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: LossWeightDisplay.from_history(pd.DataFrame({"train_loss": [1.0]})), ValueError,
     r"no column 'weight_<head>'; it has \['train_loss'\]"),
    (lambda: LossWeightDisplay.from_estimator(
        MLPClassifier((3,), max_epochs=1, random_state=0).fit(*load_iris(return_X_y=True))),
     ValueError, "Only networks with several losses"),
    (lambda: LossWeightDisplay.from_estimator(MLPClassifier()), TypeError, "is not a history"),
    (lambda: LossWeightDisplay.from_history(history(0)), ValueError, "no epoch"),
    (lambda: LossWeightDisplay.from_history(history(), panels=["slopes"]), ValueError,
     "'slopes' is unknown"),
    (lambda: LossWeightDisplay.from_history(history(), panels=[]), ValueError, "names no panel"),
    (lambda: LossWeightDisplay.from_history(history(gradients=False), panels="gradients"),
     ValueError, "no column 'gradient_norm_logits'"),
    (lambda: LossWeightDisplay.from_history(history(), axes=plt.subplots(1, 2)[1]), ValueError,
     "3 panels need 3 axes, but 2 are given"),
])
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
