"""Whether a step needs more than a row's own numbers, as two attributes declare.

``looks_back``
    Whether what the step makes of a row depends on earlier rows of the recording.
``row_context``
    Whether the step reads what an `EEGArray` knows beside the numbers: the rows' table, sampling
    rate, channel names, times.

Each is True or False, on the class, on the object, or on the function that a
`FunctionTransformer` applies. What is not declared is known of the packages whose steps take
each row's numbers by themselves, and of numpy's universal functions; of everything else nothing
is known.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import FunctionTransformer

__all__ = ["looks_back", "reads_context"]

# Packages whose transformers and classifiers take the numbers of each row by themselves.
_BY_ROWS = ("mne", "pyriemann", "skbci", "sklearn")


def looks_back(step: BaseEstimator) -> bool | None:
    """Return whether a step, or one that it holds, goes by earlier rows; None is not known."""
    return _need(step, "looks_back")


def reads_context(step: BaseEstimator) -> bool:
    """Return whether a step, or one that it holds, reads a row's context, or may do so."""
    return _need(step, "row_context") is not False


def _need(step: BaseEstimator, name: str) -> bool | None:
    if step is None or isinstance(step, str):  # "passthrough"
        return False
    stated = getattr(step, name, None)
    if isinstance(stated, bool):
        return stated
    if isinstance(step, FunctionTransformer):
        return _function_needs(step.func, name)
    if type(step).__module__.split(".")[0] not in _BY_ROWS:
        return None
    # Of pipelines, unions, voting, stacking, wrappers.
    held = [part for part in step.get_params(deep=True).values()
            if isinstance(part, BaseEstimator)] if hasattr(step, "get_params") else []
    needs = [_need(part, name) for part in held]
    return True if True in needs else None if None in needs else False


def _function_needs(function: Callable[..., object], name: str) -> bool | None:
    while isinstance(function, partial) and not hasattr(function, name):
        function = function.func
    stated = getattr(function, name, None)
    if isinstance(stated, bool):
        return stated
    return False if function is None or isinstance(function, np.ufunc) else None
