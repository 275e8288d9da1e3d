"""The compiled pipeline: windows in, probabilities out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skbci._usable import calling_it
from skbci.eegarray import EEGArray
from skbci.features import FilterBank, WelchPSD
from skbci.stream._compile import compile_classifier, find_guard, find_learner
from skbci.stream._sources.buffer import SampleBuffer
from skbci.stream._sources.filtered import FilteredSamples
from skbci.stream._sources.welch_segments import WelchSegments
from skbci.stream._sources.window_sources import (
    FilteredWindows,
    PlainWindows,
    WelchWindows,
    WindowSource,
)
from skbci.stream._stages.base import Stage
from skbci.stream._stages.history import CarriedCentering

__all__ = ["Engine"]

_REPORTED = 10  # windows in succession whose one and the same fault is reported


class Engine:
    """A pipeline's stages behind the buffer of a stream.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    rows : EEGArray
        Windows to try it on.
    samples : SampleBuffer
        The stream.
    n_hop : int or None
        Samples from one window to the next; None where windows begin anywhere, and share nothing
        but a filter that goes on with the stream.
    filter_state : {"window", "stream"}
        Where a causal filter bank begins.
    """

    def __init__(
        self, pipeline: BaseEstimator, rows: EEGArray, samples: SampleBuffer, n_hop: int | None,
        filter_state: str,
    ) -> None:
        self.samples = samples
        self.stages, self.last = compile_classifier(type(pipeline).__name__, pipeline, rows)
        self.guard, self._guard_inside = find_guard(pipeline)
        self.n_classes = len(pipeline.classes_)
        self.learner_name, self.learner, self.learn_at = find_learner(
            type(pipeline).__name__, pipeline
        )
        self.learner_row: np.ndarray | None = None
        # What takes windows may ask for their rate and channels, as it did offline.
        self.learner_context: dict[str, Any] = {} if self.learn_at else {
            "sfreq": rows.sfreq, "ch_names": rows.ch_names, "tmin": rows.tmin,
        }
        self.how: dict[str, str] = {}
        self._faults, self._n_alike = frozenset[str](), 0
        self.source, self._n_fused = self._window_source(rows.shape[1:], n_hop, filter_state)
        self.how |= {stage.name: stage.how for stage in (*self.stages[self._n_fused :], self.last)}

    def _window_source(
        self, shape: tuple[int, ...], n_hop: int | None, filter_state: str
    ) -> tuple[WindowSource, int]:
        """Return what the first stages are replaced by, and how many of them."""
        flat, n_window = len(shape) == 1, shape[-1]
        self._window = PlainWindows(self.samples, flat)
        n_channels = 1 if flat else shape[0]
        first: list[Stage] = self.stages[:2]
        step: BaseEstimator = first[0].step if first else None
        causal = type(step) is FilterBank and step.phase == "causal"
        if filter_state == "stream" and not causal:
            raise ValueError(
                "OnlineDecoder: filter_state='stream' needs a pipeline whose first step is "
                "FilterBank(phase='causal'); a filter of zero phase needs the whole window."
            )
        if n_hop is None and filter_state == "window":
            return self._window, 0
        if type(step) is WelchPSD and n_hop is not None:
            self.how[first[0].name] = "incremental"
            segments = WelchSegments(step, n_channels, n_window, n_hop)
            return WelchWindows(self.samples, segments), 1
        if not causal:
            return self._window, 0
        bands = step._filters
        restart = filter_state == "window"
        hop = n_hop or n_window
        filtered = FilteredSamples(self.samples, n_channels, bands, n_window, hop, restart)
        self.how[first[0].name] = "carried"
        follows = first[1].step if len(first) > 1 else None
        stacked = step.output == "channels" and not flat and self.learn_at != 1
        if n_hop and not restart and stacked and type(follows) is WelchPSD:
            self.how[first[1].name] = "incremental"
            segments = WelchSegments(follows, len(bands) * n_channels, n_window, n_hop)
            return WelchWindows(filtered.buffer, segments, filtered), 2
        return FilteredWindows(filtered, step), 1

    def decide(self, start: int, stop: int, onset: float, learn: bool) -> np.ndarray:
        """Decide about a window; with ``learn``, keep what the learner sees of it."""
        self.learner_row = None
        # An electrode that is off stays off: the same words fill hours of a log.
        before = self._faults if self._n_alike >= _REPORTED else frozenset()
        with calling_it(f"the window that begins at {onset:g} s", before) as found:
            decision = self._decide(start, stop, onset, learn)
        self._n_alike = self._n_alike + 1 if found and found == self._faults else 1
        self._faults = frozenset(found)
        return decision

    def _decide(self, start: int, stop: int, onset: float, learn: bool) -> np.ndarray:
        if self.guard is not None and self.guard._bad_rows(self._window(start, stop)).any():
            self.source.skip(stop)
            prior = self.guard.prior_
            return self.last.silent(prior, onset) if self._guard_inside else prior.copy()
        row = self.source(start, stop)
        stages = self.stages[self._n_fused :]
        if learn and self.learn_at < self._n_fused:
            self.learner_row = self._window(start, stop)
        for i, stage in enumerate(stages, self._n_fused):
            if learn and self.learn_at == i:
                self.learner_row = row.copy()
            row = stage(row, onset)
        if learn and self.learn_at == len(self.stages):
            self.learner_row = row.copy()
        return self.last(row, onset)

    def begin(self, level: str) -> None:
        """Begin a run, a session or a subject."""
        self.samples.clear()
        self._faults, self._n_alike = frozenset(), 0
        self.source.begin()
        for stage in (*self.stages, self.last):
            stage.begin(level)

    def resume(self, earlier: Engine) -> None:
        """Go on with what an engine of the same pipeline knows of the session."""
        known = {id(stage.step): stage for stage in _all_centering(earlier)}
        for stage in _all_centering(self):
            if id(stage.step) in known:
                stage.resume(known[id(stage.step)])

    def refresh(self) -> None:
        """Take over what the pipeline has learned since, by ``partial_fit``."""
        for stage in (*self.stages, self.last):
            stage.refresh()


def _all_centering(engine: Engine) -> Iterator[CarriedCentering]:
    stages: list[Stage] = [*engine.stages, engine.last]
    while stages:
        stage = stages.pop()
        stages += stage.parts
        if isinstance(stage, CarriedCentering):
            yield stage
