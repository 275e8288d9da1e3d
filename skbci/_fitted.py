"""What a fitted estimator is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["fitted_parts"]

# Where scikit-learn's and this package's estimators keep the fitted ones in them: one, many, and
# many with names or columns.
_ONE = ("pipeline", "best_estimator_", "transformer_", "estimator_", "initial_", "terminal_",
        "final_estimator_")
_MANY = ("estimators_", "networks_", "calibrated_classifiers_")
_NAMED = ("steps", "transformer_list", "transformers_")


def fitted_parts(estimator: object) -> Iterator[Any]:
    """Yield an estimator and the fitted ones in it, each once, in the order that data meet them.

    Parameters
    ----------
    estimator : estimator or OnlineDecoder
        Fitted. Estimators that are parameters only, of which clones were fitted, are passed over.
    """
    waiting, seen = [estimator], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen or not hasattr(part, "__dict__") or isinstance(part, type):
            continue
        seen.add(id(part))
        yield part
        own = vars(part)
        inside = [entry[1] for name in _NAMED for entry in own.get(name, [])]
        inside += [own[name] for name in _ONE if name in own]
        for name in _MANY:
            inside += _flat(own.get(name, []))
        if type(part).__name__ == "_CalibratedClassifier":
            inside.append(own["estimator"])
        waiting += inside[::-1]


def _flat(value: object) -> list[Any]:
    """Return what lists and arrays hold; pipelines are sequences, too, and not to be opened."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, (list, tuple)):
        return [one for each in value for one in _flat(each)]
    return [value]
