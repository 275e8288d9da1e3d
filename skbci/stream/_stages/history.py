"""Steps that look back on earlier rows, with their past carried along."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator

from skbci._sessions import LEVELS, TOLERANCE_S
from skbci.estimators import LEAST_PROBABILITY, says_nothing, transitions
from skbci.stream._stages.base import ClassifierStage, Stage
from skbci.stream._stages.sliding_forward import SlidingForward

__all__ = ["CarriedCascade", "CarriedCentering", "CarriedEvidence"]


class CarriedCentering(Stage):
    """`CausalCentering`, whose running mean goes on from row to row."""

    how = "carried"

    def __init__(self, name: str, step: BaseEstimator) -> None:
        super().__init__(name, step)
        self._stream = step.start()

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return self._stream.update(row)

    def begin(self, level: str) -> None:
        # A new run is not a new session, but a new session has new runs.
        if LEVELS.index(level) <= LEVELS.index(self.step.by):
            self._stream = self.step.start()

    def resume(self, earlier: CarriedCentering) -> None:
        """Go on with what an earlier stage of the same step knows, unless it is of another fit."""
        if earlier._stream.prior_mean is self.step.mean_:
            self._stream = earlier._stream


class CarriedEvidence(ClassifierStage):
    """`EvidenceAccumulator`, which keeps the evidence of earlier windows."""

    how = "carried"

    def __init__(self, name: str, step: BaseEstimator, inner: ClassifierStage) -> None:
        self.inner = inner
        self._onsets: deque[float] = deque()
        self._logs: deque[np.ndarray | None] = deque()
        self._filter: SlidingForward | None = None
        super().__init__(name, step)

    @property
    def parts(self) -> Sequence[Stage]:
        return (self.inner,)

    def refresh(self) -> None:
        super().refresh()
        self._single = self.step.unit == "rows" and self.step.window == 1
        rate = getattr(self.step, "change_rate_", None)  # as it was in fit
        if rate is None:
            return
        prior = self.step.class_prior_
        moves = transitions(rate, prior)
        if self._filter is None:
            self._filter = SlidingForward(moves, prior)
            while self._logs:
                self._filter.push(self._likelihood(self._logs.popleft()))
        # Rows of before keep the likelihoods that they had.
        self._filter.moves, self._filter.prior = moves, prior

    def begin(self, level: str) -> None:
        super().begin(level)
        self._onsets.clear()
        self._logs.clear()
        if self._filter is not None:
            self._filter.clear()

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return self._after(self.inner(row, onset), onset)

    def silent(self, prior: np.ndarray, onset: float) -> np.ndarray:
        return self._after(self.inner.silent(prior, onset), onset)

    def _after(self, proba: np.ndarray, onset: float) -> np.ndarray:
        if self._single:
            return proba
        silent = bool(says_nothing(self.step.estimator_, proba[np.newaxis])[0])
        logs = None if silent else np.log(np.maximum(proba.astype(np.float64), LEAST_PROBABILITY))
        self._onsets.append(onset)
        if self._filter is not None:
            return self._filtered(logs).astype(proba.dtype)
        self._logs.append(logs)
        for _ in range(self._n_old()):
            self._onsets.popleft()
            self._logs.popleft()
        informative = [own for own in self._logs if own is not None]
        if not informative or (len(informative) == 1 and not silent):
            return proba
        return softmax(np.mean(informative, axis=0)).astype(proba.dtype)

    def _filtered(self, logs: np.ndarray | None) -> np.ndarray:
        assert self._filter is not None
        self._filter.push(self._likelihood(logs))
        for _ in range(self._n_old()):
            self._onsets.popleft()
            self._filter.pop()
        return self._filter.belief()

    def _likelihood(self, logs: np.ndarray | None) -> np.ndarray:
        if logs is None:  # a window without signal
            return np.full(len(self.step.class_prior_), 1 / len(self.step.class_prior_))
        return softmax(self.step.exponent * (logs - np.log(self.step.class_prior_)))

    def _n_old(self) -> int:
        """Count the oldest rows that no longer belong to the window; never the last one."""
        if self.step.unit == "rows":
            return max(0, len(self._onsets) - int(self.step.window))
        edge = self._onsets[-1] - float(self.step.window) + TOLERANCE_S
        n = 0
        while n < len(self._onsets) - 1 and self._onsets[n] <= edge:
            n += 1
        return n


class CarriedCascade(ClassifierStage):
    """`CascadeClassifier`, which keeps the initial classifier's last answers."""

    how = "carried"

    def __init__(
        self, name: str, step: BaseEstimator, initial: ClassifierStage, terminal: ClassifierStage
    ) -> None:
        self.initial, self.terminal = initial, terminal
        self._lags: deque[np.ndarray] = deque(maxlen=int(step.n_lags))
        super().__init__(name, step)

    @property
    def parts(self) -> Sequence[Stage]:
        return self.initial, self.terminal

    def refresh(self) -> None:
        super().refresh()
        self._places = np.searchsorted(self.step.classes_, self.step.initial_.classes_)

    def begin(self, level: str) -> None:
        super().begin(level)
        self._lags.clear()

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return self.terminal(self._stacked(row, onset), onset)

    def label(self, row: np.ndarray, onset: float) -> int:
        return self.terminal.label(self._stacked(row, onset), onset)

    def _stacked(self, row: np.ndarray, onset: float) -> np.ndarray:
        """The row with the latest values first behind it."""
        values = self._values(row, onset)
        # Before its beginning, the run's first row stands in for the missing ones.
        for _ in range(1 if self._lags else int(self.step.n_lags)):
            self._lags.appendleft(values)
        return np.concatenate([row.reshape(-1), *self._lags])[np.newaxis]

    def _values(self, row: np.ndarray, onset: float) -> np.ndarray:
        out = np.zeros(len(self.step.classes_))
        if self.step.stack == "probabilities":
            out[self._places] = self.initial(row, onset)
            return out
        place = self._places[self.initial.label(row, onset)]
        if self.step.stack == "labels":
            return np.array([float(place)])
        out[place] = 1.0
        return out
