"""A score of one task's rows, for cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import MetadataRequest

from skbci._checks.eeg import as_eeg
from skbci._typing import Labels, Signals
from skbci.estimators._neural.tasks import THROUGH_TOOLS, name_tasks


class TaskScorer:
    """Score the rows of one task, as ``scoring`` of scikit-learn's tools.

    Parameters
    ----------
    task : str or any label
        Whose rows count.
    metric : callable, default=accuracy_score
        ``metric(y_true, y_pred, **settings)``; larger is better.
    **settings
        Keyword arguments of the metric.

    See Also
    --------
    SparseMultitaskClassifier : Its ``score`` is the accuracy over all tasks.

    Notes
    -----
    The tasks come from the metadata ``task``, which is requested as soon as it is passed, else
    from the column "task" of the row table of an `EEGArray`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_validate
    >>> from skbci import EEGArray
    >>> from skbci.estimators import SparseMultitaskClassifier, TaskScorer
    >>> rng, rows = np.random.default_rng(0), np.arange(24)
    >>> y, task = rows % 2, np.where(rows % 4 < 2, "imagery", "execution")
    >>> data = rng.normal(size=(24, 2, 64)) * (1 + 2 * y[:, None, None])
    >>> scores = cross_validate(
    ...     SparseMultitaskClassifier(max_epochs=40, random_state=0),
    ...     EEGArray(data, {"task": task}), y, cv=2,
    ...     scoring={name: TaskScorer(name) for name in ("imagery", "execution")})
    >>> bool(scores["test_imagery"].mean() > 0.8), bool(scores["test_execution"].mean() > 0.8)
    (True, True)
    """

    def __init__(
        self, task: Labels | None, metric: Callable[..., float] = accuracy_score, **settings: Any
    ) -> None:
        self.task = task
        self.metric = metric
        self.settings = settings

    def __repr__(self) -> str:
        inside = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        metric = getattr(self.metric, "__name__", self.metric)
        return f"TaskScorer({self.task!r}, {metric}{inside})"

    def get_metadata_routing(self) -> MetadataRequest:
        """Say which metadata are taken.

        Returns
        -------
        MetadataRequest
            ``task``, and nothing else: neither ``sample_weight`` nor ``groups``.
        """
        request = MetadataRequest(owner=self)
        request.score.add_request(param="task", alias=True)
        return request

    def __call__(
        self, estimator: BaseEstimator, X: Signals, y: Labels, task: Labels | None = None
    ) -> float:
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : estimator
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        y : array-like, shape (n_rows,)
        task : array-like, shape (n_rows,), optional
            None: from X's row table.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the rows' tasks are not known, or none is of this task.
        """
        X, labels = as_eeg(X), np.asarray(y)
        tasks = name_tasks(X, task, len(labels))
        if tasks is None:
            raise ValueError(
                f"TaskScorer({self.task!r}) must be told the rows' tasks: pass task=..., or an "
                f"EEGArray whose row table has the column 'task'. {THROUGH_TOOLS}"
            )
        rows = np.flatnonzero(tasks == self.task)
        if not len(rows):
            raise ValueError(
                f"TaskScorer: no row is of the task {self.task!r}; they are of "
                f"{np.unique(tasks).tolist()}. In a cross-validation, every test fold needs rows "
                "of each task."
            )
        params = {} if task is None else {"task": tasks[rows]}
        if params:  # the predict of a search takes rows only
            estimator = getattr(estimator, "best_estimator_", estimator)
        predicted = estimator.predict(_safe_indexing(X, rows), **params)
        return float(self.metric(labels[rows], predicted, **self.settings))
