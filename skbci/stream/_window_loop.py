"""From samples to decided windows: a stream's buffer, clock and engine at work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbci._checks import check_choice
from skbci._checks.eeg import as_eeg
from skbci._sessions import LEVELS
from skbci._typing import Label, Labels, Signals
from skbci.eegarray import EEGArray
from skbci.stream._causality import probe_windows
from skbci.stream._checks import (
    check_samples,
    fitted_steps,
    known_channels,
    real_numbers,
    same_start,
    stream_rate,
)
from skbci.stream._clock import Clock, Stretch
from skbci.stream._engine import Engine
from skbci.stream._learning import Learning
from skbci.stream._mismatch import Gaps, LengthWatch, RateWatch, ScaleWatch, fitted_scale
from skbci.stream._sources.buffer import SampleBuffer
from skbci.stream._triggers import Markers, Trigger
from skbci.stream._undo import or_undone

__all__ = ["WindowLoop"]

Decision = tuple[float, np.ndarray]  # a window's time stamp, and its probabilities

_USUAL_VOLTS = 2e-5  # of an electroencephalogram, where the pipeline does not know its unit


class WindowLoop:
    """The part of a decoder that goes from window to window."""

    pipeline: BaseEstimator
    filter_state: str
    metadata: dict[str, Any]
    sfreq: float
    n_window: int
    n_channels: int | None
    ch_names: list[str] | None
    classes_: np.ndarray
    _trigger: Trigger
    _offset: int
    _clock: Clock
    _learning: Learning
    _engine: Engine | None
    _given_names: Sequence[str] | None

    @property
    def _running(self) -> Engine:
        """The engine, which there is as soon as the number of channels is known."""
        if self._engine is None:
            raise RuntimeError("OnlineDecoder has no samples yet.")
        return self._engine

    @property
    def steps(self) -> dict[str, str]:
        """How each step is run."""
        return {} if self._engine is None else dict(self._engine.how)

    @or_undone
    def partial_fit_windows(self, X: Signals, y: Labels) -> Self:
        """Learn separate labelled windows, such as calibration trials, apart from the stream.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_windows, n_channels, n_window)
            In order of time.
        y : label, or array-like of labels, shape (n_windows,)

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As for `partial_fit`.
        """
        X = as_eeg(X)
        rows = X if isinstance(X, EEGArray) else np.asarray(X)
        labels = self._learning.check_labels(y, len(rows), self.classes_, "windows")
        if self._engine is None:
            self._take_over(rows.shape[1])
        self._learning.check_learner(self._running, self.filter_state)
        self._learning.learn_windows(self._running, self.pipeline, rows, labels)
        return self

    @or_undone
    def reset(self, level: str = "session") -> None:
        """End a session: learn what is left over, and forget the samples, the past and the time.

        The pipeline is taken over as it is now, whatever was fitted, set or learned since. Markers
        whose windows are not complete are forgotten.

        Parameters
        ----------
        level : {"session", "run", "subject"}, default="session"
            What begins next. A new run begins with an empty window and without evidence, but what
            `CausalCentering` knows of the session it keeps, unless it was fitted anew.

        Raises
        ------
        ValueError
            If the pipeline was fitted anew and no longer goes with the stream; the decoder then
            stays as it was.
        """
        check_choice(level, "level", "OnlineDecoder", LEVELS)
        if self._engine is not None:
            self._learning.flush(self._engine)
            self._rate.again()
            if level != "run":
                self._lengths.again()
        if isinstance(self._trigger, Markers):
            self._trigger.forget()
        self._take_over(self.n_channels, level)
        self._clock.clear()

    def _take_over(self, n_channels: int | None, level: str = "session") -> None:
        """Compile the pipeline as it is fitted now and begin, once there is a channel count."""
        stream_rate(self.sfreq, self.pipeline)
        names, known, flat = known_channels(self.pipeline, self._given_names)
        n_channels = known or n_channels
        engine = None if n_channels is None else self._compiled(n_channels, names, flat)
        # Nothing has changed where that failed.
        self.classes_ = np.asarray(self.pipeline.classes_)
        self.ch_names, self.n_channels = names, n_channels
        if engine is None:
            return
        if self._engine is not None:
            engine.resume(self._engine)
        if self._engine is None:
            steps = fitted_steps(self.pipeline)
            first = next(steps)
            # A filter that goes on with the stream was fitted on recordings, the rest on windows.
            windowed = first if self.filter_state == "window" else next(steps, None)
            self._lengths = LengthWatch(self.n_window, windowed, self.sfreq)
            self._scale, self._gaps = ScaleWatch(first, self.n_window), Gaps()
            self._rate = RateWatch(self.sfreq)
        self._engine, self._samples = engine, engine.samples
        self._begin(level)

    def _compiled(self, n_channels: int, names: list[str] | None, flat: bool) -> Engine:
        samples = SampleBuffer(n_channels, self._trigger.n_kept)
        shape = (self.n_window,) if flat else (n_channels, self.n_window)
        known = {} if flat else {"ch_names": names}
        first = next(fitted_steps(self.pipeline))
        tmin, scale = getattr(first, "tmin_in_", None), fitted_scale(first) or _USUAL_VOLTS
        if isinstance(self._trigger, Markers):
            tmin = same_start(self._offset / self.sfreq, tmin, self.sfreq)
        rows = probe_windows(shape, self.metadata, scale, sfreq=self.sfreq, tmin=tmin or 0.0,
                             **known)
        return Engine(self.pipeline, rows, samples, self._trigger.n_hop, self.filter_state)

    def _begin(self, level: str) -> None:
        self._running.begin(level)
        self._trigger.begin()
        self._learning.run += 1

    def _advance(
        self, data: np.ndarray, timestamps: ArrayLike | None, labels: np.ndarray | None,
        markers: Sequence[float] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take samples, and decide about the windows that they complete."""
        stretches = self._clock.read(data.shape[1], timestamps)
        self._scale.look(data)
        self._lengths.look()
        if isinstance(self._trigger, Markers):
            self._trigger.add(list(markers), self._samples.end)
        decided: list[Decision] = []
        if not stretches:  # markers without samples
            decided += self._decide(math.nan, None)
        for stretch in stretches:
            self._enter(stretch)
            decided += self._decide(math.nan, None)
            at = stretch.start
            while at < stretch.stop:
                at += self._append(data[:, at : stretch.stop])
                label = None if labels is None else labels[at - 1]
                decided += self._decide(stretch.time(at - 1), label)
        times = np.array([time for time, _ in decided], dtype=np.float64)
        probabilities = np.array([row for _, row in decided], dtype=np.float64)
        return times, probabilities.reshape(-1, self._running.n_classes)

    def _enter(self, stretch: Stretch) -> None:
        """Look at the times of samples that follow on those so far, or on a gap."""
        if stretch.after_gap:
            self._begin("run")
            self._gaps.restart()
        self._rate.look(stretch)
        self._trigger.arrive(stretch, self._samples.end)

    def _append(self, data: np.ndarray) -> int:
        """Take samples up to the end of the next window; return how many."""
        trigger, end = self._trigger, self._samples.end
        n = min(data.shape[1], trigger.n_kept, trigger.next_end() - end)
        self._samples.append(data[:, :n])
        if trigger.n_hop is None:
            self._running.source.skip(self._samples.end)  # later windows may begin anywhere
        return n

    def _decide(self, time: float, label: Label | None) -> Iterator[Decision]:
        """Decide about the windows that are complete, the last sample being at ``time``."""
        engine = self._running
        for window in self._trigger.complete(self._samples.end, time):
            self._gaps.decided()
            yield window.time, engine.decide(*window[:2], window.onset, label is not None)
            if label is not None:
                self._learning.add(engine, label, window.onset)

    def _read(self, samples: ArrayLike) -> np.ndarray:
        data = real_numbers(
            samples, "samples must be real numbers, channels x times",
            " Where time stamps are to go with them, decode takes a tuple (samples, timestamps).",
        )
        if self._engine is None and data.ndim == 2:
            self._take_over(len(data))
        return check_samples(data, self.n_channels, self.ch_names)
