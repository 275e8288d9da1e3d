"""A search that compares candidates on the rows that early stopping holds out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ParameterGrid
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbci._numbers import is_number
from skbci.estimators._meta import check_weighted_classes, last_step
from skbci.estimators._monitoring import ValidatedEarlyStopping, check_column
from skbci.estimators._torch_state import draw_seed

__all__ = ["HeldOutSearch"]


def _has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(getattr(self, "best_estimator_", self.estimator), method)


class HeldOutSearch(MetaEstimatorMixin, BaseEstimator):
    r"""One fit for each candidate; the one that does best on the rows it held out is kept.

    A network that stops early has already been judged on rows that it did not train on. Where
    candidates hold out the same rows, that judgement also tells them apart: K candidates cost K
    fits, where `GridSearchCV` with n folds costs :math:`nK + 1`.

    Parameters
    ----------
    estimator : estimator
        A neural estimator of this package with ``early_stopping``, or a `Pipeline` that ends in
        one.
    param_grid : dict or list of dict
        Candidate values by parameter name, as in `sklearn.model_selection.GridSearchCV`.
    monitor : str, optional
        Column of ``history_`` by which candidates are compared, in the epoch whose weights were
        kept. None: the column that early stopping goes by.
    lower_is_better : bool, default=True
        False for a ``monitor`` such as the accuracy that
        ``skorch.callbacks.EpochScoring("accuracy", name="valid_acc")`` records.
    tol : float, default=0.0
        Of the candidates that come within this of the best value, the first in the grid's order
        is kept. Held-out rows are few; with a ``tol``, what stands first in the grid gives way
        only to what is clearly better.
    n_jobs : int, optional
        Processes that share the fits, as in joblib.

    Attributes
    ----------
    best_estimator_ : estimator
        The fit that was kept. It is not repeated on all rows: the held-out ones found the epoch
        to stop at, too.
    best_params_ : dict
        Its candidate values.
    best_index_ : int
        Its row in ``results_``.
    results_ : DataFrame
        A row a candidate: ``params``, the monitored ``value``, the ``epoch`` it was reached in and
        the weights of which were kept, the epochs run ``n_iter``, ``fit_time`` in seconds and
        ``rank``, 1 the best value. A candidate that could not be fitted has none of the three
        first.
    classes_ : ndarray, shape (n_classes,)
        The labels, of classifiers.
    n_features_in_ : int
        Size of the second axis of the input.
    feature_names_in_ : ndarray, shape (n_features,)
        Names of the columns, where the input had some.

    Raises
    ------
    ValueError
        If a fit held out no rows, candidates go by different columns and ``monitor`` is None, or
        there is no such column.
    TypeError
        If the last step has no history.

    Warns
    -----
    FitFailedWarning
        For each candidate that could not be fitted. If none could, its error is raised.

    See Also
    --------
    StackedGridSearchCV : Candidates compared by cross-validation.

    Notes
    -----
    Candidates hold out the same rows, as they get the same ``random_state``; one is drawn where
    the estimator's is None. Where the grid itself has a ``random_state``, each draws its own
    subjects or groups, and values of different rows are compared.

    The transformers of a pipeline are fitted for each candidate, unless it has a ``memory``.

    The monitored loss has to mean the same in all candidates: that of one head
    (``"valid_logits"``, the default where a network has several losses) does under any weighting,
    the weighted sum ``"valid_loss"`` does not. The least value is a slightly hopeful estimate, as
    the best score of any search is; keep test rows apart, for example by `cross_val_score` around
    the search.

    Which weighting of its losses a network learns best under differs from data to data. A search
    over ``loss_weighting`` settles it with the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.estimators import MLPClassifier
    >>> from skbci.model_selection import HeldOutSearch
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 4))
    >>> y = np.where(X[:, 0] > 0, "left", "right")
    >>> net = MLPClassifier((8,), early_stopping=True, random_state=0)
    >>> search = HeldOutSearch(net, {"optimizer": ["hjb", "adam"], "lr": [1e-5, 0.01]}).fit(X, y)
    >>> len(search.results_), search.best_params_["lr"]
    (4, 0.01)
    """

    best_estimator_: Any
    best_index_: int
    best_params_: dict[str, Any]
    results_: pd.DataFrame

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        monitor: str | None = None,
        lower_is_better: bool = True,
        tol: float = 0.0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.monitor = monitor
        self.lower_is_better = lower_is_better
        self.tol = tol
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator)
        tags.estimator_type = own.estimator_type
        tags.classifier_tags = own.classifier_tags
        tags.regressor_tags = own.regressor_tags
        tags.target_tags = own.target_tags
        tags.input_tags = own.input_tags
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata the estimator gets.

        Returns
        -------
        MetadataRouter
        """
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def fit(self, X: Any, y: Any = None, **params: Any) -> HeldOutSearch:
        """Fit every candidate on the same rows, and keep the best.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data.
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
            The targets.
        **params : dict
            ``sample_weight``, ``groups`` and what else goes to the estimator's ``fit``; with
            metadata routing, what it requests.

        Returns
        -------
        self
        """
        if is_classifier(self.estimator):
            check_weighted_classes(self, y, params.get("sample_weight"))
        if _routing_enabled():
            params = process_routing(self, "fit", **params).estimator.fit
        if not is_number(self.tol) or not 0 <= self.tol < np.inf:
            raise ValueError(
                f"{type(self).__name__}: tol={self.tol!r} must be a finite number of at least 0."
            )
        candidates = list(ParameterGrid(self.param_grid))
        start = self._start()
        fits = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_one)(clone(start).set_params(**clone(values, safe=False)), X, y, params)
            for values in candidates
        )
        rows, failures, columns = [], [], set()
        for values, (fitted, seconds) in zip(candidates, fits):
            row = {"params": values, "value": np.nan, "epoch": pd.NA, "n_iter": pd.NA}
            error = fitted
            if not isinstance(fitted, Exception):
                found, column = self._judge(fitted, values)
                columns.add(column)
                error = ValueError(f"{column} was never finite.")
                if np.isfinite(found["value"]):
                    row, error = row | found, None
            if error is not None:
                failures.append((values, error))
            rows.append({**row, "fit_time": seconds})
        if len(columns) > 1:
            raise ValueError(
                f"{type(self).__name__}: the candidates' early stopping goes by different columns "
                f"of the history, {sorted(columns)}; name the one to compare them by in monitor."
            )
        if len(failures) == len(candidates):
            raise failures[0][1]
        for values, error in failures:
            warnings.warn(
                f"The candidate {values} could not be fitted and is left out: "
                f"{type(error).__name__}: {error}",
                FitFailedWarning,
                stacklevel=2,
            )
        self.results_ = pd.DataFrame(rows).astype({"epoch": "Int64", "n_iter": "Int64"})
        values = self.results_["value"] if self.lower_is_better else -self.results_["value"]
        self.results_["rank"] = values.rank(method="min", na_option="bottom").astype(int)
        self.best_index_ = int(np.flatnonzero(values <= values.min() + self.tol)[0])
        self.best_estimator_ = fits[self.best_index_][0]
        self.best_params_ = candidates[self.best_index_]
        return self

    def _start(self) -> Any:
        """The estimator with a seed: without one, each candidate would draw its held-out rows."""
        start = clone(self.estimator)
        last = last_step(start)
        if getattr(last, "random_state", 0) is None:
            last.set_params(random_state=draw_seed(None))
        return start

    def _judge(self, fitted: Any, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """How well a candidate did, and by which column."""
        last = last_step(fitted)
        if not hasattr(last, "history_") or not hasattr(last, "net_"):
            raise TypeError(
                f"{type(self).__name__} compares neural estimators by their history; "
                f"{type(last).__name__} has none."
            )
        stopping = [c for _, c in last.net_.callbacks_ if isinstance(c, ValidatedEarlyStopping)]
        if not stopping or "valid_loss" not in last.history_:
            raise ValueError(
                f"{type(self).__name__} compares candidates on the rows that early stopping holds "
                f"out, but {type(last).__name__} with {values} held out none; set "
                "early_stopping=True, or give more rows."
            )
        column = stopping[0].monitor if self.monitor is None else self.monitor
        check_column(column, dict(last.history_.iloc[0]))
        epoch = stopping[0].best_epoch_  # 0 where none was better than nothing
        value = last.history_.set_index("epoch")[column].get(epoch, np.nan)
        return {"value": float(value), "epoch": int(epoch), "n_iter": last.n_iter_}, column

    # -- what the best candidate does -----------------------------------------------------

    @property
    def classes_(self) -> np.ndarray:
        """The labels."""
        return self._best("classes_")

    @property
    def n_features_in_(self) -> int:
        """Size of the second axis of the input."""
        return self._best("n_features_in_")

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the input had some."""
        return self._best("feature_names_in_")

    def _best(self, attribute: str) -> Any:
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(f"{type(self).__name__} has no {attribute} before fit.")
        return getattr(self.best_estimator_, attribute)

    def _call(self, method: str, *args: Any) -> Any:
        check_is_fitted(self, "best_estimator_")
        return getattr(self.best_estimator_, method)(*args)

    @available_if(_has("predict"))
    def predict(self, X: Any) -> np.ndarray:
        """Give the best candidate's predictions.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_targets)
        """
        return self._call("predict", X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Give the best candidate's probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._call("predict_proba", X)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Give the best candidate's decision values.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_classes)
        """
        return self._call("decision_function", X)

    @available_if(_has("transform"))
    def transform(self, X: Any) -> np.ndarray:
        """Give the best candidate's latent.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)

        Returns
        -------
        ndarray, shape (n_rows, n_latent)
        """
        return self._call("transform", X)

    @available_if(_has("inverse_transform"))
    def inverse_transform(self, X: Any) -> np.ndarray:
        """Give the best candidate's reconstruction of a latent.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_latent)

        Returns
        -------
        ndarray, shape (n_rows, ...)
        """
        return self._call("inverse_transform", X)

    @available_if(_has("score"))
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give the best candidate's score: accuracy of classifiers, R² of regressors.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
        sample_weight : array-like, shape (n_rows,), optional

        Returns
        -------
        float
        """
        return self._call("score", X, y, *([] if sample_weight is None else [sample_weight]))


def _fit_one(
    estimator: Any, X: Any, y: Any, params: dict[str, Any]
) -> tuple[Any, float]:
    """A fitted candidate or its error, and the seconds it took."""
    start = time.perf_counter()
    try:
        fitted = estimator.fit(X, y, **params)
    except Exception as error:  # one step size too many should not lose the others
        return error, time.perf_counter() - start
    return fitted, time.perf_counter() - start
