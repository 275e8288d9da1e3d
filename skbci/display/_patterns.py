"""Topographic maps of a decoder's patterns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbci._checks import check_count, check_flag
from skbci._recording.montage import spell_electrodes, standard_montage
from skbci._typing import AxesLike, Labels, Scoring, Seed, Signals
from skbci.display._style import check_axes
from skbci.evaluation import spatial_patterns

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mne import Info

__all__ = ["PatternDisplay"]

_SIZE, _LINE = 2.3, 0.2  # inches of a map, and of a line of its title


class PatternDisplay:
    """Topographic maps of a decoder's patterns.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    patterns : DataFrame, shape (n_maps, n_channels)
        A row for each map; columns are names of the 10-05 system.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each map.
    figure_ : matplotlib Figure
        Figure of these axes.
    images_ : list of AxesImage
        The maps.

    See Also
    --------
    skbci.evaluation.spatial_patterns : Computes them.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skbci.baselines import csp_lda
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.display import PatternDisplay
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=1, snr=3, random_state=0)
    >>> pipe = csp_lda(2, tmin=0.5).fit(data.X, data.y)
    >>> display = PatternDisplay.from_estimator(pipe, data.X)
    >>> [ax.get_title() for ax in display.axes_]
    ['pattern 0', 'pattern 1']
    """

    def __init__(self, *, patterns: pd.DataFrame) -> None:
        self.patterns = patterns

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Signals,
        y: Labels | None = None,
        *,
        method: str = "auto",
        scoring: Scoring = None,
        n_repeats: int = 5,
        random_state: Seed = 0,
        axes: AxesLike = None,
        **plot_params: Any,
    ) -> PatternDisplay:
        """Compute a fitted decoder's patterns and draw them.

        Parameters
        ----------
        estimator : fitted estimator or pipeline
            Its input are epochs.
        X : EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs with channel names.
        y : array-like, shape (n_rows,), optional
            Labels; ``"gradient"`` and ``"permutation"`` need them.
        method : {"auto", "filters", "linear", "gradient", "permutation"}, default="auto"
            As in `skbci.evaluation.spatial_patterns`, as are ``scoring``, ``n_repeats`` and
            ``random_state``.
        scoring : str or callable, optional
            Of ``"permutation"``.
        n_repeats : int, default=5
            Permutations of each channel.
        random_state : int, RandomState or None, default=0
            Of the permutations.
        axes : array of matplotlib Axes, optional
            One for each map. None: a new figure.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        PatternDisplay

        Raises
        ------
        ValueError
            If the method does not suit the estimator, or a channel's place is unknown.
        """
        patterns = spatial_patterns(
            estimator, X, y, method=method, scoring=scoring, n_repeats=n_repeats,
            random_state=random_state,
        )
        return cls(patterns=patterns).plot(axes=axes, **plot_params)

    def plot(
        self, *, axes: AxesLike = None, n_maps: int | None = None, cmap: str = "RdBu_r",
        names: bool = False, shared_scale: bool = False,
    ) -> PatternDisplay:
        """Draw the maps, on scales that are symmetric around zero.

        Parameters
        ----------
        axes : array of matplotlib Axes, optional
            One for each map. None: a new figure.
        n_maps : int, optional
            How many to draw, from the first; by default all.
        cmap : str, default="RdBu_r"
            Colour map; zero is in its middle.
        names : bool, default=False
            Whether to write the channels' names.
        shared_scale : bool, default=False
            Whether all maps have one scale, as maps of the same unit (successive windows) may
            have; otherwise each has its own.

        Returns
        -------
        PatternDisplay
            This object, with the attributes that end in ``_``.

        Raises
        ------
        ValueError
            If a channel's place is unknown, or the axes are too many or too few.
        """
        import matplotlib.pyplot as plt
        import mne

        shown = self.patterns
        if n_maps is not None:
            shown = shown.iloc[: check_count(n_maps, "n_maps", self)]
        check_flag(shared_scale, "shared_scale", self)
        info = _placed(list(shown.columns))
        titles = [textwrap.fill(str(title), 20) for title in shown.index]
        if check_axes(axes, "axes", self) is None:
            n_columns = min(len(shown), 6)
            n_rows = -(-len(shown) // n_columns)
            n_lines = max(title.count("\n") for title in titles) + 1
            height = _SIZE + 0.1 + _LINE * n_lines
            _, axes = plt.subplots(n_rows, n_columns, squeeze=False, layout="constrained",
                                   figsize=(_SIZE * n_columns, height * n_rows))
        grid = np.ravel(np.asarray(axes, dtype=object))
        if len(grid) < len(shown):
            raise ValueError(f"axes: {len(shown)} maps need as many axes, but {len(grid)} are "
                             "given.")
        self.axes_, self.images_ = list(grid[: len(shown)]), []
        for ax, title, (_, values) in zip(grid, titles, shown.iterrows()):
            scaled = shown if shared_scale else values
            size = float(np.abs(scaled.to_numpy(dtype=float)).max()) or 1.0
            image, _ = mne.viz.plot_topomap(
                values.to_numpy(float), info, axes=ax, show=False, cmap=cmap, vlim=(-size, size),
                names=list(shown.columns) if names else None, contours=4,
            )
            ax.set_title(title, fontsize="medium")
            self.images_.append(image)
        for ax in grid[len(shown) :]:
            ax.set_axis_off()
        self.figure_: Figure = grid[0].figure
        return self


def _placed(ch_names: list[str]) -> Info:
    """Return an `mne.Info` with the electrodes' places in MNE's standard montage."""
    import mne

    montage = standard_montage()
    found = spell_electrodes(ch_names, montage)
    unknown = [name for name, place in zip(ch_names, found) if place is None]
    if unknown:
        raise ValueError(
            f"PatternDisplay: the channels {unknown[:8]} are not of the 10-05 system, so that "
            "their places are unknown. Rename them, or leave their columns out of the patterns."
        )
    return mne.create_info(found, 100.0, "eeg").set_montage(montage)
