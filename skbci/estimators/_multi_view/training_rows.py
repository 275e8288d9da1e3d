"""Views of the rows that are trained on, of those made from them, and of those held out."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from skbci.augmentation import Augmentation
from skbci.estimators._multi_view.views import FittedViews, Rows, take


class ViewRows:
    """Features, labels and weights, those held out last.

    Parameters
    ----------
    views : list of (str, transformer)
        Fitted to the rows that are trained on only.
    X : ndarray, EEGArray or dict of such
        Rows.
    y : ndarray, shape (n_rows,)
        Labels.
    weight : ndarray, shape (n_rows,), or None
        Weights.
    train, valid : ndarray of int
        Rows to train on, and rows held out.
    augmentation : Augmentation or None
        Makes further rows of those to train on.
    seed : int
        Seeds it.
    who : object
        Who asks, for messages.
    """

    def __init__(
        self, views: list[tuple[str, BaseEstimator]], X: Rows, y: np.ndarray,
        weight: np.ndarray | None, train: np.ndarray, valid: np.ndarray,
        augmentation: Augmentation | None, seed: int, who: object,
    ) -> None:
        seen = take(X, train) if len(train) < len(y) else X
        own = None if weight is None else weight[train]
        self.views, features = FittedViews.fit(views, seen, y[train], who)
        parts = [(features, y[train], own)]
        if augmentation is not None:
            new = augmentation.augment(seen, y[train], sample_weight=own, random_state=seed)
            parts.append((self.views.transform(new.X, who), new.y, new.sample_weight))
        n_train = sum(len(labels) for _, labels, _ in parts)
        if len(valid):
            held = None if weight is None else weight[valid]
            parts.append((self.views.transform(take(X, valid), who), y[valid], held))
        self.features = np.vstack([part[0] for part in parts])
        self.labels = np.concatenate([part[1] for part in parts])
        self.weight = None
        if any(part[2] is not None for part in parts):
            self.weight = np.concatenate([
                np.ones(len(labels)) if given is None else given for _, labels, given in parts
            ])
        self.held_out = np.arange(len(self.labels)) >= n_train if len(valid) else None
