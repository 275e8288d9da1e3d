"""Curves of several losses, their weights and their gradients over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbci._typing import AxesLike
from skbci.display._style import GUIDE, check_axes, clean, line_style, log_ticks
from skbci.evaluation import history_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["LossWeightDisplay"]

_PANELS = {
    "weights": ("loss weights", ("weight_",)),
    "losses": ("losses, unweighted", ("train_", "valid_")),
    "gradients": ("gradient norms at the shared layer", ("gradient_norm_",)),
}
_VALID = (0, (4, 2))
_COLLAPSED = 0.95  # share of all weight from which `LossCollapseWarning` is given


class LossWeightDisplay:
    """Weights, losses and gradient norms of a network with several losses over epochs.

    Use :meth:`from_estimator` or :meth:`from_history` to make one.

    Parameters
    ----------
    history : DataFrame
        One row per epoch. For each head ``weight_<head>``, and where they are known
        ``train_<head>``, ``valid_<head>`` and ``gradient_norm_<head>``: the columns of
        ``history_`` of a neural estimator with several losses.

    Attributes
    ----------
    axes_ : dict of str to matplotlib Axes
        Panels ``"weights"``, ``"losses"`` and ``"gradients"``, those that are drawn.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of str to Line2D
        Curves, by the names of the columns.
    heads_ : list of str
        Heads, in the order of the columns.

    See Also
    --------
    TrajectoryDisplay : What a policy does on two losses over a plane.
    ConvergenceDisplay : One loss, for several optimizers.

    Notes
    -----
    A dotted line at 95 % of all weight appears where a weight gets beyond it: from there on the
    other losses hardly take part (`skbci.weighting.LossCollapseWarning`).

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbci.display import LossWeightDisplay
    >>> history = pd.DataFrame({
    ...     "train_logits": [0.7, 0.6, 0.5], "train_latent": [1.0, 0.8, 0.7],
    ...     "weight_logits": [1.0, 0.9, 0.8], "weight_latent": [1.0, 1.1, 1.2]})
    >>> display = LossWeightDisplay.from_history(history)
    >>> display.heads_, list(display.axes_)
    (['logits', 'latent'], ['weights', 'losses'])
    """

    def __init__(self, *, history: pd.DataFrame) -> None:
        self.history = history

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, axes: AxesLike = None, **plot_params: Any
    ) -> LossWeightDisplay:
        """Draw how a fitted network weighed its losses.

        Parameters
        ----------
        estimator : estimator
            A fitted neural estimator with several losses, a pipeline that ends with one, or a
            search over them.
        axes : sequence of matplotlib Axes, optional
            As in :meth:`plot`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        LossWeightDisplay
        """
        return cls.from_history(estimator, axes=axes, **plot_params)

    @classmethod
    def from_history(
        cls, history: pd.DataFrame | BaseEstimator, *, axes: AxesLike = None, **plot_params: Any
    ) -> LossWeightDisplay:
        """Draw a history.

        Parameters
        ----------
        history : DataFrame
            One row per epoch, with a column ``weight_<head>`` for each loss.
        axes : sequence of matplotlib Axes, optional
            As in :meth:`plot`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        LossWeightDisplay
        """
        return cls(history=history_table(history)).plot(axes=axes, **plot_params)

    def plot(
        self,
        *,
        axes: AxesLike = None,
        panels: Sequence[str] | None = None,
        log: bool = True,
    ) -> LossWeightDisplay:
        """Draw the picture.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, optional
            One for each panel. None: a new figure.
        panels : sequence of {"weights", "losses", "gradients"}, optional
            What is drawn, from left to right. None: all that the history has columns for.
        log : bool, default=True
            Whether losses and gradient norms stand on logarithmic axes: they are often of
            different orders of magnitude. Values that are not positive leave a gap there.

        Returns
        -------
        LossWeightDisplay
            This object, with the attributes that end in ``_``.

        Raises
        ------
        ValueError
            If the history has no loss weights or not what a panel needs, a panel is unknown, or
            there are too few ``axes``.
        """
        self.heads_ = self._heads()
        names = self._panel_names(panels)
        drawn = self._make_axes(axes, len(names))
        self.axes_: dict[str, Axes] = dict(zip(names, drawn))
        self.figure_ = drawn[0].figure
        self.lines_: dict[str, Line2D] = {}
        for name, ax in self.axes_.items():
            self._panel(ax, name, log and name != "weights")
        self._legend(drawn[-1])
        return self

    def _heads(self) -> list[str]:
        heads = [str(c).removeprefix("weight_") for c in self.history.columns
                 if str(c).startswith("weight_")]
        if not heads:
            raise ValueError(
                "LossWeightDisplay: the history has no column 'weight_<head>'; it has "
                f"{list(self.history.columns)}. Only networks with several losses (losses={{...}})"
                " have loss weights."
            )
        return heads

    def _columns(self, panel: str) -> list[str]:
        """Return the panel's columns that the history has."""
        wanted = [prefix + head for prefix in _PANELS[panel][1] for head in self.heads_]
        return [column for column in wanted
                if column in self.history and self.history[column].notna().any()]

    def _panel_names(self, panels: Sequence[str] | None) -> list[str]:
        if panels is None:
            return [name for name in _PANELS if self._columns(name)]
        names = [panels] if isinstance(panels, str) else list(panels)
        if not names:
            raise ValueError(f"panels={panels!r} names no panel; choose from {list(_PANELS)}.")
        for name in names:
            if name not in _PANELS:
                raise ValueError(
                    f"panels: {name!r} is unknown; choose from {list(_PANELS)}."
                )
            if not self._columns(name):
                raise ValueError(
                    f"panels: {name!r} cannot be drawn, because the history has no column "
                    f"{_PANELS[name][1][0] + self.heads_[0]!r}."
                )
        return names

    @staticmethod
    def _make_axes(axes: AxesLike, n: int) -> list[Axes]:
        given = check_axes(axes, "axes", "LossWeightDisplay")
        if given is None:
            import matplotlib.pyplot as plt

            _, given = plt.subplots(1, n, figsize=(1.4 + 3.2 * n, 3.2), layout="constrained")
        drawn = list(np.atleast_1d(given).ravel())
        if len(drawn) < n:
            raise ValueError(f"axes: {n} panels need {n} axes, but {len(drawn)} are given.")
        return drawn[:n]

    def _panel(self, ax: Axes, name: str, log: bool) -> None:
        epochs = np.arange(1, len(self.history) + 1)
        columns = self._columns(name)
        for column in columns:
            prefix = next(p for p in _PANELS[name][1] if column.startswith(p))
            style = line_style(self.heads_.index(column.removeprefix(prefix)))
            if prefix == "valid_":
                style["linestyle"] = _VALID
            values = self.history[column].to_numpy(dtype=float)
            if log:
                values = np.where(values > 0, values, np.nan)
            (self.lines_[column],) = ax.plot(
                epochs, values, linewidth=1.6, label=column.removeprefix(prefix),
                marker="o" if len(epochs) == 1 else None, **style,
            )
        if name == "weights":
            self._guides(ax)
        if log and (self.history[columns] > 0).any(axis=None):
            log_ticks(ax)
        ax.set_title(_PANELS[name][0], fontsize="medium")
        ax.set_xlabel("epoch")
        ax.locator_params(axis="x", integer=True)
        clean(ax)

    def _guides(self, ax: Axes) -> None:
        """Draw equal weights, and the border of collapse where a weight crosses it."""
        weights = self.history[["weight_" + head for head in self.heads_]].to_numpy(dtype=float)
        ax.axhline(1.0, color=GUIDE, linewidth=0.8, zorder=1)
        border = _COLLAPSED * len(self.heads_)
        if len(self.heads_) > 1 and np.nanmax(weights) > border:
            ax.axhline(border, color=GUIDE, linestyle=":", linewidth=1, zorder=1)
            ax.annotate("95 % of all weight", (1.0, border), xytext=(0, -3), va="top", ha="right",
                        xycoords=("axes fraction", "data"), textcoords="offset points",
                        color=GUIDE, fontsize="small")
        ax.set_ylim(bottom=0.0)

    def _legend(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], label=head, **line_style(place))
                   for place, head in enumerate(self.heads_)]
        if any(column.startswith("valid_") for column in self.lines_):
            handles += [Line2D([], [], color=GUIDE, label="training"),
                        Line2D([], [], color=GUIDE, linestyle=_VALID, label="validation")]
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False,
                  borderaxespad=0)
