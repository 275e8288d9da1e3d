"""`EEGArray` where other packages know numpy arrays by themselves: joblib's hash, Dask's wires.

Both look at an array's numbers only, and both would take, or give, one subject's rows for
another's. joblib has no hook for subclasses, so its hasher is shown here what an `EEGArray`
is; Dask has registries, which are filled as soon as Dask is there.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from typing import Any

import joblib.hashing
import numpy as np

__all__ = ["hash_with_context", "register_with_dask"]


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
    columns = [f"{name} {_kind(table[name])} {table[name].tolist()}" for name in table]
    return columns, sorted(map(repr, table.attrs.items())), others


def _kind(column: Any) -> str:
    """What a column is; of a categorical, its order too."""
    categories = getattr(column.dtype, "categories", None)
    if categories is None:
        return str(column.dtype)
    return f"{list(categories)} {column.dtype.ordered}"


def register_with_dask(kind: Any) -> None:
    """Have Dask pickle an array with its context, and name it by both, once Dask is loaded.

    Parameters
    ----------
    kind : type
        As for `hash_with_context`.
    """

    def name_it() -> None:
        from dask.base import normalize_token

        normalize_token.register(kind, lambda array: (kind.__name__, joblib.hash(array)))

    def ship_it() -> None:
        from distributed.protocol.serialize import dask_serialize

        def pickle_it(array: Any) -> Any:
            raise NotImplementedError  # Dask's word for: by pickle, please

        dask_serialize.register(kind, pickle_it)

    _when_loaded("dask.base", name_it)
    _when_loaded("distributed.protocol.serialize", ship_it)


def _when_loaded(module: str, action: Callable[[], None]) -> None:
    """Do something as soon as a module is there, without importing it."""
    if module in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, _Waiting(module, action))


class _Waiting(MetaPathFinder):
    """Lets the others find a module, and acts when it has been imported."""

    def __init__(self, module: str, action: Callable[[], None]) -> None:
        self.module, self.action = module, action

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != self.module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_act(module: Any) -> None:
            load(module)
            self.action()

        spec.loader.exec_module = load_and_act  # type: ignore[method-assign]
        return spec
