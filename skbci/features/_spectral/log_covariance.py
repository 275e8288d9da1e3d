"""Matrix logarithm of each row's covariance."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_choice, check_number
from skbci._docs import fill_references
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Names, Signals
from skbci._usable import amplitudes, find_unusable, report_unusable, typical_amplitude
from skbci.eegarray import EEGArray
from skbci.features._base import FeatureTransformer, fit_transform

__all__ = ["LogCovariance"]

_BLOCK = 4096  # matrices at a time


@fill_references
class LogCovariance(FeatureTransformer):
    r"""Covariance of each row's channels, as a vector of its matrix logarithm.

    After a step that recenters each subject these are tangent vectors at the subject's own mean.
    Unlike those of `pyriemann.tangentspace.TangentSpace`, they need no mean over all training
    rows, so that a row's features do not change with the rows that are trained on. The diagonal
    are log powers, the rest tells what channels have in common.

    Parameters
    ----------
    estimator : {"oas", "scm"}, default="oas"
        Covariance with oracle approximating shrinkage [2]_, or of the sample.
    tol : float, default=1e-6
        Directions whose variance is below this fraction of a row's largest have no signal.

    Attributes
    ----------
    mean_ : ndarray, shape (n_features_out,)
        Mean over the fitted rows, in the place of rows without usable signal.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or X has NaN, infinity or a constant channel.

    See Also
    --------
    RiemannianRecentering, EuclideanAlignment : What to have before it.
    GroupScaler : Z-scores of its output by subject.

    Notes
    -----
    With the eigenvalues :math:`\lambda_k` and eigenvectors :math:`v_k` of row i's covariance,
    shrunk where ``estimator="oas"``,

    .. math:: L_i = \sum_{k : \lambda_k > 0} \log(\lambda_k) \, v_k v_k^\top ,

    whose upper triangle is the row's vector, off-diagonal entries times :math:`\sqrt 2`, so that
    its norm is that of :math:`L_i`: the distance of the covariance from the identity. Where
    :math:`x_i` was recentered by :math:`M^{-1/2}`, :math:`L_i = \log(M^{-1/2} \Sigma_i M^{-1/2})`
    [1]_. What has no signal in it, as the mean of average-referenced channels, has none in
    :math:`L_i` and takes no part in the shrinkage.

    Each band of 4-D input gives a block of its own. Without a recentering before, the unit of the
    signal adds a constant to the diagonal.

    A row with a channel without usable signal (flat, or a thousand times smaller or larger than
    is typical of the channel in the fitted rows) has the fitted rows' mean, with a warning.

    References
    ----------
    .. [1] %(riemannian_kernel_paper)s.
    .. [2] Y. Chen, A. Wiesel, Y. C. Eldar and A. O. Hero, "Shrinkage algorithms for MMSE
       covariance estimation", IEEE Transactions on Signal Processing 58(10), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.features import LogCovariance
    >>> signals = np.array([[[3.0, -3.0, 3.0, -3.0], [1.0, 1.0, -1.0, -1.0]]])
    >>> LogCovariance("scm").fit_transform(signals).round(4)   # log 9, 0, log 1
    array([[2.1972, 0.    , 0.    ]])
    """

    def __init__(self, estimator: str = "oas", *, tol: float = 1e-6) -> None:
        self.estimator = estimator
        self.tol = tol

    fit_transform = fit_transform

    @on_one_thread
    def fit(self, X: Signals, y: Labels | None = None) -> LogCovariance:
        """Learn what is typical of the channels, and the mean.

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
        self._fit_and_compute(X)
        return self

    @on_one_thread
    def transform(self, X: Signals) -> np.ndarray:
        """Compute the vectors.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times), \
(n_rows, n_bands, n_channels, n_times) or (n_rows, n_times)
            Signals of the fitted bands and channels.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_bands * n_channels * (n_channels + 1) / 2)
        """
        return self._compute(*self._read(X, ndim=(2, 3, 4)))

    def _fit_and_compute(self, X: Signals) -> np.ndarray:
        check_choice(self.estimator, "estimator", self, ("oas", "scm"))
        check_number(self.tol, "tol", self, low=0, high=1, closed="left")
        X, data = self._read_fit(X, ndim=(2, 3, 4))
        self._names = X.ch_names if isinstance(X, EEGArray) and X.ndim > 2 else None
        amplitude = _amplitudes(data)
        self._typical = typical_amplitude(amplitude)
        out = self._vectors(data)
        good = ~find_unusable(amplitude, self._typical).rows
        self.mean_ = out[good if good.any() else slice(None)].mean(axis=0, dtype=np.float64)
        return self._as_features(X, self._filled(out, amplitude))

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        return self._as_features(X, self._filled(self._vectors(data), _amplitudes(data)))

    def _filled(self, out: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
        found = find_unusable(amplitude, self._typical)
        if found.rows.any():
            out[found.rows] = self.mean_
            then = "Such rows have the mean of fit."
            report_unusable(found, "LogCovariance", self._names, then)
        return out

    def _vectors(self, data: np.ndarray) -> np.ndarray:
        signals = data[:, np.newaxis] if data.ndim == 2 else data
        signals = signals.reshape(-1, *signals.shape[-2:])
        n = signals.shape[1]
        rows, columns = np.triu_indices(n)
        factor = np.where(rows == columns, 1.0, np.sqrt(2.0))
        out = np.empty((len(signals), len(rows)), data.dtype)
        for start in range(0, len(signals), _BLOCK):
            at = slice(start, start + _BLOCK)
            out[at] = self._logarithms(signals[at])[:, rows, columns] * factor
        return out.reshape(len(data), -1)

    def _logarithms(self, signals: np.ndarray) -> np.ndarray:
        """Matrix logarithm of each covariance, shape (n_signals, n_channels, n_channels)."""
        n_times = signals.shape[-1]
        values = signals.astype(np.float64)
        peak = np.abs(values).max(axis=(1, 2), keepdims=True)
        peak[peak == 0] = 1.0
        values /= peak
        values -= values.mean(axis=-1, keepdims=True)
        # Shrinkage moves eigenvalues towards their mean, and leaves the eigenvectors.
        variances, vectors = np.linalg.eigh(values @ values.transpose(0, 2, 1) / n_times)
        floor = max(self.tol, variances.shape[1] * float(np.finfo(signals.dtype).eps))
        kept = variances > floor * variances[:, -1:]
        variances = np.where(kept, variances, 0.0)
        if self.estimator == "oas":
            rank = np.maximum(kept.sum(axis=1, keepdims=True), 1)
            variances = _shrunk(variances, rank, n_times)
        logs = np.log(np.where(kept, variances, 1.0)) + 2 * np.log(peak[:, 0])
        return (vectors * np.where(kept, logs, 0.0)[:, np.newaxis]) @ vectors.transpose(0, 2, 1)

    def _feature_labels(self) -> list[str]:
        raise NotImplementedError  # names are of pairs of channels

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Names of the output's columns, such as ``C3-C4`` or, of bands, ``band0_C3-C4``.

        Parameters
        ----------
        input_features : sequence of str, optional
            Names of the channels of 3-D input, in place of those that ``fit`` saw.

        Returns
        -------
        ndarray of str, shape (n_features_out,)
        """
        shape = self.input_shape_
        bands = [f"band{k}_" for k in range(shape[0])] if len(shape) == 3 else [""]
        if len(shape) == 3:
            names = self._names or [f"EEG{k:03d}" for k in range(shape[1])]
        else:
            names = self._channel_names(input_features)
        pairs = list(zip(*np.triu_indices(len(names))))
        return np.asarray(
            [f"{band}{names[i]}-{names[j]}" for band in bands for i, j in pairs], dtype=object)


def _amplitudes(data: np.ndarray) -> np.ndarray:
    return amplitudes(data if data.ndim > 2 else data[:, np.newaxis])


def _shrunk(variances: np.ndarray, rank: np.ndarray, n_times: int) -> np.ndarray:
    """Eigenvalues of the covariance in its range of ``rank`` dimensions, shrunk by OAS."""
    mean = variances.sum(axis=1, keepdims=True) / rank
    square = np.square(variances).sum(axis=1, keepdims=True) / rank**2
    excess = (n_times + 1) * (square - mean**2 / rank)
    share = np.where(excess > square + mean**2, (square + mean**2) / np.where(
        excess > 0, excess, 1.0), 1.0)
    return (1 - share) * variances + share * mean
