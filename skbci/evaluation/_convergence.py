"""When training has converged."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skbci._checks import check_number

__all__ = ["time_to_loss"]


def time_to_loss(
    history: pd.DataFrame | BaseEstimator, loss: float | None = None, *,
    column: str = "train_loss", tolerance: float = 0.05,
) -> dict[str, float]:
    """Epochs and seconds until training first reached a loss.

    Parameters
    ----------
    history : DataFrame or estimator
        One row per epoch with the columns of ``history_`` of a neural estimator: losses and
        ``dur`` (seconds per epoch); or such an estimator, or a pipeline that ends with one.
    loss : float, optional
        The loss to reach: the same for all where optimizers are compared. None: the run's own
        lowest loss, plus ``tolerance`` of the way to it from the first epoch's loss.
    column : str, default="train_loss"
        Which loss.
    tolerance : float, default=0.05
        Only used where ``loss`` is None.

    Returns
    -------
    dict
        ``epochs``, ``seconds`` (NaN where the loss was never reached) and ``loss``, the loss that
        was to be reached. Epochs are counted from 1.

    Raises
    ------
    ValueError, TypeError
        If there is no such history, it has no finite loss, or an argument is out of its range.

    Notes
    -----
    Convergence to the run's own lowest loss flatters an optimizer that soon gets stuck: to compare
    optimizers, give the loss.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbci.evaluation import time_to_loss
    >>> history = pd.DataFrame({"train_loss": [1.0, 0.5, 0.2, 0.1], "dur": 0.5})
    >>> time_to_loss(history, 0.25)
    {'epochs': 3.0, 'seconds': 1.5, 'loss': 0.25}
    >>> round(time_to_loss(history, tolerance=0.1)["loss"], 3)
    0.19
    """
    table = history_table(history)
    if not isinstance(column, str) or column not in table:
        raise ValueError(f"The history has no column {column!r}; it has {list(table.columns)}.")
    losses = table[column].to_numpy(dtype=float)
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        raise ValueError(f"The history has no finite {column!r}.")
    if loss is None:
        tolerance = check_number(tolerance, "tolerance", "time_to_loss", low=0)
        # Weighted like this, rounding puts no tolerance below the lowest loss and 1 at the first.
        lowest = finite.min()
        loss = max(lowest, (1 - tolerance) * lowest + tolerance * finite[0])
    loss = check_number(loss, "loss", "time_to_loss")
    reached = np.flatnonzero(losses <= loss)
    if not len(reached):
        return {"epochs": np.nan, "seconds": np.nan, "loss": loss}
    epochs = int(reached[0]) + 1
    seconds = float(table["dur"].iloc[:epochs].sum()) if "dur" in table else np.nan
    return {"epochs": float(epochs), "seconds": seconds, "loss": loss}


def history_table(history: pd.DataFrame | BaseEstimator) -> pd.DataFrame:
    """Return the history of an estimator, a pipeline that ends with one, or a table itself.

    Raises
    ------
    TypeError, ValueError
        If there is none, or it has no epoch.
    """
    if hasattr(history, "steps"):
        history = history.steps[-1][1]
    if hasattr(history, "best_estimator_"):
        return history_table(history.best_estimator_)
    if hasattr(history, "history_"):
        history = history.history_
    if not isinstance(history, pd.DataFrame):
        raise TypeError(
            f"{type(history).__name__} is not a history: give a DataFrame with one row per epoch, "
            "or a fitted neural estimator."
        )
    if not len(history):
        raise ValueError("The history is empty: there is no epoch in it.")
    return history
