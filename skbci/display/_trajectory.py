"""Paths of optimization over the surface of two losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from skbci._checks import check_array, check_count, check_list, shown
from skbci._docs import fill_references
from skbci._process.quiet import without_warnings
from skbci._typing import AxesLike, PathLike
from skbci.display._style import GUIDE, check_axes, line_style
from skbci.weighting import (
    TOY_STARTS,
    AdaMT,
    AlphaGrad,
    DynamicWeightAverage,
    FixedWeights,
    GradApprox,
    GradNorm,
    LossCollapseWarning,
    Trajectory,
    UncertaintyWeighting,
    resolve_policy,
    toy_losses,
    trajectory,
)

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["TrajectoryDisplay"]

_REACH = 11.0  # of the axes, at least
_GRID = 220
_LEVELS = 19
_DRAWN = 1000  # points of a line; more cannot be seen
_DOT: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 5.5}
_STAR: dict[str, Any] = {"marker": "*", "color": "#E9A23B", "markersize": 15,
                         "markeredgecolor": "white", "markeredgewidth": 0.8}


@fill_references
class TrajectoryDisplay:
    """Trajectories over a surface of two losses, a panel for each weighting policy.

    Use :meth:`from_policies` to make one.

    Parameters
    ----------
    trajectories : dict of str to sequence of Trajectory
        For each policy its ways, one from each start.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_policies,)
        The panels.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of (str, int) to Line2D
        The ways, by policy and number of the start.
    starts_, ends_ : dict of (str, int) to Line2D
        Their first and last points.

    See Also
    --------
    skbci.weighting.trajectory : Computes one way.
    skbci.weighting.toy_losses : The surface.
    LossWeightDisplay : Weights and losses of a network.

    Notes
    -----
    The contours are those of the mean of the two losses. Above, each loss has a narrow valley of
    its own; below is the bowl that both share, whose bottom has a star. A way that ends in a
    valley, between the losses' interests, is stuck.

    References
    ----------
    .. [1] %(alphagrad_paper)s

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skbci.display import TrajectoryDisplay
    >>> display = TrajectoryDisplay.from_policies(["fixed", "adamt"], n_steps=500)
    >>> [ax.get_title() for ax in display.axes_]
    ['fixed', 'adamt']
    """

    def __init__(self, *, trajectories: Mapping[str, Sequence[Trajectory]]) -> None:
        self.trajectories = trajectories

    @classmethod
    def from_policies(
        cls,
        policies: Any = None,
        *,
        n_steps: int = 20_000,
        lr: float = 1e-3,
        starts: Sequence[Sequence[float]] = TOY_STARTS,
        axes: AxesLike = None,
        **plot_params: Any,
    ) -> TrajectoryDisplay:
        """Follow every policy from every start, and draw the paths.

        Parameters
        ----------
        policies : dict of str to policy, or sequence of str, optional
            What `skbci.weighting.resolve_policy` takes: names, classes or instances. None: all
            policies of skbci but TorchJD's, `AlphaGrad` with the published picture's step
            size of 1e-3.
        n_steps : int, default=20000
            Steps of Adam, as in the published picture; a policy takes two to three seconds.
        lr : float, default=1e-3
            Learning rate of Adam.
        starts : sequence of pairs of float, default=`skbci.weighting.TOY_STARTS`
            Where the ways begin.
        axes : array of matplotlib Axes, optional
            As in :meth:`plot`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        TrajectoryDisplay

        Raises
        ------
        ValueError
            If there is no policy or no start, or one of them is unknown or not finite.

        Notes
        -----
        That weights collapse is what the picture is there to show: `LossCollapseWarning` is not
        given.
        """
        starts = check_list(starts, "starts", cls.__name__, "pairs of numbers")
        check_axes(axes, "axes", cls.__name__)
        named = _named(_default_policies() if policies is None else policies)
        if not len(starts):
            raise ValueError("TrajectoryDisplay: starts is empty; give at least one point.")
        starts = [check_array(one, "starts", cls.__name__, 1, "pairs of numbers").tolist()
                  for one in starts]
        with without_warnings(LossCollapseWarning):
            ways = {
                name: [trajectory(resolve_policy(policy), start, n_steps, lr) for start in starts]
                for name, policy in named.items()
            }
        return cls(trajectories=ways).plot(axes=axes, **plot_params)

    def plot(self, *, axes: AxesLike = None, n_columns: int = 4) -> TrajectoryDisplay:
        """Draw the picture.

        Parameters
        ----------
        axes : array of matplotlib Axes, optional
            One for each policy. None: a new figure.
        n_columns : int, default=4
            Most panels side by side in a new figure.

        Returns
        -------
        TrajectoryDisplay
            This object, with the attributes that end in ``_``.

        Raises
        ------
        ValueError
            If there is nothing to draw, or there are too few ``axes``.
        """
        names = list(self.trajectories)
        if not names or not all(len(ways) for ways in self.trajectories.values()):
            raise ValueError("TrajectoryDisplay: give at least one trajectory for each policy.")
        check_count(n_columns, "n_columns", "TrajectoryDisplay")
        self.axes_, self.figure_ = _panels(axes, len(names), n_columns)
        surface = _surface(self.trajectories)
        self.lines_: dict[tuple[str, int], Line2D] = {}
        self.starts_: dict[tuple[str, int], Line2D] = {}
        self.ends_: dict[tuple[str, int], Line2D] = {}
        for name, ax in zip(names, self.axes_):
            _contours(ax, *surface)
            ax.set_title(name, fontsize="medium")
            for place, way in enumerate(self.trajectories[name]):
                self._way(ax, (name, place), way)
        if axes is None:
            self._legend()
        return self

    def animate(
        self, path: PathLike | None = None, *, n_frames: int = 60, fps: int = 15, dpi: int = 80
    ) -> FuncAnimation:
        """Animate the paths in a new figure.

        Parameters
        ----------
        path : str or Path, optional
            Where to save the animation; a ``.gif`` needs nothing but Pillow, other kinds need what
            matplotlib needs for them. None: it is not saved.
        n_frames : int, default=60
            Pictures, evenly spaced in steps; the last one shows the whole ways.
        fps : int, default=15
            Pictures a second.
        dpi : int, default=80
            Dots an inch of the saved pictures.

        Returns
        -------
        matplotlib.animation.FuncAnimation
            Keep a reference to it as long as it is to play.
        """
        from matplotlib.animation import FuncAnimation

        for name, value in (("n_frames", n_frames), ("fps", fps), ("dpi", dpi)):
            check_count(value, name, "TrajectoryDisplay", low=2 if name == "n_frames" else 1)
        picture = type(self)(trajectories=self.trajectories).plot()
        ways = {key: self.trajectories[key[0]][key[1]].points for key in picture.lines_}
        last = max(len(points) for points in ways.values()) - 1
        title = picture.figure_.suptitle("step 0", fontsize="medium")
        picture.figure_.draw_without_rendering()
        picture.figure_.set_layout_engine("none")  # laid out once, not for every picture

        def draw(step: int) -> list[Artist]:
            for key, points in ways.items():
                seen = points[: step + 1]
                picture.lines_[key].set_data(*_thinned(seen).T)
                picture.ends_[key].set_data(*seen[-1:].T)
            title.set_text(f"step {step:,}")
            return [*picture.lines_.values(), *picture.ends_.values(), title]

        steps = np.linspace(0, last, n_frames).round().astype(int).tolist()
        animation = FuncAnimation(picture.figure_, draw, frames=steps, interval=1000 / fps)
        if path is not None:
            writer = "pillow" if Path(path).suffix.lower() == ".gif" else None
            animation.save(str(path), writer=writer, fps=fps, dpi=dpi)
        return animation

    def _way(self, ax: Axes, key: tuple[str, int], way: Trajectory) -> None:
        style = line_style(key[1])
        (self.lines_[key],) = ax.plot(*_thinned(way.points).T, linewidth=1.5, zorder=3, **style)
        colour = style["color"]
        (self.starts_[key],) = ax.plot(*way.points[:1].T, **_DOT, color=colour, zorder=4,
                                       markerfacecolor="white", markeredgewidth=1.4)
        (self.ends_[key],) = ax.plot(*way.points[-1:].T, **_DOT, color=colour, zorder=5,
                                     markeredgecolor="white", markeredgewidth=0.7)

    def _legend(self) -> None:
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], **_DOT, color=GUIDE, markerfacecolor="white", label="start"),
            Line2D([], [], **_DOT, color=GUIDE, label="end"),
            Line2D([], [], linestyle="", **_STAR, label="lowest mean loss"),
        ]
        self.figure_.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)


def _default_policies() -> dict[str, Any]:
    """Return a fresh instance of each policy."""
    return {
        "fixed": FixedWeights(),
        "AlphaGrad": AlphaGrad(lr=1e-3),
        "AlphaGrad, led": AlphaGrad(lr=1e-3, constraint="lead"),
        "AlphaGrad, projected": AlphaGrad(lr=1e-3, constraint="project"),
        "AdaMT": AdaMT(),
        "GradApprox": GradApprox(),
        "uncertainty": UncertaintyWeighting(),
        "dynamic weight average": DynamicWeightAverage(),
        "GradNorm": GradNorm(),
    }


def _named(policies: Any) -> dict[str, Any]:
    if isinstance(policies, str):
        policies = [policies]
    if not isinstance(policies, Mapping):
        policies = check_list(policies, "policies", "TrajectoryDisplay", "names", also="a dict")
        if other := [policy for policy in policies if not isinstance(policy, str)]:
            raise ValueError(f"policies: a sequence holds names, but {shown(other[0])} is not a "
                             "name; give a dict of names and policies.")
        policies = {name: name for name in policies}
    if not policies:
        raise ValueError("policies is empty; give at least one.")
    return {str(name): policy for name, policy in policies.items()}


def _panels(axes: AxesLike, n: int, n_columns: int) -> tuple[np.ndarray, Figure]:
    if check_axes(axes, "axes", "TrajectoryDisplay") is None:
        import matplotlib.pyplot as plt

        width = min(n, n_columns)
        height = -(-n // width)
        room = 0.8 + 0.4 * (n % width > 0)  # labels between the rows
        figure, axes = plt.subplots(
            height, width, figsize=(max(4.0, 0.6 + 2.3 * width), room + 2.5 * height),
            sharex=True, sharey=True, squeeze=False, layout="compressed",
        )
        for ax in axes.ravel()[n:]:
            ax.set_axis_off()
        for number, ax in enumerate(axes.ravel()[:n]):
            if number + width >= n:  # nothing below
                ax.set_xlabel("$x_1$")
                ax.xaxis.set_tick_params(labelbottom=True)
            if number % width == 0:
                ax.set_ylabel("$x_2$")
        return axes.ravel()[:n], figure
    drawn = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(drawn) < n:
        raise ValueError(f"axes: {n} policies need {n} axes, but {len(drawn)} are given.")
    return drawn[:n], drawn[0].figure


def _surface(
    trajectories: Mapping[str, Sequence[Trajectory]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both axes and the mean loss over them, wide enough for all paths."""
    points = np.concatenate([way.points for ways in trajectories.values() for way in ways])
    grid = [
        np.linspace(min(-_REACH, low - 1), max(_REACH, high + 1), _GRID)
        for low, high in zip(points.min(axis=0), points.max(axis=0))
    ]
    at = np.stack(np.meshgrid(*grid), axis=-1)
    return grid[0], grid[1], toy_losses(torch.from_numpy(at)).mean(dim=-1).numpy()


def _contours(ax: Axes, x1: np.ndarray, x2: np.ndarray, height: np.ndarray) -> None:
    import matplotlib.pyplot as plt

    # The valleys are shallow beside the bowl: as many levels for the upper half as for the lower.
    levels = np.unique(np.quantile(height, np.linspace(0, 1, _LEVELS)))
    shades = plt.get_cmap("Blues_r")(np.linspace(0.35, 1.0, len(levels) - 1))
    ax.contourf(x1, x2, height, levels, colors=shades, zorder=0)
    row, column = np.unravel_index(height.argmin(), height.shape)
    ax.plot(x1[column], x2[row], linestyle="", zorder=2, **_STAR)
    ax.set_aspect("equal")


def _thinned(points: np.ndarray) -> np.ndarray:
    """Leave out points that lie too close to be told apart; keep the last one."""
    keep = np.unique(np.linspace(0, len(points) - 1, min(len(points), _DRAWN)).round().astype(int))
    return points[keep]
