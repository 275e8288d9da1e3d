"""Which versions an object was saved with, as scikit-learn notes its own."""

from __future__ import annotations

import warnings
from typing import Any

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from skbci._version import __version__

__all__ = ["VersionWarning", "with_versions", "without_versions"]

_KEY = "_skbci_version"
_SKLEARN = "_sklearn_version"


class VersionWarning(InconsistentVersionWarning):
    """An object was saved by another version of the toolkit than the one that loads it.

    Parameters
    ----------
    estimator_name : str
        Its class.
    current_skbci_version, original_skbci_version : str
        The version that loads it, and the one that saved it.
    """

    def __init__(
        self, *, estimator_name: str, current_skbci_version: str, original_skbci_version: str
    ) -> None:
        self.estimator_name = estimator_name
        self.current_skbci_version = current_skbci_version
        self.original_skbci_version = original_skbci_version

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was saved by skbci {self.original_skbci_version} and is "
            f"loaded by {self.current_skbci_version}. It may not predict what it did; compare its "
            "predictions with kept ones, or fit it anew."
        )


def with_versions(state: dict[str, Any]) -> dict[str, Any]:
    """Add the versions that write a state to a copy of it."""
    return {**state, _KEY: __version__, _SKLEARN: sklearn.__version__}


def without_versions(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Take the versions out of a copy of a state, and warn where they are others.

    Parameters
    ----------
    state : dict
        As of `with_versions`, or without any version.
    name : str
        The class of the object.

    Returns
    -------
    dict
    """
    state = dict(state)
    skbci, scikit = state.pop(_KEY, __version__), state.pop(_SKLEARN, sklearn.__version__)
    if skbci != __version__:
        warnings.warn(
            VersionWarning(
                estimator_name=name, current_skbci_version=__version__,
                original_skbci_version=str(skbci),
            ),
            stacklevel=3,
        )
    if scikit != sklearn.__version__:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=name, current_sklearn_version=sklearn.__version__,
                original_sklearn_version=str(scikit),
            ),
            stacklevel=3,
        )
    return state
