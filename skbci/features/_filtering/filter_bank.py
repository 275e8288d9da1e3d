"""A bank of band-pass filters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci._checks import check_choice, check_count
from skbci._checks.frequencies import check_bands, resolve_sfreq
from skbci._docs import fill_references
from skbci._eegarray.rows import carry_rows
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Signals
from skbci.features._base import EEGTransformer
from skbci.features._filtering.filters import MOST_ORDER, Band, filter_causal
from skbci.features._filtering.zero_phase import ZeroPhaseFilter

__all__ = ["NINE_BANDS", "FilterBank"]

NINE_BANDS = tuple((4.0 * i, 4.0 * i + 4.0) for i in range(1, 10))


@fill_references
class FilterBank(EEGTransformer):
    r"""Filter every channel into several frequency bands with Butterworth filters.

    Parameters
    ----------
    bands : sequence of (float, float), default=((4, 8), (8, 12), ..., (36, 40))
        Low and high edge of each band in Hz. A low edge of 0 makes a low-pass, a high edge at
        Nyquist a high-pass.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs.
    order : int, default=4
        Order of the Butterworth design, at most 100: with ``phase="zero"`` the attenuation is
        squared.
    phase : {"zero", "causal"}, default="zero"
        ``"zero"`` filters forward and backward, for whole epochs at hand. ``"causal"`` filters
        forward only, as an online decoder must: no output depends on a later sample. It starts
        as if each row had had its first value for ever before.
    padlen : int, optional
        Samples by which each end is extended for ``phase="zero"``, by reflection through the end
        point; fewer than the signal has. By default as many as the slowest band's natural
        response takes to decay by 60 dB, or all samples but one where there are not so many.
    output : {"bands", "channels"}, default="bands"
        Whether bands get an axis of their own or are stacked along the channels.
    dtype : {"float32", "float64"}, optional
        Precision of the computation for ``phase="zero"``, by default the input's; ``"causal"`` is
        computed in float64. The output has the input's dtype.

    Attributes
    ----------
    bands_ : list of (float, float)
        The bands' edges in Hz.
    sos_ : list of ndarray of shape (n_sections, 6)
        The bands' second-order sections.
    padlen_ : int
        The padding of rows as long as the fitted ones.
    sfreq_ : float
        Sampling rate in Hz.
    ch_names_ : list of str or None
        Channel names, where X knew them.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input.

    Raises
    ------
    ValueError
        If there is no sampling rate, a band is empty or reaches above Nyquist, ``padlen`` is not
        smaller than the number of samples, or X has NaN, infinity or a constant channel.

    Notes
    -----
    With the response :math:`H_b` of band b and the transform :math:`\hat x` of the padded signal,
    the zero-phase output is the inverse transform of :math:`|H_b|^2 \hat x`: one transform
    forward for all bands and one back for each, two channels to a transform. A correction of low
    rank at the edges turns its periodic start into the steady states that scipy starts from, so
    that the output equals ``scipy.signal.sosfiltfilt(sos, x, padtype="odd", padlen=padlen)`` for
    any ``padlen``: to 5e-6 of the largest value in float32, to rounding in float64. It does not
    depend on the unit. Scipy's own default padding is only three times the number of
    coefficients; at the edges of an epoch its output differs from this by tens of percent.

    References
    ----------
    .. [1] %(fbcsp_paper)s.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((6, 3, 500)) * 1e-5
    >>> FilterBank(sfreq=250).fit_transform(X).shape
    (6, 9, 3, 500)
    >>> FilterBank([(8, 12), (12, 30)], sfreq=250, output="channels").fit_transform(X).shape
    (6, 6, 500)
    """

    def __init__(
        self,
        bands: Sequence[tuple[float, float]] = NINE_BANDS,
        *,
        sfreq: float | None = None,
        order: int = 4,
        phase: str = "zero",
        padlen: int | None = None,
        output: str = "bands",
        dtype: str | None = None,
    ) -> None:
        self.bands = bands
        self.sfreq = sfreq
        self.order = order
        self.phase = phase
        self.padlen = padlen
        self.output = output
        self.dtype = dtype

    @on_one_thread
    def fit(self, X: Signals, y: Labels | None = None) -> FilterBank:
        """Design the filters.

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
        check_choice(self.phase, "phase", self, ("zero", "causal"))
        check_choice(self.output, "output", self, ("bands", "channels"))
        if self.dtype is not None:
            check_choice(self.dtype, "dtype", self, ("float32", "float64"))
        order = check_count(self.order, "order", self, high=MOST_ORDER)
        if self.padlen is not None:
            check_count(self.padlen, "padlen", self, low=0)
        X, data = self._read_fit(X)
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self)
        self.bands_ = check_bands(self.bands, self.sfreq_, self)
        self._filters = [Band.design(*band, order, self.sfreq_) for band in self.bands_]
        self.sos_ = [band.sos for band in self._filters]
        self.padlen_ = self._padlen(data.shape[-1])
        if self.phase == "zero":
            self._zero_phase = self._prepare(data.shape[-1])
        return self

    @on_one_thread
    def transform(self, X: Signals) -> np.ndarray:
        """Filter.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels.

        Returns
        -------
        ndarray or EEGArray
            Shape (n_rows, n_bands, n_channels, n_times), or with ``output="channels"``
            (n_rows, n_bands * n_channels, n_times), all channels of the first band first, named
            such as ``C3_8-12Hz``. For 2-D input (n_rows, n_bands, n_times).
        """
        X, data = self._read(X)
        resolve_sfreq(self.sfreq_, X, self)
        return self._compute(X, data)

    @on_one_thread
    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        signals = data if data.ndim == 3 else data[:, np.newaxis]
        n, n_channels, n_times = signals.shape
        out = np.empty((n, len(self._filters), n_channels, n_times), data.dtype)
        if self.phase == "causal":
            filter_causal(signals, self._filters, out)
        else:
            filters = self._zero_phase
            if n_times != filters.n_times:
                filters = self._prepare(n_times)
            filters(signals, out, self.dtype)
        if self.output == "bands" and data.ndim == 3:
            return carry_rows(X, out)
        names = self._signals_out(self._channel_names())
        return carry_rows(X, out.reshape(n, -1, n_times), ch_names=names, info=None)

    def _signals_out(self, names: list[str]) -> list[str]:
        return [f"{ch}_{low:g}-{high:g}Hz" for low, high in self.bands_ for ch in names]

    def _prepare(self, n_times: int) -> ZeroPhaseFilter:
        return ZeroPhaseFilter(self._filters, n_times, self._padlen(n_times))

    def _padlen(self, n_times: int) -> int:
        if self.padlen is None:
            return min(max(band.settling for band in self._filters), n_times - 1)
        if self.padlen >= n_times:
            raise ValueError(
                f"FilterBank: padlen={self.padlen} must be smaller than the {n_times} samples of "
                "a row."
            )
        return self.padlen
