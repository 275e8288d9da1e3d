"""Transformers of a pipeline computed once for each fold and setting."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import joblib


class PrefixMemory:
    """A ``Pipeline(memory=...)`` that lasts as long as a fold is worked on.

    It recognizes data by identity: the fold's rows are cut out once, and what one candidate's
    transformer gives is what the next candidate's next transformer gets. A fitted transformer is
    shared by all pipelines with the same settings, and remembers what it last transformed.
    """

    location = "memory"  # scikit-learn clones transformers where a memory has a location

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._alive: list[Any] = []

    def cache(self, function: Callable[..., Any], ignore: Sequence[str] = ()) -> Any:
        """Wrap scikit-learn's function that fits a transformer and transforms with it."""

        @functools.wraps(function)
        def cached(transformer: Any, X: Any, y: Any, **settings: Any) -> Any:
            told = {name: value for name, value in settings.items() if name not in ignore}
            try:
                key = joblib.hash((transformer, told)), id(X), id(y)
            except Exception:  # a transformer that cannot be pickled, around a lambda for example
                return function(transformer, X, y, **settings)
            if key not in self._known:
                transformed, fitted = function(transformer, X, y, **settings)
                remember_transform(fitted)
                self._known[key] = transformed, fitted
                self._alive += [X, y]  # so that no other object takes over an id
            return self._known[key]

        return cached


def remember_transform(fitted: Any) -> None:
    """Let a fitted transformer give the same answer to the same (identical) rows."""
    if not hasattr(fitted, "transform"):
        return
    transform = fitted.transform
    last: list[tuple[Any, Any]] = []

    @functools.wraps(transform)
    def remembering(X: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            return transform(X, *args, **kwargs)
        for known, out in last:
            if known is X:
                return out
        out = transform(X)
        last.append((X, out))
        del last[:-2]  # test rows and training rows
        return out

    vars(fitted)["transform"] = remembering
