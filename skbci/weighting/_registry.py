"""Weighting policies by name."""

from __future__ import annotations

import copy
from typing import Any, cast

from skbci._checks import check_arguments
from skbci._settings import named_class
from skbci.weighting._adamt import AdaMT
from skbci.weighting._alphagrad import AlphaGrad
from skbci.weighting._base import WeightingPolicy
from skbci.weighting._dynamic import DynamicWeightAverage
from skbci.weighting._fixed import FixedWeights
from skbci.weighting._gradapprox import GradApprox
from skbci.weighting._gradnorm import GradNorm
from skbci.weighting._gramian import GramianWeighting
from skbci.weighting._uncertainty import UncertaintyWeighting

#: Names that estimators take for ``loss_weighting``, with the class and the settings it implies.
POLICIES: dict[str, tuple[type[WeightingPolicy], dict[str, Any]]] = {
    "fixed": (FixedWeights, {}),
    "alphagrad": (AlphaGrad, {}),
    "alphagrad-project": (AlphaGrad, {"constraint": "project"}),
    "alphagrad-lead": (AlphaGrad, {"constraint": "lead"}),
    "adamt": (AdaMT, {}),
    "gradapprox": (GradApprox, {}),
    "uncertainty": (UncertaintyWeighting, {}),
    "dwa": (DynamicWeightAverage, {}),
    "gradnorm": (GradNorm, {}),
    "gramian": (GramianWeighting, {"weighting": "UPGradWeighting"}),
}


def resolve_policy(
    policy: str | type[WeightingPolicy] | WeightingPolicy, settings: dict[str, Any] | None = None
) -> WeightingPolicy:
    """Resolve a name, a class or an instance to a new policy.

    Parameters
    ----------
    policy : str, subclass of WeightingPolicy, or WeightingPolicy
        A key of `POLICIES`, a class, or an instance, which is copied.
    settings : dict, optional
        Keyword arguments that the user gave for it (the ``loss_weighting__...`` parameters); an
        instance takes none.

    Returns
    -------
    WeightingPolicy
        Not started yet.

    Raises
    ------
    ValueError
        If the name or one of the settings is unknown, the message listing the valid ones; or if
        an instance comes with settings.
    TypeError
        If ``policy`` is none of the three.

    Examples
    --------
    >>> resolve_policy("alphagrad", {"lr": 0.1})
    AlphaGrad(lr=0.1, p=2, minimum=0.0001, constraint='rescale', lead=0, pull=0.1)
    """
    settings = check_arguments(settings, "settings", "resolve_policy")
    found = named_class(policy, settings, "loss_weighting", WeightingPolicy, POLICIES)
    if found is None:
        return copy.deepcopy(cast(WeightingPolicy, policy))
    kind, arguments = found
    return kind(**arguments)
