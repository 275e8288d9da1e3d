"""Parameter texts that several docstrings of this room share."""

from __future__ import annotations

from skbci._docs import doc_filler

__all__ = ["fill_doc"]

fill_doc = doc_filler({
    "alignment": r"""
    alignment : {"euclidean", "riemannian"}, transformer or None, default=None
        Alignment of subjects by their own unlabelled rows: `EuclideanAlignment`,
        `RiemannianRecentering` (both by subject), or any such transformer, as
        ``RiemannianRecentering("session")``. None leaves them as they are.
    """,
    "cov_estimator": r"""
    estimator : str, default="oas"
        Covariance estimator of `pyriemann.estimation.Covariances`.
    """,
    "fmin_fmax": r"""
    fmin, fmax : float, default=8.0, 30.0
        Pass band in Hz.
    """,
    "on_bad_rows": r"""
    on_bad_rows : {"prior", "raise", "ignore"}, default="prior"
        What to do about rows without usable signal; see `DecoderPipeline`.
    """,
    "order": r"""
    order : int, default=4
        Order of the Butterworth filter, run forward and backward.
    """,
    "sfreq": r"""
    sfreq : float, optional
        Sampling rate in Hz. None: the one that `mne.Epochs` or an `EEGArray` know.
    """,
    "tmin_tmax": r"""
    tmin, tmax : float, optional
        Part of the epoch to use after filtering, in seconds on its own time axis; start included,
        end excluded.
    """,
})
