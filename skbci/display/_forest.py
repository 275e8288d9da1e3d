"""The forest plot of a `MetaAnalysis`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skbci._checks import refusal
from skbci.display._style import check_axes
from skbci.evaluation import MetaAnalysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ForestDisplay"]

_SET, _ALL, _LINE = "#7A98B8", "#14213D", "0.45"


class ForestDisplay:
    """Standardized differences from a baseline, data set by data set, and combined.

    Use :meth:`from_meta_analysis` to make one.

    Parameters
    ----------
    effects : DataFrame
        One row per data set: ``dataset``, ``n``, ``smd``, ``ci_low``, ``ci_high``, ``p``.
    combined : dict
        The same of all together.
    pipeline, baseline : str
        What is compared with what.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure of these axes.
    squares_ : PathCollection
        A square a data set, of an area in proportion to its subjects.
    diamond_ : Polygon
        The combined effect, as wide as its interval.

    See Also
    --------
    skbci.evaluation.meta_analysis : Makes the numbers.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbci.display import ForestDisplay
    >>> from skbci.evaluation import meta_analysis
    >>> table = pd.DataFrame({
    ...     "score": [0.6, 0.7, 0.8, 0.7, 0.7, 0.9], "pipeline": ["CSP"] * 3 + ["TS"] * 3,
    ...     "subject": list("abcabc"), "session": "0", "dataset": "one"})
    >>> display = ForestDisplay.from_meta_analysis(meta_analysis(table, "CSP"))
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['one (3)', 'combined (3)']
    """

    def __init__(
        self, *, effects: pd.DataFrame, combined: Mapping[Any, Any], pipeline: str, baseline: str
    ) -> None:
        self.effects = effects
        self.combined = combined
        self.pipeline = pipeline
        self.baseline = baseline

    @classmethod
    def from_meta_analysis(
        cls, result: MetaAnalysis, pipeline: str | None = None, *, ax: Axes | None = None
    ) -> ForestDisplay:
        """Draw one pipeline's effects.

        Parameters
        ----------
        result : MetaAnalysis
            What `meta_analysis` returned.
        pipeline : str, optional
            Which of its pipelines; may be left out where there is one.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.

        Returns
        -------
        ForestDisplay

        Raises
        ------
        ValueError
            If there is no such pipeline, or there are several and none is named.
        """
        if not isinstance(result, MetaAnalysis):
            because = "must be the MetaAnalysis that skbci.evaluation.meta_analysis gives"
            raise TypeError(refusal(result, "result", cls.__name__, because))
        names = list(result.combined.index)
        if pipeline is None and len(names) == 1:
            (pipeline,) = names
        if not isinstance(pipeline, str) or pipeline not in names:
            raise ValueError(f"{cls.__name__}: pipeline={pipeline!r} must be one of {names}.")
        effects = result.datasets[result.datasets["pipeline"] == pipeline]
        display = cls(
            effects=effects.reset_index(drop=True), pipeline=pipeline, baseline=result.baseline,
            combined=result.combined.loc[pipeline].to_dict(),
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> ForestDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.

        Returns
        -------
        ForestDisplay
            This object, with the attributes that end in ``_``.
        """
        check_axes(ax, "ax", type(self).__name__)
        n = len(self.effects)
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(6.8, 1.4 + 0.42 * (n + 1)), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        places, smd = np.arange(n), self.effects["smd"].to_numpy()
        low, high = self.effects["ci_low"].to_numpy(), self.effects["ci_high"].to_numpy()
        ax.axvline(0, color=_LINE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        ax.hlines(places, low, high, color=_SET, linewidth=1.8, zorder=2)
        share = self.effects["n"] / self.effects["n"].max()
        area = 20 + 80 * share
        self.squares_ = ax.scatter(smd, places, s=area, marker="s", color=_SET, zorder=3)
        middle, left, right = (self.combined[name] for name in ("smd", "ci_low", "ci_high"))
        (self.diamond_,) = ax.fill(
            [left, middle, right, middle], [n, n - 0.22, n, n + 0.22], color=_ALL, zorder=3
        )
        ax.axhline(n - 0.5, color="0.85", linewidth=0.8)
        self._label(n)
        return self

    def _label(self, n: int) -> None:
        ax, total = self.ax_, int(self.combined["n_subjects"])
        names = [f"{d} ({k})" for d, k in zip(self.effects["dataset"], self.effects["n"])]
        ax.set_yticks(np.arange(n + 1), [*names, f"combined ({total})"])
        ax.set_ylim(n + 0.5, -0.5)
        rows: list[Mapping[Any, Any]] = [*self.effects.to_dict("records"), self.combined]
        for place, line in enumerate(rows):
            p = line["p"]
            text = f"{line['smd']:+.2f}   " + ("p < .001" if p < 0.001 else f"p = {p:.3f}")
            ax.annotate(text, (1.015, place), xycoords=("axes fraction", "data"), va="center",
                        ha="left", color=_ALL, annotation_clip=False,
                        fontweight="bold" if place == n else "normal")
        ax.set_xlabel(
            f"{self.pipeline} minus {self.baseline}, in standard deviations of the difference\n"
            "(subjects; 95 % CI; one-sided p)"
        )
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)
