"""What the eye-state study runs: fits of networks, ensembles, K* and rotation forests."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from _eye_state_data import Windows
from _eye_state_report import GRID, texts
from _fits import fit_timed
from sklearn.metrics import precision_score, recall_score, roc_auc_score, roc_curve
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skbci.baselines import (
    KStar,
    adaptive_rotation_forest,
    eye_state_ensemble,
    eye_state_pipeline,
)
from skbci.model_selection import LeaveSubjectsOut

__all__ = [
    "STEPS",
    "chosen_step",
    "ensemble",
    "epoch_choices",
    "evaluate",
    "fixed_step",
    "other",
    "preparation",
]

STEPS = (0.001, 0.01, 0.1, 1.0)


def preparation() -> Pipeline:
    """The pipeline's steps between the energies and the classifier."""
    return eye_state_pipeline()[1:-1]


def evaluate(model: Any, data: Windows, train: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Fit and measure on one split."""
    X, y = np.asarray(data.energies), data.closed
    fit_timed(model, data.energies[train], y[train])
    start = time.process_time()
    probability = model.predict_proba(X[test])[:, 1]
    predict_seconds = time.process_time() - start
    guess = probability > 0.5
    false, true, _ = roc_curve(y[test], probability)
    by_heart = isinstance(model[-1], KStar)  # what it says of its training rows says nothing
    known = np.nan if by_heart else np.mean(model.predict(X[train]) == y[train])
    return {
        "train": 100 * known, "test": 100 * np.mean(guess == y[test]),
        "precision": precision_score(y[test], guess, zero_division=0.0),
        "recall": recall_score(y[test], guess), "auc": roc_auc_score(y[test], probability),
        "fit_seconds": model.fit_seconds_, "predict_seconds": predict_seconds,
        "roc": texts(np.interp(GRID, false, true)),
    }


def history_fields(network: Any) -> dict[str, Any]:
    """How a network's training went."""
    if not np.isfinite(network.history_["train_loss"]).any():
        return {"losses": "", "durations": ""}
    return {"losses": texts(network.history_["train_loss"]),
            "durations": texts(network.history_["dur"])}


def fixed_step(
    optimizer: str, lr: float, n_epochs: int, split: int, n_splits: int, *, load: Any
) -> dict[str, Any]:
    """One network with one step."""
    data = load()
    model = eye_state_pipeline(
        optimizer=optimizer, lr=lr, max_epochs=n_epochs, random_state=split
    )[1:]
    result = evaluate(model, data, *data.splits(n_splits)[split])
    return {**result, **history_fields(model[-1]),
            "components": model.named_steps["pca"].n_components_}


def chosen_step(
    optimizer: str, n_epochs: int, split: int, n_splits: int, *, load: Any
) -> dict[str, Any]:
    """One network whose step and epochs are chosen on training subjects."""
    data = load()
    train, test = data.splits(n_splits)[split]
    n_inner = max(1, len(np.unique(data.subjects[train])) // 4)
    model = eye_state_pipeline(optimizer=optimizer, random_state=split)[1:]
    search = GridSearchCV(
        model,
        {"classifier__lr": STEPS, "classifier__max_epochs": epoch_choices(n_epochs)},
        scoring="neg_log_loss", cv=LeaveSubjectsOut(1, n_inner, random_state=split),
    )
    fit_timed(search, data.energies[train], data.closed[train])
    result = evaluate(search.best_estimator_, data, train, test)
    return {**result, **history_fields(search.best_estimator_[-1]),
            "lr": search.best_params_["classifier__lr"],
            "n_trained": search.best_params_["classifier__max_epochs"]}


def epoch_choices(n_epochs: int) -> tuple[int, ...]:
    """Numbers of epochs to choose from."""
    return tuple(sorted({max(1, n_epochs // 10), max(1, n_epochs // 3), n_epochs}))


def other(name: str, split: int, n_splits: int, forests: int, trees: int, *,
          load: Any) -> dict[str, Any]:
    """K* or the boosted rotation forests."""
    data = load()
    if name == "K*":
        classifier: Any = KStar(39)
    else:
        classifier = adaptive_rotation_forest(forests, n_estimators=trees, random_state=split)
    model = eye_state_pipeline(classifier)[1:]
    result = evaluate(model, data, *data.splits(n_splits)[split])
    grown = len(getattr(model[-1], "estimators_", ()))
    return {**result, "seconds": result["predict_seconds" if name == "K*" else "fit_seconds"],
            "grown": grown or np.nan}


def ensemble(
    name: str, split: int, n_splits: int, lr1: float, epochs1: int, lr2: float, epochs2: int, *,
    load: Any,
) -> dict[str, Any]:
    """Two networks, averaged."""
    data = load()
    model = eye_state_ensemble(name, random_state=split)[1:]
    model.set_params(classifier__network1__lr=lr1, classifier__network1__max_epochs=epochs1,
                     classifier__network2__lr=lr2, classifier__network2__max_epochs=epochs2)
    return evaluate(model, data, *data.splits(n_splits)[split])
