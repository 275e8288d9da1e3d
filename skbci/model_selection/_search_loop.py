"""scikit-learn's search loop, handing its fits over all at once."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer_names
from sklearn.utils import Tags, get_tags
from sklearn.utils.parallel import Parallel, delayed

from skbci._checks import check_candidates, check_jobs, check_positive, check_splitter, refusal
from skbci._process.quiet import filters_kept
from skbci._process.spread import data_on_workers
from skbci._typing import Labels, Signals
from skbci._whole import WholeFits
from skbci.model_selection._sklearn import (
    OWN_ARGUMENTS,
    BaseSearchCV,
    fit_context,
    has_callbacks,
    is_search_fit,
    search_loop,
)

if TYPE_CHECKING:
    from skbci.model_selection._search_tasks import Chunk, Task

#: Value of ``refit``: the best candidate's fits are averaged.
FOLDS = "folds"
_ONE_METRIC = "goes by one metric; give refit the name of one, or scoring a single one"


class StackedSearch(WholeFits, BaseSearchCV):
    """A search whose fits are seen all at once.

    scikit-learn's loop leaves no room between choosing candidates and fitting them one by one. So
    its own `fit` runs here, with another `Parallel`: candidates, folds, routing, results and refit
    are scikit-learn's. Calls that are not what they are known to be go to the usual `Parallel`.
    """

    max_memory: float | None
    refit: Any

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator)
        tags.input_tags.three_d_array = own.input_tags.three_d_array
        tags.target_tags.multi_output = own.target_tags.multi_output
        return tags

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Signals, y: Labels | None = None, **params: Any) -> Self:
        """Fit every candidate on every fold, and the best one on all rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            The data.
        y : array-like, shape (n_rows,) or (n_rows, n_targets), optional
            The targets.
        **params : dict
            ``groups`` and what else goes to the splitter, the estimator's ``fit`` and the scorer,
            as in scikit-learn's search.

        Returns
        -------
        self
        """
        self._check_search()
        self.n_stacked_fits_ = 0
        with filters_kept(), data_on_workers(X, y):
            if not self._averages():
                return search_loop(partial(_StackingParallel, self))(self, X, y, **params)
            fits: list[BaseEstimator | None] = []
            with self._not_refitted():
                search_loop(partial(_StackingParallel, self, kept=fits))(self, X, y, **params)
        self._average(fits)
        return self

    def _averages(self) -> bool:
        """Whether the best candidate's own fits are kept, and no metric is meant."""
        metrics = self.scoring if isinstance(self.scoring, (list, tuple, set, dict)) else ()
        return isinstance(self.refit, str) and self.refit == FOLDS and FOLDS not in metrics

    @contextmanager
    def _not_refitted(self) -> Iterator[None]:
        """Leave out the fit on all rows; scikit-learn's loop chooses by the one metric."""
        try:
            self.refit = False
            yield
        finally:
            self.refit = FOLDS

    def _average(self, fits: list[BaseEstimator | None]) -> None:
        """Make the mean of the best candidate's fits the best estimator."""
        from skbci.estimators import CrossValEnsemble  # brings torch

        if self.multimetric_:
            raise ValueError(refusal(self.refit, "refit", self, _ONE_METRIC))
        first = self.best_index_ * self.n_splits_
        best = fits[first : first + self.n_splits_]
        found = [one for one in best if one is not None]
        if len(found) < len(best):
            raise ValueError(refusal(
                self.refit, "refit", self, "averages the best candidate's fits on all folds, but "
                f"the one on fold {best.index(None)} failed; give refit=True, or other folds"))
        start = time.perf_counter()
        self.best_estimator_ = CrossValEnsemble.from_fits(found)
        self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_

    def _check_search(self) -> None:
        """Check what scikit-learn leaves to fail in the middle of its work."""
        check_jobs(self.n_jobs, "n_jobs", self)
        name = "param_grid" if hasattr(self, "param_grid") else "param_distributions"
        check_candidates(getattr(self, name), name, self)
        if not isinstance(self.cv, Iterator):  # which can be read once only
            check_splitter(self.cv, "cv", self)
        several = isinstance(self.scoring, (list, tuple, set, dict))
        if several and not (self.scoring and all(isinstance(s, str) for s in self.scoring)):
            because = "must name at least one metric"
            raise ValueError(refusal(self.scoring, "scoring", self, because))
        if self._averages():
            if several:
                raise ValueError(refusal(self.refit, "refit", self, _ONE_METRIC))
            if not hasattr(self.estimator, "predict_proba"):
                raise ValueError(refusal(
                    self.refit, "refit", self, "needs a classifier with predict_proba, whose "
                    "probabilities are averaged; give refit=True"))
            if has_callbacks(self):
                raise ValueError(refusal(
                    self.refit, "refit", self, "cannot be had with scikit-learn's callbacks; give "
                    "refit=True"))
        one = self.scoring is None or isinstance(self.scoring, str)
        if one and isinstance(self.refit, str) and self.refit not in (
            FOLDS, "score", self.scoring, *get_scorer_names()
        ):  # scikit-learn would take any word for True
            because = f"must be True, False, {FOLDS!r}, a metric's name or a function"
            raise ValueError(refusal(self.refit, "refit", self, because))
        if isinstance(self.refit, type):
            because = "must be True, False, a metric's name or a function of cv_results_"
            raise TypeError(refusal(self.refit, "refit", self, because))
        if self.max_memory is not None:
            check_positive(self.max_memory, "max_memory", self, unit="MB", also="None")


