"""A search that compares candidates on the rows that early stopping holds out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ParameterGrid

from skbci._checks import (
    check_candidates,
    check_fits,
    check_flag,
    check_jobs,
    check_number,
    refusal,
)
from skbci._checks.labels import check_weighted_classes
from skbci._process.quiet import filters_kept
from skbci._process.spread import data_on_workers
from skbci._typing import Labels, Signals
from skbci._warning import warn
from skbci.model_selection._best_candidate import BestCandidate

if TYPE_CHECKING:
    from skbci.model_selection._held_out_fits import Verdict

__all__ = ["HeldOutSearch"]


class HeldOutSearch(BestCandidate):
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
        Of the ``monitor`` that is named: False for a ``monitor`` such as the accuracy that
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
        One row per candidate: ``params``, the monitored ``value``, the ``epoch`` it was reached in
        and the weights of which were kept, the epochs run ``n_iter``, ``fit_time`` in seconds and
        ``rank``, 1 the best value. A candidate that could not be fitted has no value and epochs.
    classes_ : ndarray, shape (n_classes,)
        The labels, of classifiers.
    n_features_in_ : int
        Size of the second axis of the input.
    feature_names_in_ : ndarray, shape (n_features,)
        Names of the columns, where the input had some.

    Raises
    ------
    ValueError
        If a fit held out no rows, candidates go by different columns and ``monitor`` is None,
        there is no such column, or no candidate.
    TypeError
        If the last step is no neural estimator, or ``tol`` no number.

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
    the estimator has none. Where the grid itself has a ``random_state`` or a
    ``validation_fraction``, values of different rows are compared.

    The transformers of a pipeline are fitted for each candidate, unless it has a ``memory``, on
    all rows, those that the network then holds out included. Search the settings of the network,
    or of transformers that do not look at y: features chosen by labels would be judged by the
    same labels. Those are for `GridSearchCV`.

    The monitored loss has to mean the same in all candidates: that of one head
    (``"valid_logits"``, the default where a network has several losses) does under any
    ``loss_weighting``, the weighted sum ``"valid_loss"`` does not. A search over ``class_weight``,
    ``criterion`` or ``losses`` should monitor a score. The least value is a slightly hopeful
    estimate, as the best score of any search is; keep test rows apart, for example by
    `cross_val_score` around the search. All fits are in memory until the best is known.

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

    best_index_: int
    best_params_: dict[str, Any]
    results_: pd.DataFrame

    def __init__(
        self,
        estimator: BaseEstimator,
        param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
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

    @filters_kept()
    def fit(self, X: Signals, y: Labels | None = None, **params: Any) -> HeldOutSearch:
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
        # The splitters of this room are used without networks; torch is imported for a search.
        from skbci._training import draw_seed
        from skbci.model_selection._held_out_fits import candidate, fit_one, judge

        check_fits(self.estimator, "estimator", self)
        check_number(self.tol, "tol", self, low=0)
        check_jobs(self.n_jobs, "n_jobs", self)
        check_flag(self.lower_is_better, "lower_is_better", self)
        if self.monitor is not None and not isinstance(self.monitor, str):
            because = "must name a column of the estimator's history_, or be None"
            raise TypeError(refusal(self.monitor, "monitor", self, because))
        params = self._routed("fit", params)
        if is_classifier(self.estimator):
            check_weighted_classes(self, y, params.get("sample_weight"))
        grid = list(ParameterGrid(check_candidates(self.param_grid, "param_grid", self)))
        if not grid:
            raise ValueError(f"{type(self).__name__}: param_grid has no candidates.")
        seed = draw_seed(None)
        unfitted = [candidate(self.estimator, values, seed) for values in grid]
        with data_on_workers(X, y):
            fits = Parallel(n_jobs=self.n_jobs)(
                delayed(fit_one)(estimator, X, y, params) for estimator in unfitted
            )
        found = [
            fitted if isinstance(fitted, Exception)
            else judge(fitted, values, self.monitor, self.lower_is_better)
            for values, (fitted, _) in zip(grid, fits)
        ]
        self._choose(grid, found)
        self.results_["fit_time"] = [seconds for _, seconds in fits]
        self.best_estimator_ = fits[self.best_index_][0]
        return self

    def _choose(self, grid: list[dict[str, Any]], found: list[Verdict | Exception]) -> None:
        """Rank the candidates, and warn of those that failed."""
        judged = [verdict for verdict in found if not isinstance(verdict, Exception)]
        failed = [(v, error) for v, error in zip(grid, found) if isinstance(error, Exception)]
        if not judged:
            raise failed[0][1]
        columns = {(verdict.column, verdict.lower_is_better) for verdict in judged}
        if len(columns) > 1:
            raise ValueError(
                f"{type(self).__name__}: the candidates' early stopping goes by different columns "
                f"of the history, {sorted(column for column, _ in columns)}; name the one to "
                "compare them by in monitor."
            )
        for values, error in failed:
            warn(
                f"The candidate {values} could not be fitted and is left out: "
                f"{type(error).__name__}: {error}",
                FitFailedWarning,
            )
        self.results_ = pd.DataFrame({
            "params": grid,
            "value": [getattr(verdict, "value", np.nan) for verdict in found],
            **{name: pd.array([getattr(verdict, name, pd.NA) for verdict in found], "Int64")
               for name in ("epoch", "n_iter")},
        })
        ((_, lower_is_better),) = columns
        signed = self.results_["value"] * (1 if lower_is_better else -1)
        self.results_["rank"] = signed.rank(method="min", na_option="bottom").astype(int)
        self.best_index_ = int(np.flatnonzero(signed <= signed.min() + self.tol)[0])
        self.best_params_ = grid[self.best_index_]
