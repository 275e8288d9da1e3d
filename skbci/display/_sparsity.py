"""What sparsity does to accuracy, to layers, and to training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skbci.display._style import GUIDE, clean, line_style
from skbci.evaluation._convergence import history_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SparsityDisplay"]

_WORDS = {"f1": "macro F1"}
_VALID = (0, (4, 2))
_SPREADS = ("within", "sd", None)
_TOTAL = "total"
_NETWORK_COLOUR = "0.62"


class SparsityDisplay:
    """Scores against sparsity, the density of layers, or convergence of sparse networks.

    Use :meth:`from_results`, :meth:`from_estimator` or :meth:`from_histories` to make one.

    Parameters
    ----------
    results : DataFrame, optional
        A row a subject (and seed), method, sparsity and task; see :meth:`from_results`.
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
        For results, a row a metric and a column a task; else one row.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of tuple to Line2D
        Curves: by (metric, task, method) of results, by (sparsity, method, column) of histories.
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
        histories: Mapping[str, Mapping[float, list[pd.DataFrame]]] | None = None,
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
        axes: Any = None,
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
            If a column is missing, or ``spread`` unknown.
        """
        results = pd.DataFrame(results)
        if metrics is None:
            metrics = [name for name in ("accuracy", "f1") if name in results] or ["accuracy"]
        for name in ("method", "sparsity", "task", *metrics):
            if name not in results:
                raise ValueError(
                    f"SparsityDisplay: results has no column {name!r}; it has "
                    f"{list(results.columns)}."
                )
        if spread not in _SPREADS:
            raise ValueError(f"spread={spread!r} is unknown; choose one of {_SPREADS}.")
        display = cls(results=results)
        display._plot_results(list(metrics), spread, axes)
        return display

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> SparsityDisplay:
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
                f"{type(found).__name__} has no density_: it is no fitted neural estimator."
            )
        display = cls(density=density, overlap=getattr(found, "overlap_", None))
        display._plot_density(ax)
        return display

    @classmethod
    def from_histories(
        cls,
        histories: Mapping[str, Mapping[float, Any]],
        *,
        columns: Sequence[str] = ("train_mean", "valid_mean"),
        axes: Any = None,
    ) -> SparsityDisplay:
        """Draw losses over epochs, a panel a sparsity.

        Parameters
        ----------
        histories : dict of dict of DataFrame or list of DataFrame
            By method, then by sparsity: a row an epoch, or several such runs, of which the mean is
            drawn. A method with sparsity 0 only is drawn in every panel, to compare with.
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
        """
        runs = {
            str(method): {
                float(sparsity): [history_table(run) for run in
                                  (given if isinstance(given, list) else [given])]
                for sparsity, given in by_sparsity.items()
            }
            for method, by_sparsity in histories.items()
        }
        if not any(runs.values()):
            raise ValueError("SparsityDisplay: there is no history to draw.")
        display = cls(histories=runs)
        display._plot_histories(list(columns), axes)
        return display

    # -- drawing --------------------------------------------------------------------------

    def _plot_results(self, metrics: list[str], spread: str | None, axes: Any) -> None:
        assert self.results is not None
        results = self.results
        tasks = list(dict.fromkeys(results["task"]))
        methods = list(dict.fromkeys(results["method"]))
        self.axes_ = _grid(axes, len(metrics), len(tasks), (3.9, 3.1), sharey="row")
        self.figure_ = self.axes_[0, 0].figure
        self.lines_: dict[tuple[Any, ...], Any] = {}
        most = results.groupby("method")["sparsity"].max()
        curves = [method for method in methods if most[method] > 0]
        for row, metric in zip(self.axes_, metrics):
            for ax, task in zip(row, tasks):
                part = results[results["task"] == task]
                for method in methods:
                    mean, error = _summary(part, method, metric, spread)
                    if method in curves:
                        line = self._curve(ax, mean, error, curves.index(method), len(curves))
                    else:
                        line = ax.axhline(mean.iloc[0], color=GUIDE, linestyle=":", linewidth=1.4,
                                          zorder=1)
                    line.set_label(method)
                    self.lines_[metric, task, method] = line
                ax.set_ylabel(_WORDS.get(metric, metric) if ax is row[0] else "")
                clean(ax)
        for ax, task in zip(self.axes_[0], tasks):
            ax.set_title(task, fontsize="medium")
        levels = sorted({float(s) for s in results["sparsity"]})
        for ax in self.axes_.flat:
            ax.set_xticks(levels, [f"{100 * level:g}" for level in levels])
        for ax in self.axes_[-1]:
            ax.set_xlabel("sparsity in %")
        _outside_legend(self.axes_[0, -1])

    @staticmethod
    def _curve(ax: Axes, mean: pd.Series, error: pd.Series | None, place: int, n: int) -> Any:
        shift = 0.012 * (place - (n - 1) / 2)  # side by side
        style = line_style(place)
        bars = ax.errorbar(
            mean.index.to_numpy(dtype=float) + shift, mean.to_numpy(dtype=float),
            yerr=None if error is None else error.to_numpy(dtype=float), marker="o",
            markersize=4.5, linewidth=1.5, elinewidth=1, capsize=0, **style,
        )
        return bars.lines[0]

    def _plot_density(self, ax: Axes | None) -> None:
        assert self.density is not None
        table = self.density
        n_layers, columns = len(table), list(table.columns)
        if ax is None:
            size = (5.6, 0.9 + 0.12 * n_layers * (1 + len(columns)))
            self.axes_ = _grid(None, 1, 1, size)
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
            _outside_legend(ax)

    def _plot_histories(self, columns: list[str], axes: Any) -> None:
        assert self.histories is not None
        styles = self._history_styles()
        levels = sorted({
            level for method, own in self.histories.items() for level in own
            if method not in self._dense()
        }) or [0.0]
        self.axes_ = _grid(axes, 1, len(levels), (3.1, 3.1), sharey=True)
        self.figure_ = self.axes_[0, 0].figure
        self.lines_ = {}
        for ax, level in zip(self.axes_[0], levels):
            for method, own in self.histories.items():
                runs = own.get(0.0 if method in self._dense() else level, [])
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
        self._history_legend(columns)

    def _dense(self) -> list[str]:
        """Methods that prune nothing, to compare the others with."""
        assert self.histories is not None
        return [method for method, own in self.histories.items() if set(own) == {0.0}]

    def _history_styles(self) -> dict[str, dict[str, Any]]:
        """Colours as in the pictures of scores."""
        assert self.histories is not None
        dense = self._dense()
        others = [method for method in self.histories if method not in dense]
        return {**{method: {"color": GUIDE, "linestyle": "-"} for method in dense},
                **{method: line_style(place) for place, method in enumerate(others)}}

    def _history_legend(self, columns: list[str]) -> None:
        from matplotlib.lines import Line2D

        assert self.histories is not None
        styles = self._history_styles()
        handles = [Line2D([], [], label=method, **styles[method]) for method in self.histories]
        if any(column.startswith("valid") for column in columns):
            handles += [Line2D([], [], color="black", linewidth=1, label="training"),
                        Line2D([], [], color="black", linewidth=1, linestyle=_VALID,
                               label="validation")]
        _outside_legend(self.axes_[0, -1], handles)


def _grid(axes: Any, n_rows: int, n_columns: int, size: tuple[float, float], **kw: Any) -> Any:
    """Give axes in a grid; new ones where there are none."""
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(
            n_rows, n_columns, figsize=(1.6 + size[0] * n_columns, size[1] * n_rows),
            layout="constrained", squeeze=False, **kw,
        )
    grid = np.asarray(axes, dtype=object)
    if grid.size != n_rows * n_columns:
        raise ValueError(
            f"axes: {n_rows} x {n_columns} panels need {n_rows * n_columns} axes, but {grid.size} "
            "are given."
        )
    return grid.reshape(n_rows, n_columns)


def _summary(
    part: pd.DataFrame, method: str, metric: str, spread: str | None
) -> tuple[Any, Any]:
    """Mean and error over subjects at each sparsity."""
    if "subject" not in part:
        return part[part["method"] == method].groupby("sparsity")[metric].mean(), None
    table = part.pivot_table(metric, "subject", ["method", "sparsity"], aggfunc="mean")
    own = table[method]
    if spread is None or len(table) < 2:
        return own.mean(), None
    if spread == "sd":
        return own.mean(), own.std()
    centered = own.sub(table.mean(axis=1), axis=0)
    return own.mean(), centered.std() / np.sqrt(centered.count())


def _mean_history(runs: list[pd.DataFrame], column: str, method: str) -> np.ndarray:
    if missing := [run for run in runs if column not in run]:
        raise ValueError(
            f"The history of {method!r} has no column {column!r}; it has "
            f"{list(missing[0].columns)}."
        )
    beside = pd.concat([run[column].reset_index(drop=True) for run in runs], axis=1)
    return beside.mean(axis=1).to_numpy()


def _outside_legend(ax: Axes, handles: Any = None) -> None:
    known = {} if handles is None else {"handles": handles}
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, borderaxespad=0,
              **known)
