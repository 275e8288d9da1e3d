"""Which versions an object was saved with, as scikit-learn notes its own."""

from __future__ import annotations

from typing import Any

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from skbci._version import __version__
from skbci._warning import warn

__all__ = ["VersionWarning", "with_versions", "without_versions"]

_KEY = "_skbci_version"
_SKLEARN = "_sklearn_version"


class VersionWarning(InconsistentVersionWarning):
    """An object was saved by another version of the toolkit than the one that loads it.

    Parameters
    ----------
    what : str
        Class of the object, or name of the file.
    others : list of str
        What was of which version then, and is of which now.
    """

    def __init__(self, what: str, others: list[str]) -> None:
        self.what, self.others = what, others

    def __str__(self) -> str:
        return (
            f"{self.what} was saved with {', '.join(self.others)}. It may not predict what it "
            "did; compare its predictions with kept ones, or fit it anew."
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
        warn(VersionWarning(f"This {name}", [f"skbci {skbci} (here {__version__})"]))
    if scikit != sklearn.__version__:
        warn(
            InconsistentVersionWarning(
                estimator_name=name, current_sklearn_version=sklearn.__version__,
                original_sklearn_version=str(scikit),
            ),
        )
    return state
