"""Torch optimizers derived from the Hamilton-Jacobi-Bellman equation, and names for all others.

They are ordinary `torch.optim.Optimizer` classes and work outside skbci in any training loop that
calls ``step(closure)``.
"""

from skbci.optim._errors import NonFiniteLossError
from skbci.optim._hjb import HJB
from skbci.optim._hjb_ad import HJBAD
from skbci.optim._registry import OPTIMIZERS, resolve_optimizer

__all__ = ["HJB", "HJBAD", "OPTIMIZERS", "NonFiniteLossError", "resolve_optimizer"]
