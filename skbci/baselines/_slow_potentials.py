"""Slow potentials and logistic regression."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from skbci.baselines._alignment import alignment_step
from skbci.baselines._checked.logistic import CheckedLogisticRegression
from skbci.baselines._checks import check_band
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline
from skbci.features import Crop, FilterBank, WindowMeans

__all__ = ["slow_potentials_lr"]


@fill_doc
def slow_potentials_lr(
    *,
    fmin: float = 0.3,
    fmax: float = 4.0,
    tmin: float | None = None,
    tmax: float | None = None,
    width: float = 0.125,
    sfreq: float | None = None,
    C: float = 0.01,
    order: int = 3,
    alignment: str | BaseEstimator = "scale",
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Low-pass, scale by subject, means of successive windows, logistic regression.

    What is below 4 Hz: potentials evoked by a cue, movements of the eyes, slow cortical
    potentials. In recordings with a lateral cue it decodes imagined left and right fists better
    than rhythms do, most likely for reasons that have nothing to do with imagery; see
    `skbci.evaluation.confound_report`. A decoder of the whole signal is to be measured against it.

    Parameters
    ----------
    fmin, fmax : float, default=0.3, 4.0
        Pass band in Hz.
    %(tmin_tmax)s
    width : float, default=0.125
        Length of a window in seconds.
    %(sfreq)s
    C : float, default=0.01
        Inverse strength of the regression's penalty, on standardized features.
    order : int, default=3
        Order of the Butterworth filter, run forward and backward.
    alignment : {"scale", "euclidean", "riemannian"}, transformer or None, default="scale"
        By the unlabelled rows of each subject: `ChannelScaling`, `EuclideanAlignment`,
        `RiemannianRecentering`, or any such transformer. None leaves subjects as they are.

    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`), ``align``, ``means`` (`WindowMeans`),
        ``scale`` (`StandardScaler`) and ``lr`` (`LogisticRegression`).

    See Also
    --------
    skbci.evaluation.confound_report : Whether slow potentials tell the labels.
    erp_lda : Mean amplitudes of evoked potentials.

    References
    ----------
    .. [1] %(erp_tutorial)s.

    Examples
    --------
    >>> from skbci.baselines import slow_potentials_lr
    >>> from skbci.datasets import make_motor_imagery
    >>> data = make_motor_imagery(n_sessions=1, ocular=1.0, random_state=0)  # eyes follow the cue
    >>> pipe = slow_potentials_lr(tmax=2.0).fit(data.X[:40], data.y[:40])
    >>> pipe.score(data.X[40:], data.y[40:]) > 0.8
    True
    """
    band = check_band(fmin, fmax, "slow_potentials_lr")
    return DecoderPipeline([
        ("filter", FilterBank((band,), sfreq=sfreq, order=order, output="channels")),
        ("crop", Crop(tmin, tmax, sfreq=sfreq)),
        ("align", alignment_step(alignment)),
        ("means", WindowMeans(width, sfreq=sfreq)),
        ("scale", StandardScaler()),
        ("lr", CheckedLogisticRegression(C=C, max_iter=1000)),
    ], on_bad_rows=on_bad_rows)
