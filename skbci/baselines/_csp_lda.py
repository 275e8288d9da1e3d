"""Common spatial patterns and linear discriminant analysis."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skbci.baselines._alignment import alignment_step
from skbci.baselines._band_csp import BandCSP
from skbci.baselines._checks import check_band
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline
from skbci.features import Crop, FilterBank

__all__ = ["csp_lda"]


@fill_doc
def csp_lda(
    n_components: int = 6,
    *,
    fmin: float = 8.0,
    fmax: float = 30.0,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    reg: float | str | None = "oas",
    order: int = 4,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Band-pass, common spatial patterns, log-power, linear discriminant analysis.

    The reference of motor imagery decoding. The filter runs over the whole epoch, without phase
    shift; what `tmin` and `tmax` leave is cropped after it, away from the filter's edges.

    Parameters
    ----------
    n_components : int, default=6
        Spatial filters; no more than the rank of the data are used.
    %(fmin_fmax)s
    tmin, tmax : float, optional
        Part of the epoch to use, in seconds on its own time axis (an array without one begins at
        0); start included, end excluded.
    %(sfreq)s
    reg : float, str or None, default="oas"
        Shrinkage of the class covariances.
    %(order)s
    %(alignment)s
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`), ``align``, ``csp`` (`BandCSP`) and
        ``lda`` (`LinearDiscriminantAnalysis`).

    See Also
    --------
    fbcsp : The same in nine bands.
    tangent_space_lr : Covariances in place of spatial filters.

    References
    ----------
    .. [1] H. Ramoser, J. Mueller-Gerking and G. Pfurtscheller, "Optimal spatial filtering of
       single trial EEG during imagined hand movement", IEEE Transactions on Rehabilitation
       Engineering 8(4), 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.baselines import csp_lda
    >>> random = np.random.RandomState(0)
    >>> y = np.tile(["left", "right"], 20)
    >>> X = random.standard_normal((40, 4, 200))
    >>> X[y == "left", 0] *= 3                                  # more power on one channel
    >>> csp_lda(2, sfreq=100, tmin=0.5, tmax=1.5).fit(X[:30], y[:30]).score(X[30:], y[30:])
    1.0
    """
    band = check_band(fmin, fmax, "csp_lda")
    return DecoderPipeline([
        ("filter", FilterBank((band,), sfreq=sfreq, order=order, output="channels")),
        ("crop", Crop(tmin, tmax, sfreq=sfreq)),
        ("align", alignment_step(alignment)),
        ("csp", BandCSP(n_components, reg=reg)),
        ("lda", LinearDiscriminantAnalysis()),
    ], on_bad_rows=on_bad_rows)
