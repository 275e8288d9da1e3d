"""Logarithms of powers, which channels without usable signal must not turn into outliers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from skbci._typing import Signals
from skbci._usable import amplitudes, find_unusable, report_unusable, typical_amplitude
from skbci.features._base import FeatureTransformer, fit_transform

__all__ = ["LogPowers"]


class LogPowers(FeatureTransformer):
    """Base of the transformers that measure powers, and give their logarithm if ``log`` is true.

    The logarithm of no power is a number far from all others, that would outweigh hundreds of rows
    in a mean, and so would that of a railed amplifier. Such a channel therefore has the fitted
    rows' mean of each of its logarithms there, which speaks for no class.
    """

    fit_transform = fit_transform

    log: bool
    _mean_log: np.ndarray | None = None

    @abstractmethod
    def _prepare(self, X: Signals) -> tuple[Signals, np.ndarray]:
        """Do what ``fit`` does but for the means; give X with its context and as bare floats."""

    @abstractmethod
    def _read_signals(self, X: Signals) -> tuple[Signals, np.ndarray]:
        """Validate X after ``fit``; return it with its context and as bare floats."""

    @abstractmethod
    def _powers(self, X: Signals, data: np.ndarray) -> np.ndarray:
        """Compute the powers of valid signals, shape (n_signals, n_features)."""

    def _fit_and_compute(self, X: Signals) -> np.ndarray:
        X, _ = self._prepare(X)
        return self._learn(X) if self.log else self._features(X)

    def _fit(self, X: Signals) -> None:
        X, _ = self._prepare(X)
        if self.log:
            self._learn(X)

    def _learn(self, X: Signals) -> np.ndarray:
        """Learn what is typical of the channels; give the fitted rows' features."""
        X, data = self._read_signals(X)
        powers = self._powers(X, data)
        logs = _logarithms(powers, len(data))
        amplitude = _amplitudes(data)
        self._typical = typical_amplitude(amplitude)
        kept = ~find_unusable(amplitude, self._typical).channels[..., np.newaxis]
        counts = kept.sum(axis=0)
        sums = np.where(kept, logs, 0).sum(axis=0, dtype=np.float64)
        # Of a channel that has no signal in any row, nothing else is known.
        self._mean_log = np.where(counts > 0, sums / np.maximum(counts, 1), logs[0])
        filled = self._filled(logs, amplitude, getattr(X, "ch_names", None))
        return self._as_features(X, filled)

    def _features(self, X: Signals) -> np.ndarray:
        return self._compute(*self._read_signals(X))

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        powers = self._powers(X, data)
        return self._as_features(X, self._given(data, powers, getattr(X, "ch_names", None)))

    def _given(
        self, data: np.ndarray, powers: np.ndarray, names: Sequence[str] | None = None
    ) -> np.ndarray:
        """Features of rows whose powers, of shape (n_signals, n_features), are known."""
        if not self.log:
            return powers.reshape(len(data), -1)
        return self._filled(_logarithms(powers, len(data)), _amplitudes(data), names)

    def _filled(
        self, logs: np.ndarray, amplitude: np.ndarray, names: Sequence[str] | None
    ) -> np.ndarray:
        found = find_unusable(amplitude, self._typical)
        if found.channels.any():
            row, channel = np.nonzero(found.channels)
            assert self._mean_log is not None
            logs[row, channel] = self._mean_log[channel]
            names = self.ch_names_ if names is None else names
            then = "Their logarithms of power are the means of fit."
            report_unusable(found, type(self).__name__, names, then)
        return logs.reshape(len(logs), -1)


def _amplitudes(data: np.ndarray) -> np.ndarray:
    return amplitudes(data if data.ndim == 3 else data[:, np.newaxis])


def _logarithms(powers: np.ndarray, n_rows: int) -> np.ndarray:
    """Logarithms, shape (n_rows, n_channels, n_features)."""
    np.maximum(powers, np.finfo(powers.dtype).tiny, out=powers)
    np.log(powers, out=powers)
    return powers.reshape(n_rows, -1, powers.shape[-1])
