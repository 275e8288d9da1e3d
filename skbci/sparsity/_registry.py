"""Pruning methods by name."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from skbci._checks import check_arguments
from skbci.sparsity._base import PruningMethod, check_sparsity
from skbci.sparsity._lottery_ticket import LotteryTicket
from skbci.sparsity._magnitude import MagnitudePruning
from skbci.sparsity._multitask_snip import MultitaskSnip
from skbci.sparsity._snip import Snip

#: Names that estimators take for ``pruning``.
PRUNING: dict[str, type[PruningMethod]] = {
    "snip": Snip,
    "snip-multitask": MultitaskSnip,
    "lottery": LotteryTicket,
    "magnitude": MagnitudePruning,
}


def resolve_pruning(
    pruning: str | type[PruningMethod] | PruningMethod,
    sparsity: float,
    settings: dict[str, Any] | None = None,
) -> PruningMethod:
    """Turn a name, a class or an instance into a pruning method of one's own.

    Parameters
    ----------
    pruning : str, subclass of PruningMethod, or PruningMethod
        A key of `PRUNING`, a class, or an instance, which is copied and gets the sparsity.
    sparsity : float
        In [0, 1).
    settings : dict, optional
        Keyword arguments that the user gave for it (the ``pruning__...`` parameters); an instance
        takes none.

    Returns
    -------
    PruningMethod

    Raises
    ------
    ValueError
        If the name, a setting or the sparsity is not allowed, the message listing what is.
    TypeError
        If ``pruning`` is none of the three.

    Examples
    --------
    >>> resolve_pruning("lottery", 0.8, {"n_rounds": 5})
    LotteryTicket(sparsity=0.8, floor='unit', n_rounds=5, scope='global')
    """
    settings = check_arguments(settings, "settings", "resolve_pruning")
    if isinstance(pruning, PruningMethod):
        if settings:
            raise ValueError(
                f"pruning__{next(iter(settings))} cannot be set on an instance of "
                f"{type(pruning).__name__}; give its name or class."
            )
        kept = copy.deepcopy(pruning)
        kept.sparsity = check_sparsity(sparsity, kept)
        return kept
    if isinstance(pruning, str):
        if pruning not in PRUNING:
            raise ValueError(
                f"pruning={pruning!r} is unknown; use one of {sorted(PRUNING)} or a "
                "PruningMethod."
            )
        kind, label = PRUNING[pruning], pruning
    elif isinstance(pruning, type) and issubclass(pruning, PruningMethod):
        kind, label = pruning, pruning.__name__
    else:
        raise TypeError(
            f"pruning={pruning!r} must be a name, a PruningMethod class or an instance of one."
        )
    names = [name for name in inspect.signature(kind).parameters if name != "sparsity"]
    unknown = [name for name in settings if name not in names]
    if unknown:
        listed = ", ".join("pruning__" + name for name in names) or "none"
        raise ValueError(
            f"pruning {label!r} has no setting {', '.join(map(repr, unknown))}; its settings are "
            f"{listed}."
        )
    return kind(sparsity=sparsity, **settings)
