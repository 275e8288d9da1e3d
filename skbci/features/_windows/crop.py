"""A part of the time axis."""

from __future__ import annotations

import numpy as np

from skbci._checks.frequencies import resolve_sfreq
from skbci._eegarray.rows import carry_rows
from skbci._recording.times import samples_between
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.features._base import SignalTransformer

__all__ = ["Crop"]


class Crop(SignalTransformer):
    """Keep the part of each row between two times.

    Times are those of the row's own axis: an epoch from -0.5 s to 4 s around its cue keeps what
    is between 0.5 s and 3.5 s after the cue with ``Crop(0.5, 3.5)``. Filtering first and cropping
    afterwards keeps the filter's edges out of the window.

    Parameters
    ----------
    tmin : float, optional
        Start in seconds, included. By default the first sample.
    tmax : float, optional
        End in seconds, excluded: the last sample is the last one before it, as everywhere in
        skbci. By default the end of the row.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs, nor
        where ``tmin`` and ``tmax`` are None.

    Attributes
    ----------
    sfreq_ : float or None
        Sampling rate in Hz.
    tmin_in_ : float
        Time of the rows' first sample in seconds; zero for plain arrays.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input.

    Raises
    ------
    ValueError
        If there is no sampling rate, the window reaches outside of the rows, or it is empty.

    Examples
    --------
    >>> import numpy as np
    >>> Crop(0.5, 3.5, sfreq=100).fit_transform(np.random.default_rng(0).random((3, 2, 400))).shape
    (3, 2, 300)
    """

    def __init__(
        self, tmin: float | None = None, tmax: float | None = None, *, sfreq: float | None = None
    ) -> None:
        self.tmin = tmin
        self.tmax = tmax
        self.sfreq = sfreq

    def fit(self, X: Signals, y: Labels | None = None) -> Crop:
        """Check the times against the rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals; 2-D input has one channel, 4-D input an axis of bands before the channels.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        X, data = self._read_fit(X, flat="allow", ndim=(2, 3, 4))
        needed = self.tmin is not None or self.tmax is not None or self.sfreq is not None
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self) if needed else None
        self.tmin_in_ = X.tmin if isinstance(X, EEGArray) else 0.0
        self._columns = self._samples(data.shape[-1], self.tmin_in_)
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Take the samples.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels. Plain arrays are taken to begin when the fitted rows
            did.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_channels, n_kept) or (n_rows, n_kept)
            A view where X needed no conversion.
        """
        X, data = self._read(X, flat="allow", ndim=(2, 3, 4))
        if self.sfreq_ is not None:
            resolve_sfreq(self.sfreq_, X, self)
        return self._compute(X, data)

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        t0 = X.tmin if isinstance(X, EEGArray) else self.tmin_in_
        kept = self._samples(data.shape[-1], t0)
        out = data[..., kept]
        if not kept.start or self.sfreq_ is None:
            return carry_rows(X, out)
        return carry_rows(X, out, tmin=t0 + kept.start / self.sfreq_)

    def _samples(self, n_times: int, t0: float) -> slice:
        return samples_between(self.tmin, self.tmax, n_times, t0, self.sfreq_, "Crop")

    def _columns_out(self, names: list[str]) -> list[str]:
        return names[self._columns]
