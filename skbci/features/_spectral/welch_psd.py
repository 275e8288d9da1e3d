"""Welch power spectral densities as features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_choice, check_count, check_flag, check_number
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.frequencies import resolve_sfreq
from skbci._typing import Labels, Signals
from skbci.features._spectral.blocks import signal_blocks
from skbci.features._spectral.log_powers import LogPowers
from skbci.features._spectral.welch import WelchPlan, check_window, welch_rows

__all__ = ["WelchPSD"]


class WelchPSD(LogPowers):
    r"""Power spectral density of each channel by Welch's method.

    The same estimate as `scipy.signal.welch` with its defaults (mean of one-sided density
    periodograms of segments whose mean is removed), several times faster.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs.
    n_per_seg : int, optional
        Samples in a segment. By default 256, or all samples if there are fewer.
    n_overlap : int, optional
        Samples that neighbouring segments share. By default half a segment.
    window : str, float or tuple, default="hann"
        What `scipy.signal.get_window` takes: a name, a name with parameters, or Kaiser's beta.
    fmin, fmax : float, default=0.0 and None
        First and last frequency in Hz that is given, both included; None is Nyquist.
    log : bool, default=False
        Whether to give the natural logarithm. A channel without usable signal in a row
        (drop-outs, rails; see `DecoderPipeline`) has the means of the fitted rows' logarithms
        there, with a warning: the logarithm of no power would be an outlier. Other densities
        below the smallest normal number of the output's dtype (float64: 2.2e-308) are raised to
        it.
    dtype : {"float32", "float64"}, optional
        Precision of the computation; by default the input's. The output has the input's dtype.

    Attributes
    ----------
    freqs_ : ndarray of shape (n_freqs,)
        Frequencies in Hz.
    n_per_seg_, n_overlap_ : int
        Samples in a segment and shared by neighbours.
    sfreq_ : float
        Sampling rate in Hz.
    ch_names_ : list of str or None
        Channel names, where X knew them.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input.

    Raises
    ------
    ValueError
        If there is no sampling rate, a segment is longer than the signal, no frequency lies
        within ``fmin`` and ``fmax``, or X has NaN, infinity or a constant channel.

    Notes
    -----
    For S segments :math:`x_s` of N samples with mean :math:`\bar x_s`, window w and sampling
    rate f,

    .. math:: P(k) = \frac{c_k}{S f \sum_n w_n^2} \sum_{s=1}^{S}
        \Big| \sum_{n=0}^{N-1} w_n (x_{sn} - \bar x_s) e^{-2 \pi i k n / N} \Big|^2

    with :math:`c_k = 2`, but 1 at zero and at Nyquist. Units are X's squared per Hz.

    In float64 this agrees with `scipy.signal.welch` to rounding. In float32 the largest difference
    from scipy's in float64 is below 1e-6 of the largest density of the row. Neither depends on the
    unit: a row whose offset, drift or unit would cost digits is centered and scaled in float64
    first. A row's densities are the same to the bit whatever the other rows are. The gain comes
    from few and wide passes over blocks that stay in the processor's cache;
    `benchmarks/features.py` measures it.

    References
    ----------
    .. [1] P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra",
       IEEE Trans. Audio Electroacoust. 15 (1967) 70-73.

    Examples
    --------
    Ten 1-s epochs of two channels at 128 Hz, one with a 10 Hz rhythm:

    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((10, 2, 128)) * 1e-6
    >>> X[:, 0] += 5e-6 * np.sin(2 * np.pi * 10 * np.arange(128) / 128)
    >>> psd = WelchPSD(sfreq=128, n_per_seg=64, fmin=8, fmax=30).fit(X)
    >>> psd.freqs_
    array([ 8., 10., 12., 14., 16., 18., 20., 22., 24., 26., 28., 30.])
    >>> features = psd.transform(X)
    >>> features.shape
    (10, 24)
    >>> str(psd.get_feature_names_out()[features.mean(axis=0).argmax()])
    'EEG000_10Hz'
    """

    def __init__(
        self,
        *,
        sfreq: float | None = None,
        n_per_seg: int | None = None,
        n_overlap: int | None = None,
        window: str | tuple | ArrayLike = "hann",
        fmin: float = 0.0,
        fmax: float | None = None,
        log: bool = False,
        dtype: str | None = None,
    ) -> None:
        self.sfreq = sfreq
        self.n_per_seg = n_per_seg
        self.n_overlap = n_overlap
        self.window = window
        self.fmin = fmin
        self.fmax = fmax
        self.log = log
        self.dtype = dtype

    def fit(self, X: Signals, y: Labels | None = None) -> WelchPSD:
        """Learn the segments and frequencies from the shape of X.

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
        if self.dtype is not None:
            check_choice(self.dtype, "dtype", self, ("float32", "float64"))
        check_flag(self.log, "log", self)
        X, data = self._read_fit(X)
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self)
        n_times = data.shape[-1]
        if self.n_per_seg is None:
            self.n_per_seg_ = min(256, n_times)
        else:
            self.n_per_seg_ = check_count(self.n_per_seg, "n_per_seg", self)
        self._check_length(n_times)
        if self.n_overlap is None:
            self.n_overlap_ = self.n_per_seg_ // 2
        else:
            self.n_overlap_ = check_count(self.n_overlap, "n_overlap", self, low=0)
        if self.n_overlap_ >= self.n_per_seg_:
            raise ValueError(
                f"WelchPSD: n_overlap={self.n_overlap_} must be smaller than the segment of "
                f"n_per_seg={self.n_per_seg_} samples."
            )
        check_window(self.window, self.n_per_seg_, self)
        freqs = np.fft.rfftfreq(self.n_per_seg_, 1 / self.sfreq_)
        self._kept = self._check_range(freqs)
        self.freqs_ = freqs[self._kept]
        return X, data

    def transform(self, X: Signals) -> np.ndarray:
        """Estimate the densities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels, at least one segment long.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_channels * n_freqs)
            Densities in X's unit squared per Hz, or their logarithm; all frequencies of the
            first channel, then of the second, and so on.
        """
        return self._features(X)

    def _read_signals(self, X: Signals) -> tuple[Signals, np.ndarray]:
        # NaN and infinity spread to every frequency, so the small output shows them and the
        # large input need not be searched.
        X, data = self._read(X, ensure_all_finite=False)
        resolve_sfreq(self.sfreq_, X, self)
        self._check_length(data.shape[-1])
        return X, data

    def _powers(self, X: Signals, data: np.ndarray) -> np.ndarray:
        n_times = data.shape[-1]
        plan = self._plan(n_times)
        used = plan.n_per_seg + (plan.n_segments - 1) * plan.hop
        out = np.empty((data.size // n_times, len(self.freqs_)), data.dtype)
        for at, signals in signal_blocks(data):
            density = welch_rows(signals, plan, self.dtype)
            if not (np.isfinite(density[:, 0]).all() and np.isfinite(signals[:, used:]).all()):
                check_eeg(self, as_eeg(X), reset=False)
            out[at] = density[:, self._kept]
        return out

    def _plan(self, n_times: int) -> WelchPlan:
        hop = self.n_per_seg_ - self.n_overlap_
        return WelchPlan(n_times, self.n_per_seg_, hop, self.sfreq_, self.window)

    def _check_length(self, n_times: int) -> None:
        if n_times < self.n_per_seg_:
            raise ValueError(
                f"WelchPSD: windows longer than the signal: n_per_seg={self.n_per_seg_} samples, "
                f"but a row of X has {n_times}."
            )

    def _check_range(self, freqs: np.ndarray) -> slice:
        nyquist = self.sfreq_ / 2
        fmax = nyquist if self.fmax is None else self.fmax
        for name, value in (("fmin", self.fmin), ("fmax", fmax)):
            check_number(value, name, self, unit="Hz")
            if not 0 <= value <= nyquist:
                raise ValueError(
                    f"WelchPSD: {name}={value:g} Hz must lie between 0 and the Nyquist frequency "
                    f"{nyquist:g} Hz of data sampled at {self.sfreq_:g} Hz."
                )
        # A thousandth of a bin forgives rounding, as in 8 Hz at 512 / 3 Hz.
        slack = 1e-3 * self.sfreq_ / self.n_per_seg_
        kept = np.flatnonzero((freqs >= self.fmin - slack) & (freqs <= fmax + slack))
        if not len(kept):
            raise ValueError(
                f"WelchPSD: no frequency between fmin={self.fmin:g} and fmax={fmax:g} Hz: "
                f"segments of {self.n_per_seg_} samples at {self.sfreq_:g} Hz give one every "
                f"{self.sfreq_ / self.n_per_seg_:g} Hz."
            )
        return slice(int(kept[0]), int(kept[-1]) + 1)

    def _feature_labels(self) -> list[str]:
        return [f"{freq:g}Hz" for freq in self.freqs_]
