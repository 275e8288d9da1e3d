"""Accuracy, layers and training of sparse networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skbci._checks import check_frame, check_mapping, check_names, is_number, refusal
from skbci._typing import AxesLike, Label
from skbci.display._panels import new_panels, outside_legend
from skbci.display._sparsity_scores import check_results, draw_scores
from skbci.display._style import GUIDE, check_axes, clean, line_style
from skbci.evaluation import history_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["SparsityDisplay"]

_VALID = (0, (4, 2))
_TOTAL = "total"
_NETWORK_COLOUR = "0.62"

# By method and sparsity, the histories of some runs.
Histories: TypeAlias = Mapping[str, Mapping[float, list[pd.DataFrame]]]


class SparsityDisplay:
    """Scores against sparsity, the density of layers, or convergence of sparse networks.

    Use :meth:`from_results`, :meth:`from_estimator` or :meth:`from_histories` to make one.

    Parameters
    ----------
    results : DataFrame, optional
        One row per subject (and seed), method, sparsity and task; see :meth:`from_results`.
    density : DataFrame, optional
        Share of the weights kept: parameters and "total" as index, tasks as columns; ``density_``
        of an estimator.
    overlap : DataFrame, optional
        What the masks of two tasks have in common: ``overlap_`` of an estimator.
    histories : dict of dict of list of DataFrame, optional
        By method and sparsity, the histories of some runs.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        For results, one row per metric and one column per task; else one row.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of tuple to Line2D
        Curves: by (metric, task, method) of results, for those of which there are values; by
        (sparsity, method, column) of histories.
    bars_ : dict of str to BarContainer
        Bars of the density, by the names of the columns.

    See Also
    --------
    ConvergenceDisplay : Convergence of networks that differ in their optimizer.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbci.display import SparsityDisplay
    >>> results = pd.DataFrame({
    ...     "method": ["dense", "SNIP", "SNIP"], "sparsity": [0.0, 0.4, 0.8],
    ...     "task": "imagery", "accuracy": [0.6, 0.62, 0.57]})
    >>> display = SparsityDisplay.from_results(results)
    >>> display.lines_["accuracy", "imagery", "SNIP"].get_ydata().tolist()
    [0.62, 0.57]
    """

    def __init__(
        self,
        *,
        results: pd.DataFrame | None = None,
        density: pd.DataFrame | None = None,
        overlap: pd.DataFrame | None = None,
        histories: Histories | None = None,
    ) -> None:
        self.results = results
        self.density = density
        self.overlap = overlap
        self.histories = histories

    # -- making ---------------------------------------------------------------------------

    @classmethod
    def from_results(
        cls,
        results: pd.DataFrame,
        *,
        metrics: Sequence[str] | None = None,
        spread: str | None = "within",
        axes: AxesLike = None,
    ) -> SparsityDisplay:
        """Draw scores of several methods against sparsity, a panel a metric and task.

        Parameters
        ----------
        results : DataFrame
            Columns ``method``, ``sparsity`` (0 to 1), ``task`` and the metrics; ``subject`` where
            there are several. A method with sparsity 0 only is drawn as a line to compare with.
        metrics : sequence of str, optional
            Columns to draw. None: those of "accuracy" and "f1" that there are.
        spread : {"within", "sd", None}, default="within"
            Error bars: the standard error over subjects after each subject's own mean is taken
            off, as methods are compared within subjects; the standard deviation over subjects; or
            none.
        axes : array of matplotlib Axes, shape (n_metrics, n_tasks), optional
            None: a new figure.

        Returns
        -------
        SparsityDisplay

        Raises
        ------
        ValueError
            If a column is missing, there are no rows, or ``spread`` is unknown.
        TypeError
            If the column ``sparsity`` holds no numbers.
        """
        results = check_frame(results, "results", cls.__name__)
        if metrics is None:
            metrics = [name for name in ("accuracy", "f1") if name in results] or ["accuracy"]
        metrics = check_names(metrics, "metrics", cls.__name__, also="None")
        if not metrics:
            raise ValueError(refusal(metrics, "metrics", cls.__name__, "must name a column"))
        check_results(results, metrics, spread)
        display = cls(results=results)
        display.axes_, display.lines_ = draw_scores(results, list(metrics), spread, axes)
        display.figure_ = display.axes_[0, 0].figure
        return display

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, ax: Axes | None = None
    ) -> SparsityDisplay:
        """Draw which share of its weights each layer of a fitted network keeps.

        Parameters
        ----------
        estimator : estimator
            A fitted neural estimator, a pipeline that ends with one, or a search over them.
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        SparsityDisplay

        Raises
        ------
        TypeError
            If it has no ``density_``.
        """
        found = getattr(estimator, "best_estimator_", estimator)
        if isinstance(found, Pipeline):
            found = found[-1]
        density = getattr(found, "density_", None)
        if density is None:
            raise TypeError(
                f"{type(found).__name__} has no density_: it is not a fitted neural estimator."
            )
        display = cls(density=density, overlap=getattr(found, "overlap_", None))
        display._plot_density(density, ax)
        return display

    @classmethod
    def from_histories(
        cls,
        histories: Mapping[str, Mapping[float, Any]],
        *,
        columns: Sequence[str] = ("train_mean", "valid_mean"),
        axes: AxesLike = None,
    ) -> SparsityDisplay:
        """Draw losses over epochs, a panel a sparsity.

        Parameters
        ----------
        histories : dict of dict of DataFrame or list of DataFrame
            By method, then by sparsity: one row per epoch, or several such runs, of which the
            mean is drawn. A method with sparsity 0 only is drawn in every panel, to compare with.
        columns : sequence of str, default=("train_mean", "valid_mean")
            What is drawn, validation losses with dashes.
        axes : sequence of matplotlib Axes, optional
            One for each sparsity. None: a new figure.

        Returns
        -------
        SparsityDisplay

        Raises
        ------
        ValueError
            If there is no history, or a column is missing.
        TypeError
            If histories are not given by method and sparsity.
        """
        histories = check_mapping(histories, "histories", cls.__name__)
        columns = check_names(columns, "columns", cls.__name__)
        runs = {
            str(method): {
                float(sparsity): [history_table(run) for run in
                                  (given if isinstance(given, list) else [given])]
                for sparsity, given in _by_sparsity(method, own).items()
            }
            for method, own in histories.items()
        }
        if not any(runs.values()):
            raise ValueError("SparsityDisplay: histories holds no history to draw.")
        display = cls(histories=runs)
        display._plot_histories(runs, list(columns), axes)
        return display

    # -- drawing --------------------------------------------------------------------------

    def _plot_density(self, table: pd.DataFrame, ax: Axes | None) -> None:
        n_layers, columns = len(table), list(table.columns)
        if check_axes(ax, "ax", self) is None:
            size = (5.6, 0.9 + 0.12 * n_layers * (1 + len(columns)))
            self.axes_ = new_panels(None, 1, 1, size)
        else:
            self.axes_ = np.array([[ax]])
        ax = self.axes_[0, 0]
        self.figure_ = ax.figure
        self.bars_: dict[str, Any] = {}
        height = 0.8 / len(columns)
        for place, column in enumerate(columns):
            own = len(columns) > 1 and place == len(columns) - 1
            colour = _NETWORK_COLOUR if own or len(columns) == 1 else line_style(place)["color"]
            at = np.arange(n_layers) + (place - (len(columns) - 1) / 2) * height
            self.bars_[str(column)] = ax.barh(
                at, 100 * table[column].fillna(0), 0.92 * height, color=colour, label=str(column)
            )
        if self.overlap is not None and self.overlap.shape[1] == 1:
            both = 100 * self.overlap.iloc[:, 0].reindex(table.index)
            ax.scatter(both, np.arange(n_layers), marker="D", s=22, facecolor="white",
                       edgecolor="0.15", zorder=3, label="overlap of the tasks")
        names = [str(name).removesuffix(".weight") for name in table.index]
        ax.set_yticks(np.arange(n_layers), names)
        ax.set_ylim(n_layers - 0.4, -0.6)
        ax.set_xlim(0, 100)
        ax.set_xlabel("weights kept in %")
        if names[-1] == _TOTAL:
            ax.axhline(n_layers - 1.5, color="0.8", linewidth=0.8)
        clean(ax, "x")
        ax.tick_params(axis="y", length=0)
        if len(columns) > 1:
            outside_legend(ax)

    def _plot_histories(
        self, histories: Histories, columns: list[str], axes: AxesLike
    ) -> None:
        styles, dense = _history_styles(histories), _dense(histories)
        levels = sorted({
            level for method, own in histories.items() for level in own if method not in dense
        }) or [0.0]
        self.axes_ = new_panels(axes, 1, len(levels), (3.1, 3.1), sharey=True)
        self.figure_ = self.axes_[0, 0].figure
        self.lines_: dict[tuple[Label, ...], Line2D] = {}
        for ax, level in zip(self.axes_[0], levels):
            for method, own in histories.items():
                runs = own.get(0.0 if method in dense else level, [])
                for column in columns if runs else ():
                    mean = _mean_history(runs, column, method)
                    style = dict(styles[method])
                    if column.startswith("valid"):
                        style["linestyle"] = _VALID
                    (self.lines_[level, method, column],) = ax.plot(
                        np.arange(1, len(mean) + 1), mean, linewidth=1.5, **style
                    )
            ax.set_title(f"{100 * level:g} % sparsity", fontsize="medium")
            ax.set_xlabel("epoch")
            ax.locator_params(axis="x", integer=True)
            clean(ax)
        self.axes_[0, 0].set_ylabel("loss")
        outside_legend(self.axes_[0, -1], _history_handles(styles, columns))


def _dense(histories: Histories) -> list[str]:
    """Methods that prune nothing, to compare the others with."""
    return [method for method, own in histories.items() if set(own) == {0.0}]


def _history_styles(histories: Histories) -> dict[str, dict[str, Any]]:
    """Colours as in the pictures of scores."""
    dense = _dense(histories)
    others = [method for method in histories if method not in dense]
    return {**{method: {"color": GUIDE, "linestyle": "-"} for method in dense},
            **{method: line_style(place) for place, method in enumerate(others)}}


def _history_handles(styles: dict[str, dict[str, Any]], columns: list[str]) -> list[Any]:
    """Entries of the legend."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=method, **style) for method, style in styles.items()]
    if any(column.startswith("valid") for column in columns):
        handles += [Line2D([], [], color="black", linewidth=1, label="training"),
                    Line2D([], [], color="black", linewidth=1, linestyle=_VALID,
                           label="validation")]
    return handles


def _by_sparsity(method: str, own: object) -> Mapping[float, Any]:
    name = f"SparsityDisplay: histories[{method!r}]"
    if not isinstance(own, Mapping):
        raise TypeError(
            f"{name} is {type(own).__name__}; it must map each sparsity to a history or a list of "
            "them, such as {0.4: clf.history_}."
        )
    if odd := [key for key in own if not is_number(key)]:
        raise TypeError(f"{name} has the key {odd[0]!r}, which is not a number; sparsities are.")
    return own


def _mean_history(runs: list[pd.DataFrame], column: str, method: str) -> np.ndarray:
    if missing := [run for run in runs if column not in run]:
        raise ValueError(
            f"columns: the history of {method!r} has no column {column!r}; it has "
            f"{list(missing[0].columns)}."
        )
    beside = pd.concat([run[column].reset_index(drop=True) for run in runs], axis=1)
    return beside.mean(axis=1).to_numpy()
