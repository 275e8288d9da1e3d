"""The rows of a fold, and the transformers of its pipelines, computed once for all its fits."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.model_selection._sklearn import split_rows
from skbci.pipeline import step_output

T = TypeVar("T")
_ARRAYS = (np.ndarray, np.memmap, EEGArray)


class PrefixMemory:
    """A ``Pipeline(memory=...)`` for the fits of one fold, one after the other.

    It keeps one chain: the transformers that were fitted last, and what they gave. A pipeline that
    starts with the same settings takes over the chain as far as they agree, and drops the rest. So
    the memory does not grow, and pipelines of equal settings should follow one another.
    """

    location = "memory"  # scikit-learn clones transformers where a memory has a location

    def __init__(self) -> None:
        self._chain: list[tuple[str | None, np.ndarray, BaseEstimator]] = []
        self._at = 0
        self._own_after = 0

    def start(self, own_after: int = 0) -> None:
        """Begin with the next pipeline; what that many transformers gave, it may overwrite."""
        self._at = 0
        self._own_after = own_after

    def cache(self, function: Callable[..., Any], ignore: Sequence[str] = ()) -> Any:
        """Wrap scikit-learn's function that fits a transformer and transforms with it."""

        @functools.wraps(function)
        def cached(
            transformer: BaseEstimator, X: Signals, y: Labels | None, **settings: Any
        ) -> Any:
            params = {name: value for name, value in settings.items() if name not in ignore}
            try:
                key = joblib.hash((transformer, params))
            except Exception:  # a transformer that cannot be pickled, around a lambda for example
                key = None
            at, self._at = self._at, self._at + 1
            if key is None or at >= len(self._chain) or self._chain[at][0] != key:
                del self._chain[at:]
                fit = functools.partial(function, transformer, **settings)
                self._chain.append((key, *call_on_copies(fit, X, y)))
            _, transformed, fitted = self._chain[at]
            return (copied(transformed) if self._at == self._own_after else transformed), fitted

        return cached


def call_on_copies(function: Callable[..., T], *data: Any) -> T:
    """Call with copies of what is shared, and refuse a function that writes into them.

    Raises
    ------
    RuntimeError
        If the function changes what it is given. Its results may be right, but the next one to
        see the same data would have met the changes in an ordinary search.
    """
    given = [copied(part) for part in data]
    out = function(*given)
    if not all(map(same_data, data, given)):
        raise RuntimeError(f"{function} writes into its input.")
    return out


def copied(data: Any) -> Any:
    """Copy rows or targets of any kind; arrays keep their order in memory."""
    if type(data) in _ARRAYS and not data.dtype.hasobject:
        return data.copy(order="K")
    return copy.deepcopy(data)


def same_data(data: Any, other: Any) -> bool:
    """Compare rows or targets of one kind, with the tables they carry."""
    if isinstance(data, (pd.DataFrame, pd.Series)):  # pandas 2 remembers what was looked up
        return type(data) is type(other) and bool(pd.DataFrame(data).equals(pd.DataFrame(other)))
    if type(data) not in _ARRAYS or data.dtype.hasobject:
        return bool(joblib.hash(data) == joblib.hash(other))
    if isinstance(data, EEGArray) and not data.metadata.equals(other.metadata):
        return False
    a, b = np.asarray(data), np.asarray(other)
    # Most data has no NaN, and needs no look at them.
    return np.array_equal(a, b) or (a.dtype.kind in "fc" and np.array_equal(a, b, equal_nan=True))


class FoldRows:
    """The rows of one fold, cut out when they are asked for first.

    All fits of the fold share them. Whoever might write into them needs a copy.
    """

    def __init__(self, X: Signals, y: Labels | None, train: np.ndarray, test: np.ndarray) -> None:
        self.data = X, y
        self.train, self.test = train, test
        self.release()

    def rows(self, which: str, estimator: BaseEstimator) -> tuple[np.ndarray, Labels]:
        """Return X and y of the "train" or "test" rows."""
        if which not in self._cut:
            numbers = (self.train,) if which == "train" else (self.test, self.train)
            self._cut[which] = split_rows(estimator, *self.data, *numbers)
        return self._cut[which]

    def transformed(self, which: str, pipeline: Pipeline) -> tuple[np.ndarray, Labels]:
        """Return X as the pipeline's last step sees it, and y.

        What the last pipeline's transformers gave is known as far as this one has the same.

        Raises
        ------
        RuntimeError
            If a transformer writes into its input.
        """
        X, y = self.rows(which, pipeline)
        chain = self._chains.setdefault(which, [])
        for at, step in enumerate(transformers(pipeline)):
            if at >= len(chain) or chain[at][0] is not step:
                del chain[at:]
                out = step_output(pipeline, X, call_on_copies(step.transform, X))
                chain.append((step, out))
            X = chain[at][1]
        return X, y

    def release(self) -> None:
        """Let go of the rows."""
        self._cut: dict[str, tuple[np.ndarray, Labels]] = {}
        self._chains: dict[str, list[tuple[BaseEstimator, np.ndarray]]] = {}


def transformers(estimator: BaseEstimator) -> Sequence[BaseEstimator]:
    """Return the steps before a pipeline's last one, without those that do nothing."""
    if not isinstance(estimator, Pipeline):
        return ()
    steps = (step for _, step in estimator.steps[:-1])
    return [step for step in steps if step is not None and not isinstance(step, str)]
