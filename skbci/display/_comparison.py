"""The picture of a `Comparison`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import BaseEstimator

from skbci._checks import check_choice, check_flag, refusal
from skbci._typing import Labels, Signals
from skbci.display._style import check_axes
from skbci.evaluation import Comparison, compare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ComparisonDisplay"]

_POINT, _MEAN, _LINE = "#7A98B8", "#14213D", "0.45"
_BELOW = 0.3  # how far below its points a mean stands, in rows


class ComparisonDisplay:
    """Scores of several pipelines: one point per subject, the mean, the chance level.

    Use :meth:`from_comparison` or :meth:`from_estimators` to make one.

    Parameters
    ----------
    scores : DataFrame, shape (n_units, n_pipelines)
        A score for each subject (or fold) and pipeline.
    metric : str, default="score"
        Name of the score, for the axis.
    unit : str, default="subject"
        What a point is.
    chance : float, optional
        Where to draw the chance line.
    baseline : str, optional
        Pipeline that the differences are taken from in ``kind="difference"``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure of these axes.
    points_ : list of PathCollection
        The units' points, a collection for each pipeline from top to bottom.
    means_ : ErrorbarContainer
        Means; over subjects with their 95 % confidence intervals.
    line_ : Line2D or None
        The chance line, or the zero line of the differences.

    See Also
    --------
    skbci.evaluation.compare : Makes the comparison.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skbci.display import ComparisonDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = ComparisonDisplay.from_estimators(
    ...     {"3-NN": KNeighborsClassifier(3), "logistic": LogisticRegression(max_iter=500)}, X, y)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['logistic', '3-NN']
    """

    def __init__(
        self,
        *,
        scores: pd.DataFrame,
        metric: str = "score",
        unit: str = "subject",
        chance: float | None = None,
        baseline: str | None = None,
    ) -> None:
        self.scores = scores
        self.metric = metric
        self.unit = unit
        self.chance = chance
        self.baseline = baseline

    @classmethod
    def from_comparison(
        cls, result: Comparison, *, ax: Axes | None = None, kind: str = "strip", sort: bool = True
    ) -> ComparisonDisplay:
        """Draw a comparison.

        Parameters
        ----------
        result : Comparison
            What `compare` returned.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        kind : {"strip", "difference"}, default="strip"
            ``"strip"``: the scores. ``"difference"``: their paired differences from the
            baseline.
        sort : bool, default=True
            Whether the best mean comes first; else the order of the comparison is kept.

        Returns
        -------
        ComparisonDisplay
        """
        if not hasattr(result, "unit_scores"):
            because = "must be the Comparison that skbci.evaluation.compare gives"
            raise TypeError(refusal(result, "result", cls.__name__, because))
        display = cls(
            scores=result.unit_scores(), metric=result.metric, unit=result.unit,
            chance=result.chance, baseline=result.baseline,
        )
        return display.plot(ax=ax, kind=kind, sort=sort)

    @classmethod
    def from_estimators(
        cls,
        pipelines: Mapping[str, BaseEstimator],
        X: Signals,
        y: Labels,
        *,
        ax: Axes | None = None,
        kind: str = "strip",
        sort: bool = True,
        progress: bool = False,
        **compare_params: Any,
    ) -> ComparisonDisplay:
        """Compare pipelines and draw the result.

        Parameters
        ----------
        pipelines : dict of str to estimator
            Named pipelines.
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data.
        y : array-like, shape (n_rows,)
            The targets.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        kind : {"strip", "difference"}, default="strip"
            As in :meth:`from_comparison`.
        sort : bool, default=True
            As in :meth:`from_comparison`.
        progress : bool, default=False
            Whether `compare` shows its progress bar.
        **compare_params
            Passed to `compare`: ``cv``, ``groups``, ``scoring``, ``baseline`` ...

        Returns
        -------
        ComparisonDisplay
        """
        result = compare(pipelines, X, y, progress=progress, **compare_params)
        return cls.from_comparison(result, ax=ax, kind=kind, sort=sort)

    def plot(
        self, *, ax: Axes | None = None, kind: str = "strip", sort: bool = True
    ) -> ComparisonDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        kind : {"strip", "difference"}, default="strip"
            Scores, or paired differences from the baseline.
        sort : bool, default=True
            Whether the best mean comes first.

        Returns
        -------
        ComparisonDisplay
            This object, with the attributes that end in ``_``.

        Raises
        ------
        ValueError
            If ``kind`` is unknown, or differences are wanted without a baseline.
        """
        check_choice(kind, "kind", self, ("strip", "difference"))
        check_flag(sort, "sort", self)
        values, line = self._values(kind)
        if sort:
            values = values[values.mean().sort_values(ascending=False, kind="stable").index]
        self.ax_, self.figure_ = self._axes(ax, len(values.columns))
        self.line_ = None
        if line is not None and np.isfinite(line):
            self.line_ = self.ax_.axvline(line, color=_LINE, linestyle=(0, (4, 3)), linewidth=1,
                                          zorder=1)
        self._draw(values)
        self._label(values, kind, line)
        return self

    def _values(self, kind: str) -> tuple[pd.DataFrame, float | None]:
        if kind == "strip":
            return self.scores, self.chance
        if self.baseline is None:
            raise ValueError("kind='difference' needs a baseline: name one in compare(..., "
                             "baseline=...).")
        others = self.scores.columns.drop(self.baseline)
        if len(others) == 0:
            raise ValueError(f"kind='difference': there is no pipeline but the baseline "
                             f"{self.baseline!r}.")
        return self.scores[others].sub(self.scores[self.baseline], axis=0), 0.0

    @staticmethod
    def _axes(ax: Axes | None, n_lines: int) -> tuple[Axes, Figure]:
        check_axes(ax, "ax", "ComparisonDisplay")
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(6.4, 1.1 + 0.6 * n_lines), layout="constrained")
        return ax, ax.figure  # type: ignore[return-value]

    def _draw(self, values: pd.DataFrame) -> None:
        self.points_ = []
        for place, name in enumerate(values.columns):
            points = values[name].dropna().to_numpy()
            self.points_.append(
                self.ax_.scatter(points, place - 0.08 + _spread(points), s=20, color=_POINT,
                                 alpha=0.75, linewidths=0, zorder=2)
            )
        reach = [self._reach(values[name].dropna().to_numpy()) for name in values.columns]
        self.means_ = self.ax_.errorbar(
            values.mean().to_numpy(), np.arange(len(reach)) + _BELOW, xerr=reach, fmt="o",
            color=_MEAN, markersize=6.5, markeredgecolor="white", markeredgewidth=1,
            elinewidth=1.8, capsize=0, zorder=3,
        )

    def _reach(self, points: np.ndarray) -> float:
        """Half-width of the mean's 95 % confidence interval; folds are no independent sample."""
        if len(points) < 2 or self.unit == "fold":
            return 0.0
        return float(stats.sem(points) * stats.t.ppf(0.975, len(points) - 1))

    def _label(self, values: pd.DataFrame, kind: str, line: float | None) -> None:
        ax, means = self.ax_, values.mean()
        pattern = "{:+.3f}" if kind == "difference" else "{:.3f}"
        ax.set_yticks(np.arange(len(means)), list(means.index))
        ax.set_ylim(len(means) - 0.5, -0.5)
        for place, mean in enumerate(means):
            ax.annotate(pattern.format(mean), (1.015, place), xycoords=("axes fraction", "data"),
                        va="center", ha="left", color=_MEAN, annotation_clip=False)
        if self.line_ is not None and kind == "strip":
            ax.annotate(f"chance {line:.2f}", (line or 0.0, 1.0), xytext=(0, 3),
                        xycoords=("data", "axes fraction"), textcoords="offset points",
                        va="bottom", ha="center", color=_LINE, fontsize="small")
        metric = self.metric.replace("_", " ")
        if kind == "difference":
            metric = f"{metric} minus that of {self.baseline}"
        plural = "" if len(values) == 1 else "s"
        what = "mean" if self.unit == "fold" else "mean with 95 % CI"
        ax.set_xlabel(f"{metric}\n({len(values)} {self.unit}{plural}; {what})")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)


def _spread(points: np.ndarray, bins: int = 55, step: float = 0.12) -> np.ndarray:
    """Vertical offsets that keep neighbouring points apart; no random jitter."""
    offsets = np.zeros(len(points))
    if len(points) < 2:
        return offsets
    width = max(float(np.ptp(points)), 1e-9) / bins
    order = np.argsort(points, kind="stable")
    heaps = np.split(order, np.flatnonzero(np.diff(points[order]) > width) + 1)
    for heap in heaps:
        ranks = np.arange(len(heap))
        # Left to right the heap's points alternate around the line: 0, +1, -1, +2, -2 ...
        level = np.where(ranks % 2, (ranks + 1) // 2, -(ranks // 2)) - (len(heap) % 2 == 0) / 2
        offsets[heap] = level * min(step, 0.5 / len(heap))
    return offsets
