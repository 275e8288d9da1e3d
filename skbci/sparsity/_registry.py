"""Pruning methods by name."""

from __future__ import annotations

import copy
from typing import Any, cast

from skbci._checks import check_arguments
from skbci._settings import named_class
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
    known: dict[str, tuple[type[PruningMethod], dict[str, Any]]] = {
        name: (kind, {}) for name, kind in PRUNING.items()
    }
    found = named_class(pruning, settings, "pruning", PruningMethod, known, other=("sparsity",))
    if found is None:
        kept = copy.deepcopy(cast(PruningMethod, pruning))
        kept.sparsity = check_sparsity(sparsity, kept)
        return kept
    kind, arguments = found
    return kind(sparsity=sparsity, **arguments)
