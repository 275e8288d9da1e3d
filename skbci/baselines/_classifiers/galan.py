"""The winner of the mental-imagery competition: canonical variates and distances."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_count, check_number
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Signals
from skbci._whole import WholeFits
from skbci.baselines._classifiers.standardized import standardized

__all__ = ["GalanClassifier"]

# Smallest eigenvalue of a within-class covariance of standardized features.
_RIDGE = 1e-8


class GalanClassifier(WholeFits, ClassifierMixin, BaseEstimator):
    r"""Canonical-variate selection of features and classification by distance.

    The features (channel and band) with the most weight in the discriminant space of the classes
    are kept; a row then belongs to the class whose centroid is nearest in the discriminant space
    of the kept features.

    Parameters
    ----------
    n_features : int, default=20
        How many features to keep; all, where there are fewer.
    shrinkage : float, default=0.01
        Share in [0, 1] of the within-class covariance of the standardized features that is
        replaced by its diagonal. A little keeps neighbouring bands, which say nearly the same,
        from being played off against each other.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    scores_ : ndarray of the shape of a row
        Discriminant power of each feature in percent; sums to 100.
    selected_ : ndarray of int, shape (n_kept,)
        Places of the kept features in the (flattened) row, ascending.
    canonical_ : ndarray, shape (n_kept, n_classes - 1)
        Coefficients of the canonical variates, for standardized features.
    centroids_ : ndarray, shape (n_classes, n_classes - 1)
        Class means in the canonical space.
    n_features_in_ : int
        Size of the second axis of the input.

    Raises
    ------
    ValueError
        If y has one class, ``n_features`` is less than 1, ``shrinkage`` is not in [0, 1], or X
        has NaN or infinity.

    Notes
    -----
    With the covariances W within and B between the classes, the canonical variates are the
    vectors :math:`a_u` with :math:`B a_u = \lambda_u W a_u` and :math:`a_u^\top W a_u = 1`, in
    which the classes have unit covariance: the Euclidean distance there is the Mahalanobis
    distance of the discriminant space. A feature's discriminant power is the sum of its squared
    correlations with the variates (within classes), weighted by their eigenvalues,

    .. math:: D_e = \sum_u \lambda_u \frac{(W a_u)_e^2}{W_{ee}} .

    Probabilities are proportional to :math:`\exp(-d_k^2/2)` of the distances :math:`d_k` to the
    centroids. The competition's entry also averaged over the eight rows of half a second:
    ``EvidenceAccumulator(GalanClassifier(), 8)``.

    References
    ----------
    .. [1] F. Galan, F. Oliva and J. Guardia, "BCI competition III. Data set V: algorithm
       description", 2005.
    .. [2] F. Galan, M. Nuttin, E. Lew, P. W. Ferrez, G. Vanacker, J. Philips and J. del R. Millan,
       "A brain-actuated wheelchair: asynchronous and non-invasive brain-computer interfaces for
       continuous control of robots", Clinical Neurophysiology 119(9), 2008.
    .. [3] W. J. Krzanowski, "Principles of Multivariate Analysis", Oxford, 1988.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbci.baselines import GalanClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = GalanClassifier(n_features=2).fit(X, y)
    >>> clf.selected_, clf.score(X, y)
    (array([2, 3]), 0.96)
    """

    def __init__(self, n_features: int = 20, *, shrinkage: float = 0.01) -> None:
        self.n_features = n_features
        self.shrinkage = shrinkage

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @on_one_thread
    def fit(self, X: Signals, y: Labels) -> GalanClassifier:
        """Select features and find the canonical space.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, n_features) or (n_rows, n_channels, n_bands)
            Features.
        y : array-like, shape (n_rows,)
            Labels; at least two classes.

        Returns
        -------
        self
        """
        name = type(self).__name__
        n_features = check_count(self.n_features, "n_features", name)
        check_number(self.shrinkage, "shrinkage", self, low=0, high=1)
        data, y = check_eeg(
            self, as_eeg(X), y, reset=True, ndim=(2, 3), flat="allow", ensure_min_samples=2
        )
        self.classes_, codes = np.unique(y, return_inverse=True)
        check_classes(self.classes_, self)
        rows = data.reshape(len(data), -1).astype(np.float64)
        rows, self._mean, self._spread = standardized(rows)
        means, within = self._moments(rows, codes)
        power = self._power(means, within, np.bincount(codes))
        self.scores_ = power.reshape(data.shape[1:])
        self.selected_ = np.sort(np.argsort(-power, kind="stable")[:n_features])
        kept = np.ix_(self.selected_, self.selected_)
        means = means[:, self.selected_]
        self.canonical_, _ = _canonical(means, within[kept], np.bincount(codes))
        self.centroids_ = means @ self.canonical_
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Predict the class of the nearest centroid.

        Parameters
        ----------
        X : array-like or EEGArray
            Rows of the fitted shape.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        distance = self._squared_distance(X)
        return self.classes_[distance.argmin(axis=1)]

    def predict_proba(self, X: Signals) -> np.ndarray:
        """Compute class probabilities.

        Parameters
        ----------
        X : array-like or EEGArray
            Rows of the fitted shape.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        return softmax(-self._squared_distance(X) / 2, axis=1)

    @on_one_thread
    def _squared_distance(self, X: Signals) -> np.ndarray:
        check_is_fitted(self, "centroids_")
        data = check_eeg(self, as_eeg(X), reset=False, ndim=(2, 3), same_times=True)
        rows = data.reshape(len(data), -1)[:, self.selected_].astype(np.float64)
        rows = (rows - self._mean[self.selected_]) / self._spread[self.selected_]
        apart = (rows @ self.canonical_)[:, None] - self.centroids_
        return np.sum(apart**2, axis=2)

    def _moments(self, rows: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Class means and the covariance within classes."""
        n_classes = len(self.classes_)
        means = np.stack([rows[codes == k].mean(axis=0) for k in range(n_classes)])
        apart = rows - means[codes]
        within = apart.T @ apart / max(len(rows) - n_classes, 1)
        diagonal = np.diag(np.diag(within))
        within = (1 - self.shrinkage) * within + self.shrinkage * diagonal
        return means, within + _RIDGE * np.eye(len(within))

    @staticmethod
    def _power(means: np.ndarray, within: np.ndarray, counts: np.ndarray) -> np.ndarray:
        vectors, roots = _canonical(means, within, counts)
        power = ((within @ vectors) ** 2 @ roots) / np.diag(within)
        total = power.sum()
        return 100 * power / total if total > 0 else np.full(len(power), 100 / len(power))


def _canonical(
    means: np.ndarray, within: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Canonical vectors of unit variance within classes, and their eigenvalues."""
    share = counts / counts.sum()
    apart = means - share @ means
    between = (apart * share[:, None]).T @ apart
    n_vectors = min(len(counts) - 1, len(within))
    first = len(within) - n_vectors
    roots, vectors = eigh(between, within, subset_by_index=(first, len(within) - 1))
    return vectors[:, ::-1], np.maximum(roots[::-1], 0.0)
