"""Filter bank common spatial patterns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, mutual_info_classif

from skbci._checks import check_count, check_seed, is_list, refusal
from skbci._typing import Seed
from skbci.baselines._alignment import alignment_step
from skbci.baselines._band_csp import BandCSP
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline
from skbci.features import NINE_BANDS, Crop, FilterBank

__all__ = ["fbcsp"]


@fill_doc
def fbcsp(
    n_components: int = 4,
    *,
    n_features: int = 8,
    bands: Sequence[tuple[float, float]] = NINE_BANDS,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    reg: float | str | None = "oas",
    order: int = 4,
    random_state: Seed = 0,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Filter bank, spatial patterns of each band, the most informative features, LDA.

    Parameters
    ----------
    n_components : int, default=4
        Spatial filters of each band.
    n_features : int, default=8
        Features that are kept: those with the greatest mutual information with the label, each
        taken by itself.
    bands : sequence of (float, float), default=((4, 8), ..., (36, 40))
        Pass bands in Hz; nine of 4 Hz each.
    %(tmin_tmax)s
    %(sfreq)s
    reg : float, str or None, default="oas"
        Shrinkage of the class covariances.
    order : int, default=4
        Order of the Butterworth filters, run forward and backward.
    random_state : int, RandomState or None, default=0
        Seeds the small noise that the estimate of mutual information adds to break ties.
    alignment : {"euclidean", "riemannian"}, transformer or None, default=None
        Alignment of subjects by their own unlabelled rows, each band by itself:
        `EuclideanAlignment`, `RiemannianRecentering` (both by subject), or any such transformer,
        as ``RiemannianRecentering("session")``. None leaves them as they are.
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`), ``align``, ``csp`` (`BandCSP`),
        ``select`` (`SelectKBest`) and ``lda`` (`LinearDiscriminantAnalysis`).

    Notes
    -----
    Reference [1]_ keeps four features and the partners of their filter pairs, and classifies with
    a naive Bayes Parzen window; here features are kept one by one, and LDA with the analytic
    shrinkage of Ledoit and Wolf follows, so that all baselines share a linear classifier.

    References
    ----------
    .. [1] %(fbcsp_paper)s.

    Examples
    --------
    >>> from skbci.baselines import fbcsp
    >>> list(fbcsp(sfreq=250).named_steps)
    ['filter', 'crop', 'align', 'csp', 'select', 'lda']
    """
    if not is_list(bands):
        raise TypeError(
            refusal(bands, "bands", "fbcsp", "must be a sequence of (low, high) pairs in Hz")
        )
    bands = tuple(bands)
    if not (isinstance(n_features, str) and n_features == "all"):
        check_count(n_features, "n_features", "fbcsp", also="'all'")
    check_seed(random_state, "random_state", "fbcsp")
    information = partial(mutual_info_classif, random_state=random_state)
    return DecoderPipeline([
        ("filter", FilterBank(bands, sfreq=sfreq, order=order, output="bands")),
        ("crop", Crop(tmin, tmax, sfreq=sfreq)),
        ("align", alignment_step(alignment)),
        ("csp", BandCSP(n_components, n_bands=len(bands), reg=reg)),
        ("select", SelectKBest(information, k=n_features)),
        ("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
    ], on_bad_rows=on_bad_rows)
