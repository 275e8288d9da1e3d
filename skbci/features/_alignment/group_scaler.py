"""Z-scores of features within each subject or session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_count, check_flag
from skbci._docs import fill_references
from skbci._eegarray.groups import Key, check_columns, group_rows
from skbci._eegarray.lost_table import note_table, require_table
from skbci._eegarray.rows import carry_rows
from skbci._typing import Labels, Signals
from skbci._usable import LIMIT, Unusable, report_unusable
from skbci._weights import check_weights
from skbci.features._alignment.group_moments import Moments, nearest_relatives
from skbci.features._base import SignalTransformer

__all__ = ["GroupScaler"]

_WITHOUT_TABLE = "All of them are scaled as one group"
_THEN = "Such rows do not count for mean and deviation."
_LEAST_ROWS = 5  # of fewer nothing is said about what is typical
_ROUNDING = 8  # times the precision: what rounding leaves of a constant


@fill_references
class GroupScaler(SignalTransformer):
    r"""Standardize features within each subject or session.

    `sklearn.preprocessing.StandardScaler` takes one mean and one deviation for everybody; people
    then differ in most features by more than what they imagine does. This takes each group's own,
    without labels, so that new subjects are scaled like the training subjects: by their own rows,
    at predict time.

    Parameters
    ----------
    by : str or list of str, default="subject"
        What is scaled by itself: columns of the `EEGArray`'s row table. ``"session"`` means a
        session of a subject and ``"run"`` a run of such a session.
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    joint : bool, default=False
        Whether to divide by one deviation for all values of a row, the root of their mean
        variance, in place of each value's own: the scaling of Riemannian Procrustes analysis [2]_
        where the values are those of `LogCovariance` after `RiemannianRecentering`.
    min_rows : int, default=10
        ``transform`` takes a group with fewer rows for too small to be scaled by itself; see
        Notes.

    Attributes
    ----------
    means_, vars_ : dict of tuple to ndarray of the shape of a row
        Mean and variance of each fitted group, by its labels, such as ``(3,)`` for subject 3 or
        ``(3, 1)`` for its first session; ``()`` for rows without a table.
    weights_ : dict of tuple to float
        Sum of the weights of its rows: without ``sample_weight``, their number.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the row table lacks a column of ``by`` or has missing entries in it, a parameter is out
        of its range, a group has no row with a weight, or X has NaN or infinity.

    See Also
    --------
    CausalCentering : Goes by the rows up to each row only, for streams (``scale=True``).
    EuclideanAlignment : Whitens signals by group.

    Notes
    -----
    With mean :math:`\mu_g` and standard deviation :math:`\sigma_g` over the rows of group g, value
    by value, row :math:`x_i` becomes :math:`(x_i - \mu_g) / \sigma_g`. A value that does not vary
    within a group is only centered.

    The step is transductive: a row's output depends on the rows of its group that come with it,
    not on their order, on labels or on other groups. In a call with fewer than ``min_rows`` rows
    of a group, a fitted group is scaled by what is known of it; a new one by a mixture of its own
    moments, with the share n / ``min_rows``, and those of its nearest relatives: for a new session
    the mean over the subject's other sessions, for a new subject over everybody. The moments of a
    group of which fewer rows are known at all are mixed in the same way.

    In a stream, `partial_fit` adds rows that have arrived to what is known of their group, and
    single rows are then scaled by it. `CausalCentering` does both in one step.

    Weights count in what is fitted, and so for rows that go through ``fit_transform``;
    ``transform`` has none, and a group's rows count alike.

    A row that lies more than a thousand times the typical distance from its group's median, in any
    value, does not count, with a warning. The typical distance is the median of the group's, in a
    call with fewer than ``min_rows`` rows, that of the fitted groups.

    References
    ----------
    .. [1] %(adaptive_batch_norm_paper)s,
       which does the same between the layers of a network.
    .. [2] %(procrustes_paper)s.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.features import GroupScaler
    >>> X = EEGArray([[1.0], [3.0], [101.0], [105.0]], {"subject": [1, 1, 2, 2]})
    >>> np.asarray(GroupScaler(min_rows=2).fit_transform(X)).ravel()
    array([-1.,  1., -1.,  1.])

    Row by row, of a group that becomes known:

    >>> scaler = GroupScaler(min_rows=2).fit(X)
    >>> new = EEGArray([[7.0], [9.0]], {"subject": [3, 3]})
    >>> np.asarray(scaler.partial_fit(new).transform(new[:1])).ravel()
    array([-1.])
    """

    looks_back = row_context = True

    _known: dict[Key, Moments]
    _typical: np.ndarray

    def __init__(
        self,
        by: str | Sequence[str] = "subject",
        *,
        with_mean: bool = True,
        with_std: bool = True,
        joint: bool = False,
        min_rows: int = 10,
    ) -> None:
        self.by = by
        self.with_mean = with_mean
        self.with_std = with_std
        self.joint = joint
        self.min_rows = min_rows

    def fit(
        self, X: Signals, y: Labels | None = None, sample_weight: ArrayLike | None = None
    ) -> GroupScaler:
        """Find mean and deviation of each group.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Features, or signals, of which each sample of each channel is a value of its own.
        y : object, optional
            Ignored.
        sample_weight : array-like, shape (n_rows,), optional
            Not negative; a row of weight two is two rows, one of weight zero is not there.

        Returns
        -------
        self
        """
        self._fit(X, sample_weight)
        return self

    def partial_fit(
        self, X: Signals, y: Labels | None = None, sample_weight: ArrayLike | None = None
    ) -> GroupScaler:
        """Add rows to what is known of their groups.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows of fitted groups or of new ones; in the first call without a `fit` before, this is
            the same as `fit`.
        y : object, optional
            Ignored.
        sample_weight : array-like, shape (n_rows,), optional
            As for `fit`.

        Returns
        -------
        self
        """
        if not hasattr(self, "_known"):
            return self.fit(X, y, sample_weight)
        X, data = self._read(X, ndim=(2, 3, 4), flat="allow", same_times=True)
        require_table(self, X, _WITHOUT_TABLE)
        weight = check_weights(sample_weight, data)
        groups = group_rows(X, len(data), self.by, "GroupScaler")
        known = dict(self._known)
        for key, new in self._moments(data, groups, weight, fitted=True).items():
            if new is not None:
                known[key] = known[key].plus(new) if key in known else new
        self._keep(known)
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Standardize each group of X.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows of the fitted shape, with the table that tells the groups apart.

        Returns
        -------
        ndarray or EEGArray
            Of X's shape.
        """
        X, data = self._read(X, ndim=(2, 3, 4), flat="allow", same_times=True)
        require_table(self, X, _WITHOUT_TABLE)
        groups = group_rows(X, len(data), self.by, "GroupScaler")
        own = self._moments(data, groups, None, fitted=True)
        out = np.empty_like(data)
        for key, rows in groups.items():
            self._scale(data, rows, self._at_predict_time(key, own[key]), out)
        return carry_rows(X, out)

    def fit_transform(
        self, X: Signals, y: Labels | None = None, sample_weight: ArrayLike | None = None
    ) -> np.ndarray:
        """Fit, and standardize the same rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            As for `fit`.
        y : object, optional
            Ignored.
        sample_weight : array-like, shape (n_rows,), optional
            As for `fit`.

        Returns
        -------
        ndarray or EEGArray
            What ``fit(X).transform(X)`` gives, and by weighted moments where there are weights.
        """
        X, data, groups = self._fit(X, sample_weight)
        out = np.empty_like(data)
        for key, rows in groups.items():
            self._scale(data, rows, self._known_of(key), out)
        return carry_rows(X, out)

    # -- moments --------------------------------------------------------------------------

    def _fit(
        self, X: Signals, sample_weight: ArrayLike | None
    ) -> tuple[Signals, np.ndarray, dict[Key, np.ndarray]]:
        columns = check_columns(self.by, "GroupScaler")
        check_flag(self.with_mean, "with_mean", self)
        check_flag(self.with_std, "with_std", self)
        check_flag(self.joint, "joint", self)
        check_count(self.min_rows, "min_rows", self)
        X, data = self._read_fit(X, ndim=(2, 3, 4), flat="allow")
        weight = check_weights(sample_weight, data)
        note_table(self, X, columns, _WITHOUT_TABLE)
        groups = group_rows(X, len(data), self.by, "GroupScaler")
        known = self._moments(data, groups, weight, fitted=False)
        if empty := [key for key, own in known.items() if own is None]:
            raise ValueError(
                f"GroupScaler: sample_weight is zero for all {len(groups[empty[0]])} rows of the "
                f"group {empty[0]}. Leave the group out."
            )
        self._keep({key: own for key, own in known.items() if own is not None})
        return X, data, groups

    def _keep(self, known: dict[Key, Moments]) -> None:
        self._known = known
        self.means_ = {key: own.mean for key, own in known.items()}
        self.vars_ = {key: own.var for key, own in known.items()}
        self.weights_ = {key: own.weight for key, own in known.items()}

    def _moments(
        self, data: np.ndarray, groups: dict[Key, np.ndarray], weight: np.ndarray | None,
        fitted: bool,
    ) -> dict[Key, Moments | None]:
        """Moments of each group's rows, None where no row counts."""
        far = np.zeros((len(data), data[0].size), dtype=bool)
        typical = {}
        for key, rows in groups.items():
            few = len(rows) < (self.min_rows if fitted else _LEAST_ROWS)
            if few and not fitted:
                continue
            center = np.median(data[rows], axis=0)
            if few:
                center = self._known_of(key).mean if key in self._known else self._prior(key).mean
            apart = np.abs(data[rows] - center)
            typical[key] = self._typical if few else np.median(apart, axis=0)
            limit = np.where(typical[key] > 0, LIMIT * typical[key], np.inf)
            far[rows] = (apart > limit).reshape(len(rows), -1)
        if not fitted:
            # Of few rows in every group, nothing is known.
            self._typical = np.median(list(typical.values()), axis=0) if typical else np.zeros(1)
        report_unusable(Unusable(np.zeros_like(far), far), "GroupScaler", then=_THEN,
                        what="feature")
        counts = np.asarray(~far.any(axis=1))
        if weight is not None:
            counts &= weight > 0
        return {
            key: Moments.of(data[kept], None if weight is None else weight[kept])
            if len(kept := rows[counts[rows]]) else None
            for key, rows in groups.items()
        }

    def _prior(self, key: Key) -> Moments:
        related = nearest_relatives(self._known, key)
        return Moments(0.0, np.mean([own.mean for own in related], axis=0),
                       np.mean([own.var for own in related], axis=0))

    def _known_of(self, key: Key) -> Moments:
        """Return moments of a known group, mixed with its relatives' where it has few rows."""
        own = self._known[key]
        share = min(1.0, own.weight / self.min_rows)
        return own if share == 1 else own.towards(self._prior(key), share)

    def _at_predict_time(self, key: Key, own: Moments | None) -> Moments:
        """Moments to scale a group of new rows by."""
        if own is not None and own.weight >= self.min_rows:
            return own
        if key in self._known:
            return self._known_of(key)
        if own is None:
            return self._prior(key)
        return own.towards(self._prior(key), own.weight / self.min_rows)

    def _scale(self, data: np.ndarray, rows: np.ndarray, by: Moments, out: np.ndarray) -> None:
        out[rows] = scaled(data[rows], by, self)


def scaled(rows: np.ndarray, by: Moments, scaler: GroupScaler) -> np.ndarray:
    """Standardize rows of one group, computed in double precision."""
    values = rows - by.mean if scaler.with_mean else rows
    if not scaler.with_std:
        return values.astype(rows.dtype)
    size = np.abs(by.mean)
    if scaler.joint:
        deviation, size = np.sqrt(by.var.mean()), size.max()
    else:
        deviation = np.sqrt(by.var)
    constant = deviation <= _ROUNDING * np.finfo(rows.dtype).eps * size
    return (values / np.where(constant, 1.0, deviation)).astype(rows.dtype)
