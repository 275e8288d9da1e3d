"""Checks of single parameters: one signature and one wording for all.

``check_...(value, name, who, ...)`` gives the value back as what it stands for, or raises with
"who: name=value must be ...".
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from sklearn.utils import check_random_state

__all__ = [
    "check_callable",
    "check_choice",
    "check_count",
    "check_distinct",
    "check_flag",
    "check_names",
    "check_number",
    "check_path",
    "check_positive",
    "check_rate",
    "check_seed",
    "is_list",
    "is_number",
    "no_order",
    "refusal",
    "shown",
    "who_asks",
]

_LONGEST = 100
_MOST = 2**31 - 1  # what the compiled parts of other packages count with


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number of Python's or numpy's; a truth value is not one."""
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))


def is_list(value: object) -> TypeGuard[Iterable[Any]]:
    """Return whether a value is a list, tuple, array or the like: several things in an order.

    Neither a string is, nor a set, whose order is another one in another process, nor an array
    of no dimension.
    """
    return np.iterable(value) and not isinstance(value, (str, bytes, type, set, frozenset))


def check_number(
    value: object,
    name: str,
    who: object = "",
    *,
    low: float | None = None,
    high: float | None = None,
    closed: str = "both",
    integer: bool = False,
    unit: str = "",
    also: str = "",
) -> Any:
    """Check a finite number.

    Parameters
    ----------
    value : object
    name : str
        The parameter's.
    who : object
        Whose parameter it is: a name, or an object whose type has one; "" leaves it out.
    low, high : float, optional
        Limits; None is no limit.
    closed : {"both", "left", "right", "neither"}
        Which limits are allowed themselves.
    integer : bool
        Whether it must be an integer, and is given back as an ``int`` in place of a ``float``.
    unit : str
        Such as "seconds".
    also : str
        What else is allowed, for the message; the caller lets it pass.

    Returns
    -------
    float or int

    Raises
    ------
    TypeError
        If it is no number, or no integer where one is needed.
    ValueError
        If it is not finite, or beyond a limit.
    """
    limits = _limits(low, high, closed)
    kind = ("an integer" if integer else "a number") + (f" in {unit}" if unit else "")
    if not is_number(value) or (integer and not isinstance(value, numbers.Integral)):
        raise TypeError(refusal(value, name, who, f"must be {kind}{_or(also)}"))
    try:
        number = int(value) if integer else float(value)
        finite = math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        within = f", {limits}" if limits else ""
        kind = f"a finite number{kind.removeprefix('an integer').removeprefix('a number')}"
        raise ValueError(refusal(value, name, who, f"must be {kind}{within}{_or(also)}"))
    below = low is not None and (number < low or (number == low and closed in _OPEN_LEFT))
    above = high is not None and (number > high or (number == high and closed in _OPEN_RIGHT))
    if below or above:
        units = f" {unit}" if unit else ""
        raise ValueError(refusal(value, name, who, f"must be {limits}{units}{_or(also)}"))
    return number


_OPEN_LEFT = ("right", "neither")
_OPEN_RIGHT = ("left", "neither")


def _limits(low: float | None, high: float | None, closed: str) -> str:
    words = []
    if low is not None:
        words.append(f"{'above' if closed in _OPEN_LEFT else 'at least'} {low:g}")
    if high is not None:
        words.append(f"{'below' if closed in _OPEN_RIGHT else 'at most'} {high:g}")
    return " and ".join(words)


def check_count(
    value: object,
    name: str,
    who: object = "",
    *,
    low: int | None = 1,
    high: int | None = None,
    also: str = "",
) -> int:
    """Check a whole number of things, at least one if nothing else is said; see `check_number`."""
    count = check_number(value, name, who, low=low, high=high, integer=True, also=also)
    if high is None and count > _MOST:
        raise ValueError(refusal(value, name, who, f"must be at most {_MOST}{_or(also)}"))
    return count


