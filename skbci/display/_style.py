"""Style that the displays share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skbci._checks import refusal
from skbci._typing import AxesLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["GUIDE", "check_axes", "clean", "line_style", "log_ticks", "new_axes"]

GUIDE = "0.45"
# Told apart by the colour-blind too, and by their dashes where colours run out.
_COLOURS = ("#D1495B", "#14213D", "#2A9D8F", "#E9A23B", "#7A98B8", "#8E5EA2", "#7F7F7F", "#6B4226")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.2)))


def line_style(place: int) -> dict[str, Any]:
    """Colour and dashes of the line with this number."""
    n = len(_COLOURS)
    return {"color": _COLOURS[place % n], "linestyle": _DASHES[place // n % len(_DASHES)]}


def check_axes(axes: AxesLike, name: str, who: object = "") -> Any:
    """Check that what is drawn on are matplotlib axes, one or several; None stands for new ones.

    Raises
    ------
    TypeError
        If one of them cannot be drawn on.
    """
    if axes is not None:
        each = np.ravel(np.asarray(axes, dtype=object))
        if not len(each) or not all(hasattr(ax, "plot") and hasattr(ax, "figure") for ax in each):
            raise TypeError(refusal(axes, name, who, "must be matplotlib Axes, or None"))
    return axes


def new_axes(ax: Axes | None, size: tuple[float, float]) -> tuple[Axes, Figure]:
    """Return the axes and their figure; a new one where there are none."""
    check_axes(ax, "ax")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax, ax.figure  # type: ignore[return-value]


def log_ticks(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers and enough of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    if np.log10(high / low) < 1.5:
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def clean(ax: Axes, grid: str = "y") -> None:
    """Remove the upper and right spine, and add a faint grid."""
    ax.grid(axis=grid, which="major", color="0.92", linewidth=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
