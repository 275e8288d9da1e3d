"""One pipeline on one fold."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import cross_validate
from sklearn.utils import _safe_indexing

from skbci._process.spread import spread
from skbci._typing import Label, Labels, Scoring, Signals
from skbci._warning import warn
from skbci.evaluation._fit_cache import FitCache, Result
from skbci.evaluation._folds import Fold
from skbci.evaluation._routing import scorer_params


def _one_by_one(**_: Any) -> Any:
    """In the place of scikit-learn's `Parallel`."""

    def run(calls: Iterable[Any]) -> list[Any]:
        return [function(*args, **kwargs) for function, args, kwargs in calls]

    return run


def cross_validate_here(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Do what `cross_validate` does, without its wrapper around each call.

    That puts other filters of warnings into their place, for all threads.
    """
    plain = inspect.unwrap(cross_validate)
    known = {**plain.__globals__, "Parallel": _one_by_one, "delayed": delayed}
    here = FunctionType(
        plain.__code__, known, plain.__name__, plain.__defaults__, plain.__closure__
    )
    here.__kwdefaults__ = plain.__kwdefaults__
    return here(*args, **kwargs)


@dataclass
class Job:
    """One pipeline on one fold, and how it is scored."""

    name: str
    number: int
    estimator: BaseEstimator
    fold: Fold
    scoring: Mapping[str, Any]
    params: Mapping[str, Any]
    error_score: float | str
    key: str = ""


def run_folds(
    jobs: Sequence[Job], X: Signals, y: Labels, subjects: np.ndarray | None,
    cache: FitCache | None, n_jobs: int | None, progress: bool,
) -> list[Result]:
    """Work through the jobs, those that are not kept already; give the results in their order."""
    from tqdm.auto import tqdm

    results: list[Any] = [None] * len(jobs)
    if cache is not None:
        for place, job in enumerate(jobs):
            results[place] = cache.read(job.key, job.name, job.number, subjects)
    left = [place for place, result in enumerate(results) if result is None]
    if cache is not None:  # whoever shares the folder begins elsewhere
        random.SystemRandom().shuffle(left)

    def done(at: int, result: Result) -> None:
        job = jobs[left[at]]
        results[left[at]] = result
        if cache is not None and not cache.has(job.key):  # of a worker without the folder
            cache.write(job.key, result, job.fold[1], subjects)

    with tqdm(total=len(jobs), initial=len(jobs) - len(left), desc="compare", unit="fit",
              disable=not progress) as bar:
        work = [(jobs[place],) for place in left]
        spread(_run_or_read, work, (X, y, subjects, cache), n_jobs, done, bar.update)
    return results


def _run_or_read(
    X: Signals, y: Labels, subjects: np.ndarray | None, cache: FitCache | None, job: tuple[Job]
) -> Result:
    (own,) = job
    if cache is None or not cache.folder.is_dir():
        return run_fold(own, X, y, subjects)
    result = cache.read(own.key, own.name, own.number, subjects)
    if result is None:
        result = run_fold(own, X, y, subjects)
        cache.write(own.key, result, own.fold[1], subjects)
    return result


def run_fold(job: Job, X: Signals, y: Labels, subjects: np.ndarray | None) -> Result:
    """Fit and score; give the fold's line and the score of each test subject."""
    train, test = job.fold
    scoring, params, error_score = job.scoring, job.params, job.error_score
    try:
        result = cross_validate_here(
            clone(job.estimator), X, y, cv=[job.fold], scoring=dict(scoring),
            params=dict(params) or None, error_score="raise", return_estimator=True,
        )
    except Exception as error:
        if error_score == "raise":
            raise
        warn(
            f"compare: pipeline {job.name!r} failed on fold {job.number}; its score there is set "
            f"to {error_score!r}. The error was: {error!r}", FitFailedWarning,
        )
        result = {key: [error_score] for key in map("test_{}".format, scoring)}
        result |= {"fit_time": [np.nan], "score_time": [np.nan]}
    line: dict[str, Any] = {
        "pipeline": job.name,
        "fold": job.number,
        **{metric: float(result[f"test_{metric}"][0]) for metric in scoring},
        "fit_s": float(result["fit_time"][0]),
        "predict_s": float(result["score_time"][0]),
        "n_train": len(train),
        "n_test": len(test),
    }
    if subjects is None:
        return line, {}
    tested = list(pd.unique(pd.Series(subjects[test], dtype=object)))
    if len(tested) == 1 or "estimator" not in result:
        return line, dict.fromkeys(tested, line["score"])
    fitted = result["estimator"][0]
    return line, _by_subject(fitted, X, y, test, scoring["score"], subjects, tested, params)


def _by_subject(
    fitted: BaseEstimator, X: Signals, y: Labels, test: np.ndarray, scoring: Scoring,
    subjects: np.ndarray, tested: Sequence[Label], params: Mapping[str, Any],
) -> dict[Label, float]:
    scorer = check_scoring(fitted, scoring=scoring)
    extra = scorer_params(scorer, params)
    scores = {}
    for subject in tested:
        rows = test[subjects[test] == subject]
        own = {key: _safe_indexing(value, rows) for key, value in extra.items()}
        scores[subject] = float(
            scorer(fitted, _safe_indexing(X, rows), _safe_indexing(y, rows), **own)
        )
    return scores
