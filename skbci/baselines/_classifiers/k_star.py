"""K*: an instance-based learner with an entropic distance."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_number
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes
from skbci._typing import Labels, Signals
from skbci._whole import WholeFits
from skbci.baselines._classifiers.k_star_scale import AttributeScale

__all__ = ["KStar"]

_CHUNK = 1 << 16  # distances at once: what the processor's cache holds


class KStar(WholeFits, ClassifierMixin, BaseEstimator):
    r"""Classify by the probability of transforming a row into the training rows of each class.

    K* is a nearest-neighbour method without a hard neighbourhood. Every training row has a say,
    which falls off exponentially with its distance in each attribute; how fast is chosen anew for
    each test row and attribute, so that the number of training rows that have an effective say is
    the same share of all.

    Parameters
    ----------
    blend : float, default=20.0
        Percentage above 0 and up to 100 that places the effective number of training rows
        between the number of nearest ones (0, not allowed: the limit of small blends) and all of
        them (100: every row is given the classes' frequencies). The HJB paper's eye-state
        study used 39.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    n_features_in_ : int
        Size of the second axis of the input.

    Raises
    ------
    ValueError
        If ``blend`` is out of its range, y has one class, or X has NaN or infinity.

    Notes
    -----
    For a test row a and a training row b, the probability of transforming one into the other is
    the product over the attributes of

    .. math:: P^*(b_i | a_i) = \frac{1}{2 x_{0,i}} \exp\Bigl(-\frac{|a_i - b_i|}{x_{0,i}}\Bigr) .

    The scale :math:`x_{0,i}` solves

    .. math:: \frac{\bigl(\sum_b P^*(b_i|a_i)\bigr)^2}{\sum_b P^*(b_i|a_i)^2}
              = n_0 + \frac{\mathrm{blend}}{100} (N - n_0),

    whose left side, the effective number of training rows, grows with :math:`x_{0,i}` from
    :math:`n_0`, the number of training rows at the smallest distance, to their number N. The
    probability of a class is its training rows' share of the sum of all :math:`P^*(b|a)`.

    Because of that choice, predictions do not change when an attribute is shifted or scaled.
    Attributes are treated as real numbers; the method's treatment of symbolic attributes and of
    missing values is left out. Prediction takes time proportional to training rows x test rows x
    attributes, and a fixed amount of memory.

    References
    ----------
    .. [1] J. G. Cleary and L. E. Trigg, "K*: an instance-based learner using an entropic distance
       measure", Proceedings of the 12th International Conference on Machine Learning, 1995.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> from skbci.baselines import KStar
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(cross_val_score(KStar(), X, y).mean() > 0.94)
    True
    """

    def __init__(self, blend: float = 20.0) -> None:
        self.blend = blend

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Signals, y: Labels) -> KStar:
        """Keep the training rows.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, n_features) or (n_rows, n_channels, n_values)
            Features.
        y : array-like, shape (n_rows,)
            Labels; at least two classes.

        Returns
        -------
        self
        """
        check_number(self.blend, "blend", self, low=0, high=100, closed="right", unit="percent")
        data, y = check_eeg(self, as_eeg(X), y, reset=True, flat="allow")
        self.classes_, codes = np.unique(y, return_inverse=True)
        check_classes(self.classes_, self)
        # Rows of a class lie together, so that a class's share is the sum of a stretch.
        order = np.argsort(codes, kind="stable")
        self._rows = data.reshape(len(data), -1)[order].astype(np.float64)
        self._scales = [
            AttributeScale(values, self.blend / 100) for values in self._rows.T.copy()
        ]
        self._starts = np.searchsorted(codes[order], np.arange(len(self.classes_)))
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Predict the most probable label of each row.

        Parameters
        ----------
        X : array-like or EEGArray
            Rows of the fitted shape.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

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
        check_is_fitted(self, "classes_")
        data = check_eeg(self, as_eeg(X), reset=False, same_times=True)
        rows = data.reshape(len(data), -1).astype(np.float64)
        size = max(1, _CHUNK // len(self._rows))
        scales = [scale(values) for scale, values in zip(self._scales, rows.T.copy())]
        parts = [
            self._chunk(rows[at : at + size],
                        [(near[at : at + size], rate[at : at + size]) for near, rate in scales])
            for at in range(0, len(rows), size)
        ]
        return np.concatenate(parts)

    def _chunk(
        self, rows: np.ndarray, scales: list[tuple[np.ndarray, np.ndarray]]
    ) -> np.ndarray:
        log_p = np.zeros((len(rows), len(self._rows)))
        distance = np.empty_like(log_p)
        for known, values, (nearest, rate) in zip(self._scales, rows.T, scales):
            np.abs(np.subtract(values[:, None], known.values, out=distance), out=distance)
            # Subtracting the smallest distance multiplies all P* of a test row by one number.
            distance -= nearest[:, None]
            distance *= rate[:, None]
            log_p -= distance
        log_p -= log_p.max(axis=1, keepdims=True)
        share = np.add.reduceat(np.exp(log_p), self._starts, axis=1)
        return share / share.sum(axis=1, keepdims=True)
