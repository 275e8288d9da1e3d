"""The picture of a `ConfoundReport`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skbci._typing import AxesLike

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_report"]

_OTHERS = ("everything", "order", "amplitude", "permuted")
_WORDS = {"labels permuted within subject": "labels permuted\nwithin subject"}
# Inches: a telephone shows the picture at about three quarters of its size, the text at 8 points.
_WIDTH_IN, _TITLE_IN, _ROW_IN, _LABELS_IN = 4.8, 0.35, 0.28, 0.35

def draw_report(report: Any, axes: AxesLike = None) -> Figure:
    """One map of band and window for each group of channels, and bars of the other sources.

    The panels stand one above the other: their windows are in line, and the picture is no wider
    than a page or a telephone.
    """
    import matplotlib.pyplot as plt

    table = report.table
    cells = table[table["kind"] == "cell"]
    groups = list(dict.fromkeys(cells["group"]))
    bands = list(dict.fromkeys(cells["band"]))
    windows = list(dict.fromkeys(cells["window"]))
    others = table[table["kind"].isin(_OTHERS)]
    n_panels = len(groups) + 1
    own = axes is None
    if own:
        heights = [_TITLE_IN + _ROW_IN * len(bands)] * len(groups)
        heights.append(_TITLE_IN + _ROW_IN * len(others))
        figure, axes = plt.subplots(
            n_panels, 1, figsize=(_WIDTH_IN, sum(heights) + 3 * _LABELS_IN), height_ratios=heights,
            layout="constrained", squeeze=False,
        )
        figure.suptitle("Accuracy by band, time and channels", fontsize="large")
    axes = np.ravel(np.asarray(axes, dtype=object))
    if len(axes) != n_panels:
        raise ValueError(f"axes: the report needs {n_panels} axes, but {len(axes)} are given.")
    top = max(0.75, float(cells["accuracy"].max()) if len(cells) else 0.75)
    for ax, group in zip(axes, groups):
        part = cells[cells["group"] == group]
        _map(ax, part, bands, windows, report, top)
        ax.set_title(group if group != "all" else "all channels", loc="left")
        if own and group != groups[-1]:
            ax.tick_params(labelbottom=False)
    if groups:
        axes[len(groups) - 1].set_xlabel("time after the cue (* tells the labels, p < "
                                         f"{report.alpha:.2g})")
    _bars(axes[-1], others, report)
    return axes[0].figure


def _map(
    ax: Axes, cells: pd.DataFrame, bands: list[str], windows: list[str], report: Any, top: float
) -> None:
    grid = cells.pivot(index="band", columns="window", values="accuracy")
    grid = grid.reindex(index=bands, columns=windows)
    ax.imshow(grid.to_numpy(float), cmap="magma_r", vmin=report.chance, vmax=top, aspect="auto")
    for _, line in cells.iterrows():
        at = windows.index(line["window"]), bands.index(line["band"])
        dark = line["accuracy"] > report.chance + 0.4 * (top - report.chance)
        found = line["tested"] and line["p_holm"] < report.alpha
        ax.text(*at, _share(line["accuracy"]) + ("*" if found else ""), ha="center",
                va="center", color="white" if dark else "0.2",
                fontweight="bold" if found else "normal")
    ax.set_xticks(range(len(windows)), [name.replace("the cue", "it") for name in windows])
    ax.set_yticks(range(len(bands)), bands)
    ax.tick_params(length=0)


def _bars(ax: Axes, shown: pd.DataFrame, report: Any) -> None:
    places = np.arange(len(shown))[::-1]
    found = (shown["tested"] & (shown["p_holm"] < report.alpha)).to_numpy()
    ax.barh(places, shown["accuracy"], color=np.where(found, "#D1495B", "0.75"), height=0.6)
    for place, value, is_found in zip(places, shown["accuracy"], found):
        ax.text(1.03, place, _share(value) + ("*" if is_found else ""), va="center",
                fontweight="bold" if is_found else "normal")
    ax.axvline(report.chance, color="0.2", linewidth=1)
    ax.axvline(report.threshold, color="0.2", linewidth=1, linestyle=":")
    ax.set_yticks(places, [_WORDS.get(name, name) for name in shown["name"]])
    ax.set_xlim(0, 1.2)
    ax.set_xticks([0, 0.5, 1])
    ax.set_xlabel("accuracy (lines: chance, threshold)")
    ax.set_title("other sources", loc="left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")
