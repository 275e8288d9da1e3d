"""Training rows made from those of a fit, after its validation rows have been set apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator

from skbci._checks import refusal
from skbci._eegarray.rows import rows_by_label
from skbci.augmentation import Augmentation, resolve_augmentation
from skbci.estimators._neural.training_rows import TrainingRows

__all__ = ["add_augmented", "check_augmentation"]

# Beside a fit's seed, so that what is drawn here disturbs nothing that is drawn from it.
_STREAM = 0x617567


def check_augmentation(estimator: BaseEstimator) -> Augmentation | None:
    """Resolve and check an estimator's ``augmentation``."""
    augmentation = resolve_augmentation(
        estimator.augmentation, estimator._route("augmentation"), who=estimator
    )
    if augmentation is None:
        return None
    augmentation._check_settings()
    if augmentation.needs_classes and estimator._real_target:
        because = "needs classes, and y holds real targets"
        raise ValueError(refusal(estimator.augmentation, "augmentation", estimator, because))
    return augmentation


def add_augmented(
    estimator: BaseEstimator,
    rows: TrainingRows,
    target: np.ndarray,
    weight: np.ndarray | None,
    train: np.ndarray,
    valid: np.ndarray | None,
    seed: int,
) -> tuple[TrainingRows, np.ndarray, np.ndarray | None, np.ndarray]:
    """Append what the estimator's augmentation makes of its training rows.

    Parameters
    ----------
    estimator : BaseNeural
    rows : TrainingRows
    target : ndarray, shape (n_rows, ...)
        Encoded.
    weight : ndarray, shape (n_rows,), or None
        Weights of the rows' losses.
    train : ndarray of int
        Training rows; nothing is made of others.
    valid : ndarray of int, or None
        Validation rows, whose weights stay what they are.
    seed : int
        The fit's.

    Returns
    -------
    rows, target, weight, train
        With the new rows at the end; as given where there is no augmentation.
    """
    augmentation = check_augmentation(estimator)
    if augmentation is None:
        return rows, target, weight, train
    rng = np.random.RandomState([seed, _STREAM])
    data, targets, shares = [rows.data], [target], []
    weighted = rows.weight is not None
    for labels, classes, subset in _parts(estimator, rows.y, train):
        new = augmentation.augment_valid(
            rows.X, rows.given, labels, rows.weight, subset, classes, rng
        )
        data.append(estimator._prepare(new.X, np.asarray(new.X), False))
        if augmentation.needs_classes:
            made = _relabelled(rows.y[new.source], new.y)
            targets.append(estimator._encode_target(made, None, False))
        else:
            targets.append(target[new.source])
        weighted |= new.sample_weight is not None
        shares.append(np.ones(len(new.y)) if new.sample_weight is None else new.sample_weight)
    own = None
    if weighted:
        given = np.ones(len(target)) if rows.weight is None else rows.weight
        own = np.concatenate([given, *shares])
    everything = np.concatenate(targets)
    joint = estimator._row_weights(everything, own)
    if joint is not None and weight is not None and valid is not None:
        joint[valid] = weight[valid]
    train = np.concatenate([train, np.arange(len(target), len(everything))])
    return replace(rows, data=np.concatenate(data), weight=own), everything, joint, train


def _parts(
    estimator: BaseEstimator, y: np.ndarray, train: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield labels, all classes, and the training rows, of each task where there are several."""
    if estimator._real_target:
        numbers = np.arange(len(y))  # no labels, but they tell the rows apart
        yield numbers, numbers, train
    elif y.dtype.names is None:
        yield y, estimator.classes_, train
    else:
        for task, subset in rows_by_label(y["task"][train], "task").items():
            yield y["label"], estimator.task_classes_[task], train[subset]


def _relabelled(y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return labels in place of those there are, under the same tasks where there are tasks."""
    if y.dtype.names is None:
        return labels
    out = y.copy()
    out["label"] = labels
    return out