def check_positive(
    value: object, name: str, who: object = "", *, unit: str = "", also: str = ""
) -> float:
    """Check a finite number above zero; see `check_number`."""
    return check_number(value, name, who, low=0, closed="neither", unit=unit, also=also)


def check_rate(value: object, name: str, who: object) -> float:
    """Check a sampling rate; no amplifier is slower than a sample in a month, or beyond 1 THz."""
    low, high = 1e-6, 1e12
    return check_number(value, name, who, low=low, high=high, unit="Hz", also="None")


def check_choice(value: object, name: str, who: object, allowed: Sequence[Any]) -> Any:
    """Check that a value is one of a few words (or None, True, False).

    Raises
    ------
    ValueError
        Listing what is allowed.
    """
    for word in allowed:
        if value is word or (isinstance(value, str) and isinstance(word, str) and value == word):
            return word
    raise ValueError(refusal(value, name, who, f"is not one of {', '.join(map(repr, allowed))}"))


def check_flag(value: object, name: str, who: object, *, also: str = "") -> bool:
    """Check a truth value.

    Raises
    ------
    TypeError
        If it is neither True nor False.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(refusal(value, name, who, f"must be True or False{_or(also)}"))
    return bool(value)


def check_names(value: object, name: str, who: object, *, also: str = "") -> list[str]:
    """Check a list of names.

    Raises
    ------
    TypeError
        If it is a single string, a set, which has no order, or not of strings.
    """
    if is_list(value):
        names = list(value)
        if all(isinstance(one, str) for one in names):
            return [str(one) for one in names]
    because = f"must be a list of names{_or(also)}{no_order(value)}"
    raise TypeError(refusal(value, name, who, because))


def check_distinct(names: Sequence[str], name: str, who: object) -> None:
    """Check that no name is given to two things.

    Raises
    ------
    ValueError
        Listing the names that are.
    """
    if len(set(names)) < len(names):
        twice = sorted({one for one in names if list(names).count(one) > 1})
        asks = who_asks(who)
        raise ValueError(f"{asks}{': ' if asks else ''}{name} has {twice} more than once.")


def check_callable(value: object, name: str, who: object, *, also: str = "") -> Callable[..., Any]:
    """Check that a value can be called.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(value):
        raise TypeError(refusal(value, name, who, f"must be callable{_or(also)}"))
    return value


def check_path(value: object, name: str, who: object) -> Path:
    """Check the path of a file, and give it with the user's folder in the place of "~".

    Raises
    ------
    TypeError
        If it is no path.
    ValueError
        If it is empty, or holds a null character.
    """
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(refusal(value, name, who, "must be the path of a file"))
    if not text or "\0" in text:
        raise ValueError(refusal(value, name, who, "is not the path of a file"))
    return Path(text).expanduser()


def check_seed(value: object, name: str, who: object) -> np.random.RandomState:
    """Make a generator of random numbers of what scikit-learn calls a random state.

    Raises
    ------
    ValueError
        If it is neither None, an integer from 0 to 2**32 - 1, nor a RandomState.
    """
    allowed = "must be None, an integer from 0 to 2**32 - 1, or a numpy RandomState"
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(refusal(value, name, who, allowed))
    try:
        return check_random_state(value)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(refusal(value, name, who, allowed)) from None


def no_order(value: object) -> str:
    """Say, at the end of a refusal, that a set has no order; nothing of what is no set."""
    return ": a set has no order" if isinstance(value, (set, frozenset)) else ""


def _or(also: str) -> str:
    return f" or {also}" if also else ""


def refusal(value: object, name: str, who: object, because: str) -> str:
    """Word what is wrong with a parameter, as "who: name=value because" does."""
    asks = who_asks(who)
    return f"{asks}{': ' if asks else ''}{name}={shown(value)} {because}."


def shown(value: object) -> str:
    """Write a value for a message, cut where it is long."""
    try:
        text = repr(value)
    except Exception:  # an object may fail at it, a number may have too many digits
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def who_asks(who: object) -> str:
    """Return whose parameter it is: a string as it is, else the name of the object's class."""
    return who if isinstance(who, str) else type(who).__name__
