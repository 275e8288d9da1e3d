"""Warnings and errors of steps that need the rows' table where an earlier step lost it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skbci._recording.kinds import is_epochs
from skbci._typing import Signals
from skbci._warning import warn
from skbci.eegarray import EEGArray
from skbci.pipeline import Pipeline as KeepingPipeline

__all__ = [
    "WITHOUT_TABLE",
    "LostTableWarning",
    "note_table",
    "require_table",
    "warn_without_table",
]

WITHOUT_TABLE = "All of them count as one recording"


class LostTableWarning(UserWarning):
    """A step that goes by subjects or sessions gets rows whose table was lost before it.

    It is given where a pipeline, or another estimator around the step, has rows with a table and
    the step gets a bare array. Whoever never had a table is not warned: the rows of a plain array
    are one recording, in order.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import sklearn.pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skbci import EEGArray, LostTableWarning
    >>> from skbci.features import CausalCentering
    >>> X = EEGArray(np.ones((4, 2)), {"session": [1, 1, 2, 2]})
    >>> pipe = sklearn.pipeline.make_pipeline(StandardScaler(), CausalCentering())
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = pipe.fit(X)
    >>> issubclass(caught[0].category, LostTableWarning)
    True
    """


def note_table(step: BaseEstimator, X: Any, columns: Sequence[str], without: str) -> None:
    """Remember in ``fit`` which columns a step found, and warn where the table was lost.

    Parameters
    ----------
    step : estimator
        Who asks.
    X : EEGArray or anything
        Its rows.
    columns : sequence of str
        What it reads of their table, where it is there.
    without : str
        What it does without a table, for the warning: "All rows count as one session", say.

    Warns
    -----
    LostTableWarning
    """
    known = isinstance(X, EEGArray) and X.has_metadata
    step._table_columns_ = [name for name in columns if known and name in X.metadata]
    warn_without_table(step, X, without)


def require_table(step: BaseEstimator, X: Signals, without: str) -> None:
    """Refuse rows without the table that the rows of ``fit`` had.

    Parameters
    ----------
    step : estimator
        Who asks.
    X : EEGArray or anything
        Its rows.
    without : str
        As for `note_table`.

    Raises
    ------
    ValueError
        If ``fit`` found columns of a table, and these rows have none.

    Warns
    -----
    LostTableWarning
        If neither had a table, and X's was lost on the way; or if X's table has not all columns
        that there were in ``fit``.
    """
    fitted = getattr(step, "_table_columns_", [])
    if isinstance(X, EEGArray) and X.has_metadata:
        missing = [name for name in fitted if name not in X.metadata]
        if missing:
            warn(
                f"{type(step).__name__} was fitted on rows whose table says {', '.join(fitted)}; "
                f"the table of these rows does not say {', '.join(missing)}: they count as of one "
                f"{missing[0]}, in order.",
                LostTableWarning,
            )
        return
    if not fitted:
        warn_without_table(step, X, without)
        return
    found = _lost_on_the_way(step)
    remedy = found or (
        "Give an EEGArray (or mne.Epochs) with these columns, for a single recording with the "
        "same value in all rows."
    )
    raise ValueError(
        f"{type(step).__name__} was fitted on rows whose table says {', '.join(fitted)}, but "
        f"these rows have no table. {remedy}"
    )


def warn_without_table(step: BaseEstimator, X: Signals, without: str) -> None:
    """Warn where X has no table because it was lost on the way; parameters as of `note_table`."""
    if isinstance(X, EEGArray) and X.has_metadata:
        return
    found = _lost_on_the_way(step)
    if found:
        warn(
            f"{type(step).__name__} goes by the rows' table, and its rows have none. {without}. "
            f"{found}",
            LostTableWarning,
        )


def _lost_on_the_way(step: BaseEstimator) -> str:
    """Say who had a table, who dropped it, and what helps; nothing where nobody had one."""
    below: list[BaseEstimator] = [step]
    for owner, X in _callers():
        if owner is not below[-1]:
            below.append(owner)
        if not (is_epochs(X) or (isinstance(X, EEGArray) and X.has_metadata)):
            continue
        name = type(owner).__name__
        dropped = _step_before(owner, below) if isinstance(owner, Pipeline) else None
        if dropped is None:
            return f"It was lost within {name}, which makes bare arrays of its rows."
        at, culprit = dropped
        kind = type(culprit).__name__
        if isinstance(owner, KeepingPipeline):
            return (
                f"The step before it, {at!r} ({kind}), gives a data frame, a sparse matrix or "
                "another number of rows: set_output(transform='default') lets the table pass."
            )
        return (
            f"The step before it, {at!r} ({kind}), gives a bare array: build the pipeline with "
            f"skbci.make_pipeline, whose steps pass the table on, or wrap it, "
            f"KeepRows({kind}(...))."
        )
    return ""


def _callers() -> Iterator[tuple[BaseEstimator, Any]]:
    """Yield estimators whose methods are being called, innermost first, and their X.

    Nothing that scikit-learn hands from step to step says where an array comes from; the calls
    that are under way do.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        names = frame.f_code.co_varnames
        owner = X = None
        if names[:2] == ("self", "X"):
            owner, X = frame.f_locals.get("self"), frame.f_locals.get("X")
        elif names[:3] == ("estimator", "args", "kwargs"):
            # scikit-learn's wrapper of ``fit``, which still has what ``fit`` has converted since.
            given, named = frame.f_locals.get("args"), frame.f_locals.get("kwargs")
            owner = frame.f_locals.get("estimator")
            X = given[0] if given else (named or {}).get("X")
        if isinstance(owner, BaseEstimator):
            yield owner, X
        frame = frame.f_back


def _step_before(
    pipeline: BaseEstimator, below: list[BaseEstimator]
) -> tuple[str, BaseEstimator] | None:
    """Return the step whose output went to the one of a pipeline's steps that is being called."""
    steps = [(n, s) for n, s in pipeline.steps if s is not None and not isinstance(s, str)]
    for same in (lambda a, b: a is b, lambda a, b: type(a) is type(b)):
        for at in range(len(steps) - 1, 0, -1):
            if any(same(steps[at][1], other) for other in below):
                return steps[at - 1]
    return None
