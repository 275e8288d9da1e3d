"""Optimizers by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

from skbci._checks import check_arguments, is_number, shown
from skbci._settings import check_settings
from skbci.optim._evdhjb import EVDHJB
from skbci.optim._hjb import HJB
from skbci.optim._hjb_ad import HJBAD
from skbci.optim._hjb_under import HJBUnder, inner_settings
from skbci.optim._levenberg_marquardt import LevenbergMarquardt
from skbci.optim._lyapunov_descent import LyapunovDescent

#: Names that estimators take for ``optimizer``, with the class and the settings a name implies.
OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]] = {
    "hjb": (HJB, {}),
    "hjb-ad": (HJBAD, {}),
    "hjb-momentum": (HJBUnder, {"inner": torch.optim.SGD, "inner__momentum": 0.9}),
    "hjb-nesterov": (
        HJBUnder, {"inner": torch.optim.SGD, "inner__momentum": 0.9, "inner__nesterov": True}
    ),
    "hjb-rmsprop": (HJBUnder, {"inner": torch.optim.RMSprop}),
    "hjb-adam": (HJBUnder, {"inner": torch.optim.Adam}),
    "hjb-adamw": (HJBUnder, {"inner": torch.optim.AdamW}),
    "evdhjb": (EVDHJB, {}),
    "lm": (LevenbergMarquardt, {}),
    "lf": (LyapunovDescent, {}),
    "adam": (torch.optim.Adam, {"fused": True}),
    "adamw": (torch.optim.AdamW, {"fused": True}),
    "adagrad": (torch.optim.Adagrad, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "sgd": (torch.optim.SGD, {}),
}

#: Learning rates that suit a first fit on standardized inputs, by the same names. A step of HJB
#: has the length ``lr * sqrt(2P/r)``, whatever the gradient's scale, which takes a larger one.
LEARNING_RATES = {
    "hjb": 0.1, "hjb-ad": 0.01, "hjb-momentum": 0.01, "hjb-nesterov": 0.01, "hjb-rmsprop": 1e-3,
    "hjb-adam": 1e-3, "hjb-adamw": 1e-3, "evdhjb": 0.1, "lm": 0.01, "lf": 0.01, "adam": 1e-3,
    "adamw": 1e-3, "adagrad": 0.01, "rmsprop": 1e-3, "sgd": 0.01,
}


def default_lr(optimizer: str | Callable[..., Optimizer]) -> float:
    """Return the learning rate that an optimizer gets where none is set.

    Parameters
    ----------
    optimizer : str or subclass of torch.optim.Optimizer
        What `resolve_optimizer` takes.

    Returns
    -------
    float
        Of a name, and of the classes of this package, that of `LEARNING_RATES`; of any other
        class its own default, or 0.01 if it has none.

    Raises
    ------
    ValueError, TypeError
        As `resolve_optimizer`.

    Examples
    --------
    >>> import torch
    >>> from skbci.optim import HJB, default_lr
    >>> default_lr("hjb"), default_lr(HJB), default_lr("adam"), default_lr(torch.optim.Adam)
    (0.1, 0.1, 0.001, 0.001)
    """
    factory, _ = resolve_optimizer(optimizer, {})
    if isinstance(optimizer, str):
        return LEARNING_RATES[optimizer]
    ours = {OPTIMIZERS[name][0]: name for name in ("hjb", "hjb-ad", "evdhjb", "lm", "lf")}
    if factory in ours:
        return LEARNING_RATES[ours[factory]]
    own = inspect.signature(factory).parameters.get("lr")
    return float(own.default) if own is not None and is_number(own.default) else 0.01


def resolve_optimizer(
    optimizer: str | Callable[..., Optimizer], settings: dict[str, Any]
) -> tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]:
    """Turn a name or a class into a class and its keyword arguments.

    Parameters
    ----------
    optimizer : str or subclass of torch.optim.Optimizer
        A key of `OPTIMIZERS`, or any class (or factory) that takes parameters and ``lr``.
    settings : dict
        Keyword arguments that the user gave for it (the ``optimizer__...`` parameters).

    Returns
    -------
    factory : callable
        Takes the parameters, ``lr`` and the settings, and the module as ``module`` if it has an
        attribute ``needs_module`` that is true.
    settings : dict
        The user's settings over those that the name implies.

    Raises
    ------
    ValueError
        If the name or one of the settings is unknown; the message lists the valid ones.
    TypeError
        If ``optimizer`` is neither a name nor callable.

    Examples
    --------
    >>> from skbci.optim import resolve_optimizer
    >>> factory, settings = resolve_optimizer("adam", {"betas": (0.8, 0.99)})
    >>> factory.__name__, settings["betas"]
    ('Adam', (0.8, 0.99))
    """
    settings = check_arguments(settings, "settings", "resolve_optimizer")
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            raise ValueError(
                f"optimizer={shown(optimizer)} is unknown; use one of {sorted(OPTIMIZERS)} or a "
                "torch.optim.Optimizer class."
            )
        factory, implied = OPTIMIZERS[optimizer]
    elif callable(optimizer) and _has_signature(optimizer):
        factory, implied = optimizer, {}
    else:
        raise TypeError(
            f"optimizer={shown(optimizer)} must be a name or a torch.optim.Optimizer class, not "
            f"an instance of {type(optimizer).__name__}."
        )
    signature = inspect.signature(factory)
    given = ["self", "params", "lr"]
    if getattr(factory, "needs_module", False):
        given.append("module")
    names = [n for n in signature.parameters if n not in given]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    if factory is HJBUnder:  # what it takes any of belongs to the optimizer inside
        inner = {**implied, **settings}.get("inner", torch.optim.SGD)
        names = [n for n in names if n != "settings"] + list(inner_settings(inner))
        takes_any = False
    if not takes_any:
        label = optimizer if isinstance(optimizer, str) else getattr(factory, "__name__", factory)
        check_settings(settings, names, f"optimizer {label!r}", "optimizer__", " (and lr)")
    return factory, {**implied, **settings}


def _has_signature(factory: Callable[..., Optimizer]) -> bool:
    """Return whether one can see what a callable takes; of some that are built in one cannot."""
    try:
        inspect.signature(factory)
    except ValueError:
        return False
    return True
