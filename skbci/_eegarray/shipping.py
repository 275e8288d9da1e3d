"""`EEGArray` where other packages know numpy arrays by themselves: joblib's hash, Dask's wires.

Both look at an array's numbers only, and both would take, or give, one subject's rows for
another's. joblib has no hook for subclasses, so its hasher is shown here what an `EEGArray`
is; Dask has registries, which are filled as soon as Dask is there.
"""

from __future__ import annotations

import sys
from typing import Any

import joblib.hashing
import numpy as np

__all__ = ["hash_with_context", "register_with_dask"]

_done: set[str] = set()


def hash_with_context(kind: Any) -> None:
    """Let joblib's hash, and with it ``Pipeline(memory=...)``, see more than the numbers.

    Parameters
    ----------
    kind : type
        Subclass of `numpy.ndarray` whose ``__reduce__`` gives the bare array and its context.
    """
    hasher = joblib.hashing.NumpyHasher
    plain = hasher.save

    def save(self: Any, obj: Any) -> None:
        if isinstance(obj, kind) and not obj.dtype.hasobject:
            _, (_, context) = obj.__reduce__()
            plain(self, np.asarray(obj))
            obj = kind, _hashable(context)
        plain(self, obj)

    hasher.save = save


def _hashable(context: Any) -> Any:
    """The context in parts whose pickles are equal where they are equal."""
    table, *others = context
    if table is None:
        return None, others
    columns = [f"{name} {table[name].dtype} {table[name].tolist()}" for name in table]
    return columns, sorted(map(repr, table.attrs.items())), others


def register_with_dask(kind: Any) -> None:
    """Have Dask pickle an array with its context, and name it by both, where Dask is loaded.

    Parameters
    ----------
    kind : type
        As for `hash_with_context`.
    """
    if "dask.tokenize" in sys.modules and "dask" not in _done:
        from dask.base import normalize_token

        _done.add("dask")
        normalize_token.register(kind, lambda array: (kind.__name__, joblib.hash(array)))
    if "distributed.protocol" in sys.modules and "distributed" not in _done:
        from distributed.protocol import dask_serialize

        def pickle_it(array: Any) -> Any:
            raise NotImplementedError  # Dask's word for: by pickle, please

        _done.add("distributed")
        dask_serialize.register(kind, pickle_it)
