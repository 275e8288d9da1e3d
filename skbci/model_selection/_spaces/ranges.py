"""Where a network's best settings are usually found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["OPTIMIZER_RANGES", "OTHER_VALUES", "Range"]


@dataclass(frozen=True)
class Range:
    """Values from ``low`` to ``high``, evenly by their logarithm or by themselves."""

    low: float
    high: float
    log: bool = True


_SMALL = Range(3e-4, 3e-2)  # steps as long as the learning rate, whatever the gradient
_MOMENTUM = {"lr": Range(1e-3, 0.3), "optimizer__inner__momentum": Range(0.5, 0.99, log=False)}
_DECAY = Range(1e-4, 0.1)
OPTIMIZER_RANGES: dict[str, dict[str, Any]] = {
    "hjb": {"lr": Range(1e-2, 1.0)},
    "hjb-ad": {"lr": Range(5e-3, 1.0)},
    "hjb-momentum": _MOMENTUM,
    "hjb-nesterov": _MOMENTUM,
    "hjb-rmsprop": {"lr": _SMALL},
    "hjb-adam": {"lr": _SMALL},
    "hjb-adamw": {"lr": _SMALL, "optimizer__inner__weight_decay": _DECAY},
    "evdhjb": {"lr": Range(3e-2, 3.0)},
    "lm": {"lr": Range(1e-2, 1.0), "optimizer__mu": Range(0.1, 10.0)},
    "lf": {"lr": Range(1e-2, 3.0)},
    "adam": {"lr": _SMALL},
    "adamw": {"lr": _SMALL, "optimizer__weight_decay": _DECAY},
    "adagrad": {"lr": Range(3e-3, 0.3)},
    "rmsprop": {"lr": _SMALL},
    "sgd": {"lr": Range(1e-2, 1.0), "optimizer__momentum": [0.0, 0.9]},
}
OTHER_VALUES: dict[str, dict[str, Any]] = {
    "loss_weighting": {"loss_weighting": [
        "fixed", "alphagrad-lead", "gradnorm", "uncertainty", "dwa"]},
    "sparsity": {"sparsity": [0.0, 0.5, 0.8, 0.9, 0.95], "pruning": ["snip", "magnitude"]},
    "augmentation": {"augmentation": [None, "mirror", "noise", "channel-dropout", "time-shift"]},
}
