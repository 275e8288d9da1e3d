"""Canonical correlation analysis for flicker, as a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skbci.baselines._classifiers.cca import CCAClassifier
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline
from skbci.features import Crop, FilterBank

__all__ = ["ssvep_cca"]


@fill_doc
def ssvep_cca(
    frequencies: Mapping[Any, float] | Sequence[float] | None = None,
    *,
    n_harmonics: int = 3,
    bands: Sequence[tuple[float, float]] = ((6.0, 45.0),),
    tmin: float | None = None,
    tmax: float | None = None,
    sfreq: float | None = None,
    order: int = 4,
    on_bad_rows: str = "prior",
) -> DecoderPipeline:
    """Band-pass, canonical correlation with each flicker frequency; no training.

    The reference of SSVEP decoding. Several bands make it filter bank CCA.

    Parameters
    ----------
    frequencies : dict, sequence of float, or None, default=None
        Flicker frequencies in Hz: of each label, as a list among which ``fit`` finds each
        label's, or None where the labels are the frequencies; see `CCAClassifier`.
    n_harmonics : int, default=3
        Sinusoids of a reference, the fundamental being the first.
    bands : sequence of (float, float), default=((6, 45),)
        Pass band in Hz; for filter bank CCA several that begin one above another and end alike,
        such as ``((6, 60), (14, 60), (22, 60))``.
    %(tmin_tmax)s
    %(sfreq)s
    order : int, default=4
        Order of the Butterworth filters, run forward and backward.
    %(on_bad_rows)s

    Returns
    -------
    DecoderPipeline
        Steps ``filter`` (`FilterBank`), ``crop`` (`Crop`) and ``cca`` (`CCAClassifier`).

    References
    ----------
    .. [1] %(cca_paper)s.

    Examples
    --------
    >>> from skbci.baselines import ssvep_cca
    >>> from skbci.datasets import make_ssvep
    >>> data = make_ssvep(n_subjects=1, n_sessions=1, n_trials=16, random_state=0)
    >>> ssvep_cca().fit(data.X, data.y).score(data.X, data.y) > 0.8
    True
    """
    return DecoderPipeline([
        ("filter", FilterBank(bands, sfreq=sfreq, order=order, output="bands")),
        ("crop", Crop(tmin, tmax, sfreq=sfreq)),
        ("cca", CCAClassifier(frequencies, n_harmonics=n_harmonics, sfreq=sfreq)),
    ], on_bad_rows=on_bad_rows)
