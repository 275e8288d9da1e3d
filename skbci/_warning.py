"""Warnings that show the caller's line, from wherever in the library they come."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

__all__ = ["warn"]

# This library and those that call it, or wrap its functions.
_INSIDE = frozenset({"skbci", "sklearn", "skorch", "torch", "joblib", "pickle", "contextlib"})


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn, showing the nearest line outside of the library.

    How many calls lie between that line and a check depends on who calls: `fit` itself, a
    pipeline's, a search's.

    Parameters
    ----------
    message : str or Warning
    category : subclass of Warning, default=UserWarning
        Of a message that is a str.
    """
    frame, level = sys._getframe(1), 2
    while _is_inside(frame) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_inside(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _INSIDE
