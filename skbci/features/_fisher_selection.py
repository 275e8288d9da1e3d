"""Selection of single features by Fisher's ratio."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes
from skbci._eegarray.rows import carry_rows
from skbci._process.threads import on_one_thread
from skbci._sessions import session_codes
from skbci._typing import Labels, Signals
from skbci._whole import WholeFits

__all__ = ["FisherSelection", "fisher_ratio"]


def fisher_ratio(data: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Variance between the class means over the variance within classes, for each column.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_features)
        Features.
    y : ndarray, shape (n_rows,)
        Labels.

    Returns
    -------
    ndarray, shape (n_features,)
        0 for a column that never changes, infinite for one that is constant in each class.
    """
    classes, codes = np.unique(y, return_inverse=True)
    hot = np.eye(len(classes))[codes]
    share = hot.mean(axis=0)
    data = data.astype(np.float64)
    data = data - data.mean(axis=0)
    spread = np.abs(data).max(axis=0, initial=0.0)
    data = data / np.where(spread > 0, spread, 1.0)
    means = (hot.T @ data) / hot.sum(axis=0)[:, None]
    between = share @ means**2
    within = np.mean((data - means[codes]) ** 2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = between / within
    return np.where(np.isnan(ratio), 0.0, ratio)


class FisherSelection(WholeFits, SelectorMixin, BaseEstimator):
    r"""Keep the features with the largest Fisher ratio.

    The ranking is that of the analysis of variance (`sklearn.feature_selection.f_classif`). The
    rows keep their table, so that steps behind this one still know each row's session; and with
    several training sessions a feature can be asked to separate the classes in all of them.

    Parameters
    ----------
    n_features : int, default=30
        How many to keep; all, where there are fewer.
    across : {"pooled", "weakest"}, default="pooled"
        ``"pooled"``: the ratio over all training rows. ``"weakest"``: the smallest of the ratios
        within the sessions of X's row table that have all classes.

    Attributes
    ----------
    scores_ : ndarray, shape (n_features,)
        Fisher ratios.
    n_features_in_ : int
        Number of features.

    Raises
    ------
    ValueError
        If y has one class, ``n_features`` is less than 1, or X has NaN or infinity.

    Notes
    -----
    With class means :math:`\mu_k`, class shares :math:`p_k`, the total mean :math:`\mu` and the
    variances :math:`\sigma_k^2` within classes,

    .. math:: F = \frac{\sum_k p_k (\mu_k - \mu)^2}{\sum_k p_k \sigma_k^2} .

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.features import FisherSelection
    >>> X = np.array([[0.0, 1.0, 5.0], [1.0, 2.0, 5.0], [0.0, 8.0, 5.0], [1.0, 9.0, 5.0]])
    >>> FisherSelection(1).fit(X, [0, 0, 1, 1]).get_feature_names_out()
    array(['x1'], dtype=object)
    """

    def __init__(self, n_features: int = 30, *, across: str = "pooled") -> None:
        self.n_features = n_features
        self.across = across

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    @on_one_thread
    def fit(self, X: Signals, y: Labels) -> FisherSelection:
        """Rank the features.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, n_features)
            Features.
        y : array-like, shape (n_rows,)
            Labels; at least two classes.

        Returns
        -------
        self
        """
        who = type(self).__name__
        n_features = check_count(self.n_features, "n_features", who)
        check_choice(self.across, "across", who, ("pooled", "weakest"))
        X = as_eeg(X)
        data, labels = check_eeg(self, X, y, reset=True, ndim=(2,), ensure_min_samples=2)
        check_classes(np.unique(labels), self)
        self.scores_ = self._scores(X, data, labels)
        best = np.argsort(-self.scores_, kind="stable")[:n_features]
        self._mask = np.zeros(data.shape[1], dtype=bool)
        self._mask[best] = True
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Keep the chosen columns.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, n_features)
            Features.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_kept)
        """
        check_is_fitted(self, "scores_")
        X = as_eeg(X)
        data = check_eeg(self, X, reset=False, ndim=(2,))
        return carry_rows(X, data[:, self._mask], ch_names=None)

    def _scores(self, X: Signals, data: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.across == "weakest":
            n_classes, codes = len(np.unique(y)), session_codes(X, len(data), "session")
            parts = [np.flatnonzero(codes == code) for code in np.unique(codes)]
            whole = [rows for rows in parts if len(np.unique(y[rows])) == n_classes]
            if whole:
                return np.min([fisher_ratio(data[rows], y[rows]) for rows in whole], axis=0)
        return fisher_ratio(data, y)

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "scores_")
        return self._mask
