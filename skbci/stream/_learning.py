"""Labelled windows on their way to the step that learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d

from skbci._typing import Label, Labels
from skbci.eegarray import EEGArray
from skbci.stream._compile import unwrapped
from skbci.stream._engine import Engine
from skbci.stream._stages.base import describe

__all__ = ["Learning"]


class Learning:
    """Collects labelled rows and hands them on in batches.

    Parameters
    ----------
    batch_size : int
    table : dict
        What is known of all rows.
    """

    def __init__(self, batch_size: int, table: dict[str, Any]) -> None:
        self.batch_size, self.table = batch_size, table
        self.run = -1
        self._rows: list[np.ndarray] = []
        self._labels: list[Label] = []
        self._places: list[tuple[int, float]] = []

    def check_labels(self, y: Labels, n: int, classes: np.ndarray, what: str) -> np.ndarray:
        """Return one label for each of n samples or windows.

        Raises
        ------
        ValueError
            If there are others than n labels, or foreign ones.
        """
        labels = np.full(n, y) if np.ndim(y) == 0 else np.asarray(y)
        if labels.ndim > 2 or labels.shape[1:] not in ((), (1,)):
            raise ValueError(
                f"OnlineDecoder: y of shape {labels.shape}: give one label for each of the {n} "
                f"{what}, or one for all."
            )
        labels = column_or_1d(labels, warn=True)
        if len(labels) != n:
            raise ValueError(
                f"OnlineDecoder: y has {len(labels)} labels for {n} {what}; give one for each of "
                "them, or one for all."
            )
        known = classes.tolist()
        # By their names: labels that are no classes may be of kinds that cannot be sorted.
        foreign = sorted({repr(label) for label in labels.tolist() if label not in known})
        if foreign:
            shown = ", ".join([*foreign[:5], "..."] if len(foreign) > 5 else foreign)
            raise ValueError(
                f"OnlineDecoder: y has labels [{shown}] that are not among the classes {known}."
            )
        return labels

    def check_learner(self, engine: Engine, filter_state: str) -> None:
        """Check that the pipeline can go on learning.

        Raises
        ------
        TypeError, ValueError
        """
        what = describe(engine.learner_name, engine.learner)
        if not hasattr(engine.learner, "partial_fit"):
            raise TypeError(
                f"OnlineDecoder: {what} has no partial_fit, so it cannot go on learning. "
                "MLPClassifier and sklearn.linear_model.SGDClassifier have one."
            )
        if filter_state == "stream" and engine.learn_at == 0:
            raise ValueError(
                f"OnlineDecoder: {what} filters each window by itself, which does not go with "
                "filter_state='stream'. Put the FilterBank into a step before it."
            )

    def add(self, engine: Engine, label: Label, onset: float) -> None:
        """Take the row that the learner saw last; it saw none of a window without signal."""
        if engine.learner_row is None:
            return
        self._rows.append(engine.learner_row)
        self._labels.append(label)
        self._places.append((self.run, onset))
        if len(self._rows) == self.batch_size:
            self.flush(engine)

    def flush(self, engine: Engine) -> None:
        """Learn what has been collected."""
        if not self._rows:
            return
        n = len(self._rows)
        table = {name: [value] * n for name, value in self.table.items()}
        table |= {"run": [run for run, _ in self._places], "onset": [t for _, t in self._places]}
        rows, labels = np.concatenate(self._rows), np.array(self._labels)
        self._rows, self._labels, self._places = [], [], []
        engine.learner.partial_fit(EEGArray(rows, table, **engine.learner_context), labels)
        engine.refresh()

    def learn_windows(
        self, engine: Engine, pipeline: BaseEstimator, X: np.ndarray, labels: np.ndarray
    ) -> None:
        """Learn windows that are no part of the stream."""
        rows = X
        estimator = unwrapped(pipeline)
        if engine.guard is not None and (bad := engine.guard._bad_rows(X)).any():
            rows, labels = X[~bad], labels[~bad]
        while isinstance(estimator, Pipeline):
            rows = estimator[:-1].transform(rows) if len(estimator.steps) > 1 else rows
            estimator = unwrapped(estimator.steps[-1][1])
        for start in range(0, len(labels), self.batch_size):
            part = slice(start, start + self.batch_size)
            engine.learner.partial_fit(rows[part], labels[part])
        engine.refresh()
