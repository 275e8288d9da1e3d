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
    "erp_baseline": r"""
    baseline : (float or None, float or None), optional
        Interval in seconds, on the epoch's own time axis, whose mean is subtracted from each
        channel: ``(None, 0)`` is all before the event. None subtracts nothing.
    """,
    "erp_fmin_fmax": r"""
    fmin, fmax : float, default=0.0, 20.0
        Pass band in Hz; ``fmin=0`` filters low-pass only, since epochs are too short for a
        high-pass: filter recordings before they are cut.
    """,
    "erp_tmin_tmax": r"""
    tmin, tmax : float, optional
        Part of the epoch to use after filter and baseline, in seconds on its own time axis; start
        included, end excluded.
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
