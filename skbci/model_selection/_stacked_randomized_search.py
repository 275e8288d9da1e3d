"""A randomized search that trains its networks as one stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import RandomizedSearchCV

from skbci._typing import Scoring, Seed, Splitter
from skbci.model_selection._search_loop import StackedSearch
from skbci.model_selection._sklearn import Interval

__all__ = ["StackedRandomizedSearchCV"]


class StackedRandomizedSearchCV(StackedSearch, RandomizedSearchCV):
    """`RandomizedSearchCV` whose networks are trained all at once.

    Parameters
    ----------
    estimator : estimator
        `MLPClassifier`, `MLPRegressor` or a `Pipeline` that ends in one of them. Any other
        estimator is searched as scikit-learn does.
    param_distributions : dict or list of dict
        Distributions (with ``rvs``) or lists by parameter name.
    n_iter : int, default=10
        Candidates to draw.
    scoring, n_jobs, cv, verbose, pre_dispatch, error_score, return_train_score
        As in `sklearn.model_selection.RandomizedSearchCV`. With ``n_jobs`` the fits are divided
        among the processes, whole folds as far as that goes, and each trains its part as a stack.
        On a GPU one process is enough.
    random_state : int, RandomState or None, default=None
        Draws the candidates.
    refit : bool, str, callable or "folds", default=True
        As in `sklearn.model_selection.RandomizedSearchCV`. With ``"folds"``, of classifiers and
        one metric, nothing is fitted once more: ``best_estimator_`` is the mean of the best
        candidate's fits on the folds (`CrossValEnsemble`). Until it is chosen, the fits of all
        candidates are held in memory.
    max_memory : float, optional
        Bytes that the waiting rows and the stack of one process may take; a search that needs more
        is trained in several stacks, one after the other, with the same result. By default 1 GiB,
        and on a GPU half of what is free.

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, \
refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As in `sklearn.model_selection.RandomizedSearchCV`. A stacked fit's ``fit_time`` is its
        share of the stack's.
    n_stacked_fits_ : int
        How many of the fits were trained in a stack.

    Raises
    ------
    ValueError
        What `RandomizedSearchCV` raises, and if ``max_memory`` is not positive.

    See Also
    --------
    StackedGridSearchCV : The same over all combinations; says what can be stacked.

    Notes
    -----
    What is stacked with what, and how, is told at `StackedGridSearchCV`.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from skbci.estimators import MLPClassifier
    >>> from skbci.model_selection import StackedRandomizedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = StackedRandomizedSearchCV(
    ...     MLPClassifier((20,), max_epochs=40, batch_size=16, random_state=0),
    ...     {"lr": loguniform(1e-3, 1), "dropout": [0.0, 0.2]}, n_iter=5, cv=3, random_state=0)
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
    """

    _parameter_constraints: dict = {
        **RandomizedSearchCV._parameter_constraints,
        "max_memory": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        n_iter: int = 10,
        scoring: Scoring = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., int] = True,
        cv: Splitter = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Seed = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        max_memory: float | None = None,
    ) -> None:
        super().__init__(
            estimator, param_distributions, n_iter=n_iter, scoring=scoring, n_jobs=n_jobs,
            refit=refit, cv=cv, verbose=verbose, pre_dispatch=pre_dispatch,
            random_state=random_state, error_score=error_score,
            return_train_score=return_train_score,
        )
        self.max_memory = max_memory
