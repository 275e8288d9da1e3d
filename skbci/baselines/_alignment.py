"""The baselines' parameter ``alignment``."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from skbci.baselines._checked.unchanged import Unchanged
from skbci.features import ChannelScaling, EuclideanAlignment, RiemannianRecentering

__all__ = ["alignment_step", "nothing"]


def nothing() -> Unchanged:
    """Return a step that gives its input: a transformer, which MOABB asks every step to be."""
    return Unchanged()


def alignment_step(alignment: str | BaseEstimator | None) -> BaseEstimator:
    """Return the pipeline step for the keyword ``alignment``.

    Parameters
    ----------
    alignment : {"scale", "euclidean", "riemannian"}, transformer or None
        None gives a step that passes everything through, so that a grid search can replace it.

    Raises
    ------
    ValueError
        If it is neither of the words nor has ``fit`` and ``transform``.
    """
    if alignment is None:
        return nothing()
    by_name = {
        "scale": ChannelScaling, "euclidean": EuclideanAlignment,
        "riemannian": RiemannianRecentering,
    }
    if isinstance(alignment, str) and alignment in by_name:
        return by_name[alignment]()
    is_class = isinstance(alignment, type)
    if is_class or not (hasattr(alignment, "fit") and hasattr(alignment, "transform")):
        raise ValueError(
            f"alignment={alignment!r} is not 'scale', 'euclidean', 'riemannian', None, or a "
            "transformer such as EuclideanAlignment('session')."
        )
    return alignment
