from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from skbci.display import TrajectoryDisplay
from skbci.weighting import (
    POLICIES,
    TOY_STARTS,
    AlphaGrad,
    FixedWeights,
    LossCollapseWarning,
    Trajectory,
    toy_losses,
    trajectory,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_lines_are_the_trajectories():
    policies = {"even": FixedWeights(), "steep": AlphaGrad(lr=0.005)}
    display = TrajectoryDisplay.from_policies(policies, n_steps=300)
    assert [ax.get_title() for ax in display.axes_] == ["even", "steep"]
    assert set(display.lines_) == {(name, k) for name in policies for k in range(3)}
    for (name, place), line in display.lines_.items():
        way = trajectory(policies[name], TOY_STARTS[place], n_steps=300)
        np.testing.assert_array_equal(line.get_xydata(), way.points)
        np.testing.assert_array_equal(display.starts_[name, place].get_xydata(), way.points[:1])
        np.testing.assert_array_equal(display.ends_[name, place].get_xydata(), way.points[-1:])
        assert line.axes is display.axes_[list(policies).index(name)]
    colours = [display.lines_["even", k].get_color() for k in range(3)]
    assert len(set(colours)) == 3
    assert colours == [display.lines_["steep", k].get_color() for k in range(3)]


def test_policies_and_rates_make_a_difference():
    kinds = {"slow": AlphaGrad(lr=1e-3), "fast": AlphaGrad(lr=0.1), "name": "alphagrad"}
    ways = TrajectoryDisplay.from_policies(kinds, n_steps=400).trajectories
    slow, fast, name = (ways[key][0] for key in ("slow", "fast", "name"))
    assert np.abs(slow.points - fast.points).max() > 0.01
    assert not np.allclose(slow.weights, name.weights)  # the default is 0.01
    longer = TrajectoryDisplay.from_policies(["fixed"], n_steps=50, lr=0.1).trajectories
    np.testing.assert_allclose(longer["fixed"][0].points[1] - TOY_STARTS[0], [0.1, -0.1],
                               atol=1e-6)


def test_the_default_is_every_policy_but_torchjds():
    display = TrajectoryDisplay.from_policies(n_steps=2)
    kinds = {kind for kind, _ in POLICIES.values() if kind.__name__ != "GramianWeighting"}
    assert len(display.axes_) == len(kinds) + 2  # AlphaGrad is there with three constraints
    assert len({ax.get_title() for ax in display.axes_}) == len(display.axes_)


def test_policies_given_are_left_alone_and_collapse_is_not_announced():
    policy = AlphaGrad(lr=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossCollapseWarning)
        display = TrajectoryDisplay.from_policies({"a": policy}, n_steps=60)
    assert display.trajectories["a"][0].weights.max() > 1.9  # there was one
    assert not hasattr(policy, "weights_")


def test_the_star_is_the_lowest_point_and_starts_far_out_are_inside():
    far = [(-30.0, 4.0), (2.0, 25.0)]
    display = TrajectoryDisplay.from_policies(["fixed"], n_steps=20, starts=far)
    (ax,) = display.axes_
    (low_x, high_x), (low_y, high_y) = ax.get_xlim(), ax.get_ylim()
    assert low_x < -30
    assert high_y > 25
    (star,) = (line for line in ax.lines if line.get_marker() == "*")
    at = torch.from_numpy(star.get_xydata()[0])
    grid = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    grid = grid * torch.tensor([high_x - low_x, high_y - low_y]) + torch.tensor([low_x, low_y])
    assert toy_losses(at).mean() <= toy_losses(grid).mean(dim=-1).min() + 0.05


def test_long_ways_are_thinned_but_end_where_they_end():
    points = np.cumsum(np.random.default_rng(0).normal(size=(5001, 2)), axis=0) / 50
    way = Trajectory(points, points, np.ones_like(points))
    line = TrajectoryDisplay(trajectories={"walk": [way]}).plot().lines_["walk", 0]
    drawn = line.get_xydata()
    assert len(drawn) <= 1000
    np.testing.assert_array_equal(drawn[[0, -1]], points[[0, -1]])
    assert {tuple(p) for p in drawn} <= {tuple(p) for p in points}


def test_given_axes_and_redrawing():
    display = TrajectoryDisplay.from_policies(["fixed", "adamt"], n_steps=5)
    figure, axes = plt.subplots(2, 2)
    display.plot(axes=axes)
    assert display.figure_ is figure
    assert list(display.axes_) == list(axes.ravel()[:2])
    assert not axes[1, 0].has_data()
    assert display.plot(n_columns=1).figure_ is not figure
    bottoms = [ax.get_position().y0 for ax in display.axes_]
    assert bottoms[0] > bottoms[1]


def test_animation_grows_to_the_whole_ways(tmp_path):
    display = TrajectoryDisplay.from_policies(["fixed"], n_steps=40, starts=[(1, 1), (2, -2)])
    before = display.figure_
    path = tmp_path / "ways.gif"
    animation = display.animate(path, n_frames=5, dpi=30)
    with Image.open(path) as image:
        assert image.n_frames == 5
    assert display.figure_ is before
    (ax,) = animation._fig.axes
    lines = [line for line in ax.lines if len(line.get_xdata()) > 1]
    for line, way in zip(lines, display.trajectories["fixed"]):
        np.testing.assert_array_equal(line.get_xydata(), way.points)
    assert animation._fig._suptitle.get_text() == "step 40"
    animation._func(10)
    np.testing.assert_array_equal(lines[0].get_xydata(),
                                  display.trajectories["fixed"][0].points[:11])


def test_saved_picture_holds_every_label(tmp_path):
    for names in (["fixed"], ["fixed", "adamt", "dwa"], list(POLICIES)[:6]):
        display = TrajectoryDisplay.from_policies(names, n_steps=2)
        figure = display.figure_
        figure.savefig(tmp_path / "picture.png")
        texts = [*figure.legends[0].get_texts()]
        for ax in display.axes_:
            texts += [ax.title, ax.xaxis.label, ax.yaxis.label]
        for box in (text.get_window_extent() for text in texts if text.get_text()):
            assert box.x0 >= figure.bbox.x0
            assert box.x1 <= figure.bbox.x1
            assert box.y0 >= figure.bbox.y0
            assert box.y1 <= figure.bbox.y1


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: TrajectoryDisplay.from_policies({}), ValueError, "policies is empty"),
    (lambda: TrajectoryDisplay.from_policies(["alfagrad"]), ValueError, "'alfagrad' is unknown"),
    (lambda: TrajectoryDisplay.from_policies([FixedWeights()]), ValueError,
     "give a dict of names and policies"),
    (lambda: TrajectoryDisplay.from_policies({"a": 3}), TypeError, "loss_weighting=3"),
    (lambda: TrajectoryDisplay.from_policies(["fixed"], starts=[]), ValueError, "starts is empty"),
    (lambda: TrajectoryDisplay.from_policies(["fixed"], starts=[(1, 2, 3)]), ValueError,
     "two finite numbers"),
    (lambda: TrajectoryDisplay.from_policies(["fixed"], n_steps=0), ValueError, "n_steps=0"),
    (lambda: TrajectoryDisplay.from_policies(["fixed", "dwa"], n_steps=2,
                                             axes=plt.subplots()[1]),
     ValueError, "2 policies need 2 axes, but 1 are given"),
    (lambda: TrajectoryDisplay.from_policies(["fixed"], n_steps=2, n_columns=0), ValueError,
     "n_columns=0"),
    (lambda: TrajectoryDisplay.from_policies(["fixed"], n_steps=2).animate(n_frames=1),
     ValueError, "n_frames=1"),
    (lambda: TrajectoryDisplay(trajectories={}).plot(), ValueError, "at least one trajectory"),
])
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
