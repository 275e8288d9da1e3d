"""Scores of fitted estimators whose transformers are shared, and the lines of progress."""

from __future__ import annotations

import copy
import time
from typing import Any

from joblib.logger import short_format_time
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._validation import _score
from sklearn.utils.validation import _check_method_params, _num_samples

from skbci.model_selection._shared_transforms import Fold, copied, same_data, transformers

_WIDTH = 80  # of the lines of progress, filled up with dots


class CannotSeparate(Exception):
    """A fitted transformer that cannot be copied."""


def score_fit(
    estimator: Any, fold: Fold, X: Any, common: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    """Score a fitted estimator; give what ``_fit_and_score`` gives, without the fit's time.

    Raises
    ------
    CannotSeparate
        If the scorer needs transformers of its own, and they cannot be copied.
    """
    start = time.perf_counter()
    scored = ["test", "train"] if common["return_train_score"] else ["test"]
    result: dict[str, Any] = {"fit_error": None}
    for which in scored:
        told = _check_method_params(
            X, params=common["score_params"] or {}, indices=settings[which]
        )
        scores = _score_rows(estimator, fold, which, common, told)
        result[f"{which}_scores"] = scores
        result.setdefault("score_time", time.perf_counter() - start)
    result["n_test_samples"] = _num_samples(fold.rows("test", estimator)[0])
    return result


def _score_rows(
    estimator: Any, fold: Fold, which: str, common: dict[str, Any], told: dict[str, Any]
) -> Any:
    scorer, error_score = common["scorer"], common["error_score"]
    shared = bool(transformers(estimator))
    if shared and _only_predicts(scorer, told):
        try:
            X, y = fold.transformed(which, estimator)
        except Exception:  # the scorer will meet it
            pass
        else:
            given, last = copied(X), estimator.steps[-1][1]
            scores = _score(last, given, copied(y), scorer, told, error_score)
            if same_data(X, given):
                return scores
    if shared:
        _separate(estimator)
    X, y = map(copied, fold.rows(which, estimator))
    return _score(estimator, X, y, scorer, told, error_score)


def _only_predicts(scorer: Any, told: dict[str, Any]) -> bool:
    """Whether a scorer asks a pipeline for nothing but what its last step predicts.

    Then the last step can answer alone. Any other callable gets a pipeline and rows of its own:
    it may look into them, change, pickle or refit them.
    """
    if type(scorer) is _MultimetricScorer:
        return all(_only_predicts(one, told) for one in scorer._scorers.values())
    if type(scorer) is _PassthroughScorer:
        return not told  # which step gets it, the pipeline decides
    module = type(scorer).__module__
    return isinstance(scorer, _BaseScorer) and module == _BaseScorer.__module__


def _separate(pipeline: Any) -> None:
    """Give a pipeline transformers that no other pipeline has."""
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
