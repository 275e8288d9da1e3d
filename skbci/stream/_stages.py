"""The parts that a fitted pipeline is turned into: each takes one row at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci.eegarray import EEGArray

__all__ = ["Chain", "ClassifierStage", "OwnClassifier", "OwnTransform", "Stage", "describe"]


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

    def __init__(self, name: str, step: Any) -> None:
        self.name, self.step = name, step
        self.refresh()

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        """Give what the next step sees of a row of shape (1, ...) that begins at ``onset``."""
        raise NotImplementedError

    def begin(self, level: str) -> None:
        """Forget what does not outlast the beginning of a run, a session or a subject."""

    def refresh(self) -> None:
        """Take over what the step has learned since."""


class ClassifierStage(Stage):
    """A stage that ends in probabilities of shape (n_classes,)."""

    def label(self, row: np.ndarray, onset: float) -> int:
        """Give the place of the predicted label among the step's classes."""
        return int(self(row, onset).argmax())


class OwnTransform(Stage):
    """A transformer's own ``transform``.

    Parameters
    ----------
    name : str
    step : estimator
    rows : ndarray or EEGArray
        Rows such as the step gets.
    """

    def __init__(self, name: str, step: Any, rows: Any) -> None:
        self._dress = Dress(step, rows)
        super().__init__(name, step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return np.asarray(self.step.transform(self._dress(row, onset)))


class OwnClassifier(ClassifierStage):
    """A classifier's own ``predict_proba``; parameters as of `OwnTransform`."""

    def __init__(self, name: str, step: Any, rows: Any) -> None:
        self._dress = Dress(step, rows)
        super().__init__(name, step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return np.asarray(self.step.predict_proba(self._dress(row, onset)))[0]

    def label(self, row: np.ndarray, onset: float) -> int:
        said = np.asarray(self.step.predict(self._dress(row, onset)))
        return int(np.searchsorted(self.step.classes_, said)[0])


class Dress:
    """Give a row what a step knows rows by: column names, or a table that says whose it is."""

    def __init__(self, step: Any, rows: Any) -> None:
        self.names = getattr(step, "feature_names_in_", None)
        self.like = None
        if isinstance(rows, EEGArray) and set(rows.metadata) - {"run", "onset"}:
            self.like = rows[:1]

    def __call__(self, row: np.ndarray, onset: float) -> Any:
        if self.names is not None and row.ndim == 2:
            return pd.DataFrame(row, columns=self.names)  # anything else would make it warn
        if self.like is None:
            return row
        out = self.like.with_data(row)
        out.metadata["onset"] = onset
        return out


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

    def begin(self, level: str) -> None:
        for stage in (*self.stages, self.last):
            stage.begin(level)

    def refresh(self) -> None:
        for stage in (*self.stages, self.last):
            stage.refresh()

    def _features(self, row: np.ndarray, onset: float) -> np.ndarray:
        for stage in self.stages:
            row = stage(row, onset)
        return row


def describe(name: str, step: Any) -> str:
    """A step's name and type, for messages."""
    return f"step {name!r} ({type(step).__name__})"
