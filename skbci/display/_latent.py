"""A network's latent, coloured by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from skbci._checks import check_choice, check_seed
from skbci._checks.labels import label_column
from skbci._typing import Label, Labels, Seed, Signals
from skbci.display._style import check_axes, clean, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

__all__ = ["LatentDisplay"]

_METHODS = ("pca", "tsne")
_MARKERS = ("o", "s", "^", "D")
_N_COLOURS = 8


class LatentDisplay:
    """The latent of a network in two dimensions, coloured by class.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    embedding : ndarray, shape (n_rows, 2)
        A point for each row.
    labels : ndarray, shape (n_rows,)
        What colours it.
    explained : pair of float, optional
        Shares of the latent's variance along the two axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure of these axes.
    points_ : dict of label to PathCollection
        The points of each class.

    Notes
    -----
    Draw rows that the network was not trained on: a network with enough parameters separates its
    training rows whatever they are. To see whether the latent knows *whose* row it is, give the
    subjects (``X.metadata["subject"]``) as ``y``.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> from skbci.display import LatentDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> lda = LinearDiscriminantAnalysis().fit(X, y)
    >>> display = LatentDisplay.from_estimator(lda, X, y)
    >>> display.embedding.shape, display.ax_.get_xlabel()
    ((150, 2), 'component 1 (96 % of the variance)')
    """

    def __init__(
        self,
        *,
        embedding: np.ndarray,
        labels: np.ndarray,
        explained: tuple[float, float] | None = None,
    ) -> None:
        self.embedding = embedding
        self.labels = labels
        self.explained = explained

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Signals,
        y: Labels,
        *,
        method: str = "pca",
        random_state: Seed = 0,
        ax: Axes | None = None,
        **plot_params: Any,
    ) -> LatentDisplay:
        """Embed ``estimator.transform(X)`` and draw it.

        Parameters
        ----------
        estimator : fitted estimator with ``transform``
            Such as a `MIN2NetClassifier`, or a pipeline that ends with one.
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows; at least three.
        y : array-like, shape (n_rows,)
            Their classes, or any labels to colour by.
        method : {"pca", "tsne"}, default="pca"
            Principal components, which are linear, so that distances can be read; or t-SNE, which
            shows who is whose neighbour and nothing of the distances between groups.
        random_state : int, RandomState or None, default=0
            Seeds t-SNE.
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        LatentDisplay

        Raises
        ------
        TypeError
            If the estimator has no ``transform``.
        ValueError
            If the method is unknown, X and y differ in length, the latent has fewer than two
            dimensions or values that are not finite, or there are fewer than three rows.
        """
        check_choice(method, "method", cls.__name__, _METHODS)
        check_seed(random_state, "random_state", cls.__name__)
        check_axes(ax, "ax", cls.__name__)
        if not hasattr(estimator, "transform"):
            raise TypeError(
                f"LatentDisplay: estimator: {type(estimator).__name__} has no transform, which "
                "gives the latent."
            )
        labels = label_column(y, None, cls.__name__)
        latent = _check_latent(np.asarray(estimator.transform(X)), len(labels))
        if method == "tsne":
            tsne = TSNE(perplexity=min(30.0, (len(latent) - 1) / 3), random_state=random_state)
            display = cls(embedding=tsne.fit_transform(latent.astype(np.float32)), labels=labels)
        else:
            with np.errstate(invalid="ignore"):  # shares of no variance at all
                pca = PCA(2, svd_solver="full").fit(latent)
            total = latent.var(axis=0, ddof=1).sum()
            first, second = pca.explained_variance_ / total if total > 0 else (np.nan, np.nan)
            display = cls(embedding=pca.transform(latent), labels=labels,
                          explained=(float(first), float(second)))
        return display.plot(ax=ax, **plot_params)

    def plot(
        self, *, ax: Axes | None = None, size: float = 22.0, alpha: float = 0.75
    ) -> LatentDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. None: a new figure.
        size : float, default=22.0
            Area of a point, in points squared.
        alpha : float, default=0.75
            Opacity of a point, from 0 to 1.

        Returns
        -------
        LatentDisplay
            This object, with the attributes that end in ``_``.
        """
        self.ax_, self.figure_ = new_axes(ax, (5.6, 4.0))
        self.points_: dict[Label, PathCollection] = {}
        for place, label in enumerate(np.unique(self.labels).tolist()):
            points = self.embedding[self.labels == label]
            self.points_[label] = self.ax_.scatter(
                points[:, 0], points[:, 1], s=size, alpha=alpha, linewidths=0, label=str(label),
                color=line_style(place)["color"],
                marker=_MARKERS[place // _N_COLOURS % len(_MARKERS)],
            )
        self._label()
        return self

    def _label(self) -> None:
        ax = self.ax_
        if self.explained is None:
            ax.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
        else:
            for axis, number, share in zip((ax.xaxis, ax.yaxis), (1, 2), self.explained):
                known = f" ({share:.0%} of the variance)".replace("%", " %")
                axis.set_label_text(f"component {number}" + (known if np.isfinite(share) else ""))
        clean(ax, "both")
        handles, names = ax.get_legend_handles_labels()
        ax.legend(handles, names, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False,
                  borderaxespad=0, handletextpad=0.2)


def _check_latent(latent: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the latent as float64 rows."""
    if len(latent) != n_rows:
        raise ValueError(
            f"LatentDisplay: X has {len(latent)} rows, but y has {n_rows} labels."
        )
    if n_rows < 3:
        raise ValueError(f"LatentDisplay: at least three rows are needed, X has {n_rows}.")
    latent = latent.reshape(n_rows, -1).astype(np.float64)
    if latent.shape[1] < 2:
        raise ValueError(
            "LatentDisplay: the latent has one dimension; a picture needs at least two."
        )
    if not np.isfinite(latent).all():
        raise ValueError("LatentDisplay: transform gave values that are not finite.")
    return latent
