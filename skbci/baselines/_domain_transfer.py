"""pyRiemann's transfer learning, which is told the subjects by the rows' table."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_fits, refusal
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes
from skbci._eegarray.groups import Key, check_columns, group_rows
from skbci._eegarray.lost_table import note_table
from skbci._eegarray.rows import carry_rows
from skbci._typing import Label, Labels, Signals
from skbci._warning import warn
from skbci._whole import WholeFits
from skbci.baselines._docs import fill_doc
from skbci.eegarray import EEGArray

__all__ = ["DomainTransfer"]

_WITHOUT_TABLE = "All of them are the target's, and nothing is transferred"


def _hashable(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _has(method: str) -> BaseEstimator:
    def check(self: DomainTransfer) -> bool:
        return hasattr(getattr(self, "step_", self.step), method)

    return check


@fill_doc
class DomainTransfer(WholeFits, MetaEstimatorMixin, BaseEstimator):
    r"""Give one of pyRiemann's transfer methods its domains: subjects, from the rows' table.

    Methods of `pyriemann.transfer` want labels such as ``"subject 3/left"``, and the name of the
    domain that is decoded later. This makes both of ordinary labels and of the table of the rows.
    Unlike the alignments they use labels of the person to be decoded: a few calibration rows,
    among the training rows.

    Parameters
    ----------
    step : transformer or classifier
        With ``target_domain`` among its parameters, whatever its value: ``TLRotate(None)``,
        ``TLScale(None)``, or ``MDWM(0.7, None)`` for the minimum distance to means that are
        weighted between others and the target. A clone is fitted.
    by : str or list of str, default="subject"
        What is a domain: columns of the `EEGArray`'s row table, as in `EuclideanAlignment`.
    target : label, optional
        Domain that is decoded later: a subject, or, of several columns, a tuple. None: that of the
        last training row.

    Attributes
    ----------
    step_ : transformer or classifier
        The fitted one.
    target_ : tuple
        The target's labels.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the rows are of one domain only, none is of the target, or the target has not all
        classes.
    TypeError
        If the step has no ``target_domain``.

    Warns
    -----
    UserWarning
        If rows have no table: then there is nothing to transfer from.

    See Also
    --------
    RiemannianRecentering : Needs no labels of the target.
    skbci.features.GroupScaler : ``joint=True`` scales as `pyriemann.transfer.TLScale` does.

    Notes
    -----
    Training rows of other domains are moved to the target's, and rows at predict time are taken
    for the target's, whatever their table says.

    References
    ----------
    .. [1] %(procrustes_paper)s.
    .. [2] E. K. Kalunga, S. Chevallier and Q. Barthelemy, "Transfer learning for SSVEP-based BCI
       using Riemannian similarities between users", EUSIPCO, 2018 (MDWM).

    Examples
    --------
    >>> import skbci
    >>> from pyriemann.estimation import Covariances
    >>> from pyriemann.transfer import MDWM
    >>> from skbci.baselines import DomainTransfer
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.features import FilterBank, RankReducer, RiemannianRecentering
    >>> data = make_motor_imagery(3, 1, 40, random_state=0)
    >>> train = ((data.metadata["subject"] < 3) | (data.metadata["onset"] < 60)).to_numpy()
    >>> pipe = skbci.make_pipeline(
    ...     FilterBank(((8, 30),), output="channels"), RiemannianRecentering(), RankReducer(),
    ...     Covariances("oas"), DomainTransfer(MDWM(0.5, None), target=3))
    >>> pipe.fit(data.X[train], data.y[train]).score(data.X[~train], data.y[~train]) > 0.6
    True
    """

    row_context = True

    def __init__(
        self, step: BaseEstimator, by: str | Sequence[str] = "subject", *,
        target: Label | None = None,
    ) -> None:
        self.step = step
        self.by = by
        self.target = target

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.step)
        tags.estimator_type = inner.estimator_type
        for part in ("classifier_tags", "transformer_tags"):
            setattr(tags, part, copy.deepcopy(getattr(inner, part)))
        tags.target_tags.required = True
        return tags

    def fit(self, X: Signals, y: Labels) -> DomainTransfer:
        """Fit the method.

        Parameters
        ----------
        X : EEGArray, shape (n_rows, n_channels, n_channels) or (n_rows, n_features)
            Covariance matrices or tangent vectors, with the table that tells whose they are.
        y : array-like, shape (n_rows,)
            Labels.

        Returns
        -------
        self
        """
        self._fit(X, y)
        return self

    @available_if(_has("transform"))
    def fit_transform(self, X: Signals, y: Labels) -> np.ndarray:
        """Fit, and move the same rows to the target's domain.

        Parameters
        ----------
        X, y : object
            As for `fit`.

        Returns
        -------
        ndarray or EEGArray
        """
        X, data, encoded = self._fit(X, y)
        if len(encoded) > len(data):
            return carry_rows(X, np.asarray(self.step_.transform(data)))
        moved = self.step_.fit_transform(data.copy(), encoded)
        return carry_rows(X, np.asarray(moved))

    @available_if(_has("transform"))
    def transform(self, X: Signals) -> np.ndarray:
        """Transform rows of the target.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, ...)

        Returns
        -------
        ndarray or EEGArray
        """
        X, data = self._read(X)
        return carry_rows(X, np.asarray(self.step_.transform(data)))

    @available_if(_has("predict"))
    def predict(self, X: Signals) -> np.ndarray:
        """Return the labels of rows of the target.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, ...)

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        said = self.step_.predict(self._read(X)[1])
        return self.classes_[np.asarray(said).astype(int)]

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Signals) -> np.ndarray:
        """Return the probabilities of rows of the target.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, ...)

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        proba = np.asarray(self.step_.predict_proba(self._read(X)[1]))
        out = np.empty_like(proba)
        out[:, np.asarray(self.step_.classes_).astype(int)] = proba
        return out

    @available_if(_has("predict"))
    def score(self, X: Signals, y: Labels, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of labels that are right.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, ...)
        y : array-like, shape (n_rows,)
        sample_weight : array-like, shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        float
        """
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    def _read(self, X: Signals) -> tuple[Signals, np.ndarray]:
        check_is_fitted(self, "step_")
        X = as_eeg(X)
        return X, check_eeg(self, X, reset=False, same_times=True)

    def _fit(self, X: Signals, y: Labels) -> tuple[Any, np.ndarray, np.ndarray]:
        check_fits(self.step, "step", self)
        columns = check_columns(self.by, "DomainTransfer")
        if "target_domain" not in getattr(self.step, "get_params", dict)():
            raise TypeError(refusal(
                self.step, "step", self, "has no parameter target_domain; give a transfer method "
                "of pyriemann.transfer, such as MDWM(0.5, None)"))
        X = as_eeg(X)
        data, labels = check_eeg(self, X, y, reset=True, flat="allow")
        classes, codes = np.unique(labels, return_inverse=True)
        check_classes(classes, self)
        note_table(self, X, columns, _WITHOUT_TABLE)
        groups = group_rows(X, len(data), self.by, "DomainTransfer")
        rows, encoded, target = np.arange(len(data)), np.empty(len(data), dtype=object), "0"
        if isinstance(X, EEGArray) and X.has_metadata:
            key = self._target(groups, len(data))
            for number, (group, own) in enumerate(groups.items()):
                encoded[own] = [f"{number}/{code}" for code in codes[own]]
                target = str(number) if group == key else target
            if lost := sorted(set(classes.tolist()) - set(labels[groups[key]].tolist()), key=str):
                raise ValueError(
                    f"DomainTransfer: no training row of the target {key} has the label "
                    f"{', '.join(map(repr, lost))}. Transfer needs rows of each class of it."
                )
        else:
            warn("DomainTransfer: rows have no table that says whose they are. "
                 f"{_WITHOUT_TABLE}.")
            key, rows = (), np.concatenate([rows, rows])
            encoded = np.array([f"{d}/{code}" for d in (0, 1) for code in codes], dtype=object)
        step = clone(self.step).set_params(target_domain=target)
        encoded = encoded.astype(str)
        self.step_ = step.fit(data[rows], encoded)
        self.classes_, self.target_ = classes, key
        return X, data, encoded

    def _target(self, groups: dict[Key, np.ndarray], n_rows: int) -> Key:
        known = ", ".join(map(str, list(groups)[:5])) + (", ..." if len(groups) > 5 else "")
        if len(groups) < 2:
            raise ValueError(
                f"DomainTransfer: all {n_rows} training rows are of one domain, {known} "
                f"(by={self.by!r}); there is nobody to transfer from. Give rows of other subjects "
                "beside the target's, or leave the step out."
            )
        if self.target is None:
            return next(key for key, own in groups.items() if n_rows - 1 in own)
        key = self.target if isinstance(self.target, tuple) else (self.target,)
        if not _hashable(key) or key not in groups:
            raise ValueError(refusal(self.target, "target", self, f"is not one of {known}"))
        return key
