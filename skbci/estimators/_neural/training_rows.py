"""The rows that a network is trained on: validated, counted, split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_column
from skbci._eegarray.lost_table import warn_without_table
from skbci._typing import Labels, Signals
from skbci._usable import check_classes_left
from skbci._weights import check_weights
from skbci.eegarray import EEGArray
from skbci.estimators._neural.silent_rows import find_silent
from skbci.estimators._neural.validation_split import split_validation

# Up to so many times the rows, weights that are whole numbers are taken as counts.
_MOST_REPEATS = 10
# early_stopping="auto" holds out at least so many rows, or none: fewer say nothing.
_FEWEST_VALID = 6
_LEAST = 1e-30  # single precision ends at 1e-38 and 1e38


@dataclass
class TrainingRows:
    """What ``fit`` was given, validated; ``data`` is what the module takes of ``given``."""

    X: Signals
    given: np.ndarray
    data: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    groups: np.ndarray | None


def check_rows(
    estimator: BaseEstimator, X: Signals, y: Labels, sample_weight: ArrayLike | None,
    groups: Labels | None, reset: bool, least_rows: int,
) -> TrainingRows:
    """Validate rows, and leave out those of weight zero or without usable signal."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    X = as_eeg(X)
    data = check_eeg(
        estimator, X, reset=reset, ndim=estimator._input_ndim, same_times=True,
        ensure_min_samples=least_rows,
    )
    target = estimator._read_target(y, len(data))
    check_consistent_length(data, target)
    apart = None if groups is None else check_column(groups, len(data), "groups")
    learn = reset or not hasattr(estimator, "_typical_")
    good = ~find_silent(estimator, X, data, "Such rows are set aside.", learn)
    if reset and not good.all():
        _check_left(estimator, target, good)
    weight = check_weights(sample_weight, data)
    if weight is not None:
        good &= weight > 0
        _check_size(estimator, weight)
    if good.all():
        return TrainingRows(X, data, estimator._prepare(X, data, reset), target, weight, apart)
    kept = np.flatnonzero(good)
    X = X[kept] if isinstance(X, EEGArray) else X
    data = data[kept]
    return TrainingRows(
        X, data, estimator._prepare(X, data, reset), target[kept],
        None if weight is None else weight[kept], None if apart is None else apart[kept],
    )


def _check_size(estimator: BaseEstimator, weight: np.ndarray) -> None:
    """Refuse weights that are nothing, or infinity, in the single precision of training."""
    for size in (weight.max(), weight.sum()):
        if not _LEAST <= size <= 1 / _LEAST:
            raise ValueError(
                f"{type(estimator).__name__}: sample_weight goes up to {weight.max():g} and sums "
                f"to {weight.sum():g}; networks are trained in single precision, which needs "
                f"weights nearer to 1. Divide them by their mean."
            )


def _check_left(estimator: BaseEstimator, y: np.ndarray, good: np.ndarray) -> None:
    if not estimator._real_target:
        check_classes_left(y, good, type(estimator).__name__)
    elif good.sum() < 2:
        raise ValueError(
            f"{type(estimator).__name__}: {int(good.sum())} of {len(good)} rows have a usable "
            "signal in all channels; at least two are needed."
        )


def split_rows(
    estimator: BaseEstimator, rows: TrainingRows, target: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return rows to train on and, with early stopping, rows to validate on."""
    everything = np.arange(len(target))
    if not estimator.early_stopping:
        return everything, None
    few = round(estimator.validation_fraction * len(target)) < _FEWEST_VALID
    if isinstance(estimator.early_stopping, str) and few:
        estimator._loss_plan().check_unvalidated(type(estimator).__name__, len(target))
        return everything, None
    labels = None if estimator._real_target else target
    return hold_out(estimator, rows.X, len(target), labels, rows.groups, seed)


def hold_out(
    estimator: BaseEstimator, X: Signals, n_rows: int, labels: np.ndarray | None,
    groups: np.ndarray | None, seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows to train on and rows held out; warn where the table that says which is lost."""
    if groups is None:
        warn_without_table(
            estimator, X, "Early stopping holds out the last rows, not whole subjects"
        )
    return split_validation(
        X, n_rows, labels, groups, estimator.validation_fraction, check_random_state(seed)
    )


def repeat_rows(
    estimator: BaseEstimator,
    rows: TrainingRows,
    weight: np.ndarray | None,
    train: np.ndarray,
    valid: np.ndarray | None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Return the losses' row weights, and rows repeated where weights are counts instead."""
    if rows.weight is None or not estimator._loss_plan().counts_rows:
        return weight, train, valid
    counts = rows.weight.astype(int)
    if (counts != rows.weight).any() or counts.sum() > _MOST_REPEATS * len(counts):
        return weight, train, valid
    train = np.repeat(train, counts[train])
    valid = None if valid is None else np.repeat(valid, counts[valid])
    return None, train, valid
