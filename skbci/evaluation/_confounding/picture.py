"""The picture of a `ConfoundReport`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skbci._typing import AxesLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_report"]


def draw_report(report: Any, axes: AxesLike = None) -> Figure:
    """One map of band and window for each group of channels, and bars of the other sources."""
    import matplotlib.pyplot as plt

    table = report.table
    cells = table[table["kind"] == "cell"]
    groups = list(dict.fromkeys(cells["group"]))
    bands = list(dict.fromkeys(cells["band"]))
    windows = list(dict.fromkeys(cells["window"]))
    n_panels = len(groups) + 1
    if axes is None:
        _, axes = plt.subplots(
            1, n_panels, figsize=(2.6 + 2.9 * n_panels, 3.4), layout="constrained",
            width_ratios=[1.0] * len(groups) + [0.9], squeeze=False,
        )
    axes = np.ravel(np.asarray(axes, dtype=object))
    if len(axes) != n_panels:
        raise ValueError(f"axes: the report needs {n_panels} axes, but {len(axes)} are given.")
    top = max(0.75, float(cells["accuracy"].max()) if len(cells) else 0.75)
    for ax, group in zip(axes, groups):
        own = cells[cells["group"] == group]
        grid = own.pivot(index="band", columns="window", values="accuracy")
        grid = grid.reindex(index=bands, columns=windows)
        image = ax.imshow(grid.to_numpy(float), cmap="magma_r", vmin=report.chance, vmax=top,
                          aspect="auto")
        for _, line in own.iterrows():
            at = windows.index(line["window"]), bands.index(line["band"])
            dark = line["accuracy"] > (report.chance + top) / 2
            found = line["tested"] and line["p_holm"] < report.alpha
            ax.text(*at, f"{line['accuracy']:.2f}".lstrip("0") + ("*" if found else ""),
                    ha="center", va="center", color="white" if dark else "0.2",
                    fontsize="small", fontweight="bold" if found else "normal")
        ax.set_xticks(range(len(windows)), windows, rotation=35, ha="right", fontsize="small")
        ax.set_yticks(range(len(bands)), bands if ax is axes[0] else [])
        ax.set_title(group, loc="left", fontsize="medium")
    if groups:
        bar = axes[0].figure.colorbar(image, ax=list(axes[: len(groups)]), shrink=0.8, pad=0.02)
        bar.set_label("accuracy")
    _bars(axes[-1], report)
    return axes[0].figure


def _bars(ax: Axes, report: Any) -> None:
    table = report.table
    shown = table[table["kind"].isin(["everything", "order", "amplitude", "permuted"])]
    places = np.arange(len(shown))[::-1]
    found = (shown["tested"] & (shown["p_holm"] < report.alpha)).to_numpy()
    ax.barh(places, shown["accuracy"], color=np.where(found, "#D1495B", "0.75"), height=0.6)
    ax.axvline(report.chance, color="0.2", linewidth=1)
    ax.axvline(report.threshold, color="0.2", linewidth=1, linestyle=":")
    ax.set_yticks(places, shown["name"], fontsize="small")
    ax.set_xlim(0, 1)
    ax.set_xlabel("accuracy (lines: chance, threshold)", fontsize="small")
    ax.set_title("other sources", loc="left", fontsize="medium")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
