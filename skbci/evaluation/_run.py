"""One pipeline on one fold."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import cross_validate
from sklearn.utils import _safe_indexing

from skbci._typing import Labels, Signals
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


def run_fold(
    name: str, number: int, estimator: Any, X: Signals, y: Labels, fold: Fold,
    scoring: Mapping[str, Any], subjects: np.ndarray | None, params: Mapping[str, Any],
    error_score: Any,
) -> tuple[dict[str, Any], dict[Any, float]]:
    """Fit and score; give the fold's line and the score of each test subject."""
    train, test = fold
    try:
        result = cross_validate_here(
            clone(estimator), X, y, cv=[fold], scoring=dict(scoring), params=dict(params) or None,
            error_score="raise", return_estimator=True,
        )
    except Exception as error:
        if error_score == "raise":
            raise
        warnings.warn(
            f"compare: pipeline {name!r} failed on fold {number}; its score there is set to "
            f"{error_score!r}. The error was: {error!r}", FitFailedWarning, stacklevel=2,
        )
        result = {key: [error_score] for key in map("test_{}".format, scoring)}
        result |= {"fit_time": [np.nan], "score_time": [np.nan]}
    line: dict[str, Any] = {
        "pipeline": name,
        "fold": number,
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
    fitted: Any, X: Signals, y: Labels, test: np.ndarray, scoring: Any, subjects: np.ndarray,
    tested: Sequence[Any], params: Mapping[str, Any],
) -> dict[Any, float]:
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
