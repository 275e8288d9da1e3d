"""The parts that a fitted pipeline is turned into: each takes one row at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

from skbci.stream._stages.row_context import RowContext

__all__ = [
    "Chain",
    "ClassifierStage",
    "Guarded",
    "OwnClassifier",
    "OwnTransform",
    "Stage",
    "describe",
]


class Stage:
    """A step of a pipeline, for rows that come one by one.

    Parameters
    ----------
    name : str
        The step's name in its pipeline.
    step : estimator
        The fitted step.
    """

    how = "own methods"

    def __init__(self, name: str, step: BaseEstimator) -> None:
        self.name, self.step = name, step
        self.refresh()

    @property
    def parts(self) -> Sequence[Stage]:
        """Stages that this one is made of."""
        return ()

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        """Return what the next step sees of a row of shape (1, ...) that begins at ``onset``."""
        raise NotImplementedError

    def begin(self, level: str) -> None:
        """Forget what does not outlast the beginning of a run, a session or a subject."""
        for part in self.parts:
            part.begin(level)

    def refresh(self) -> None:
        """Take over what the step has learned since."""
        for part in self.parts:
            part.refresh()


class ClassifierStage(Stage):
    """A stage that gives probabilities, shape (n_classes,)."""

    def label(self, row: np.ndarray, onset: float) -> int:
        """Return the place of the predicted label among the step's classes."""
        return int(self(row, onset).argmax())

    def silent(self, prior: np.ndarray, onset: float) -> np.ndarray:
        """Return the probabilities after a window without usable signal."""
        return prior.copy()


class OwnTransform(Stage):
    """A transformer's own ``transform``.

    Parameters
    ----------
    name : str
    step : estimator
    rows : ndarray or EEGArray
        Rows such as the step gets.
    """

    def __init__(self, name: str, step: BaseEstimator, rows: np.ndarray) -> None:
        self._context = RowContext(step, rows)
        super().__init__(name, step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return np.asarray(self.step.transform(self._context(row, onset)))


class OwnClassifier(ClassifierStage):
    """A classifier's own ``predict_proba``; parameters as of `OwnTransform`."""

    def __init__(self, name: str, step: BaseEstimator, rows: np.ndarray) -> None:
        self._context = RowContext(step, rows)
        super().__init__(name, step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return np.asarray(self.step.predict_proba(self._context(row, onset)))[0]

    def label(self, row: np.ndarray, onset: float) -> int:
        predicted = np.asarray(self.step.predict(self._context(row, onset)))
        return int(np.searchsorted(self.step.classes_, predicted)[0])


class Chain(ClassifierStage):
    """Transforming stages before a classifying one."""

    how = "a chain"

    def __init__(self, stages: list[Stage], last: ClassifierStage) -> None:
        self.stages, self.last = stages, last
        super().__init__(last.name, last.step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return self.last(self._features(row, onset), onset)

    def label(self, row: np.ndarray, onset: float) -> int:
        return self.last.label(self._features(row, onset), onset)

    def silent(self, prior: np.ndarray, onset: float) -> np.ndarray:
        return self.last.silent(prior, onset)

    @property
    def parts(self) -> Sequence[Stage]:
        return (*self.stages, self.last)

    def _features(self, row: np.ndarray, onset: float) -> np.ndarray:
        for stage in self.stages:
            row = stage(row, onset)
        return row


class Guarded(ClassifierStage):
    """A `DecoderPipeline` as a part of another estimator; it sees the windows themselves.

    Parameters
    ----------
    inner : ClassifierStage
        Its steps.
    guard : DecoderPipeline
    inside : bool
        Whether an `EvidenceAccumulator` is around it.
    """

    def __init__(self, inner: ClassifierStage, guard: BaseEstimator, inside: bool) -> None:
        self.inner, self.guard, self.inside, self.how = inner, guard, inside, inner.how
        super().__init__(inner.name, inner.step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        if not self.guard._bad_rows(row).any():
            return self.inner(row, onset)
        silent = self.inner.silent if self.inside else super().silent
        return silent(self.guard.prior_, onset)

    @property
    def parts(self) -> Sequence[Stage]:
        return (self.inner,)


def describe(name: str, step: BaseEstimator) -> str:
    """A step's name and type, for messages."""
    return f"step {name!r} ({type(step).__name__})"
