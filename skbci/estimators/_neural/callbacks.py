"""Callbacks of a fit: the user's, checked, and those that settings ask for."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from inspect import signature
from typing import Any

from sklearn.base import BaseEstimator
from skorch.callbacks import Callback

from skbci._checks import refusal, shown, who_asks
from skbci._training import ValidatedEarlyStopping, is_better_larger
from skbci.estimators import _setting_types as like

__all__ = ["build_callbacks", "check_callbacks"]


def check_callbacks(
    callbacks: like.Callbacks, settings: Mapping[str, Any], validated: bool, who: object
) -> None:
    """Check a list of skorch callbacks or (name, callback) pairs, or None.

    Parameters
    ----------
    callbacks : object
    settings : mapping of str
        What was set of them by name, as ``EarlyStopping__monitor``.
    validated : bool
        Whether rows are held out.
    who : object
        Who asks.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If a callback goes by a validation loss, and no rows are held out for one.
    """
    if callbacks is None:
        return
    if not isinstance(callbacks, (list, tuple)):
        because = "must be a list of skorch callbacks or (name, callback) pairs, or None"
        raise TypeError(refusal(callbacks, "callbacks", who, because))
    for entry in callbacks:
        pair = isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)
        callback = entry[1] if pair else entry
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise TypeError(
                f"{who_asks(who)}: callbacks holds {shown(entry)}, which is neither a skorch "
                "callback nor a (name, callback) pair."
            )
        own = entry[0] if pair else kind.__name__
        monitor = settings.get(f"{own}__monitor", _monitor(callback))
        if isinstance(monitor, str) and monitor.startswith("valid_") and not validated:
            raise ValueError(
                f"{who_asks(who)}: the callback {kind.__name__} goes by {monitor!r}, but "
                "early_stopping=False leaves no rows to validate on. Set early_stopping=True, "
                "which stops by itself, or monitor a column that there is, such as 'train_loss'."
            )


def _monitor(callback: Callback) -> str | None:
    """Return what a callback, or a class of them by default, goes by."""
    if isinstance(callback, type):
        known = signature(callback).parameters.get("monitor")
        return None if known is None else known.default
    return getattr(callback, "monitor", None)


def build_callbacks(estimator: BaseEstimator) -> list[Callback | tuple[str, Callback]]:
    """Return the user's callbacks, and those that settings ask for.

    Raises
    ------
    ValueError
        If a ``callbacks__...`` parameter belongs to none of them.
    """
    callbacks = [copy.deepcopy(callback) for callback in estimator.callbacks or ()]
    callbacks += estimator._extra_callbacks()
    if estimator.early_stopping:
        monitored = estimator._monitored(True)
        stopping = ValidatedEarlyStopping(
            monitor=monitored, lower_is_better=not is_better_larger(monitored),
            patience=estimator.n_iter_no_change, threshold=estimator.tol,
            threshold_mode="abs", load_best=True, sink=print if estimator.verbose else _silent,
        )
        callbacks.append(("early_stopping", stopping))
    named = [c[0] if isinstance(c, tuple) else type(c).__name__ for c in callbacks]
    known = [*named, "epoch_timer", "print_log"]
    unknown = [name for name in estimator._route("callbacks") if name.split("__")[0] not in known]
    if unknown:
        raise ValueError(
            f"callbacks__{unknown[0]} belongs to no callback; the callbacks are "
            f"{', '.join(known)}."
        )
    return callbacks


def _silent(*_: object) -> None:
    """Print nothing."""
