"""Shapes that a module's constructor asks for, taken from the data."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from skbci._checks import refusal


def build_module(
    module: nn.Module,
    settings: dict[str, Any],
    shape: Sequence[int],
    n_outputs: int,
    sfreq: float | None,
) -> nn.Module:
    """Build a module for rows of a shape.

    Parameters
    ----------
    module : nn.Module subclass, factory or instance
        Called with the settings and, where its signature has them and the settings don't, with
        ``n_features``, ``n_bands``, ``n_channels`` (``n_chans``), ``n_times``, ``n_outputs``
        (``n_classes``) and ``sfreq``. An instance is copied.
    settings : dict
        The ``module__...`` parameters.
    shape : sequence of int
        Of one row: (n_features,), (n_channels, n_times) or (n_bands, n_channels, n_times).
    n_outputs : int
        Classes, or targets.
    sfreq : float or None
        Sampling rate in Hz where the data knows it.

    Raises
    ------
    ValueError
        If a setting is unknown, or an argument is needed that neither the user nor the data gives.
    TypeError
        If ``module`` is neither a module nor callable.
    """
    if isinstance(module, nn.Module):
        if settings:
            raise ValueError(
                f"module__{next(iter(settings))} cannot be set on an instance of "
                f"{type(module).__name__}; give the class."
            )
        return copy.deepcopy(module)
    try:
        parameters = inspect.signature(module).parameters
    except (TypeError, ValueError):  # of what is not callable, and of some types that are built in
        because = "must be a torch.nn.Module class, a factory or an instance"
        raise TypeError(refusal(module, "module", "", because)) from None
    name = getattr(module, "__name__", repr(module))
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [key for key in settings if key not in parameters]
    if unknown and not open_ended:
        raise ValueError(
            f"module {name} has no argument {', '.join(map(repr, unknown))}; its arguments are "
            f"{', '.join('module__' + key for key in parameters)}."
        )
    known = _shape_arguments(shape, n_outputs, sfreq)
    arguments = {key: value for key, value in known.items() if key in parameters}
    arguments.update(settings)
    missing = [
        key
        for key, p in parameters.items()
        if p.default is p.empty
        and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        and key not in arguments
    ]
    if missing:
        raise ValueError(
            f"module {name} needs {', '.join(missing)}; give "
            f"{', '.join('module__' + key for key in missing)} (rows have the shape "
            f"{tuple(shape)})."
        )
    return module(**arguments)


def _shape_arguments(
    shape: Sequence[int], n_outputs: int, sfreq: float | None
) -> dict[str, Any]:
    known: dict[str, Any] = {
        "n_features": int(np.prod(shape)),
        "n_outputs": n_outputs,
        "n_classes": n_outputs,
    }
    if len(shape) >= 2:
        known.update(n_channels=shape[-2], n_chans=shape[-2], n_times=shape[-1])
    if len(shape) == 3:
        known.update(n_bands=shape[0])
    if sfreq is not None:
        known.update(sfreq=sfreq)
    return known
