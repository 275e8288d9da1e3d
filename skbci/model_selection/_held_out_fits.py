"""Fits of a search, and how well each did on the rows it held out."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from skbci._training import ValidatedEarlyStopping, check_monitored
from skbci._typing import Labels, Signals
from skbci.estimators import BaseNeural
from skbci.pipeline import last_step


@dataclass(frozen=True)
class Verdict:
    """The monitored value of a fit, in the epoch whose weights were kept."""

    column: str
    lower_is_better: bool
    value: float
    epoch: int
    n_iter: int


def candidate(estimator: BaseEstimator, values: Mapping[str, Any], seed: int) -> BaseEstimator:
    """An unfitted candidate; without the seed, each would draw held-out rows of its own.

    Raises
    ------
    TypeError
        If the last step is no neural estimator.
    ValueError
        If it does not stop early.
    """
    found = clone(estimator).set_params(**clone(dict(values), safe=False))
    last = last_step(found)
    if not isinstance(last, BaseNeural):
        raise TypeError(
            "HeldOutSearch compares this package's neural estimators by what early stopping holds "
            f"out; {type(last).__name__} holds out nothing that could be read."
        )
    if not last.early_stopping:
        raise ValueError(_none_held_out(last, values, "set early_stopping=True"))
    if last.random_state is None:
        last.set_params(random_state=seed)
    return found


def fit_one(
    estimator: BaseEstimator, X: Signals, y: Labels, params: Mapping[str, Any]
) -> tuple[BaseEstimator, float]:
    """A fitted candidate or its error, and the seconds it took."""
    start = time.perf_counter()
    try:
        found = estimator.fit(X, y, **params)
    except Exception as error:  # one learning rate too large should not lose the others
        found = error
        try:  # what cannot travel between processes would end all of them
            pickle.loads(pickle.dumps(error))
        except Exception:
            found = RuntimeError(f"{type(error).__name__}: {error}")
    return found, time.perf_counter() - start


def judge(
    fitted: BaseEstimator, values: Mapping[str, Any], monitor: str | None, lower_is_better: bool
) -> Verdict | Exception:
    """How well a fit did, or why that cannot be said.

    Raises
    ------
    ValueError
        If it held out no rows, or the history has no such column.
    """
    last = last_step(fitted)
    history = last.history_
    found = [c for _, c in last.net_.callbacks_ if isinstance(c, ValidatedEarlyStopping)]
    if not np.isfinite(history["train_loss"].iloc[0]):
        return ValueError("training diverged in its first epoch.")
    if not found or "valid_loss" not in history:
        raise ValueError(_none_held_out(last, values, "give more rows"))
    (stopping,) = found
    if monitor is None:
        monitor, lower_is_better = stopping.monitor, stopping.lower_is_better
    check_monitored(monitor, dict(history.iloc[0]))
    epoch = int(stopping.best_epoch_)  # 0 where none was better than nothing
    if not epoch:
        return ValueError(f"{stopping.monitor} was never finite.")
    if not stopping.load_best:
        epoch = last.n_iter_
    value = float(history.loc[history["epoch"] == epoch, monitor].iloc[0])
    if not np.isfinite(value):
        return ValueError(f"{monitor} is not finite in the epoch whose weights were kept.")
    return Verdict(monitor, lower_is_better, value, epoch, last.n_iter_)


def _none_held_out(last: Any, values: Mapping[str, Any], advice: str) -> str:
    return (
        "HeldOutSearch compares candidates on the rows that early stopping holds out, but "
        f"{type(last).__name__} with {dict(values)} holds out none; {advice}."
    )
