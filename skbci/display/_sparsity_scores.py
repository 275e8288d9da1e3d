"""Scores of several methods against sparsity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from skbci._checks import check_choice
from skbci._typing import AxesLike, Label
from skbci.display._panels import new_panels, outside_legend
from skbci.display._style import GUIDE, clean, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["check_results", "draw_scores"]

_WORDS = {"f1": "macro F1"}
_SPREADS = ("within", "sd", None)


def check_results(results: pd.DataFrame, metrics: Sequence[str], spread: object) -> None:
    """Check that there is something to draw."""
    for name in ("method", "sparsity", "task", *metrics):
        if name not in results:
            of_metrics = ", of metrics" if name in metrics else ""
            raise ValueError(
                f"SparsityDisplay: results has no column {name!r}{of_metrics}; it has "
                f"{list(results.columns)}."
            )
    if not len(results):
        raise ValueError("SparsityDisplay: results has no rows, so there is nothing to draw.")
    for name in ("sparsity", *metrics):
        if not is_numeric_dtype(results[name]) or is_bool_dtype(results[name]):
            raise TypeError(
                f"SparsityDisplay: the column {name!r} of results must hold numbers, but its "
                f"dtype is {results[name].dtype}."
            )
    check_choice(spread, "spread", "SparsityDisplay", _SPREADS)


def draw_scores(
    results: pd.DataFrame, metrics: Sequence[str], spread: str | None, axes: AxesLike
) -> tuple[np.ndarray, dict[tuple[Label, ...], Line2D]]:
    """Draw one row of panels per metric and one column per task; return axes and lines."""
    tasks = list(dict.fromkeys(results["task"]))
    methods = list(dict.fromkeys(results["method"]))
    panels = new_panels(axes, len(metrics), len(tasks), (3.9, 3.1), sharey="row")
    lines: dict[tuple[Label, ...], Line2D] = {}
    most = results.groupby("method")["sparsity"].max()
    curves = [method for method in methods if most[method] > 0]
    for row, metric in zip(panels, metrics):
        for ax, task in zip(row, tasks):
            # Not every method needs to have a score in every task.
            part = results[(results["task"] == task) & results[metric].notna()]
            there = set(part["method"])
            for method in (method for method in methods if method in there):
                mean, error = _summary(part, method, metric, spread)
                if method in curves:
                    line = _curve(ax, mean, error, curves.index(method), len(curves))
                else:
                    line = ax.axhline(mean.iloc[0], color=GUIDE, linestyle=":", linewidth=1.4,
                                      zorder=1)
                line.set_label(str(method))
                lines[metric, task, method] = line
            ax.set_ylabel(_WORDS.get(metric, metric) if ax is row[0] else "")
            clean(ax)
    for ax, task in zip(panels[0], tasks):
        ax.set_title(task, fontsize="medium")
    levels = sorted({float(level) for level in results["sparsity"]})
    for ax in panels.flat:
        ax.set_xticks(levels, [f"{100 * level:g}" for level in levels])
    for ax in panels[-1]:
        ax.set_xlabel("sparsity in %")
    drawn = {key[2]: line for key, line in lines.items()}
    outside_legend(panels[0, -1], [drawn[method] for method in methods if method in drawn])
    return panels, lines


def _curve(
    ax: Axes, mean: pd.Series, error: pd.Series | None, place: int, n_curves: int
) -> Line2D:
    shift = 0.012 * (place - (n_curves - 1) / 2)  # side by side
    bars = ax.errorbar(
        mean.index.to_numpy(dtype=float) + shift, mean.to_numpy(dtype=float),
        yerr=None if error is None else error.to_numpy(dtype=float), marker="o",
        markersize=4.5, linewidth=1.5, elinewidth=1, capsize=0, **line_style(place),
    )
    return bars.lines[0]


def _summary(
    part: pd.DataFrame, method: str, metric: str, spread: str | None
) -> tuple[Any, Any]:
    """Return mean and error over subjects at each sparsity."""
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
