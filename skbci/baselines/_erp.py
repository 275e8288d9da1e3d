"""Decoders of event-related potentials."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from skbci._checks import check_count, check_number, shown
from skbci.baselines._alignment import alignment_step, nothing
from skbci.baselines._checked.covariances import NamedTangentSpace
from skbci.baselines._checked.lda import CheckedLDA
from skbci.baselines._checked.logistic import CheckedLogisticRegression
from skbci.baselines._checked.xdawn import CheckedXdawnCovariances
from skbci.baselines._checks import check_band, check_estimator
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline
from skbci.features import BaselineCorrection, Crop, FilterBank, RankReducer, WindowMeans

__all__ = ["erp_lda", "erp_xdawn_riemann"]


@fill_doc
def erp_lda(
    *,
    width: float = 0.05,
    fmin: float = 0.0,
    fmax: float = 20.0,
    baseline: tuple[float | None, float | None] | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    order: int = 4,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Mean amplitudes in short windows, shrinkage LDA: the reference of ERP decoding.

    Parameters
    ----------
    width : float, default=0.05
        Length of the windows in seconds.
    %(erp_fmin_fmax)s
    %(erp_baseline)s
    %(erp_tmin_tmax)s
    %(sfreq)s
    %(order)s
    %(alignment)s
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``baseline`` (`BaselineCorrection`), ``crop`` (`Crop`),
        ``align``, ``means`` (`WindowMeans`), ``scale`` (`StandardScaler`) and ``lda``
        (`LinearDiscriminantAnalysis` with the shrinkage of Ledoit and Wolf).

    Notes
    -----
    LDA's threshold follows the classes' frequencies: where targets are rare, few epochs are called
    targets. Judge by the area under the ROC curve, add up ``decision_function`` over repetitions,
    or set ``lda__priors=[0.5, 0.5]``.

    References
    ----------
    .. [1] %(erp_tutorial)s.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from skbci.baselines import erp_lda
    >>> from skbci.datasets import make_erp
    >>> from skbci.model_selection import PurgedKFold
    >>> data = make_erp(n_subjects=1, random_state=0)
    >>> auc = cross_val_score(erp_lda(tmin=0.0), data.X, data.y, cv=PurgedKFold(3),
    ...                       scoring="roc_auc")
    >>> bool(auc.mean() > 0.6)
    True
    """
    band = check_band(fmin, fmax, "erp_lda")
    return DecoderPipeline([
        *_signal_steps(band, baseline, tmin, tmax, sfreq, order, alignment, "erp_lda"),
        ("means", WindowMeans(width, sfreq=sfreq)),
        ("scale", StandardScaler()),
        ("lda", CheckedLDA(solver="lsqr", shrinkage="auto")),
    ], on_bad_rows=on_bad_rows)


@fill_doc
def erp_xdawn_riemann(
    n_filters: int = 4,
    *,
    fmin: float = 0.0,
    fmax: float = 20.0,
    baseline: tuple[float | None, float | None] | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    estimator: str = "oas",
    C: float = 1.0,
    order: int = 4,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Filter by xDAWN, covariances with the mean responses, tangent space, logistic regression.

    A covariance matrix knows no time. Stacked on the classes' mean responses, a row's covariances
    with them say how much of each response it holds.

    Parameters
    ----------
    n_filters : int, default=4
        Spatial filters of each class; no more than the rank of the data are used.
    %(erp_fmin_fmax)s
    %(erp_baseline)s
    %(erp_tmin_tmax)s
    %(sfreq)s
    estimator : str, default="oas"
        Covariance estimator, of the rows and for xDAWN.
    C : float, default=1.0
        Inverse strength of the regression's penalty.
    %(order)s
    %(alignment)s
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``baseline`` (`BaselineCorrection`), ``crop`` (`Crop`),
        ``align``, ``rank`` (`RankReducer`), ``xdawn``
        (`pyriemann.estimation.XdawnCovariances`), ``tangent`` (`TangentSpace`) and ``lr``
        (`LogisticRegression`).

    References
    ----------
    .. [1] B. Rivet, A. Souloumiac, V. Attina and G. Gibert, "xDAWN algorithm to enhance evoked
       potentials: application to brain-computer interface", IEEE Transactions on Biomedical
       Engineering 56(8), 2009.
    .. [2] A. Barachant and M. Congedo, "A plug&play P300 BCI using information geometry",
       arXiv:1409.0107, 2014.

    Examples
    --------
    >>> from skbci.baselines import erp_xdawn_riemann
    >>> list(erp_xdawn_riemann(sfreq=250).named_steps)
    ['filter', 'baseline', 'crop', 'align', 'rank', 'xdawn', 'tangent', 'lr']
    """
    band = check_band(fmin, fmax, "erp_xdawn_riemann")
    check_estimator(estimator, "erp_xdawn_riemann")
    check_count(n_filters, "n_filters", "erp_xdawn_riemann")
    xdawn = CheckedXdawnCovariances(n_filters, estimator=estimator, xdawn_estimator=estimator)
    return DecoderPipeline([
        *_signal_steps(band, baseline, tmin, tmax, sfreq, order, alignment, "erp_xdawn_riemann"),
        ("rank", RankReducer()),
        ("xdawn", xdawn),
        ("tangent", NamedTangentSpace()),
        ("lr", CheckedLogisticRegression(C=C, max_iter=1000)),
    ], on_bad_rows=on_bad_rows)


def _signal_steps(
    band: tuple[float, float], baseline: tuple[float | None, float | None] | None,
    tmin: float | None, tmax: float | None, sfreq: float | None, order: int,
    alignment: str | BaseEstimator | None, who: str,
) -> list[tuple[str, object]]:
    correction: object = nothing()
    if baseline is not None:
        pair = isinstance(baseline, (tuple, list, np.ndarray))
        if not pair or np.asarray(baseline, dtype=object).shape != (2,):
            raise ValueError(
                f"baseline={shown(baseline)} must be None or (start, end) in seconds, either of "
                "them None."
            )
        for edge in baseline:
            if edge is not None:
                check_number(edge, "baseline", who, unit="seconds", also="None")
        correction = BaselineCorrection(*baseline, sfreq=sfreq)
    return [
        ("filter", FilterBank((band,), sfreq=sfreq, order=order, output="channels")),
        ("baseline", correction),
        ("crop", Crop(tmin, tmax, sfreq=sfreq)),
        ("align", alignment_step(alignment)),
    ]
