"""Subtraction of the mean before the event."""

from __future__ import annotations

import numpy as np

from skbci._checks.frequencies import resolve_sfreq
from skbci._eegarray.rows import carry_rows
from skbci._recording.times import samples_between
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.features._base import SignalTransformer

__all__ = ["BaselineCorrection"]


class BaselineCorrection(SignalTransformer):
    r"""Subtract from each channel its mean over a part of the row, usually before the event.

    Parameters
    ----------
    tmin, tmax : float, optional
        The baseline, in seconds on the row's own time axis (a plain array begins at 0); start
        included, end excluded. ``tmin=None`` is the row's start, ``tmax=None`` its end: with both
        None the mean of the whole row is subtracted.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs, nor
        where both times are None.

    Attributes
    ----------
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the baseline lies outside of the rows or holds no sample, or X has NaN or infinity.

    Notes
    -----
    With the baseline's N samples B, :math:`\tilde x_c(t) = x_c(t) - \frac1N \sum_{s \in B}
    x_c(s)`. Nothing is learned from the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.features import BaselineCorrection
    >>> X = EEGArray([[[1.0, 3.0, 5.0, 7.0]]], sfreq=10, tmin=-0.2)
    >>> np.asarray(BaselineCorrection(tmax=0.0).fit_transform(X))
    array([[[-1.,  1.,  3.,  5.]]])
    """

    def __init__(
        self, tmin: float | None = None, tmax: float | None = None, *, sfreq: float | None = None
    ) -> None:
        self.tmin = tmin
        self.tmax = tmax
        self.sfreq = sfreq

    def fit(self, X: Signals, y: Labels | None = None) -> BaselineCorrection:
        """Check the times against the rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times), \
(n_rows, n_bands, n_channels, n_times) or (n_rows, n_times)
            Signals; 2-D input has one channel.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        X, data = self._read_fit(X, flat="allow", ndim=(2, 3, 4))
        needed = self.tmin is not None or self.tmax is not None or self.sfreq is not None
        self._rate = resolve_sfreq(self.sfreq, X, self) if needed else None
        self._tmin_in = X.tmin if isinstance(X, EEGArray) else 0.0
        self._samples(data, self._tmin_in)
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Subtract the baselines.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape as in fit
            Signals of the fitted channels. Plain arrays are taken to begin when the fitted rows
            did.

        Returns
        -------
        ndarray or EEGArray
            Of X's shape.
        """
        X, data = self._read(X, flat="allow", ndim=(2, 3, 4))
        if self._rate is not None:
            resolve_sfreq(self._rate, X, self)
        return self._compute(X, data)

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        t0 = X.tmin if isinstance(X, EEGArray) else self._tmin_in
        baseline = data[..., self._samples(data, t0)]
        return carry_rows(X, data - baseline.mean(axis=-1, keepdims=True))

    def _samples(self, data: np.ndarray, t0: float) -> slice:
        name = type(self).__name__
        return samples_between(self.tmin, self.tmax, data.shape[-1], t0, self._rate, name)
