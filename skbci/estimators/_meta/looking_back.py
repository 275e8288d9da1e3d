"""Steps whose results depend on earlier rows, and what they need of those."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from skbci._eegarray.rows import row_seconds
from skbci._past import Past
from skbci._row_needs import looks_back
from skbci._sessions import TOLERANCE_S, session_rows
from skbci.eegarray import EEGArray
from skbci.estimators._meta.cascade import CascadeClassifier
from skbci.estimators._meta.evidence import EvidenceAccumulator
from skbci.features import CausalCentering, GroupAlignment, GroupScaler
from skbci.pipeline import Pipeline as KeepingPipeline
from skbci.pipeline import last_step

__all__ = ["ALIGNED_ROWS", "GoingOn", "first_needed", "holds_cascade"]

ALIGNED_ROWS = 500  # of a recording, that an alignment goes by
_TELLING_ROWS = 32  # from so many on, what a step makes of rows shows whether it looks back
_METHODS = ("transform", "predict", "predict_proba", "predict_log_proba", "decision_function")


def holds_cascade(estimator: BaseEstimator) -> bool:
    """Whether an estimator is a cascade, or holds one in its last step."""
    last = last_step(estimator)
    inner = getattr(last, "estimator", None)
    return isinstance(last, CascadeClassifier) or (inner is not None and holds_cascade(inner))


def first_needed(estimator: BaseEstimator, onsets: np.ndarray, first: int) -> int:
    """Find the first row of a recording that the answer to a later one can depend on.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    onsets : ndarray, shape (n_rows,)
        Onsets of the recording's rows in seconds.
    first : int
        The later row; ``n_rows`` is the one to come.

    Returns
    -------
    int
        0 where nothing is known of the estimator.
    """
    if looks_back(estimator) is False:
        return first
    if isinstance(estimator, (GroupAlignment, GroupScaler)):
        return max(first - ALIGNED_ROWS, 0)
    if type(estimator) is CascadeClassifier:
        first = first_needed(estimator.terminal_, onsets, first)
        first = max(first - int(estimator.n_lags) + 1, 0)
        return first_needed(estimator.initial_, onsets, first)
    if type(estimator) is EvidenceAccumulator:
        if estimator.unit == "rows":
            first = max(first - int(estimator.window) + 1, 0)
        elif len(onsets):
            edge = onsets[min(first, len(onsets) - 1)] - float(estimator.window) + TOLERANCE_S
            first = min(first, int(np.searchsorted(onsets, edge, side="right")))
        return first_needed(estimator.estimator_, onsets, first)
    return 0


class GoingOn:
    """A fitted classifier or pipeline that goes on with the recordings it has been shown.

    Parameters
    ----------
    estimator : classifier or Pipeline
        Fitted; it is not changed.
    pasts : dict of str to Past
        What its steps know, by their place; empty at first. It is not changed.

    Attributes
    ----------
    estimator : classifier or Pipeline
        Its methods take rows that go on with a recording for what they are.
    pasts : dict of str to Past
        What the steps know, after `learn` with the rows that it was given.
    """

    def __init__(self, estimator: BaseEstimator, pasts: Mapping[str, Past]) -> None:
        self.pasts = {place: past.copy() for place, past in pasts.items()}
        self._rows: list[_AfterRows] = []
        self.estimator = self._of(estimator, "")

    def learn(self, X: np.ndarray) -> np.ndarray:
        """Add rows to what the steps know.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, ...)

        Returns
        -------
        array-like or EEGArray, shape (n_rows, ...)
            What the last step sees of them.
        """
        for step in self._rows:
            step._learns = True
        step = self.estimator
        while isinstance(step, Pipeline):
            X = step[:-1].transform(X) if len(step.steps) > 1 else X
            step = step.steps[-1][1]
        if isinstance(step, _AfterRows):
            step._note(X)
        return X

    def _of(self, step: BaseEstimator, place: str) -> BaseEstimator:
        if isinstance(step, Pipeline):
            # Of scikit-learn's own pipelines, too, the steps know which recording goes on.
            other = object.__new__(type(step) if isinstance(step, KeepingPipeline)
                                   else KeepingPipeline)
            other.__dict__.update(step.__dict__)
            other.steps = [(name, self._of(own, f"{place}/{name}")) for name, own in step.steps]
            return other
        if looks_back(step) is False:
            return step
        if type(step) is FeatureUnion:
            return self._of_each(step, place, "transformer_list")
        if type(step) is ColumnTransformer:
            return self._of_each(step, place, "transformers_")
        if type(step) is CausalCentering:
            return step._going_on(self.pasts.setdefault(place, Past(step.by)))
        self._rows.append(_AfterRows(step, self.pasts.setdefault(place, Past())))
        return self._rows[-1]

    def _of_each(self, union: BaseEstimator, place: str, members: str) -> BaseEstimator:
        """Return the union with each member continuing the recordings by itself."""
        other = copy.copy(union)
        other.n_jobs = None  # what they note would be lost in another process
        setattr(other, members, [
            (name, self._of(step, f"{place}/{name}"), *rest)
            for name, step, *rest in getattr(union, members)
        ])
        return other


class _AfterRows:
    """A step that also gets the rows before those that it transforms or predicts.

    As many of a run as it needs to know are kept. Of a transformer of which nothing is known all
    are, until it has been seen to make of many rows what it makes of each alone.
    """

    def __init__(self, step: BaseEstimator, past: Past) -> None:
        self._step, self._past, self._learns = step, past, False

    def __getattr__(self, name: str) -> Any:
        if name in ("_step", "_past"):
            raise AttributeError(name)  # a copy that is not filled yet
        found = getattr(self._step, name)
        if name not in _METHODS:
            return found
        return lambda X, **params: self._ask(found, X, params)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _ask(self, method: Callable[..., Any], X: np.ndarray, params: dict[str, Any]) -> Any:
        heads = [head for _, head in self._heads(X) if head is not None]
        if not heads:
            out = method(X, **params)
        else:
            out = method(np.concatenate([*heads, X]), **params)[sum(map(len, heads)) :]
        if self._learns:
            self._note(X)
        return out

    def _note(self, X: np.ndarray) -> None:
        if self._past.row_by_row:
            return
        for rows, head in self._heads(X):
            own = X[rows] if head is None else np.concatenate([head, X[rows]])
            if len(own) >= _TELLING_ROWS and self._takes_each_alone(own):
                self._past.forget(row_by_row=True)
                return
            first = first_needed(self._step, np.asarray(row_seconds(own)), len(own))
            self._past.note(X, rows, own[np.arange(first, len(own))])  # a copy, not a view

    def _heads(self, X: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Return the rows of each run, and those that came before them."""
        if not isinstance(X, EEGArray) or row_seconds(X) is None:
            return []
        runs = session_rows(X, len(X), type(self._step).__name__)
        return [(rows, self._past.before(X, rows)) for rows in runs]

    def _takes_each_alone(self, X: np.ndarray) -> bool:
        if looks_back(self._step) or not hasattr(self._step, "transform"):
            return False
        try:
            together = np.asarray(self._step.transform(X))
            alone = np.concatenate([
                np.asarray(self._step.transform(X[row : row + 1])) for row in range(len(X))
            ])
            size = float(np.abs(together).max(initial=0.0))
            return together.shape == alone.shape and np.allclose(
                together, alone, rtol=1e-6, atol=1e-6 * size, equal_nan=True
            )
        except Exception:  # a step of anybody's: it may not take a single row
            return False
