"""Projection of the channels onto the subspace that carries signal."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_number
from skbci._eegarray.rows import carry_rows
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Signals
from skbci._usable import amplitudes, find_unusable, report_unusable
from skbci.features._base import SignalTransformer

__all__ = ["RankReducer"]


class RankReducer(SignalTransformer):
    r"""Project channels onto as many components as the data has rank.

    An average reference, interpolated channels or removed artifact components leave EEG with
    fewer independent signals than channels. Its covariance matrices are then singular, and CSP or
    Riemannian geometry on them fail or follow rounding errors. Orthonormal components of the
    subspace that has signal give full-rank covariances and lose nothing: distances and power stay
    as they are but for one common factor, which makes volts and microvolts the same.

    Parameters
    ----------
    tol : float, default=1e-6
        Components whose variance is below this fraction of the largest are dropped.

    Attributes
    ----------
    components_ : ndarray of shape (rank, n_channels)
        Orthonormal directions, strongest first; the largest weight of each is positive.
    rank_ : int
        Number of components kept.
    scale_ : float
        Root mean square over rows, channels and times of the fitted data, each row's channel
        means removed; the output is divided by it.
    explained_variance_ : ndarray of shape (rank,)
        Variance of each component in the fitted data, in X's unit squared.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input, which is one channel.

    Raises
    ------
    ValueError
        If ``tol`` is not in [0, 1), or X has NaN, infinity or a constant channel.

    Notes
    -----
    With the covariance pooled over all rows i and times t,
    :math:`\Sigma = \langle (x_{it} - \bar x_i)(x_{it} - \bar x_i)^T \rangle = V \Lambda V^T`,
    the output is :math:`V_r^T x / \sigma`, where :math:`V_r` are the eigenvectors with
    :math:`\lambda > \mathrm{tol} \cdot \lambda_{max}` and
    :math:`\sigma^2 = \mathrm{tr} \Sigma / C` for C channels. Nothing is whitened. Labels are not
    used. Rows in which a channel is flat, or a thousand times smaller or larger than is typical of
    it, are set aside in ``fit``, with a warning: one of them could drown all directions but its
    own.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((20, 5, 100)) * 1e-5
    >>> X -= X.mean(axis=1, keepdims=True)  # average reference
    >>> reducer = RankReducer().fit(X)
    >>> reducer.rank_, reducer.transform(X).shape
    (4, (20, 4, 100))
    """

    def __init__(self, tol: float = 1e-6) -> None:
        self.tol = tol

    @on_one_thread
    def fit(self, X: Signals, y: Labels | None = None) -> RankReducer:
        """Find the components.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals; 2-D input has one channel, which is only scaled.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        check_number(self.tol, "tol", self, low=0, high=1, closed="left")
        X, data = self._read_fit(X)
        signals = data if data.ndim == 3 else data[:, np.newaxis]
        found = find_unusable(amplitudes(signals))
        if found.rows.all():
            report_unusable(found, "RankReducer", self.ch_names_, "All of them are used.")
        elif found.rows.any():
            report_unusable(found, "RankReducer", self.ch_names_)
            signals = signals[~found.rows]
        covariance, peak = _pooled_covariance(signals)
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = values[::-1], vectors[:, ::-1]
        # Rounding alone leaves about this much in a direction without any signal.
        floor = len(values) * np.finfo(data.dtype).eps
        kept = values > max(self.tol, floor) * values[0]
        kept[0] = True
        components = vectors[:, kept].T
        largest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        self.components_ = components * signs[:, np.newaxis]
        self.rank_ = len(components)
        self.explained_variance_ = values[kept] * peak**2
        rms = np.sqrt(np.trace(covariance) / len(covariance)) * peak
        self.scale_ = float(rms) if rms > 0 else 1.0
        return self

    @on_one_thread
    def transform(self, X: Signals) -> np.ndarray:
        """Project and scale.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, rank, n_times) or (n_rows, n_times)
            Components of unit overall power; they have no channel names.
        """
        return self._compute(*self._read(X))

    def _signals_out(self, names: list[str]) -> list[str]:
        return [f"component{k}" for k in range(self.rank_)]

    @on_one_thread
    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        if data.ndim == 2:
            return carry_rows(X, data / data.dtype.type(self.scale_))
        projection = (self.components_ / self.scale_).astype(data.dtype)
        return carry_rows(X, projection @ data, ch_names=None, info=None)


def _pooled_covariance(data: np.ndarray) -> tuple[np.ndarray, float]:
    """Covariance over rows and times in float64 of data divided by its largest value."""
    n_rows, n_channels, n_times = data.shape
    peak = float(np.abs(data).max()) or 1.0
    total = np.zeros((n_channels, n_channels))
    for row in data:
        row = row / peak if row.dtype == np.float64 else row.astype(np.float64) / peak
        if n_times > 1:
            row = row - row.mean(axis=1, keepdims=True)
        total += row @ row.T
    return total / (n_rows * n_times), peak
