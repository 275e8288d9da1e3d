"""Scores of fitted estimators whose transformers are shared, and the lines of progress."""

from __future__ import annotations

import copy
import time
from typing import Any

from joblib.logger import short_format_time
from sklearn.base import BaseEstimator

from skbci._typing import Signals
from skbci.model_selection._shared_transforms import FoldRows, copied, same_data, transformers
from skbci.model_selection._sklearn import (
    count_samples,
    only_predicts,
    params_of_rows,
    score_rows,
)

_WIDTH = 80  # of the lines of progress, filled up with dots


class CannotSeparate(Exception):
    """A fitted transformer that cannot be copied."""


def score_fit(
    estimator: BaseEstimator, fold: FoldRows, X: Signals, common: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Score a fitted estimator; return what ``fit_and_score`` does, without the fit's time.

    Raises
    ------
    CannotSeparate
        If the scorer needs transformers of its own, and they cannot be copied.
    """
    start = time.perf_counter()
    scored = ["test", "train"] if common["return_train_score"] else ["test"]
    result: dict[str, Any] = {"fit_error": None}
    for which in scored:
        params = params_of_rows(
            X, params=common["score_params"] or {}, indices=settings[which]
        )
        scores = _score_rows(estimator, fold, which, common, params)
        result[f"{which}_scores"] = scores
        result.setdefault("score_time", time.perf_counter() - start)
    result["n_test_samples"] = count_samples(fold.rows("test", estimator)[0])
    return result


def _score_rows(
    estimator: BaseEstimator, fold: FoldRows, which: str, common: dict[str, Any],
    params: dict[str, Any],
) -> Any:
    scorer, error_score = common["scorer"], common["error_score"]
    shared = bool(transformers(estimator))
    if shared and only_predicts(scorer, params):
        try:
            X, y = fold.transformed(which, estimator)
        except Exception:  # the scorer will meet it
            pass
        else:
            given, last = copied(X), estimator.steps[-1][1]
            scores = score_rows(last, given, copied(y), scorer, params, error_score)
            if same_data(X, given):
                return scores
    if shared:
        _separate(estimator)
    X, y = map(copied, fold.rows(which, estimator))
    return score_rows(estimator, X, y, scorer, params, error_score)


def _separate(pipeline: BaseEstimator) -> None:
    """Copy a pipeline's transformers, which others share."""
    try:
        own = [(name, copy.deepcopy(step)) for name, step in pipeline.steps[:-1]]
    except Exception as error:
        raise CannotSeparate from error
    pipeline.steps = [*own, pipeline.steps[-1]]


# -- progress -----------------------------------------------------------------------------


def print_start(common: dict[str, Any], settings: dict[str, Any]) -> None:
    """Tell of a fit that begins, as verbosely as `GridSearchCV` does."""
    if common["verbose"] > 9:
        line = f"[CV{_progress(common, settings)}] START {_parameters(settings)}"
        print(line.ljust(_WIDTH, "."))


def print_end(
    common: dict[str, Any], settings: dict[str, Any], result: dict[str, Any]
) -> None:
    """Tell of a fit that is scored, as verbosely as `GridSearchCV` does."""
    if common["verbose"] < 2:
        return
    line = _parameters(settings)
    line += ";" if line else ""
    if common["verbose"] > 2:
        test, train = result["test_scores"], result.get("train_scores")
        if isinstance(test, dict):
            for name in sorted(test):
                seen = "" if train is None else f"train={train[name]:.3f}, "
                line += f" {name}: ({seen}test={test[name]:.3f})"
        elif train is None:
            line += f", score={test:.3f}"
        else:
            line += f", score=(train={train:.3f}, test={test:.3f})"
    line += f" total time={short_format_time(result['fit_time'] + result['score_time'])}"
    head = f"[CV{_progress(common, settings)}] END "
    print(head + line.rjust(_WIDTH - len(head), "."))


def _progress(common: dict[str, Any], settings: dict[str, Any]) -> str:
    out = ""
    split, candidate = settings.get("split_progress"), settings.get("candidate_progress")
    if common["verbose"] > 2 and split:
        out += f" {split[0] + 1}/{split[1]}"
    if common["verbose"] > 9 and candidate:
        out += f"; {candidate[0] + 1}/{candidate[1]}"
    return out


def _parameters(settings: dict[str, Any]) -> str:
    parameters = settings["parameters"] or {}
    return ", ".join(f"{name}={parameters[name]}" for name in sorted(parameters))
