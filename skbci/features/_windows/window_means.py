"""Mean amplitude in successive windows."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_positive
from skbci._checks.frequencies import resolve_sfreq
from skbci._docs import fill_references
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.features._base import FeatureTransformer

__all__ = ["WindowMeans"]


@fill_references
class WindowMeans(FeatureTransformer):
    r"""Mean amplitude of each channel in successive windows: features of evoked potentials.

    Parameters
    ----------
    width : float, default=0.05
        Length of a window in seconds.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs.

    Attributes
    ----------
    n_window_ : int
        Samples a window: the nearest whole number, 1 at least, and no more than a row has.
    times_ : ndarray of shape (n_windows,)
        The windows' starts in seconds, on the rows' own time axis.
    sfreq_ : float
        Sampling rate in Hz.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input.

    Raises
    ------
    ValueError
        If there is no sampling rate, ``width`` is not positive, or X has NaN, infinity or a
        constant channel.

    Notes
    -----
    Window k of w samples gives :math:`f_{c,k} = \frac1w \sum_{t=kw}^{kw+w-1} x_c(t)`; what is
    left after the last whole window is not used. Means are a low-pass filter and a decimation in
    one [1]_.

    References
    ----------
    .. [1] %(erp_tutorial)s.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.features import WindowMeans
    >>> X = EEGArray(np.arange(10.0).reshape(1, 1, 10), sfreq=20, tmin=0.1, ch_names=["Pz"])
    >>> means = WindowMeans(0.25)
    >>> np.asarray(means.fit_transform(X))
    array([[2., 7.]])
    >>> means.get_feature_names_out().tolist()
    ['Pz_0.1-0.35s', 'Pz_0.35-0.6s']
    """

    def __init__(self, width: float = 0.05, *, sfreq: float | None = None) -> None:
        self.width = width
        self.sfreq = sfreq

    def fit(self, X: Signals, y: Labels | None = None) -> WindowMeans:
        """Lay the windows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals; 2-D input has one channel.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        width = check_positive(self.width, "width", self, unit="seconds")
        X, data = self._read_fit(X)
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self)
        n_times = data.shape[-1]
        self.n_window_ = min(max(1, round(width * self.sfreq_)), n_times)
        start = X.tmin if isinstance(X, EEGArray) else 0.0
        step = self.n_window_ / self.sfreq_
        self.times_ = start + step * np.arange(n_times // self.n_window_)
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Average.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels and length.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_channels * n_windows)
            Channel by channel.
        """
        X, data = self._read(X, same_times=True)
        resolve_sfreq(self.sfreq_, X, self)
        return self._compute(X, data)

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        n_windows = len(self.times_)
        used = data[..., : n_windows * self.n_window_]
        windows = used.reshape(*data.shape[:-1], n_windows, self.n_window_)
        return self._as_features(X, windows.mean(axis=-1))

    def _feature_labels(self) -> list[str]:
        step = self.n_window_ / self.sfreq_
        return [f"{start:g}-{start + step:g}s" for start in self.times_.round(9)]
