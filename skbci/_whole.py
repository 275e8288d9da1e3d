"""Fits that come to their end or leave the estimator as it was."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from sklearn.pipeline import Pipeline

Undo = Callable[[], None]


def undo_attributes(estimator: Any) -> Undo:
    """Return what gives an estimator the attributes that it has now.

    Enough where a fit makes new objects; what writes into the old ones needs `undo_training`.
    """
    before = dict(vars(estimator))

    def undo() -> None:
        vars(estimator).clear()
        vars(estimator).update(before)

    return undo


def undo_training(estimator: Any) -> Undo:
    """Return what takes back a ``partial_fit`` that follows."""
    if isinstance(estimator, WholeFits):
        return estimator._undo_training()
    if isinstance(estimator, Pipeline):
        return undo_training(estimator.steps[-1][1])  # the only step that goes on learning
    before = copy.deepcopy(vars(estimator))  # others may write into their arrays

    def undo() -> None:
        vars(estimator).clear()
        vars(estimator).update(before)

    return undo


def whole(method: Any, undo_of: Callable[[Any], Undo]) -> Any:
    """Wrap a method of estimators so that an exception, Ctrl-C included, undoes it."""

    @functools.wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        undo = undo_of(self)
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            undo()
            raise

    return run


def all_or_nothing(method: Any) -> Any:
    """Wrap a ``partial_fit`` that `WholeFits` does not see, under another decorator."""
    return whole(method, undo_training)


class WholeFits:
    """Base of estimators whose ``fit`` and ``partial_fit`` are done as a whole or not at all.

    A fit that raises, or is interrupted, leaves the estimator as it was before: fitted as it was,
    or not fitted. Children need do nothing as long as `fit` makes its results anew; a child whose
    ``partial_fit`` writes into what is there says in `_undo_training` how to take that back.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        undo_of = {"fit": undo_attributes, "partial_fit": undo_training}
        for name, undo in undo_of.items():
            if isinstance(vars(cls).get(name), FunctionType):
                setattr(cls, name, whole(vars(cls)[name], undo))
        super().__init_subclass__(**kwargs)

    def _undo_training(self) -> Undo:
        return undo_attributes(self)
