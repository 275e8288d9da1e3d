"""The classifiers of an inner cross-validation, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_fits, check_number, check_splitter, refusal
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes, check_column
from skbci._typing import Labels, Signals, Splitter
from skbci.eegarray import EEGArray
from skbci.estimators._meta.base import DividesRows, can, params_of_rows, take_rows
from skbci.estimators._meta.out_of_fold import inner_folds, out_of_fold

__all__ = ["CrossValEnsemble"]


class CrossValEnsemble(DividesRows):
    r"""Fit a classifier on each fold of an inner cross-validation, and average them.

    A cross-validation of K folds fits K classifiers to score one; these are kept and vote. Each
    has left out other people or sessions, so that they err in other places, and each row's
    prediction by those that have not seen it is a score that costs nothing more.

    Parameters
    ----------
    estimator : classifier or Pipeline
        Clones of it are fitted; it has ``predict_proba``.
    cv : int, splitter, iterable or None, default=None
        How the training rows are divided. None: at most five folds of whole ``groups`` where
        ``fit`` gets them, else of whole sessions, else, of a single session, five blocks, each a
        contiguous share of every class's rows. ``LeaveSubjectsOut(5)`` leaves out people.
    gap : float, default=1.0
        Without ``cv`` and of a single session, rows that begin within so many seconds of a
        block's rows are left out of what its classifier learns from, where rows have onsets.

    Attributes
    ----------
    estimators_ : list of classifier or Pipeline
        The fitted classifiers, one a fold.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    oof_score_ : float
        Accuracy of the predictions for each row by those that have not seen it: what a single one
        of them can be expected to score, if ``cv`` leaves out what is new later. Not there after
        `from_fits`.
    n_features_in_ : int
        Size of the second axis of the input.

    Raises
    ------
    ValueError
        If a fold leaves one class to train on, trains on rows that it tests, or no row is tested.
    TypeError
        If the classifier has no ``predict_proba``.

    See Also
    --------
    sklearn.ensemble.BaggingClassifier : Draws rows at random, which leaves no person out.
    CascadeClassifier : Uses out-of-fold labels as input.
    skbci.model_selection.StackedGridSearchCV : ``refit="folds"`` averages the fits of its best
        candidate.

    Notes
    -----
    With the classifiers k of K folds, :math:`p(x) = \frac1K \sum_k p_k(x)`. Each has seen a share
    of (K - 1) / K of the rows, and is a little worse than one that has seen all. Clones have the
    estimator's own ``random_state``.

    Examples
    --------
    >>> from skbci.baselines import csp_lda
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.model_selection import LeaveSubjectsOut
    >>> data = make_motor_imagery(4, 1, 20, random_state=0)
    >>> clf = CrossValEnsemble(csp_lda(4, alignment="euclidean"), LeaveSubjectsOut(3))
    >>> new = (data.metadata["subject"] == 4).to_numpy()
    >>> clf.fit(data.X[~new], data.y[~new], groups=data.metadata["subject"][~new])
    CrossValEnsemble(...)
    >>> len(clf.estimators_), clf.score(data.X[new], data.y[new]) > 0.6
    (3, True)
    """

    _takes_sparse = False

    def __init__(self, estimator: BaseEstimator, cv: Splitter = None, *, gap: float = 1.0) -> None:
        self.estimator = estimator
        self.cv = cv
        self.gap = gap

    def _inner(self) -> dict[str, Any]:
        return {"estimator": self.estimator}

    def fit(
        self, X: Signals, y: Labels, groups: Labels | None = None, **params: Any
    ) -> CrossValEnsemble:
        """Fit a clone of the classifier on the training side of each fold.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each recording's in order of time.
        y : array-like, shape (n_rows,)
            Labels; at least two classes.
        groups : array-like, shape (n_rows,), optional
            For ``cv``; without one, whole groups are left out.
        **params
            ``sample_weight``, or, with metadata routing, what the classifier requests.

        Returns
        -------
        self
        """
        name = type(self).__name__
        check_fits(self.estimator, "estimator", self, and_has="predict_proba")
        check_splitter(self.cv, "cv", self)
        check_number(self.gap, "gap", self, low=0, unit="seconds")
        source = as_eeg(X)
        data, labels = check_eeg(self, source, y, reset=True, ndim=(2, 3, 4), flat="allow",
                                 ensure_min_samples=2)
        X = source if isinstance(source, EEGArray) else data
        classes = np.unique(labels)
        check_classes(classes, self)
        apart = None if groups is None else check_column(groups, len(labels), "groups")
        share = self._routed(labels, params, apart)["estimator"]["fit"]
        fitted = []

        def fit_predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            clf = clone(self.estimator)
            clf.fit(take_rows(X, train), labels[train], **params_of_rows(X, share, train))
            fitted.append(clf)
            return _probabilities(clf, take_rows(X, test), classes)

        values, covered = out_of_fold(
            inner_folds(self.cv, X, labels, apart, self.gap, name), labels, len(classes),
            fit_predict, name, self.gap,
        )
        self.classes_, self.estimators_ = classes, fitted
        predicted = classes[values[covered].argmax(axis=1)]
        self.oof_score_ = float(np.mean(predicted == labels[covered]))
        return self

    @classmethod
    def from_fits(cls, fits: Sequence[BaseEstimator]) -> CrossValEnsemble:
        """Average classifiers that are fitted already, such as those of `cross_validate`.

        Parameters
        ----------
        fits : sequence of classifier or Pipeline
            Fitted on rows of one kind, with ``predict_proba``; they are kept, not copied.

        Returns
        -------
        CrossValEnsemble
            Fitted; its ``estimator`` is a clone of the first.

        Raises
        ------
        ValueError
            If there are none, one of them is not fitted, or their labels are of several kinds or
            of several targets.
        TypeError
            If one has no ``predict_proba``.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.model_selection import cross_validate
        >>> from sklearn.naive_bayes import GaussianNB
        >>> X, y = load_iris(return_X_y=True)
        >>> folds = cross_validate(GaussianNB(), X, y, cv=3, return_estimator=True)
        >>> CrossValEnsemble.from_fits(folds["estimator"]).score(X, y) > 0.9
        True
        """
        fits = list(fits)
        if not fits:
            raise ValueError("fits is empty; give CrossValEnsemble one fitted classifier or more.")
        for one in fits:
            if not hasattr(one, "predict_proba"):
                raise TypeError(refusal(one, "fits", cls.__name__, "has no predict_proba"))
            check_is_fitted(one)
        _check_one_kind(fits, cls.__name__)
        self = cls(clone(fits[0]))
        self.classes_ = np.unique(np.concatenate([one.classes_ for one in fits]))
        self.estimators_ = fits
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(fits[0], name):
                setattr(self, name, getattr(fits[0], name))
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Return the label of the highest mean probability.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        best = self._mean(X).argmax(axis=1)
        return self.classes_[best]

    @available_if(can("predict_proba", "estimator"))
    def predict_proba(self, X: Signals) -> np.ndarray:
        """Return the mean of the classifiers' probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._mean(X)

    def _mean(self, X: Signals) -> np.ndarray:
        check_is_fitted(self, "estimators_")
        source = as_eeg(X)
        data = check_eeg(self, source, reset=False, ndim=(2, 3, 4))
        named = hasattr(self.estimators_[0], "feature_names_in_")
        X = source if named or isinstance(source, EEGArray) else data
        return np.mean([_probabilities(clf, X, self.classes_) for clf in self.estimators_], axis=0)


def _check_one_kind(fits: Sequence[BaseEstimator], who: str) -> None:
    """Refuse labels that joining would make others, such as numbers beside strings."""
    first: dict[str, BaseEstimator] = {}
    for one in fits:
        if any(map(np.ndim, one.classes_)):
            raise ValueError(refusal(one, "fits", who, "must decide about one target"))
        dtype = np.asarray(one.classes_).dtype.kind
        first.setdefault("number" if dtype in "iuf" else dtype if dtype == "b" else "string", one)
    if len(first) > 1:
        shown = " and ".join(str(np.asarray(one.classes_).tolist()) for one in first.values())
        raise ValueError(f"{who}: fits have labels of several kinds, {shown}; they must have been "
                         "fitted to labels of one kind.")


def _probabilities(clf: BaseEstimator, X: Signals, classes: np.ndarray) -> np.ndarray:
    """Probabilities by a classifier that may not have seen all classes."""
    own = np.asarray(clf.predict_proba(X))
    out = np.zeros((len(own), len(classes)), own.dtype)
    out[:, np.searchsorted(classes, clf.classes_)] = own
    return out
