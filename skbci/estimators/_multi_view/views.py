"""The views of rows: each a transformer's output, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import _num_samples

from skbci._checks import check_fits, check_list, refusal

PASSTHROUGH = "passthrough"
# One array for all views, or an array for each.
Rows: TypeAlias = np.ndarray | dict[str, np.ndarray]


def check_views(
    views: Sequence[tuple[str, str | BaseEstimator]], who: BaseEstimator
) -> list[tuple[str, str | BaseEstimator]]:
    """Check names and transformers.

    Raises
    ------
    ValueError, TypeError
        If these are no pairs of a name and a transformer, or a name is used twice or is no name.
    """
    pairs = check_list(views, "views", who, "pairs of a name and a transformer", also="None")
    if not pairs:
        raise ValueError(refusal(views, "views", who, "must not be empty"))
    names = []
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[0], str):
            because = "must hold pairs of a name and a transformer"
            raise TypeError(refusal(pair, "views", who, because))
        names.append(pair[0])
        if pair[1] != PASSTHROUGH:
            check_fits(pair[1], f"view {pair[0]!r}", who, and_has="transform",
                       also=f"{PASSTHROUGH!r}")
    for name in names:
        if names.count(name) > 1 or name == "logits" or "__" in name or not name:
            because = "must have names that differ, without '__', none of them 'logits'"
            raise ValueError(refusal(names, "views", who, because))
        if name in who._get_param_names():
            because = f"must not call a view {name!r}, as one of its parameters is"
            raise ValueError(refusal(names, "views", who, because))
    return [(name, view) for name, view in pairs]


@dataclass
class FittedViews:
    """Fitted transformers and the shape of what each gives."""

    transformers: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]

    @classmethod
    def fit(
        cls, views: list[tuple[str, BaseEstimator]], X: Rows, y: np.ndarray, who: object
    ) -> tuple[FittedViews, np.ndarray]:
        """Fit clones of the transformers; return them, and the views of the rows."""
        fitted, shapes, parts = {}, {}, []
        for name, view in views:
            own = _part(X, name)
            if view == PASSTHROUGH:
                fitted[name], out = PASSTHROUGH, own
            else:
                fitted[name] = clone(view)
                out = _fit_transform(fitted[name], own, y)
            rows, shapes[name] = _checked(out, name, _num_samples(own), who)
            parts.append(rows)
        return cls(fitted, shapes), np.hstack(parts)

    def transform(self, X: Rows, who: object) -> np.ndarray:
        """Compute the views of rows, shape (n_rows, n_values)."""
        parts = []
        for name, view in self.transformers.items():
            own = _part(X, name)
            out = own if view == PASSTHROUGH else view.transform(own)
            rows, shape = _checked(out, name, _num_samples(own), who)
            if shape != self.shapes[name]:
                raise ValueError(
                    f"{type(who).__name__}: rows of the view {name!r} have shape {shape}, but "
                    f"{self.shapes[name]} when it was fitted."
                )
            parts.append(rows)
        return np.hstack(parts)


def take(X: Rows, rows: np.ndarray) -> Rows:
    """Return rows of an array, or of each array of a dict."""
    if isinstance(X, dict):
        return {name: array[rows] for name, array in X.items()}
    return X[rows]


def _part(X: Rows, name: str) -> np.ndarray:
    return X[name] if isinstance(X, dict) else X


def _fit_transform(view: BaseEstimator, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    if hasattr(view, "fit_transform"):
        return view.fit_transform(X, y)
    return view.fit(X, y).transform(X)


def _checked(
    out: ArrayLike, name: str, n_rows: int, who: object
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the view's rows flattened, and the shape of one."""
    if hasattr(out, "toarray"):
        out = out.toarray()
    out = np.asarray(out)
    if out.ndim < 2 or len(out) != n_rows:
        raise ValueError(
            f"{type(who).__name__}: the view {name!r} has shape {out.shape} for {n_rows} rows; "
            "it must have one row for each, of features or of channels x times."
        )
    if not np.isfinite(out).all():
        raise ValueError(f"{type(who).__name__}: the view {name!r} has NaN or infinite values.")
    if out.ndim > 3:  # bands of channels are so many channels
        out = out.reshape(len(out), -1, out.shape[-1])
    return out.reshape(len(out), -1), out.shape[1:]
