"""Unit variance for each channel of a subject or session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci.features._alignment.base import GroupAlignment

__all__ = ["ChannelScaling"]


class ChannelScaling(GroupAlignment):
    r"""Scale each channel of each subject by its standard deviation over the subject's rows.

    The mildest alignment: skulls and electrodes differ in what they let through, and a subject
    with twice the amplitude would count twice. Unlike `EuclideanAlignment` it mixes no channels,
    so that places on the scalp and signs stay what they were.

    Parameters
    ----------
    by : str or list of str, default="subject"
        What is scaled by itself: columns of the `EEGArray`'s row table. ``"session"`` means a
        session of a subject and ``"run"`` a run of such a session.
    min_rows : int, default=5
        ``transform`` takes a group with fewer rows for too small to be scaled by itself; as in
        `EuclideanAlignment`.
    tol : float, default=1e-6
        Channels whose variance is below this fraction of the largest are set to zero.

    Attributes
    ----------
    references_ : dict of tuple to ndarray, shape (n_channels, n_channels)
        Diagonal matrix of the channels' variances of each fitted group, in X's unit squared, by
        its labels, such as ``(3,)`` for subject 3; ``()`` for rows without a table.
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
    EuclideanAlignment : Mixes channels so that they are uncorrelated too.

    Notes
    -----
    With the variance :math:`\sigma_{ic}^2` of channel c in row i, around its mean over the row,
    and the rows of group g,

    .. math:: \tilde x_{ic} = x_{ic} \Big/ \sqrt{\frac{1}{n_g} \sum_{i \in g} \sigma_{ic}^2} .

    A row's output depends on the rows of its group that come with it, not on labels. Rows without
    a usable signal do not count.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.features import ChannelScaling
    >>> noise = np.random.default_rng(0).standard_normal((20, 2, 100))
    >>> noise[:10] *= 30
    >>> X = EEGArray(noise, {"subject": [1] * 10 + [2] * 10})
    >>> out = np.asarray(ChannelScaling().fit_transform(X))
    >>> out[:10].var(axis=-1).mean(axis=0).round(6), out[10:].var(axis=-1).mean(axis=0).round(6)
    (array([1., 1.]), array([1., 1.]))
    """

    def __init__(
        self, by: str | Sequence[str] = "subject", *, min_rows: int = 5, tol: float = 1e-6
    ) -> None:
        super().__init__(by, estimator="scm", min_rows=min_rows, tol=tol)

    def _mean(self, covariances: np.ndarray) -> np.ndarray:
        return covariances.mean(axis=0)

    def _reference(self, rows: np.ndarray, within: np.ndarray | None = None) -> np.ndarray:
        matrix = super()._reference(rows, within)
        return matrix * np.eye(matrix.shape[-1])
