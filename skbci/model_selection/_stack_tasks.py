"""The fits and scores of a search: stacked where that is possible, one by one elsewhere."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sklearn.base import clone
from sklearn.model_selection._validation import _fit_and_score, _score
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

from skbci.estimators import MLPClassifier, MLPRegressor
from skbci.model_selection._prefix_memory import PrefixMemory
from skbci.model_selection._stack_members import Member, can_stack, record
from skbci.model_selection._stack_training import train_stack
from skbci.model_selection._stack_waiting import WaitingRoom

# A task's number, its result as ``_fit_and_score`` gives it, and whether it was stacked.
Outcome = tuple[int, dict[str, Any], bool]


class Fold:
    """The rows of one fold, cut out when they are asked for first."""

    def __init__(self, X: Any, y: Any, train: Any, test: Any) -> None:
        self.data = X, y
        self.train, self.test = train, test
        self._cut: dict[str, Any] = {}

    def rows(self, which: str, estimator: Any) -> Any:
        """Give X and y of the "train" or "test" rows."""
        if which not in self._cut:
            numbers = (self.train,) if which == "train" else (self.test, self.train)
            self._cut[which] = _safe_split(estimator, *self.data, *numbers)
        return self._cut[which]

    def release(self) -> None:
        """Let go of the rows."""
        self._cut = {}


@dataclass
class Task:
    """One call of scikit-learn's ``_fit_and_score``."""

    number: int
    estimator: Any
    settings: dict[str, Any]  # train, test, parameters ...
    fold: Any = None
    member: Member | None = None
    ready: Any = None  # the estimator before or after its fit
    fit_time: float = 0.0
    stacked: bool = False


@dataclass
class Chunk:
    """Tasks that one process works on, and what they share."""

    X: Any
    y: Any
    common: dict[str, Any]
    tasks: list[Task]
    max_memory: float | None


def may_stack(estimator: Any, X: Any, y: Any) -> bool:
    """Whether the fits of a search over this estimator are worth looking at one by one."""
    if y is None or X is None or hasattr(estimator, "_skl_callbacks"):
        return False
    if type(estimator) is Pipeline:
        return not get_tags(estimator).input_tags.pairwise
    return type(estimator) in (MLPClassifier, MLPRegressor)


def run_chunk(chunk: Chunk) -> list[Outcome]:
    """Fit and score a chunk's tasks.

    Folds are worked on one after the other. Fits that can be stacked wait until their rows and
    weights fill the memory, or no more come; then each group of equal shape is trained.
    """
    done: list[Outcome] = []
    waiting: list[Task] = []
    room = WaitingRoom(chunk.max_memory)
    fold, memory = None, PrefixMemory()
    for task in chunk.tasks:
        train, test = task.settings["train"], task.settings["test"]
        if fold is None or fold.train is not train:
            if fold is not None:
                fold.release()
            fold, memory = Fold(chunk.X, chunk.y, train, test), PrefixMemory()
        task.fold = fold
        try:
            ready = _prepare(task, chunk, memory)
        except Exception:  # the ordinary way says what is wrong, as the search's error_score wants
            task.member, ready = None, False
        if not ready:
            done.append((task.number, _ordinary(task, chunk), False))
        elif task.member is None:
            done.append(_score_one(task, chunk))
        else:
            if not room.add(task.member):
                done += _train_and_score(waiting, chunk)
                waiting = []
                room.clear()
                room.add(task.member)
            waiting.append(task)
    return done + _train_and_score(waiting, chunk)


def _prepare(task: Task, chunk: Chunk, memory: PrefixMemory) -> bool:
    """Fit the estimator, but stop before a training that can be stacked.

    False where the ordinary way is as good.
    """
    start = time.perf_counter()
    estimator = clone(task.estimator)
    parameters = task.settings["parameters"]
    if parameters is not None:
        estimator.set_params(**clone(parameters, safe=False))
    prefix = isinstance(estimator, Pipeline) and len(estimator.steps) > 1
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    stackable = can_stack(last)
    if not (stackable or prefix):
        return False
    if prefix and estimator.memory is None:
        estimator.memory = memory
    X, y = task.fold.rows("train", estimator)
    told = _check_method_params(
        chunk.X, params=chunk.common["fit_params"] or {}, indices=task.settings["train"]
    )
    task.ready = estimator
    if not stackable:
        estimator.fit(X, y, **told)
    else:
        member = record(last, lambda: estimator.fit(X, y, **told))
        if member is not None and member.stackable:
            task.member = member
        elif member is not None:
            member.train_alone()
    task.fit_time = time.perf_counter() - start
    return True


def _train_and_score(tasks: list[Task], chunk: Chunk) -> list[Outcome]:
    groups: dict[Hashable, list[Task]] = {}
    for task in tasks:
        assert task.member is not None
        groups.setdefault(task.member.shape(), []).append(task)
    done: list[Outcome] = []
    for same in groups.values():
        try:
            _train(same)
        except Exception:  # as in `run_chunk`
            done += [(task.number, _ordinary(task, chunk), False) for task in same]
            for task in same:
                task.ready = None
    return done + _score_all([task for task in tasks if task.ready is not None], chunk)


def _train(tasks: list[Task]) -> None:
    members = [task.member for task in tasks if task.member is not None]
    if len(members) == 1:
        members[0].train_alone()
    else:
        train_stack(members)
    for task, member in zip(tasks, members):
        task.stacked = len(members) > 1
        task.fit_time = member.seconds
        task.member = None


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
    start = time.perf_counter()

    def score(which: str) -> Any:
        told = _check_method_params(
            chunk.X, params=common["score_params"] or {}, indices=settings[which]
        )
        rows = task.fold.rows(which, task.ready)
        return _score(task.ready, *rows, common["scorer"], told, common["error_score"])

    result: dict[str, Any] = {"fit_error": None, "test_scores": score("test")}
    score_time = time.perf_counter() - start
    if common["return_train_score"]:
        result["train_scores"] = score("train")
    result["n_test_samples"] = _num_samples(task.fold.rows("test", task.ready)[0])
    result["fit_time"], result["score_time"] = task.fit_time, score_time
    if common["verbose"] > 1:
        told = ", ".join(f"{k}={v}" for k, v in sorted((settings["parameters"] or {}).items()))
        print(f"[CV] END {told}; total time={task.fit_time + score_time:6.2f}s")
    task.ready = None
    return task.number, result, task.stacked


def _ordinary(task: Task, chunk: Chunk) -> dict[str, Any]:
    return _fit_and_score(
        clone(task.estimator), chunk.X, chunk.y, **chunk.common, **task.settings
    )
