"""Fits that come to their end or leave the estimator as it was."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, TypeVar

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skbci._plain import freeze, thaw
from skbci._version_record import with_versions, without_versions

F = TypeVar("F", bound=Callable[..., Any])
Undo = Callable[[], None]


def undo_attributes(estimator: BaseEstimator) -> Undo:
    """Return a function that restores the attributes that an estimator has now.

    Enough where a fit makes new objects; what writes into the old ones needs `undo_training`.
    """
    before = dict(vars(estimator))

    def undo() -> None:
        vars(estimator).clear()
        vars(estimator).update(before)

    return undo


def undo_contents(estimator: BaseEstimator) -> Undo:
    """Return a function that restores copies of the attributes that an estimator has now."""
    before = copy.deepcopy(vars(estimator))

    def undo() -> None:
        vars(estimator).clear()
        vars(estimator).update(before)

    return undo


def undo_all(undos: Iterable[Undo]) -> Undo:
    """Return one function that undoes several things."""
    parts = list(undos)

    def undo() -> None:
        for part in parts:
            part()

    return undo


def undo_fit(estimator: BaseEstimator) -> Undo:
    """Return a function that undoes the ``fit`` that follows."""
    if isinstance(estimator, WholeFits):
        return estimator._undo_fit()
    return undo_attributes(estimator)


def undo_fit_in_place(estimator: BaseEstimator) -> Undo:
    """Return a function that undoes a ``fit`` of the estimators inside, not of their clones."""
    try:
        inside = estimator.get_params().values()
    except Exception:  # what is wrong with the steps is for the fit to say
        inside = ()
    parts = [part for part in inside if hasattr(part, "fit") and hasattr(part, "__dict__")]
    return undo_all(
        undo_contents(part) if getattr(part, "warm_start", False) else undo_attributes(part)
        for part in (estimator, *parts) if not isinstance(part, type)
    )


def undo_training(estimator: BaseEstimator) -> Undo:
    """Return a function that undoes the ``partial_fit`` that follows."""
    if isinstance(estimator, WholeFits):
        return estimator._undo_training()
    if isinstance(estimator, Pipeline):
        return undo_training(estimator.steps[-1][1])  # the only step that goes on learning
    return undo_contents(estimator)  # others may write into their arrays


def whole(method: F, undo_of: Callable[[Any], Undo]) -> F:
    """Wrap a method of estimators so that an exception, Ctrl-C included, undoes it."""

    @functools.wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        undo = undo_of(self)
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            undo()
            raise

    return run  # type: ignore[return-value]


def all_or_nothing(method: F) -> F:
    """Wrap a ``partial_fit`` that `WholeFits` does not see, under another decorator."""
    return whole(method, undo_training)


def fits_or_not(method: F) -> F:
    """Wrap a method beside ``fit`` that fits, such as ``fit_transform``."""
    return whole(method, undo_fit)


class WholeFits:
    """Base of estimators whose ``fit`` and ``partial_fit`` are done as a whole or not at all.

    A fit that raises, or is interrupted, leaves the estimator as it was before: fitted as it was,
    or not fitted. Children need do nothing as long as `fit` makes its results anew; a child that
    writes into what is there says in `_undo_fit` and `_undo_training` how to take that back.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        undo_of = {"fit": undo_fit, "partial_fit": undo_training}
        for name, undo in undo_of.items():
            if isinstance(vars(cls).get(name), FunctionType):
                setattr(cls, name, whole(vars(cls)[name], undo))
        super().__init_subclass__(**kwargs)

    def _undo_fit(self) -> Undo:
        return undo_attributes(self)

    def _undo_training(self) -> Undo:
        return undo_attributes(self)

    def __getstate__(self) -> dict[str, Any]:
        # Pickles, too, hold torch's objects as arrays, and tables as no pandas object.
        return freeze(with_versions(super().__getstate__()))  # type: ignore[arg-type]

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = thaw(without_versions(state, type(self).__name__))
        parent = getattr(super(), "__setstate__", None)
        if parent is None:
            self.__dict__.update(state)
        else:
            parent(state)
