"""Curves of the loss over epochs and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbci._checks import check_choice, check_frame, check_mapping, refusal
from skbci.display._style import GUIDE, clean, line_style, log_ticks, new_axes
from skbci.evaluation import history_table, time_to_loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import FillBetweenPolyCollection
    from matplotlib.container import BarContainer
    from matplotlib.lines import Line2D

__all__ = ["ConvergenceDisplay"]

_AXES = {"epoch": "epoch", "seconds": "training time in s"}


class ConvergenceDisplay:
    """Loss over epochs or seconds, and the time to a loss as bars.

    Use :meth:`from_estimators`, :meth:`from_histories` or :meth:`from_times` to make one.

    Parameters
    ----------
    histories : dict of str to list of DataFrame, optional
        For each optimizer (or whatever is compared) the histories of its runs: one row per epoch,
        with the columns of ``history_`` of a neural estimator.
    times : DataFrame, shape (n_sets, n_optimizers), optional
        Seconds or epochs to converge; NaN where a run never did.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : list of Line2D
        Curves, one for each optimizer: the median of its runs.
    bands_ : list of PolyCollection
        From the lowest to the highest of the runs, where there are several.
    bars_ : list of BarContainer
        Bars, one container for each optimizer.

    See Also
    --------
    StabilityDisplay : The loss for several learning rates.
    skbci.evaluation.time_to_loss : Epochs and seconds to a loss.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from skbci.display import ConvergenceDisplay
    >>> from skbci.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> nets = {name: MLPClassifier((10,), optimizer=name, max_epochs=20, random_state=0).fit(X, y)
    ...         for name in ("hjb", "sgd")}
    >>> display = ConvergenceDisplay.from_estimators(nets)
    >>> [line.get_label() for line in display.lines_]
    ['hjb', 'sgd']
    """

    def __init__(
        self,
        *,
        histories: Mapping[str, list[pd.DataFrame]] | None = None,
        times: pd.DataFrame | None = None,
    ) -> None:
        self.histories = histories
        self.times = times

    @classmethod
    def from_estimators(
        cls, estimators: Mapping[str, BaseEstimator], *, ax: Axes | None = None, **plot_params: Any
    ) -> ConvergenceDisplay:
        """Draw how fitted networks were trained.

        Parameters
        ----------
        estimators : dict of str to estimator or list of estimators
            Fitted neural estimators, pipelines that end with one, or searches over them; several
            under one name are runs of the same.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ConvergenceDisplay
        """
        if not check_mapping(estimators, "estimators", cls.__name__):
            raise ValueError(refusal(estimators, "estimators", cls.__name__,
                                     "must be a dict with at least one named estimator"))
        return cls.from_histories(estimators, ax=ax, **plot_params)

    @classmethod
    def from_histories(
        cls, histories: Mapping[str, Any], *, ax: Axes | None = None, **plot_params: Any
    ) -> ConvergenceDisplay:
        """Draw histories.

        Parameters
        ----------
        histories : dict of str to DataFrame or list of DataFrame
            One row per epoch; several under one name are runs of the same.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ConvergenceDisplay
        """
        if not isinstance(histories, Mapping) or not histories:
            raise ValueError(
                "ConvergenceDisplay: histories must be a dict with at least one named history."
            )
        runs = {
            str(name): [
                history_table(run) for run in (given if isinstance(given, list) else [given])
            ]
            for name, given in histories.items()
        }
        return cls(histories=runs).plot(ax=ax, **plot_params)

    @classmethod
    def from_times(
        cls, times: pd.DataFrame, *, ax: Axes | None = None, unit: str = "seconds"
    ) -> ConvergenceDisplay:
        """Draw times to converge on several data sets as bars on a logarithmic axis.

        Parameters
        ----------
        times : DataFrame, shape (n_sets, n_optimizers)
            Data sets as index, optimizers as columns; NaN where a run never converged.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        unit : {"seconds", "epochs"}, default="seconds"
            What the numbers are.

        Returns
        -------
        ConvergenceDisplay
        """
        times = check_frame(times, "times", cls.__name__)
        return cls(times=times).plot(ax=ax, kind="bar", unit=unit)

    def times_to_loss(
        self, loss: float | None = None, *, column: str = "train_loss", tolerance: float = 0.05
    ) -> pd.DataFrame:
        """Epochs and seconds to a loss, medians over the runs.

        Parameters
        ----------
        loss : float, optional
            The loss to reach; None: close to each run's own lowest (`time_to_loss`).
        column : str, default="train_loss"
            Which loss.
        tolerance : float, default=0.05
            As in `time_to_loss`.

        Returns
        -------
        DataFrame
            Index: optimizers; columns ``epochs``, ``seconds``, ``loss``, ``reached`` (share of
            the runs that got there; the medians count the others as infinitely long, and NaN
            stands for infinite ones).
        """
        lines = {}
        for name, runs in self._runs().items():
            found = pd.DataFrame(
                [time_to_loss(run, loss, column=column, tolerance=tolerance) for run in runs]
            )
            medians = found.assign(
                epochs=found["epochs"].fillna(np.inf), seconds=found["seconds"].fillna(np.inf)
            ).median()
            lines[name] = {**medians.replace(np.inf, np.nan), "reached": found["epochs"].notna()
                           .mean()}
        return pd.DataFrame.from_dict(lines, orient="index")

    def plot(
        self,
        *,
        ax: Axes | None = None,
        kind: str = "curve",
        x: str = "epoch",
        column: str = "train_loss",
        loss: float | None = None,
        unit: str = "seconds",
        log: bool = True,
    ) -> ConvergenceDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        kind : {"curve", "bar"}, default="curve"
            Curves of the loss; or bars of the time to it.
        x : {"epoch", "seconds"}, default="epoch"
            What the curves go over.
        column : str, default="train_loss"
            Which loss.
        loss : float, optional
            A loss to reach: curves get a line there; bars show the time to it (None: to each
            run's own lowest).
        unit : {"seconds", "epochs"}, default="seconds"
            What the bars show.
        log : bool, default=True
            Whether the loss axis of curves is logarithmic. Bars always stand on such an axis.

        Returns
        -------
        ConvergenceDisplay
            This object, with the attributes that end in ``_``.

        Raises
        ------
        ValueError
            If an option is unknown, or there is nothing to draw.
        """
        for name, value, allowed in (
            ("kind", kind, ("curve", "bar")), ("x", x, tuple(_AXES)),
            ("unit", unit, ("seconds", "epochs")),
        ):
            check_choice(value, name, self, allowed)
        self.lines_: list[Line2D] = []
        self.bands_: list[FillBetweenPolyCollection] = []
        self.bars_: list[BarContainer] = []
        if kind == "bar":
            times = self.times
            if times is None:
                times = self.times_to_loss(loss, column=column)[[unit]].T
            self._bars(ax, times, unit)
        else:
            self._curves(ax, x, column, loss, log)
        return self

    def _runs(self) -> Mapping[str, list[pd.DataFrame]]:
        if not self.histories:
            raise ValueError("ConvergenceDisplay: there are no histories, only times; draw them "
                             "with kind='bar'.")
        return self.histories

    def _curves(
        self, ax: Axes | None, x: str, column: str, loss: float | None, log: bool
    ) -> None:
        self.ax_, self.figure_ = new_axes(ax, (6.4, 4.0))
        for place, (name, runs) in enumerate(self._runs().items()):
            if missing := [c for c in (column, "dur")[: 1 + (x == "seconds")]
                           if any(c not in run for run in runs)]:
                raise ValueError(f"The history of {name!r} has no column {missing[0]!r}.")
            losses = _beside([run[column] for run in runs])
            at = np.arange(1, len(losses) + 1, dtype=float)
            if x == "seconds":
                at = _beside([run["dur"].cumsum() for run in runs]).median(axis=1).to_numpy()
            style = line_style(place)
            (line,) = self.ax_.plot(at, losses.median(axis=1), label=name, linewidth=1.6, **style)
            self.lines_.append(line)
            if len(runs) > 1:
                self.bands_.append(self.ax_.fill_between(
                    at, losses.min(axis=1), losses.max(axis=1), color=style["color"], alpha=0.13,
                    linewidth=0,
                ))
        if loss is not None:
            self.ax_.axhline(loss, color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        if log:
            log_ticks(self.ax_)
        self.ax_.set_xlabel(_AXES[x])
        self.ax_.set_ylabel(column.replace("_", " ").replace("train", "training"))
        clean(self.ax_)
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
                        borderaxespad=0)

    def _bars(self, ax: Axes | None, times: pd.DataFrame, unit: str) -> None:
        values = times.to_numpy(dtype=float)
        if not (np.isfinite(values) & (values > 0)).any():
            raise ValueError("ConvergenceDisplay: times holds no positive time to draw.")
        n_sets, n_names = values.shape
        self.ax_, self.figure_ = new_axes(ax, (max(6.4, 1.2 + 0.12 * values.size + 0.35 * n_sets),
                                               3.6))
        width = 0.84 / n_names
        floor = 10 ** np.floor(np.log10(np.nanmin(np.where(values > 0, values, np.nan))))
        for place, name in enumerate(times.columns):
            at = np.arange(n_sets) + (place - (n_names - 1) / 2) * width
            style = line_style(place)
            self.bars_.append(self.ax_.bar(at, values[:, place], width * 0.9, label=str(name),
                                           color=style["color"]))
            never = ~np.isfinite(values[:, place])
            self.ax_.scatter(at[never], np.full(never.sum(), floor * 1.25), marker="x", s=14,
                             color=style["color"], linewidths=1, zorder=3)
        self.ax_.set_ylim(bottom=floor)
        log_ticks(self.ax_)
        names = [str(name) for name in times.index]
        self.ax_.set_xticks(np.arange(n_sets), names if n_sets > 1 else [""])
        note = " (× never)" if np.isnan(values).any() else ""
        self.ax_.set_ylabel(f"{unit} to converge{note}")
        clean(self.ax_)
        self.ax_.tick_params(axis="x", length=0)
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
                        borderaxespad=0)


def _beside(columns: list[pd.Series]) -> pd.DataFrame:
    """Runs side by side, one row per epoch; shorter runs end with NaN."""
    return pd.concat([column.reset_index(drop=True) for column in columns], axis=1)
