"""Common spatial patterns, one set for each frequency band."""

from __future__ import annotations

import numpy as np
from mne.decoding import CSP
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count, check_flag, check_number
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_labels
from skbci._eegarray.rows import carry_rows
from skbci._process.quiet import quiet_mne
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Names, Signals
from skbci._usable import (
    amplitudes,
    check_classes_left,
    find_unusable,
    report_unusable,
    typical_amplitude,
)
from skbci._whole import WholeFits
from skbci.baselines._docs import fill_doc
from skbci.eegarray import EEGArray
from skbci.features import RankReducer

__all__ = ["BandCSP"]

# Power relative to the band's mean; keeps the logarithm of an empty row finite.
_FLOOR = 1e-12

# Of `mne.compute_covariance`, as far as they can be used without a montage.
_SHRINKAGES = (
    "empirical", "diagonal_fixed", "ledoit_wolf", "oas", "shrunk", "pca", "factor_analysis",
    "auto", None,
)


@fill_doc
class BandCSP(WholeFits, CSP):
    r"""Log-power of common spatial patterns, band by band, whatever the rank of the data.

    For each band, the channels are first projected onto the subspace in which there is any
    signal (`RankReducer`), then `mne.decoding.CSP` finds spatial filters :math:`w` whose output
    differs most in power between the classes. The features are

    .. math:: f_{b,k} = \log \frac{1}{T} \sum_t (w_{b,k}^\top x_b(t))^2 .

    Average-referenced or otherwise rank-deficient data need no care, and the unit of the data
    (volts, microvolts) does not matter.

    A row in which a channel is flat, or a thousand times smaller or larger than is typical of it,
    is set aside in ``fit``; in ``transform`` its features are the means of the fitted rows, which
    speak for no class. Both with a warning that names row and channel.

    Parameters
    ----------
    n_components : int, default=6
        Spatial filters for each band; no more than the rank of the band's data are used.
    n_bands : int, default=1
        For 3-D input: how many bands the second axis holds one after the other, as
        ``FilterBank(output="channels")`` gives them. 4-D input has an axis of bands.
    reg : float, str or None, default="oas"
        Shrinkage of the class covariances, as in `mne.decoding.CSP`: a number from 0 to 1,
        ``"oas"``, ``"ledoit_wolf"``, ..., or None.
    cov_est : {"concat", "epoch"}, default="concat"
        Covariance of a class's joined epochs, or the mean of the epochs' covariances.
    norm_trace : bool, default=False
        Whether each class covariance is divided by its trace.
    component_order : {"mutual_info", "alternate"}, default="mutual_info"
        How the filters are ranked; ``"alternate"`` takes from both ends in turn (two classes).
    tol : float, default=1e-6
        Passed to `RankReducer`.

    Attributes
    ----------
    filters_ : ndarray, shape (n_filters, n_channels), or list of them
        Spatial filters; a list with an array for each band where there are several.
    patterns_ : ndarray, shape (n_filters, n_channels), or list of them
        The filters' patterns: how each source projects to the channels, in X's unit.
    evals_ : ndarray, shape (n_filters,), or list of them
        Of each filter's output, mean power in the first class over the sum of the classes' mean
        powers; for two classes without shrinkage the eigenvalue.
    classes_ : ndarray
        The labels.
    n_features_in_ : int
        Size of the second axis of X.

    See Also
    --------
    skbci.baselines.fbcsp : The filter bank pipeline with it.

    References
    ----------
    .. [1] B. Blankertz et al., "Optimizing spatial filters for robust EEG single-trial analysis",
       IEEE Signal Processing Magazine 25(1), 2008.
    .. [2] %(fbcsp_paper)s.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.baselines import BandCSP
    >>> random = np.random.RandomState(0)
    >>> X, y = random.standard_normal((20, 9, 8, 100)), np.tile([0, 1], 10)
    >>> BandCSP(n_components=4).fit_transform(X, y).shape    # nine bands
    (20, 36)
    """

    def __init__(
        self,
        n_components: int = 6,
        *,
        n_bands: int = 1,
        reg: float | str | None = "oas",
        cov_est: str = "concat",
        norm_trace: bool = False,
        component_order: str = "mutual_info",
        tol: float = 1e-6,
    ) -> None:
        self.n_components = n_components
        self.n_bands = n_bands
        self.reg = reg
        self.cov_est = cov_est
        self.norm_trace = norm_trace
        self.component_order = component_order
        self.tol = tol

    # A `CSP`, so that MNE reads and draws its patterns; fitting, pickling and tags are its own.
    fit_transform = TransformerMixin.fit_transform
    __getstate__ = BaseEstimator.__getstate__
    __setstate__ = BaseEstimator.__setstate__

    @property
    def inverse_transform(self) -> BaseEstimator:
        """Not available: logarithms of powers cannot be turned back into signals."""
        raise AttributeError("BandCSP has no inverse_transform: its features are log-powers.")

    @on_one_thread
    def fit(self, X: Signals, y: Labels) -> BandCSP:
        """Find the filters of each band.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_channels, n_times) or (n_rows, n_bands, n_channels, \
n_times)
            Band-passed signal of one band, or of several. Two dimensions are rows x times of one
            channel.
        y : array-like, shape (n_rows,)
            Labels of any kind, two classes or more.

        Returns
        -------
        BandCSP
            The fitted transformer.

        Raises
        ------
        ValueError
            If there is one class only, ``n_components`` is less than one, or X is bad.
        """
        X = as_eeg(X)
        data = check_eeg(self, X, reset=True, ndim=(2, 3, 4))
        labels = check_labels(y, len(data), self)
        if data.ndim > 2 and data.shape[-1] < 2:
            raise ValueError(
                f"{type(self).__name__}: X has rows of one time sample (shape {data.shape}), in "
                "which nothing varies; spatial filters need two or more."
            )
        self.classes_ = np.unique(labels)
        self._check_settings()
        bands = self._banded(data)
        amplitude = amplitudes(bands)
        self._typical = typical_amplitude(amplitude)
        bad = self._bad_rows(X, amplitude, "Such rows are set aside.")
        if bad.any():
            check_classes_left(labels, ~bad, type(self).__name__)
            bands, labels = bands[~bad], labels[~bad]
        fitted = [self._fit_band(band, labels) for band in np.moveaxis(bands, 1, 0)]
        found = [list(parts) for parts in zip(*fitted)]
        self.filters_, self.patterns_, self.evals_ = (
            parts[0] if len(parts) == 1 else parts for parts in found
        )
        self._mean_log = self._log_powers(bands).mean(axis=0)
        return self

    def _check_settings(self) -> None:
        check_count(self.n_components, "n_components", self)
        check_flag(self.norm_trace, "norm_trace", self)
        check_choice(self.cov_est, "cov_est", self, ("concat", "epoch"))
        check_choice(
            self.component_order, "component_order", self, ("mutual_info", "alternate")
        )
        if self.reg is None or isinstance(self.reg, str):
            check_choice(self.reg, "reg", self, _SHRINKAGES)
        else:
            words = ", ".join(map(repr, _SHRINKAGES))
            check_number(self.reg, "reg", self, low=0, high=1, also=words)

    def _bad_rows(self, X: Signals, amplitude: np.ndarray, then: str) -> np.ndarray:
        """Find the rows without a usable signal in all channels of all bands."""
        found = find_unusable(amplitude, self._typical)
        names = X.ch_names if isinstance(X, EEGArray) else None
        report_unusable(found, type(self).__name__, names, then)
        return found.rows

    def _fit_band(self, band: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        """Filters, patterns and shares of power of one band."""
        reducer = RankReducer(tol=self.tol).fit(band)
        projection = reducer.components_ / reducer.scale_
        csp = CSP(
            min(int(self.n_components), reducer.rank_), reg=self.reg, cov_est=self.cov_est,
            norm_trace=self.norm_trace, component_order=self.component_order, rank="full",
        )
        with quiet_mne():
            csp.fit(projection @ np.asarray(band, dtype=np.float64), y)
        filters = csp.filters_ @ projection
        patterns = np.linalg.pinv(filters).T
        filters, patterns = filters[: csp.n_components], patterns[: csp.n_components]
        power = np.square(filters @ band).mean(axis=-1)
        by_class = np.stack([power[y == label].mean(axis=0) for label in self.classes_])
        return filters, patterns, by_class[0] / by_class.sum(axis=0)

    @on_one_thread
    def transform(self, X: Signals) -> np.ndarray:
        """Compute the log-power of every filter's output.

        Parameters
        ----------
        X : array-like, shape as in fit, with any number of times
            Band-passed signal.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_filters of all bands)
            Band after band.
        """
        check_is_fitted(self)
        X = as_eeg(X)
        bands = self._banded(check_eeg(self, X, reset=False, ndim=(2, 3, 4)))
        features = self._log_powers(bands)
        bad = self._bad_rows(X, amplitudes(bands), "Their features are the means of fit.")
        features[bad] = self._mean_log
        return carry_rows(X, features, sfreq=None, ch_names=None, tmin=0.0, info=None)

    def _log_powers(self, bands: np.ndarray) -> np.ndarray:
        features = []
        with np.errstate(over="ignore"):  # rows too large for float32 are replaced
            for band, filters in enumerate(self._bank()):
                power = np.mean(np.square(filters @ bands[:, band]), axis=-1)
                features.append(np.log(np.maximum(power, _FLOOR)))
        return np.hstack(features)

    def _bank(self) -> list[np.ndarray]:
        """The filters of each band."""
        return self.filters_ if isinstance(self.filters_, list) else [self.filters_]

    def _banded(self, data: np.ndarray) -> np.ndarray:
        """View the data as rows x bands x channels x times."""
        if data.ndim == 4:
            return data
        if data.ndim == 2:
            return data[:, None, None]
        n_bands = check_count(self.n_bands, "n_bands", self)
        if data.shape[1] % n_bands:
            raise ValueError(
                f"BandCSP: n_bands={n_bands} does not divide the {data.shape[1]} channels of all "
                "bands."
            )
        return data.reshape(len(data), n_bands, -1, data.shape[2])

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Name the features ``csp0``, ``csp1`` ..., with several bands ``band0_csp0`` ...

        Parameters
        ----------
        input_features : object
            Ignored, exists for compatibility.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        several = len(self._bank()) > 1
        return np.array(
            [f"band{b}_csp{k}" if several else f"csp{k}"
             for b, filters in enumerate(self._bank()) for k in range(len(filters))],
            dtype=object,
        )

    def __sklearn_tags__(self) -> Tags:
        """Declare that three dimensions are allowed and that labels are needed."""
        tags = TransformerMixin.__sklearn_tags__(self)
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
