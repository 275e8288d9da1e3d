"""Panels side by side, and a legend beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skbci._typing import AxesLike
from skbci.display._style import check_axes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["new_panels", "outside_legend"]


def new_panels(
    axes: AxesLike, n_rows: int, n_columns: int, size: tuple[float, float], **kw: Any
) -> np.ndarray:
    """Return axes in a grid; new ones where there are none."""
    if check_axes(axes, "axes") is None:
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


def outside_legend(ax: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Put the legend to the right of the axes; by default of all that is drawn there."""
    known = {} if handles is None else {"handles": handles}
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, borderaxespad=0,
              **known)
