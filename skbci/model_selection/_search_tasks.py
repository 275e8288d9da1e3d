"""The fits and scores of a search: stacked where that is possible, one by one elsewhere."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import joblib
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skbci._training import MemoryBudget, PreparedFit, prepare_only, train_stack
from skbci._typing import Labels, Signals
from skbci.estimators import MLPClassifier, MLPRegressor
from skbci.model_selection._search_scores import (
    CannotSeparate,
    print_end,
    print_start,
    score_fit,
)
from skbci.model_selection._shared_transforms import (
    FoldRows,
    PrefixMemory,
    call_on_copies,
    copied,
    transformers,
)
from skbci.model_selection._sklearn import fit_and_score, has_callbacks, params_of_rows
from skbci.model_selection._stackable import can_stack
from skbci.pipeline import is_pipeline

# A task's number, its result as ``fit_and_score`` gives it, and whether it was stacked.
Outcome = tuple[int, dict[str, Any], bool]


@dataclass
class Task:
    """One call of scikit-learn's ``fit_and_score``."""

    number: int
    estimator: BaseEstimator
    settings: dict[str, Any]  # train, test, parameters ...
    fold: Any = None
    prepared: PreparedFit | None = None
    ready: Any = None  # the estimator before or after its fit
    fit_time: float = 0.0
    stacked: bool = False


@dataclass
class Chunk:
    """Tasks that one process works on, and what they share."""

    common: dict[str, Any]
    tasks: list[Task]
    max_memory: float | None
    X: Signals | None = None
    y: Labels | None = None


def may_stack(
    estimator: BaseEstimator, X: Signals, y: Labels | None,
    candidates: Iterable[Mapping[str, object] | None],
) -> bool:
    """Whether the fits of a search over this estimator are worth looking at one by one.

    Callbacks of scikit-learn's follow the search's own way through its fits.
    """
    if y is None or X is None or has_callbacks(estimator):
        return False
    values = (value for candidate in candidates for value in (candidate or {}).values())
    if any(has_callbacks(value) for value in values):
        return False
    if is_pipeline(estimator):
        return not get_tags(estimator).input_tags.pairwise
    return type(estimator) in (MLPClassifier, MLPRegressor)


def run_chunk(X: Signals, y: Labels | None, chunk: Chunk) -> list[Outcome]:
    """Fit and score a chunk's tasks on rows that all chunks share.

    Folds are worked on one after the other. Fits that can be stacked wait until their rows and
    weights fill the memory, or no more come; then each group of equal shape is trained.
    """
    chunk = replace(chunk, X=X, y=y)
    done: list[Outcome] = []
    waiting: list[Task] = []
    budget = MemoryBudget(chunk.max_memory)
    for _, same in groupby(chunk.tasks, key=lambda task: fold_key(task.settings)):
        tasks, memory = list(same), PrefixMemory()
        fold = FoldRows(chunk.X, chunk.y, tasks[0].settings["train"], tasks[0].settings["test"])
        for task in tasks:
            task.fold = fold
            _build(task)
        for task in _in_prefix_order(tasks):
            try:
                ready = task.ready is not None and _prepare(task, chunk, memory)
            except Exception:  # the ordinary way says what is wrong, as error_score wants it
                task.prepared, ready = None, False
            if not ready:
                done.append(_ordinary(task, chunk))
                continue
            print_start(chunk.common, task.settings)
            if task.prepared is None:
                done.append(_score_one(task, chunk))
                continue
            if not budget.add(task.prepared):
                done += _train_and_score(waiting, chunk)
                waiting = []
                budget.clear()
                budget.add(task.prepared)
            waiting.append(task)
        fold.release()
        del memory
    return done + _train_and_score(waiting, chunk)


def fold_key(settings: dict[str, Any]) -> Hashable:
    """Tell folds apart by the arrays that the splitter gave; they live as long as the calls."""
    return id(settings["train"]), id(settings["test"])


