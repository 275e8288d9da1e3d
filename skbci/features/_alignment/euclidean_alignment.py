"""Euclidean alignment of subjects or sessions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci.features._alignment.base import GroupAlignment

__all__ = ["EuclideanAlignment"]


class EuclideanAlignment(GroupAlignment):
    r"""Whiten each subject's signals by the arithmetic mean of their covariances.

    Heads, caps and amplifiers differ, and with them the covariance of whatever a subject does.
    Alignment brings every subject's mean covariance to the identity. It needs no labels, so new
    subjects are aligned like the training subjects: by their own rows, at predict time.

    Parameters
    ----------
    by : str or list of str, default="subject"
        What is aligned by itself: columns of the `EEGArray`'s row table. ``"session"`` means a
        session of a subject and ``"run"`` a run of such a session.
    estimator : {"scm", "oas", "lwf"}, default="scm"
        Covariance of a row: of the sample, or with oracle approximating or Ledoit-Wolf shrinkage.
    min_rows : int, default=5
        ``transform`` takes a group with fewer rows for too small to be aligned by itself; see
        Notes.
    tol : float, default=1e-6
        Directions whose variance is below this fraction of the largest are set to zero.

    Attributes
    ----------
    references_ : dict of tuple to ndarray, shape (n_channels, n_channels)
        Mean covariance of each fitted group, in X's unit squared, by its labels, such as
        ``(3,)`` for subject 3 or ``(3, 1)`` for its first session; ``()`` for rows without a
        table. With bands (n_bands, n_channels, n_channels).
    target_references_ : dict of tuple to ndarray
        The same of the rows given to ``fit`` as ``X_target_unlabeled``; empty without.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the row table lacks a column of ``by`` or has missing entries in it, a parameter is out
        of its range, or X has NaN, infinity or a constant channel.

    See Also
    --------
    RiemannianRecentering : The same with the geometric mean.

    Notes
    -----
    With the covariances :math:`\Sigma_i` of the rows of group g, each channel's mean over the row
    removed, row :math:`x_i` becomes

    .. math:: \tilde x_i = \bar\Sigma_g^{-1/2} x_i, \qquad
        \bar\Sigma_g = \frac{1}{n_g} \sum_{i \in g} \Sigma_i .

    The root is a pseudo-inverse: average-referenced data stay in their range. The mean covariance
    of a group's output is the identity there (with ``estimator="scm"``); the unit cancels; any
    invertible mixture of a group's channels gives the same output up to a rotation.

    A row in which a channel has no usable signal (flat, or a thousand times smaller or larger than
    is typical of the channel in the group; of the fitted rows, in a group of fewer than
    ``min_rows``) does not count for the mean, with a warning that names row and channel. Without
    it, one railed epoch would move the whole group.

    Alignment is transductive: a row's output depends on the rows of its group that come with it,
    not on their order, on other groups, or on labels. How many rows come with it matters. A single
    row whitened by itself would lose all that tells classes apart, so ``transform`` treats groups
    with :math:`n < ` ``min_rows`` rows thus:

    - a group that ``fit`` saw is whitened by its fitted matrix: what a decoder needs that was
      calibrated on a subject and then gets one epoch at a time;
    - any other gets :math:`(1 - n/n_{min}) P + (n/n_{min}) \bar\Sigma_g`, where the prior P is the
      mean of the fitted matrices (for a new session of a fitted subject, of that subject's).

    The columns subject, session and run are read as far as the table has them. Rows of a plain
    array are one group. Filter before, since alignment is as broad-band as its input; channels
    of several bands that `FilterBank` stacked are whitened together, bands on an axis of their own
    one by one.

    References
    ----------
    .. [1] H. He and D. Wu, "Transfer learning for brain-computer interfaces: a Euclidean space
       data alignment approach", IEEE Transactions on Biomedical Engineering 67(2), 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.features import EuclideanAlignment, FilterBank
    >>> X = make_motor_imagery(n_subjects=2, n_sessions=1, n_trials=20, random_state=0).X
    >>> X = FilterBank(((8, 30),), output="channels").fit_transform(X)
    >>> aligned = EuclideanAlignment().fit_transform(X)
    >>> mean = np.mean([np.cov(row, ddof=0) for row in aligned[:20]], axis=0)
    >>> np.linalg.eigvalsh(mean).round(6)[:3]  # average reference: one direction is empty
    array([0., 1., 1.])
    """

    def __init__(
        self,
        by: str | Sequence[str] = "subject",
        *,
        estimator: str = "scm",
        min_rows: int = 5,
        tol: float = 1e-6,
    ) -> None:
        super().__init__(by, estimator=estimator, min_rows=min_rows, tol=tol)

    def _mean(self, covariances: np.ndarray) -> np.ndarray:
        return covariances.mean(axis=0)
