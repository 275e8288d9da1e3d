"""A network whose batch normalization goes by each person's own rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_count, check_fits, refusal
from skbci._checks.eeg import as_eeg
from skbci._eegarray.groups import check_columns, group_rows
from skbci._eegarray.lost_table import note_table, require_table
from skbci._process.quiet import without_warnings
from skbci._typing import Labels, Signals
from skbci.estimators._docs import fill_doc
from skbci.estimators._meta.base import AroundOneClassifier, take_rows
from skbci.estimators._neural.classifier import BaseNeuralClassifier
from skbci.nets import adapt_batch_norm, has_moments

__all__ = ["AdaptiveBatchNorm"]

_WITHOUT_TABLE = "All of them are normalized as one group"


@fill_doc
class AdaptiveBatchNorm(AroundOneClassifier):
    r"""Normalize inside a network by the moments of each subject's own rows.

    A network's batch normalization learns one mean and variance for everybody. Here they are
    computed anew at predict time, for each subject of a call from that subject's rows, without
    labels; the weights stay.

    Parameters
    ----------
    estimator : classifier
        A network with batch normalization, such as `MIN2NetClassifier`, `FBMSNetClassifier` or
        `NeuralClassifier`. A clone of it is fitted.
    by : str or list of str, default="subject"
        Who has moments of their own: columns of the `EEGArray`'s row table, as in
        `skbci.features.EuclideanAlignment`.
    min_rows : int, default=10
        Subjects with fewer rows in a call are normalized by what was learned in `fit`.

    Attributes
    ----------
    estimator_ : classifier
        The fitted network.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    n_features_in_ : int
        Size of the second axis of the input.

    Raises
    ------
    TypeError
        If the estimator is no network of this package.
    ValueError
        If the network has no batch normalization, or the table lacks a column of ``by``.

    See Also
    --------
    skbci.nets.adapt_batch_norm : The same for any torch module.
    skbci.features.GroupScaler : Scales features in front of a classifier by subject.

    Notes
    -----
    Transductive: a row's result depends on the rows of its subject that come with it. Training is
    the network's own, with mini-batches of all subjects; adaptive batch normalization [1]_ is the
    half of domain-specific batch normalization [2]_ that serves unseen domains.

    Rows without usable signal do not count.

    References
    ----------
    .. [1] %(adaptive_batch_norm_paper)s.
    .. [2] R. J. Kobler, J. Hirayama, Q. Zhao and M. Kawanabe, "SPD domain-specific batch
       normalization to crack interpretable unsupervised domain adaptation in EEG", NeurIPS 2022.

    Examples
    --------
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.estimators import AdaptiveBatchNorm, MIN2NetClassifier
    >>> data = make_motor_imagery(n_subjects=3, n_sessions=1, n_trials=12, random_state=0)
    >>> new = (data.metadata["subject"] == 3).to_numpy()
    >>> clf = AdaptiveBatchNorm(MIN2NetClassifier(max_epochs=2, random_state=0))
    >>> clf.fit(data.X[~new], data.y[~new]).predict(data.X[new]).shape
    (12,)
    """

    looks_back = row_context = True
    _remembers = True

    estimator_: BaseNeuralClassifier

    def __init__(
        self, estimator: BaseEstimator, by: str | Sequence[str] = "subject", *, min_rows: int = 10
    ) -> None:
        self.estimator = estimator
        self.by = by
        self.min_rows = min_rows

    def fit(self, X: Signals, y: Labels, **params: Any) -> AdaptiveBatchNorm:
        """Fit the network.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, shape (n_rows,)
            Labels.
        **params
            ``sample_weight``, ``groups``, or, with metadata routing, what the network requests.

        Returns
        -------
        self
        """
        check_fits(self.estimator, "estimator", self)
        if not isinstance(self.estimator, BaseNeuralClassifier):
            raise TypeError(refusal(self.estimator, "estimator", self, "must be a network, such "
                                    "as MIN2NetClassifier() or a NeuralClassifier of a module"))
        check_count(self.min_rows, "min_rows", self, low=2)
        columns = check_columns(self.by, type(self).__name__)
        X = as_eeg(X)
        share = self._routed(y, params)["estimator"]["fit"]
        note_table(self, X, columns, _WITHOUT_TABLE)
        fitted = clone(self.estimator).fit(X, y, **share)
        if not any(has_moments(part) for part in fitted.net_.module_.modules()):
            raise ValueError(refusal(self.estimator, "estimator", self,
                                     "has no batch normalization to adapt"))
        self.estimator_ = fitted
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, with the table that says whose they are.

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
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, with the table that says whose they are.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self, "estimator_")
        X = as_eeg(X)
        clf = self.estimator_
        data = clf._read_rows(X)
        require_table(self, X, _WITHOUT_TABLE)
        groups = group_rows(X, len(data), self.by, type(self).__name__).values()
        adapted = [rows for rows in groups if len(rows) >= self.min_rows]
        if len(adapted) < len(groups):  # all rows together: rounding depends on the batch
            out = clf.predict_proba(X)
            for rows in adapted:
                out[rows] = self._adapted(take_rows(X, rows))
            return out
        clf._silent_rows(X, data, "The prior is predicted there.")
        parts = [self._adapted(take_rows(X, rows)) for rows in adapted]
        return np.concatenate(parts)[np.argsort(np.concatenate(adapted))]

    def _adapted(self, X: Signals) -> np.ndarray:
        """Compute the probabilities of one subject's rows."""
        # Warnings about the rows were given for all of them; an overflow is this network's own.
        with without_warnings(message="(?!.*output overflows)"):
            clf = _twin(self.estimator_)
            data = clf._read_rows(X)
            usable = np.flatnonzero(~clf._silent_rows(X, data, ""))
            if len(usable) >= self.min_rows:
                rows = clf._as_tensor(take_rows(X, usable), data[usable])
                clf.net_, module = _twin(clf.net_), clf.net_.module_
                weight = next(module.parameters())
                vars(clf.net_)["module_"] = adapt_batch_norm(module, rows.to(weight))
                vars(clf.net_).pop("_double", None)  # of the other module
            return clf.predict_proba(X)


def _twin(fitted: BaseEstimator) -> BaseEstimator:
    """Return another object with the same attributes."""
    twin = object.__new__(type(fitted))
    vars(twin).update(vars(fitted))
    return twin