def _build(task: Task) -> None:
    """Set a candidate's parameters, if they can be set."""
    parameters = task.settings["parameters"]
    try:
        task.ready = clone(task.estimator)
        if parameters is not None:
            task.ready.set_params(**clone(parameters, safe=False))
    except Exception:  # as in `run_chunk`
        task.ready = None


def _in_prefix_order(tasks: list[Task]) -> list[Task]:
    """Put fits of equal transformers next to each other; otherwise they stay in order."""
    first: dict[Hashable, int] = {}

    def order(task: Task) -> list[int]:
        out = []
        for step in transformers(task.ready):
            try:
                key = joblib.hash(step)
            except Exception:  # cannot be pickled, and equals no other
                key = id(step)
            out.append(first.setdefault(key, len(first)))
        return out

    return sorted(tasks, key=order)


def _prepare(task: Task, chunk: Chunk, memory: PrefixMemory) -> bool:
    """Fit the estimator, but stop before a training that can be stacked.

    False where the ordinary way is as good.
    """
    start = time.perf_counter()
    estimator = task.ready
    prefix = transformers(estimator)
    remember = bool(prefix) and estimator.memory is None
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    stackable = can_stack(last)
    if not (stackable or remember):
        return False
    X, y = task.fold.rows("train", estimator)
    params = params_of_rows(
        chunk.X, params=chunk.common["fit_params"] or {}, indices=task.settings["train"]
    )

    def fit() -> None:
        if remember:
            # Networks that can be stacked only read; any other last step gets data of its own.
            memory.start(own_after=0 if stackable else len(prefix))
            estimator.memory = memory
            estimator.fit(X, y if stackable else copied(y), **params)
            estimator.memory = None
        elif prefix:
            call_on_copies(lambda X, y: estimator.fit(X, y, **params), X, y)
        else:
            estimator.fit(X, y, **params)

    if not stackable:
        fit()
    else:
        with prepare_only(last) as prepared:
            fit()
        for one in prepared:
            if one.stackable:
                task.prepared = one
            else:
                one.run()
                one.finish()
    task.fit_time = time.perf_counter() - start
    return True


def _train_and_score(tasks: list[Task], chunk: Chunk) -> list[Outcome]:
    groups: dict[Hashable, list[Task]] = {}
    for task in tasks:
        assert task.prepared is not None
        groups.setdefault(task.prepared.shape(), []).append(task)
    done: list[Outcome] = []
    for same in groups.values():
        try:
            _train(same)
        except Exception:  # as in `run_chunk`
            done += [_ordinary(task, chunk) for task in same]
    return done + _score_all([task for task in tasks if task.ready is not None], chunk)


def _train(tasks: list[Task]) -> None:
    start = time.perf_counter()
    fits = [task.prepared for task in tasks if task.prepared is not None]
    if len(fits) == 1:
        fits[0].run()
    else:
        train_stack(fits)
    share = (time.perf_counter() - start) / len(fits)
    for task, fit in zip(tasks, fits):
        fit.finish()
        task.stacked = len(fits) > 1
        task.fit_time += share
        task.prepared = None


def _score_all(tasks: list[Task], chunk: Chunk) -> list[Outcome]:
    """Score fitted estimators, fold after fold."""
    out: list[Outcome] = []
    for fold, same in groupby(tasks, key=lambda task: task.fold):
        out += [_score_one(task, chunk) for task in same]
        fold.release()
    return out


def _score_one(task: Task, chunk: Chunk) -> Outcome:
    """Score a fitted estimator, and let go of it."""
    common, settings = chunk.common, task.settings
    try:
        result = score_fit(task.ready, task.fold, chunk.X, common, settings)
    except CannotSeparate:
        return _ordinary(task, chunk)
    result["fit_time"] = task.fit_time
    if common.get("return_estimator"):
        result["estimator"] = task.ready
    print_end(common, settings, result)
    task.ready = None
    return task.number, result, task.stacked


def _ordinary(task: Task, chunk: Chunk) -> Outcome:
    """Fit and score as scikit-learn does."""
    task.ready = task.prepared = None
    result = fit_and_score(
        clone(task.estimator), chunk.X, chunk.y, **chunk.common, **task.settings
    )
    return task.number, result, False
