"""Classifiers on the manifold of covariance matrices."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from skbci.baselines._alignment import alignment_step
from skbci.baselines._checked.covariances import NamedCovariances, NamedTangentSpace
from skbci.baselines._checked.fgmdm import CheckedFgMDM
from skbci.baselines._checked.logistic import CheckedLogisticRegression
from skbci.baselines._checked.mdm import CheckedMDM
from skbci.baselines._checks import check_band, check_estimator, check_metric
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline
from skbci.features import Crop, FilterBank, RankReducer

__all__ = ["riemann_fgmdm", "riemann_mdm", "tangent_space_lr"]

# The metrics of pyRiemann that have a mean and a map, or a mean and a distance.
_TANGENTS = ("euclid", "logchol", "logeuclid", "riemann", "wasserstein")
_DISTANCES = (
    "chol", "euclid", "harmonic", "kullback_sym", "logchol", "logdet", "logeuclid", "riemann",
    "thompson", "wasserstein",
)


@fill_doc
def tangent_space_lr(
    *,
    fmin: float = 8.0,
    fmax: float = 30.0,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    estimator: str = "oas",
    metric: str = "riemann",
    C: float = 1.0,
    order: int = 4,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    r"""Covariances, projected to the tangent space at their mean, logistic regression.

    A covariance :math:`\Sigma_i` becomes the vector of
    :math:`\log(M^{-1/2} \Sigma_i M^{-1/2})`, where :math:`M` is the Riemannian mean of the
    training rows.

    Parameters
    ----------
    %(fmin_fmax)s
    %(tmin_tmax)s
    %(sfreq)s
    %(cov_estimator)s
    metric : str, default="riemann"
        Metric of the mean and the tangent space.
    C : float, default=1.0
        Inverse strength of the regression's penalty.
    %(order)s
    %(alignment)s
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`), ``align``, ``rank`` (`RankReducer`),
        ``cov`` (`Covariances`), ``tangent`` (`TangentSpace`) and ``lr`` (`LogisticRegression`).

    See Also
    --------
    riemann_mdm : The nearest mean covariance.
    csp_lda : Spatial filters in place of covariances.

    References
    ----------
    .. [1] %(riemannian_kernel_paper)s.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.baselines import tangent_space_lr
    >>> random = np.random.RandomState(0)
    >>> y = np.tile(["left", "right"], 20)
    >>> X = random.standard_normal((40, 4, 200))
    >>> X[y == "left", 0] *= 3                                  # more power on one channel
    >>> X = X - X.mean(axis=1, keepdims=True)                   # average reference: rank 3
    >>> tangent_space_lr(sfreq=100).fit(X[:30], y[:30]).score(X[30:], y[30:])
    1.0
    """
    steps = _covariance_steps(
        "tangent_space_lr", fmin, fmax, tmin, tmax, sfreq, estimator, order, alignment
    )
    check_metric(metric, "tangent_space_lr", ("mean", "map"), _TANGENTS)
    return DecoderPipeline([
        *steps,
        ("tangent", NamedTangentSpace(metric=metric)),
        ("lr", CheckedLogisticRegression(C=C, max_iter=1000)),
    ], on_bad_rows=on_bad_rows)


@fill_doc
def riemann_mdm(
    *,
    fmin: float = 8.0,
    fmax: float = 30.0,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    estimator: str = "oas",
    metric: str = "riemann",
    order: int = 4,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Minimum distance to mean: the class whose mean covariance is nearest (MDM).

    Parameters
    ----------
    %(fmin_fmax)s
    %(tmin_tmax)s
    %(sfreq)s
    %(cov_estimator)s
    metric : str, default="riemann"
        Metric of mean and distance.
    %(order)s
    %(alignment)s
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`), ``align``, ``rank`` (`RankReducer`),
        ``cov`` (`Covariances`) and ``mdm`` (`pyriemann.classification.MDM`).

    See Also
    --------
    riemann_fgmdm : The same after a discriminant filter.
    tangent_space_lr : Logistic regression on the covariances.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, M. Congedo and C. Jutten, "Multiclass brain-computer interface
       classification by Riemannian geometry", IEEE Transactions on Biomedical Engineering 59(4),
       2012.

    Examples
    --------
    >>> from skbci.baselines import riemann_mdm
    >>> list(riemann_mdm(sfreq=250).named_steps)
    ['filter', 'crop', 'align', 'rank', 'cov', 'mdm']
    """
    steps = _covariance_steps(
        "riemann_mdm", fmin, fmax, tmin, tmax, sfreq, estimator, order, alignment
    )
    check_metric(metric, "riemann_mdm", ("mean", "distance"), _DISTANCES)
    return DecoderPipeline([
        *steps,
        ("mdm", CheckedMDM(metric=metric)),
    ], on_bad_rows=on_bad_rows)


@fill_doc
def riemann_fgmdm(
    *,
    fmin: float = 8.0,
    fmax: float = 30.0,
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    estimator: str = "oas",
    metric: str = "riemann",
    order: int = 4,
    alignment: str | BaseEstimator | None = None,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    r"""Minimum distance to mean after geodesic filtering of the covariances (FgMDM).

    Geodesic filtering: in the tangent space at the mean of the training rows, with the directions
    :math:`W` of a linear discriminant analysis, a tangent vector s becomes
    :math:`W (W^\top W)^{-1} W^\top s`; back on the manifold, it belongs to the class whose mean of
    filtered training rows is nearest.

    Parameters
    ----------
    %(fmin_fmax)s
    %(tmin_tmax)s
    %(sfreq)s
    %(cov_estimator)s
    metric : str, default="riemann"
        Metric of mean, tangent space and distance.
    %(order)s
    %(alignment)s
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`), ``align``, ``rank`` (`RankReducer`),
        ``cov`` (`Covariances`) and ``fgmdm`` (`pyriemann.classification.FgMDM`).

    See Also
    --------
    riemann_mdm : Without the filter.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, M. Congedo and C. Jutten, "Riemannian geometry applied to BCI
       classification", LVA/ICA 2010, Lecture Notes in Computer Science 6365, 2010.

    Examples
    --------
    >>> from skbci.baselines import riemann_fgmdm
    >>> list(riemann_fgmdm(sfreq=250).named_steps)
    ['filter', 'crop', 'align', 'rank', 'cov', 'fgmdm']
    """
    steps = _covariance_steps(
        "riemann_fgmdm", fmin, fmax, tmin, tmax, sfreq, estimator, order, alignment
    )
    check_metric(metric, "riemann_fgmdm", ("mean", "dist", "map"), _TANGENTS)
    return DecoderPipeline([
        *steps,
        ("fgmdm", CheckedFgMDM(metric=metric)),
    ], on_bad_rows=on_bad_rows)


def _covariance_steps(
    who: str, fmin: float, fmax: float, tmin: float | None, tmax: float | None,
    sfreq: float | None, estimator: str, order: int, alignment: str | BaseEstimator | None,
) -> list[tuple[str, object]]:
    """Check the settings that the three decoders share, and return their first steps."""
    band = check_band(fmin, fmax, who)
    check_estimator(estimator, who)
    return [
        ("filter", FilterBank((band,), sfreq=sfreq, order=order, output="channels")),
        ("crop", Crop(tmin, tmax, sfreq=sfreq)),
        ("align", alignment_step(alignment)),
        ("rank", RankReducer()),
        ("cov", NamedCovariances(estimator=estimator)),
    ]
