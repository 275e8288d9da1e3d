"""A grid search that trains its networks as one stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV

from skbci._typing import Scoring, Splitter
from skbci.model_selection._search_loop import StackedSearch
from skbci.model_selection._sklearn import Interval

__all__ = ["StackedGridSearchCV"]


class StackedGridSearchCV(StackedSearch, GridSearchCV):
    """`GridSearchCV` whose networks are trained all at once.

    Parameters
    ----------
    estimator : estimator
        `MLPClassifier`, `MLPRegressor` or a `Pipeline` that ends in one of them. Any other
        estimator is searched as scikit-learn does.
    param_grid : dict or list of dict
        Candidate values by parameter name.
    scoring, n_jobs, cv, verbose, pre_dispatch, error_score, return_train_score
        As in `sklearn.model_selection.GridSearchCV`. With ``n_jobs`` the fits are divided among
        the processes, whole folds as far as that goes, and each trains its part as a stack. On a
        GPU one process is enough.
    refit : bool, str, callable or "folds", default=True
        As in `sklearn.model_selection.GridSearchCV`. With ``"folds"``, of classifiers and one
        metric, nothing is fitted once more: ``best_estimator_`` is the mean of the best
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
        As in `sklearn.model_selection.GridSearchCV`. A stacked fit's ``fit_time`` is its share of
        the stack's.
    n_stacked_fits_ : int
        How many of the fits were trained in a stack.

    Raises
    ------
    ValueError
        What `GridSearchCV` raises, and if ``max_memory`` is not positive.

    See Also
    --------
    StackedRandomizedSearchCV : The same over candidates drawn from distributions.

    Notes
    -----
    The weights of all networks of one shape lie in one tensor, and a mini-batch of each goes
    forward and backward by batched matrix products. Each network keeps what is its own: rows and
    targets, optimizer and settings, shuffling, dropout rates and masks, sample and class weights,
    number of epochs and early stopping; it leaves the stack when it is done. Weights, shuffling
    and masks are drawn as in the ordinary fit. With an integer ``random_state`` in the estimator
    the scores are therefore those of `GridSearchCV`: to the last digit on the CPU, dropout
    included, as long as rounding does not depend on where an array lies in memory.

    Networks are stacked with one another if they have the same layers and activations, loss,
    precision and device, size and number of mini-batches, and if all or none of them have row
    weights. Fits with callbacks, with ``verbose`` output or pruned weights, with a loss or an
    optimizer other than those with a hand-written gradient (``"lm"`` and ``"evdhjb"``, for
    example), and those whose fit fails, are done one by one.

    The transformers of a pipeline are fitted once for each fold and setting of theirs (in each
    process), whatever its last step is, unless the pipeline has a ``memory`` already. Test rows
    are transformed once, too, where ``scoring`` is by scikit-learn's scorers (names or
    `make_scorer`). Any other callable gets, for each fit, rows and an ordinary pipeline of its
    own, and may do with them what it likes. Pipelines with a transformer that writes into the rows
    it is given are fitted one by one. Beside what ``max_memory`` counts, a process holds the rows
    of one fold, and what the transformers of one setting made of them.

    If scikit-learn's callbacks are set on the search, the estimator or any part of it, everything
    is left to scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbci.estimators import MLPClassifier
    >>> from skbci.model_selection import StackedGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = StackedGridSearchCV(
    ...     MLPClassifier((20,), max_epochs=40, batch_size=16, random_state=0),
    ...     {"optimizer": ["hjb", "adam"], "lr": [0.01, 0.1]}, cv=3)
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
    >>> search.n_stacked_fits_  # 4 candidates, 3 folds
    12
    """

    _parameter_constraints: dict = {
        **GridSearchCV._parameter_constraints,
        "max_memory": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        scoring: Scoring = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., int] = True,
        cv: Splitter = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        max_memory: float | None = None,
    ) -> None:
        super().__init__(
            estimator, param_grid, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv,
            verbose=verbose, pre_dispatch=pre_dispatch, error_score=error_score,
            return_train_score=return_train_score,
        )
        self.max_memory = max_memory
