"""Torch optimizers derived from the Hamilton-Jacobi-Bellman equation, and names for all others.

They are ordinary `torch.optim.Optimizer` classes and work outside skbci in any training loop that
calls ``step(closure)``. `HJB`, `HJBAD` and `HJBUnder` (any other optimizer on HJB's update) step
by the loss and its gradient. `LyapunovDescent`, `LevenbergMarquardt` and `EVDHJB` step by the
output error, and are given the module. `Theorem1LR` and `Theorem2LR` are learning rates for all.
"""

from skbci.optim._errors import NonFiniteLossError
from skbci.optim._evdhjb import EVDHJB
from skbci.optim._hjb import HJB
from skbci.optim._hjb_ad import HJBAD
from skbci.optim._hjb_under import HJBUnder
from skbci.optim._levenberg_marquardt import LevenbergMarquardt
from skbci.optim._lyapunov_descent import LyapunovDescent
from skbci.optim._registry import LEARNING_RATES, OPTIMIZERS, default_lr, resolve_optimizer
from skbci.optim._theorem_schedulers import Theorem1LR, Theorem2LR

__all__ = [
    "EVDHJB",
    "HJB",
    "HJBAD",
    "LEARNING_RATES",
    "OPTIMIZERS",
    "HJBUnder",
    "LevenbergMarquardt",
    "LyapunovDescent",
    "NonFiniteLossError",
    "Theorem1LR",
    "Theorem2LR",
    "default_lr",
    "resolve_optimizer",
]
