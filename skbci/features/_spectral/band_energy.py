"""Energies of equally wide sub-bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft

from skbci._checks import check_count, check_flag
from skbci._checks.frequencies import check_bands, resolve_sfreq
from skbci._docs import fill_references
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Signals
from skbci.features._spectral.blocks import signal_blocks
from skbci.features._spectral.log_powers import LogPowers

__all__ = ["EYE_STATE_BANDS", "BandEnergy"]

EYE_STATE_BANDS = ((0.5, 4.0), (4.0, 7.0), (8.0, 15.0), (16.0, 31.0))
CHUNK = 200_000  # samples at once: about what the processor's cache holds


@fill_references
class BandEnergy(LogPowers):
    r"""Energy of each channel in frequency bands cut into equal sub-bands.

    The default is the eye-state feature set of the HJB paper: delta 0.5-4, theta 4-7, alpha 8-15
    and beta 16-31 Hz, each in 8 rectangular sub-bands; 448 values for 14 channels.

    Parameters
    ----------
    bands : sequence of (float, float), default=((0.5, 4), (4, 7), (8, 15), (16, 31))
        Low and high edge of each band in Hz.
    n_subbands : int, default=8
        Equally wide parts that each band is cut into.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs.
    log : bool, default=False
        Whether to give the natural logarithm. A channel without usable signal in a row
        (drop-outs, rails; see `DecoderPipeline`) has the means of the fitted rows' logarithms
        there, with a warning: the logarithm of no energy would be an outlier. Other energies
        below the smallest normal number of the output's dtype (float64: 2.2e-308) are raised to
        it.

    Attributes
    ----------
    subbands_ : ndarray of shape (n_bands * n_subbands, 2)
        Low and high edge of each sub-band in Hz.
    sfreq_ : float
        Sampling rate in Hz.
    ch_names_ : list of str or None
        Channel names, where X knew them.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input.

    Raises
    ------
    ValueError
        If there is no sampling rate, a band is empty or reaches above Nyquist, or X has NaN,
        infinity or a constant channel.

    Notes
    -----
    Sub-bands may be narrower than the resolution of the transform (0.44 Hz against 0.67 Hz for
    the delta band and 1.5-s windows), so a bin is not a point but a cell. With
    :math:`\Delta = f_s / T`, the power :math:`P_k = c_k |\hat x_k|^2 / T^2` of bin k
    (:math:`c_k = 2`, at Nyquist 1; no window; the mean removed) is spread evenly over
    :math:`[(k - 1/2) \Delta, (k + 1/2) \Delta]`, at Nyquist over the lower half of that, and

    .. math:: E_{[a, b)} = \sum_k P_k \frac{|[a, b) \cap \mathrm{cell}_k|}{|\mathrm{cell}_k|} .

    So sub-bands add up to their band, and bands that tile 0 to Nyquist add up to the variance
    of the signal (Parseval). Neighbouring sub-bands inside one cell share its power. The unit is
    X's squared: mean power, which is energy divided by the window's length.

    References
    ----------
    .. [1] %(hjb_paper)s, section IV.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((5, 14, 192))
    >>> energy = BandEnergy(sfreq=128).fit(X)
    >>> energy.transform(X).shape
    (5, 448)
    >>> energy.get_feature_names_out()[16:18].tolist()
    ['EEG000_8-8.875Hz', 'EEG000_8.875-9.75Hz']
    """

    def __init__(
        self,
        bands: Sequence[tuple[float, float]] = EYE_STATE_BANDS,
        n_subbands: int = 8,
        *,
        sfreq: float | None = None,
        log: bool = False,
    ) -> None:
        self.bands = bands
        self.n_subbands = n_subbands
        self.sfreq = sfreq
        self.log = log

    @on_one_thread
    def fit(self, X: Signals, y: Labels | None = None) -> BandEnergy:
        """Check the bands against the sampling rate.

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
        self._fit(X)
        return self

    def _prepare(self, X: Signals) -> tuple[Signals, np.ndarray]:
        X, data = self._read_fit(X)
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self)
        check_flag(self.log, "log", self)
        n = check_count(self.n_subbands, "n_subbands", self)
        edges = [np.linspace(lo, hi, n + 1) for lo, hi in check_bands(self.bands, self.sfreq_,
                                                                      self)]
        self.subbands_ = np.concatenate([np.column_stack([e[:-1], e[1:]]) for e in edges])
        return X, data

    @on_one_thread
    def transform(self, X: Signals) -> np.ndarray:
        """Measure the energies.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_channels * n_bands * n_subbands)
            Energies in X's unit squared, or their logarithm; all sub-bands of the first channel,
            then of the second, and so on.
        """
        return self._features(X)

    def _read_signals(self, X: Signals) -> tuple[Signals, np.ndarray]:
        X, data = self._read(X)
        resolve_sfreq(self.sfreq_, X, self)
        return X, data

    @on_one_thread
    def _powers(self, X: Signals, data: np.ndarray) -> np.ndarray:
        n_times = data.shape[-1]
        weights = subband_weights(self.subbands_, n_times, self.sfreq_)
        per_row = data[0].size // n_times
        out = np.empty((len(data) * per_row, weights.shape[1]), data.dtype)
        for at, signals in signal_blocks(data, CHUNK * data.itemsize):
            part = signals.astype(np.float64, order="C")
            part -= part.mean(axis=1, keepdims=True)
            spectra = scipy.fft.rfft(part)
            # One product a row: a product of many rounds each by its place among them.
            power = (spectra.real**2 + spectra.imag**2).reshape(-1, per_row, len(weights))
            out[at] = (power @ weights).reshape(len(part), -1)
        return out

    def _feature_labels(self) -> list[str]:
        return [f"{low:g}-{high:g}Hz" for low, high in self.subbands_]


def subband_weights(subbands: np.ndarray, n_times: int, sfreq: float) -> np.ndarray:
    """What each bin's squared magnitude adds to each sub-band.

    Parameters
    ----------
    subbands : ndarray of shape (n_subbands, 2)
        Edges in Hz.
    n_times : int
        Length of the transform.
    sfreq : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_times // 2 + 1, n_subbands)
    """
    freqs = np.fft.rfftfreq(n_times, 1 / sfreq)
    half, nyquist = sfreq / n_times / 2, sfreq / 2
    low, high = np.maximum(freqs - half, 0.0), np.minimum(freqs + half, nyquist)
    shared = np.minimum(high[:, None], subbands[:, 1]) - np.maximum(low[:, None], subbands[:, 0])
    power = np.full(len(freqs), 2 / n_times**2)
    power[0] = 0.0  # the mean is not a rhythm
    if n_times % 2 == 0:
        power[-1] = 1 / n_times**2
    return np.maximum(shared, 0.0) / (high - low)[:, None] * power[:, None]
