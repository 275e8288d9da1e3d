"""Pictures of how cost grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _report import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#14213D", "#D1495B", "#2A9D8F", "#E9A23B", "#8E5EA2", "#7A98B8")
_MARKERS = "osD^vP"


def draw(table: Table, folder: Path) -> Path:
    """Draw a table's lines on logarithmic axes, with the range of the repeats behind each."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    picture = table.picture
    if picture is None:
        raise ValueError(f"{table.title!r} says nothing about a picture.")
    folder.mkdir(parents=True, exist_ok=True)
    rows = {row["method"]: row for row in table.rows()}
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for i, (name, line) in enumerate(picture.lines.items()):
        sizes = np.array(sorted(line))
        chosen = [rows[line[size]] for size in sizes]
        y = np.array([row[picture.column or "median"] for row in chosen])
        spread = np.array([[row["minimum"], row["maximum"]] for row in chosen]).T
        spread = spread / [row["median"] for row in chosen] * y
        colour = _COLOURS[i % len(_COLOURS)]
        ax.fill_between(sizes, *spread, color=colour, alpha=0.15, linewidth=0)
        ax.plot(sizes, y, color=colour, marker=_MARKERS[i % len(_MARKERS)], markersize=4,
                linewidth=1.6, label=name.replace("`", ""))
    _finish(ax, table, sorted({size for line in picture.lines.values() for size in line}))
    path = folder / picture.file
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path


def _finish(ax: Axes, table: Table, sizes: list[float]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    picture = table.picture
    assert picture is not None
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain = FuncFormatter(lambda value, _: f"{value:,.10g}")
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    low, high = ax.get_ylim()
    if np.log10(high / low) < 2.5:
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(plain)
    ax.set_xlabel(picture.x)
    ax.set_ylabel(picture.y)
    ax.set_title(table.title.replace("`", ""), fontsize=10, loc="left")
    ax.grid(which="major", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
