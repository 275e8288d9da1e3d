"""Riemannian recentering of subjects or sessions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci.features._alignment.base import GroupAlignment

__all__ = ["RiemannianRecentering"]


class RiemannianRecentering(GroupAlignment):
    r"""Whiten each subject's signals by the geometric mean of their covariances.

    On the manifold of covariance matrices, subjects and sessions differ mostly in where their
    rows lie, less in how they lie to each other. Recentering moves every group's geometric mean
    to the identity; it changes no distance within the group.

    Parameters
    ----------
    by : str or list of str, default="subject"
        What is recentered by itself: columns of the `EEGArray`'s row table. ``"session"`` means a
        session of a subject and ``"run"`` a run of such a session.
    estimator : {"scm", "oas", "lwf"}, default="oas"
        Covariance of a row: of the sample, or with oracle approximating or Ledoit-Wolf shrinkage.
        ``"scm"`` needs rows with more samples than channels.
    min_rows : int, default=5
        ``transform`` takes a group with fewer rows for too small to be recentered by itself; see
        Notes of `EuclideanAlignment`.
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
        If a row's covariance is singular where other rows have signal (with
        ``estimator="scm"``), the row table lacks a column of ``by`` or has missing entries in it,
        a parameter is out of its range, or X has NaN, infinity or a constant channel.

    See Also
    --------
    EuclideanAlignment : The same with the arithmetic mean, which is faster.

    Notes
    -----
    With the covariances :math:`\Sigma_i` of the rows of group g, row :math:`x_i` becomes
    :math:`M_g^{-1/2} x_i`, where

    .. math:: M_g = \operatorname*{arg\,min}_M \sum_{i \in g} \delta(M, \Sigma_i)^2, \qquad
        \delta(A, B) = \lVert \log(A^{-1/2} B A^{-1/2}) \rVert_F .

    Its covariance becomes :math:`M_g^{-1/2} \Sigma_i M_g^{-1/2}`. Means are taken in the range of
    the group's signals, so that average-referenced data have one; rows without a usable signal
    have no place on the manifold and do not count. All that `EuclideanAlignment` says about
    groups, their size and the order of rows holds here too.

    References
    ----------
    .. [1] P. Zanini, M. Congedo, C. Jutten, S. Said and Y. Berthoumieu, "Transfer learning: a
       Riemannian geometry framework with applications to brain-computer interfaces", IEEE
       Transactions on Biomedical Engineering 65(5), 2018.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from pyriemann.classification import MDM
    >>> from pyriemann.estimation import Covariances
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.features import FilterBank, RankReducer, RiemannianRecentering
    >>> data = make_motor_imagery(n_subjects=3, n_sessions=1, n_trials=20, random_state=0)
    >>> pipe = make_pipeline(FilterBank(((8, 30),), output="channels"),
    ...                      RiemannianRecentering(), RankReducer(), Covariances("oas"), MDM())
    >>> new = (data.metadata["subject"] == 3).to_numpy()
    >>> pipe.fit(data.X[~new], data.y[~new]).score(data.X[new], data.y[new]) > 0.6
    True
    """

    def __init__(
        self,
        by: str | Sequence[str] = "subject",
        *,
        estimator: str = "oas",
        min_rows: int = 5,
        tol: float = 1e-6,
    ) -> None:
        super().__init__(by, estimator=estimator, min_rows=min_rows, tol=tol)

    def _mean(self, covariances: np.ndarray) -> np.ndarray:
        covariances = covariances[np.trace(covariances, axis1=1, axis2=2) > 0]
        n = covariances.shape[1]
        values = np.linalg.eigvalsh(covariances)
        singular = np.flatnonzero(values[:, 0] <= n * np.finfo(np.float64).eps * values[:, -1])
        if len(singular):
            raise ValueError(
                f"RiemannianRecentering: {len(singular)} of {len(covariances)} rows of a group "
                f"have a singular covariance in the {n} dimensions of the group's signals, so "
                "that there is no geometric mean. Use estimator='oas' or 'lwf', or rows with more "
                "samples."
            )
        from pyriemann.geometry.mean import mean_riemann  # brings torch and pyplot

        return np.asarray(mean_riemann(covariances))
