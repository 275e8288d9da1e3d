"""Policies that weigh several losses against each other while a network is trained.

Each is one small class on `WeightingPolicy` and works in any torch loop; `POLICIES` names them
all. `toy_losses` and `trajectory` show what a policy does on two losses over a plane.
"""

from skbci.weighting._adamt import AdaMT
from skbci.weighting._alphagrad import AlphaGrad
from skbci.weighting._backward import head_parameters, weighted_backward
from skbci.weighting._base import LossCollapseWarning, NonFiniteError, WeightingPolicy
from skbci.weighting._dynamic import DynamicWeightAverage
from skbci.weighting._evidence import Evidence, Gradients, shared_gradients
from skbci.weighting._fixed import FixedWeights
from skbci.weighting._gradapprox import GradApprox
from skbci.weighting._gradnorm import GradNorm
from skbci.weighting._gramian import GramianWeighting
from skbci.weighting._registry import POLICIES, resolve_policy
from skbci.weighting._toy import TOY_STARTS, Trajectory, toy_losses, trajectory
from skbci.weighting._uncertainty import UncertaintyWeighting

__all__ = [
    "POLICIES",
    "TOY_STARTS",
    "AdaMT",
    "AlphaGrad",
    "DynamicWeightAverage",
    "Evidence",
    "FixedWeights",
    "GradApprox",
    "GradNorm",
    "Gradients",
    "GramianWeighting",
    "LossCollapseWarning",
    "NonFiniteError",
    "Trajectory",
    "UncertaintyWeighting",
    "WeightingPolicy",
    "head_parameters",
    "resolve_policy",
    "shared_gradients",
    "toy_losses",
    "trajectory",
    "weighted_backward",
]
