"""From a fitted pipeline to a plan: stages that take one row at a time."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import VotingClassifier
from sklearn.preprocessing import FunctionTransformer

from skbci.estimators import (
    CascadeClassifier,
    DecoderPipeline,
    EvidenceAccumulator,
    OnlineClassifier,
)
from skbci.features import CausalCentering, GroupAlignment, GroupScaler, KeepRows
from skbci.pipeline import is_pipeline, step_output
from skbci.stream._causality import apply, check_row_by_row, fitted_group
from skbci.stream._stages.base import (
    Chain,
    ClassifierStage,
    Guarded,
    OwnClassifier,
    OwnTransform,
    Stage,
)
from skbci.stream._stages.classifiers import Vote, compiled_classifier
from skbci.stream._stages.history import CarriedCascade, CarriedCentering, CarriedEvidence
from skbci.stream._stages.transforms import AlignByFitted, ScaleByFitted, compiled_transform

__all__ = ["compile_classifier", "find_guard", "find_learner", "unwrapped"]


def compile_classifier(
    name: str, estimator: BaseEstimator, rows: np.ndarray
) -> tuple[list[Stage], ClassifierStage]:
    """Turn a fitted classifier or pipeline into transforming stages and a classifying one.

    Parameters
    ----------
    name : str
        The estimator's name, for messages.
    estimator : estimator
        Fitted; has ``predict_proba``.
    rows : EEGArray
        Rows to try the steps on.

    Returns
    -------
    stages : list of Stage
    last : ClassifierStage

    Raises
    ------
    ValueError
        Naming the step that cannot run causally, or refuses the rows.
    """
    estimator = unwrapped(estimator)
    kind = type(estimator)
    if _is_pipeline(estimator):
        stages, rows = _compile_steps(estimator, estimator.steps[:-1], rows)
        name, estimator = estimator.steps[-1]
        more, last = compile_classifier(name, estimator, rows)
        return stages + more, last
    if kind is OnlineClassifier:
        return compile_classifier(name, estimator.estimator_, rows)
    if kind is EvidenceAccumulator:
        stages, inner = compile_classifier(name, estimator.estimator_, rows)
        return stages, CarriedEvidence(name, estimator, inner)
    if kind is CascadeClassifier:
        return [], _compile_cascade(name, estimator, rows)
    if kind is VotingClassifier and estimator.voting == "soft":
        members = [
            _as_one(f"{name}.{own}", member, rows)
            for own, member in estimator.named_estimators_.items()
            if not isinstance(member, str)  # "drop"
        ]
        return [], Vote(name, estimator, members)
    if (stage := compiled_classifier(name, estimator)) is not None:
        apply(name, estimator, "predict_proba", rows)
        return [], stage
    check_row_by_row(name, estimator, "predict_proba", rows)
    return [], OwnClassifier(name, estimator, rows)


def _compile_steps(
    pipeline: BaseEstimator, steps: list[tuple[str, BaseEstimator]], rows: np.ndarray
) -> tuple[list[Stage], np.ndarray]:
    """Return the stages of a pipeline's transformers, and what these make of the rows."""
    stages: list[Stage] = []
    for name, whole in steps:
        step = unwrapped(whole)
        if step is None or isinstance(step, str) or _is_identity(step):
            continue
        if _is_pipeline(step):
            stages += _compile_steps(step, step.steps, rows)[0]
        else:
            stages.append(_compile_transform(name, step, rows))
        rows = step_output(pipeline, rows, apply(name, whole, "transform", rows))
    return stages, rows


def _is_identity(step: BaseEstimator) -> bool:
    return isinstance(step, FunctionTransformer) and step.func is None


def _compile_transform(name: str, step: BaseEstimator, rows: np.ndarray) -> Stage:
    if type(step) is CausalCentering:
        return CarriedCentering(name, step)
    if isinstance(step, GroupAlignment):
        return AlignByFitted(name, step, fitted_group(name, step, step.references_, rows))
    if type(step) is GroupScaler:
        return ScaleByFitted(name, step, fitted_group(name, step, step.means_, rows))
    stage = compiled_transform(name, step)
    if stage is None:
        check_row_by_row(name, step, "transform", rows)
        stage = OwnTransform(name, step, rows)
    return stage


def _compile_cascade(name: str, cascade: CascadeClassifier, rows: np.ndarray) -> CarriedCascade:
    initial = _as_one(f"{name}.initial", cascade.initial_, rows)
    n_values = 1 if cascade.stack == "labels" else len(cascade.classes_)
    flat = np.asarray(rows).reshape(len(rows), -1)
    # Any values do: the terminal classifier is only asked whether it takes such rows.
    stacked = np.hstack([flat, np.zeros((len(flat), n_values * cascade.n_lags))])
    terminal = _as_one(f"{name}.terminal", cascade.terminal_, stacked)
    return CarriedCascade(name, cascade, initial, terminal)


def _as_one(name: str, estimator: BaseEstimator, rows: np.ndarray) -> ClassifierStage:
    stages, last = compile_classifier(name, estimator, rows)
    one = Chain(stages, last) if stages else last
    guard, inside = find_guard(estimator)
    return one if guard is None else Guarded(one, guard, inside)


def find_guard(estimator: BaseEstimator) -> tuple[DecoderPipeline | None, bool]:
    """Find the pipeline that looks for windows without usable signal.

    Returns
    -------
    guard : DecoderPipeline or None
    inside : bool
        Whether it is within an `EvidenceAccumulator`, which then goes on from what came before.
    """
    estimator = unwrapped(estimator)
    if type(estimator) is DecoderPipeline:
        return estimator, False
    if type(estimator) is OnlineClassifier:
        return find_guard(estimator.estimator_)
    if type(estimator) is EvidenceAccumulator:
        return find_guard(estimator.estimator_)[0], True
    return None, False


def find_learner(name: str, estimator: BaseEstimator) -> tuple[str, BaseEstimator, int]:
    """Find what learns when a fitted estimator goes on learning.

    Returns
    -------
    name : str
    learner : estimator
        The estimator itself, or the last step of a pipeline.
    n_before : int
        Transforming steps before it.
    """
    estimator = unwrapped(estimator)
    if not _is_pipeline(estimator):
        return name, estimator, 0
    n_before = _n_steps(estimator.steps[:-1])
    name, learner, n_more = find_learner(*estimator.steps[-1])
    return name, learner, n_before + n_more


def unwrapped(estimator: BaseEstimator) -> BaseEstimator:
    """Return what a search has found best, what `KeepRows` is around, or the estimator itself."""
    if type(estimator) is KeepRows:
        return unwrapped(estimator.transformer_)
    return getattr(estimator, "best_estimator_", estimator)


def _is_pipeline(estimator: BaseEstimator) -> bool:
    return is_pipeline(estimator) or type(estimator) is DecoderPipeline


def _n_steps(steps: list[tuple[str, BaseEstimator]]) -> int:
    n = 0
    for _, step in steps:
        step = unwrapped(step)
        if _is_pipeline(step):
            n += _n_steps(step.steps)
        elif not (step is None or isinstance(step, str)):
            n += 1
    return n
