"""From samples to decided windows: a stream's buffer, clock and engine at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skbci.stream._causality import probe_windows
from skbci.stream._checks import (
    check_samples,
    fitted_steps,
    known_channels,
    real_numbers,
    stream_rate,
)
from skbci.stream._clock import Clock
from skbci.stream._engine import Engine
from skbci.stream._learning import Learning
from skbci.stream._mismatch import Gaps, LengthWatch, ScaleWatch, fitted_scale
from skbci.stream._sources.buffer import SampleBuffer

__all__ = ["WindowLoop"]

_USUAL_VOLTS = 2e-5  # of an electroencephalogram, where the pipeline does not know its unit


class WindowLoop:
    """The part of a decoder that goes from window to window."""

    pipeline: Any
    filter_state: str
    metadata: dict[str, Any]
    sfreq: float
    n_window: int
    n_hop: int
    n_channels: int | None
    ch_names: list[str] | None
    classes_: np.ndarray
    _clock: Clock
    _learning: Learning
    _engine: Engine | None
    _given_names: Sequence[str] | None

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
            self._watch, self._gaps = ScaleWatch(first, self.n_window), Gaps()
        self._engine, self._samples = engine, engine.samples
        self._begin(level)

    def _compiled(self, n_channels: int, names: list[str] | None, flat: bool) -> Engine:
        samples = SampleBuffer(n_channels, max(self.n_window, self.n_hop))
        shape = (self.n_window,) if flat else (n_channels, self.n_window)
        known = {} if flat else {"ch_names": names}
        first = next(fitted_steps(self.pipeline))
        tmin, scale = getattr(first, "tmin_in_", 0.0), fitted_scale(first) or _USUAL_VOLTS
        rows = probe_windows(shape, self.metadata, scale, sfreq=self.sfreq, tmin=tmin, **known)
        return Engine(self.pipeline, rows, samples, self.n_hop, self.filter_state)

    def _begin(self, level: str) -> None:
        assert self._engine is not None
        self._engine.begin(level)
        self._next_end = self.n_window
        self._learning.run += 1

    def _advance(
        self, data: np.ndarray, timestamps: Any, labels: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        engine = self._engine
        assert engine is not None
        times, decisions = [], []
        stretches = self._clock.read(data.shape[1], timestamps)
        self._watch.look(data)
        self._lengths.look()
        for stretch in stretches:
            if stretch.after_gap:
                self._begin("run")
                self._gaps.restart()
            at = stretch.start
            while at < stretch.stop:
                n = min(stretch.stop - at, self._next_end - self._samples.end)
                self._samples.append(data[:, at : at + n])
                at += n
                if self._samples.end < self._next_end:
                    break
                start = self._next_end - self.n_window
                self._gaps.decided()
                onset = start / self.sfreq
                decisions.append(engine.decide(start, self._next_end, onset, labels is not None))
                times.append(stretch.time(at - 1))
                self._next_end += self.n_hop
                if labels is not None:
                    self._learning.add(engine, labels[at - 1], onset)
        probabilities = np.array(decisions, dtype=np.float64).reshape(-1, engine.n_classes)
        return np.array(times, dtype=np.float64), probabilities

    def _read(self, samples: Any) -> np.ndarray:
        data = real_numbers(
            samples, "samples must be real numbers, channels x times",
            " Where time stamps are to go with them, decode takes a tuple (samples, timestamps).",
        )
        if self._engine is None and data.ndim == 2:
            self._take_over(len(data))
        return check_samples(data, self.n_channels, self.ch_names)
