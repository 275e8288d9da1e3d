"""Objects with settings, and how a parameter names one: by a name, a class or an instance."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

__all__ = ["ShownSettings", "check_settings", "named_class"]

T = TypeVar("T")


class ShownSettings:
    """Shows its settings: the attributes whose names begin and end without an underscore."""

    def __repr__(self) -> str:
        settings = {n: v for n, v in vars(self).items() if n[0] != "_" and n[-1] != "_"}
        inside = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"{type(self).__name__}({inside})"


def named_class(
    given: object, settings: Mapping[str, Any], name: str, base: type[Any],
    known: Mapping[str, tuple[type[T], dict[str, Any]]], other: Collection[str] = (),
) -> tuple[type[T], dict[str, Any]] | None:
    """Return the class that a parameter asks for and its settings; None for an instance.

    Parameters
    ----------
    given : object
        The parameter's value: a name, a class or an instance of one.
    settings : mapping of str to object
        What the user set besides, as ``name__...``.
    name : str
        The parameter's name.
    base : type
        What the class has to be derived from.
    known : mapping of str to tuple
        By name, the class and the settings that the name implies.
    other : collection of str
        Arguments of the class that are no settings.

    Raises
    ------
    ValueError
        If the name or a setting is unknown, or an instance comes with settings.
    TypeError
        If it is none of the three.
    """
    if isinstance(given, base):
        if settings:
            raise ValueError(
                f"{name}__{next(iter(settings))} cannot be set on an instance of "
                f"{type(given).__name__}; give its name or class."
            )
        return None
    if isinstance(given, str):
        if given not in known:
            raise ValueError(
                f"{name}={given!r} is unknown; use one of {sorted(known)} or a {base.__name__}."
            )
        (kind, implied), label = known[given], given
    elif isinstance(given, type) and issubclass(given, base):
        kind, implied, label = given, {}, given.__name__
    else:
        raise TypeError(
            f"{name}={given!r} must be a name, a {base.__name__} class or an instance of one."
        )
    allowed = [key for key in inspect.signature(kind).parameters if key not in other]
    check_settings(settings, allowed, f"{name} {label!r}", f"{name}__")
    return kind, {**implied, **settings}


def check_settings(
    settings: Collection[str], allowed: Collection[str], whose: str, start: str, besides: str = ""
) -> None:
    """Refuse settings that something does not have.

    Parameters
    ----------
    settings : collection of str
        Names that are set.
    allowed : collection of str
        Names that can be set.
    whose : str
        What they are settings of, such as "optimizer 'adam'".
    start : str
        What the user writes before the names, such as "optimizer__".
    besides : str
        What can be set in another way, for the message.

    Raises
    ------
    ValueError
        If a name is unknown; the message lists those that can be set.
    """
    unknown = [name for name in settings if name not in allowed]
    if unknown:
        listed = ", ".join(f"{start}{name}" for name in allowed) or "none"
        raise ValueError(
            f"{whose} has no setting {', '.join(map(repr, unknown))}; its settings are "
            f"{listed}{besides}."
        )
