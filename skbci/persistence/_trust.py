"""Which classes and functions a file may name."""

from __future__ import annotations

import importlib
import types

__all__ = ["is_known", "name_of", "unpickles"]

# Only what is defined in these is imported at a file's word.
_PLACES = (
    "skbci.", "sklearn.", "pyriemann.", "mne.decoding.", "mne.preprocessing.", "torch.nn.",
    "torch.optim.", "torch.utils.data.dataloader", "skorch.callbacks.", "skorch.history",
    "skorch.dataset", "skorch.utils", "skorch.setter", "scipy.stats._distn_infrastructure",
)
_NOT = frozenset({
    "tests", "test", "testing", "_testing", "conftest", "externals", "benchmarks", "examples",
    "datasets", "__main__", "quantized", "quantizable", "qat",
})
_FUNCTIONS = (
    "sklearn.metrics.", "sklearn.feature_selection.", "sklearn.utils.validation",
    "torch.nn.functional", "skorch.setter", "pyriemann.utils.",
)
# Functions that estimators and callbacks hold; others of these modules may read or write files.
_SINGLE = frozenset({
    "skbci._training.criteria.class_probabilities", "skbci.estimators._neural.callbacks._silent",
    "skorch.utils.noop", "skorch.utils.to_numpy", "skorch.utils._indexing_other",
    "skorch.utils._indexing_dict", "skorch.utils._indexing_list_tuple_of_data",
    "skorch.utils._indexing_ndframe",
})
_STANDARD = frozenset({
    "functools.partial", "builtins.slice", "builtins.bytes", "builtins.set", "builtins.dict",
    "builtins.complex", "collections.OrderedDict", "collections.defaultdict",
    "collections.deque", "builtins.frozenset", "builtins.object", "numpy.dtype",
})


def name_of(kind: str | type) -> str:
    """Return the name by which a class or function is called in a file."""
    return kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__name__}"


def is_known(name: str) -> bool:
    """Return whether a name is of a class or function that does no harm when it is restored.

    A class is restored without its constructor. Networks of skorch itself are not known: they
    unpickle what they hold.
    """
    if name in _STANDARD or name in _SINGLE:
        return True
    module, _, own = name.rpartition(".")
    if not any(f"{module}.".startswith(place) for place in _PLACES):
        return False
    if _NOT & set(module.split(".")):
        return False
    try:
        found = getattr(importlib.import_module(module), own)
    except Exception:  # a module that does not exist, or whose own imports fail
        return False
    if getattr(found, "__module__", None) != module or getattr(found, "__name__", None) != own:
        return False  # something that the module has imported
    if isinstance(found, type):
        return not unpickles(found)
    return isinstance(found, types.FunctionType) and any(
        f"{module}.".startswith(place) for place in _FUNCTIONS
    ) and not own.startswith("_") and "load" not in own


def unpickles(kind: type) -> bool:
    """Return whether what is restored is a net of skorch that opens a pickle for it."""
    from skorch import NeuralNet

    if not isinstance(kind, type) or not issubclass(kind, NeuralNet):
        return False
    return getattr(kind, "__setstate__") is NeuralNet.__setstate__  # noqa: B009