class _StackingParallel:
    """Takes the calls that scikit-learn's loop prepares for joblib."""

    def __init__(
        self, search: StackedSearch, n_jobs: int | None = None,
        kept: list[BaseEstimator | None] | None = None, **settings: Any,
    ) -> None:
        self.search = search
        self.kept = kept
        self.n_jobs = n_jobs
        self.settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, calls: Iterable[Any]) -> list[Any]:
        if self.kept is None:
            return self._results(list(calls))
        results = self._results([
            (function, args, {**kwargs, "return_estimator": True})
            for function, args, kwargs in calls
        ])
        for result in results:
            estimator = result.pop("estimator")
            self.kept.append(None if result["fit_error"] else estimator)
        return results

    def _results(self, calls: list[Any]) -> list[Any]:
        chunks = self._chunks(calls)
        if not chunks:
            with data_on_workers(*_folds(calls)):
                return Parallel(n_jobs=self.n_jobs, **self.settings)(calls)
        from skbci.model_selection._search_tasks import run_chunk

        _, (_, X, y), _ = calls[0]
        parallel = Parallel(n_jobs=self.n_jobs, **self.settings)
        outcome = parallel(delayed(run_chunk)(X, y, chunk) for chunk in chunks)
        results: list[Any] = [None] * len(calls)
        for number, result, stacked in (found for part in outcome for found in part):
            results[number] = result
            self.search.n_stacked_fits_ += stacked
        return results

    def _chunks(self, calls: list[Any]) -> list[Chunk]:
        """Divide the calls among processes, fold by fold; empty if they are for joblib."""
        # Imported late: the room's splitters need no torch.
        from skbci.model_selection._search_tasks import Chunk, Task, fold_key, may_stack

        if not calls or not all(map(is_search_fit, calls)) or has_callbacks(self.search):
            return []
        _, (estimator, X, y), kwargs = calls[0]
        if not may_stack(estimator, X, y, [kwargs["parameters"] for _, _, kwargs in calls]):
            return []
        common = {name: value for name, value in kwargs.items() if name not in OWN_ARGUMENTS}
        folds: dict[Hashable, list[Task]] = {}
        for number, (_, (estimator, *_), kwargs) in enumerate(calls):
            own = {name: kwargs[name] for name in OWN_ARGUMENTS if name in kwargs}
            folds.setdefault(fold_key(own), []).append(Task(number, estimator, own))
        tasks = [task for fold in folds.values() for task in fold]
        n_chunks = min(effective_n_jobs(self.n_jobs), len(tasks))
        bounds = np.linspace(0, len(tasks), n_chunks + 1).round().astype(int)
        return [
            Chunk(common, tasks[a:b], self.search.max_memory)
            for a, b in zip(bounds, bounds[1:])
        ]


def _folds(calls: list[Any]) -> list[np.ndarray]:
    """Return the numbers of the rows, which all candidates share."""
    fits = [kwargs for _, _, kwargs in filter(is_search_fit, calls)]
    return [kwargs[part] for kwargs in fits for part in ("train", "test")]
