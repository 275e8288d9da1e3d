"""Learning rates of the HJB paper's convergence theorems."""

from __future__ import annotations

import math
from typing import Any

from skbci._checks import check_choice, check_count, check_positive

#: Values of ``lr_schedule``.
SCHEDULES = ("theorem-1", "theorem-2")


def theorem_step(
    schedule: str, lr: float, root: Any, k: int, r: float, n_steps: int | None
) -> Any:
    r"""Return the learning rate :math:`\eta_k`.

    Parameters
    ----------
    schedule : {"theorem-1", "theorem-2"}
        Equation (29), for convex losses, or (43), for strongly convex ones.
    lr : float
        :math:`\eta_0`.
    root : float or Tensor
        :math:`\sqrt{2 P + \epsilon_1}` with the loss P where the step is taken.
    k : int
        Number of the step, from 1 on.
    r : float
        Weight of the control effort; equation (43) only.
    n_steps : int or None
        Number K of all steps; equation (43) only.

    Returns
    -------
    float or Tensor
    """
    if schedule == "theorem-1":
        return lr / root / math.sqrt(k)
    if n_steps is None:
        raise ValueError(
            "lr_schedule='theorem-2' needs n_steps, the number K of steps that will be taken "
            "(an estimator sets it to its max_epochs times the mini-batches of an epoch)."
        )
    return n_steps * (n_steps + 1) / 2 * lr / root * math.sqrt(r) / k


def check_schedule(
    schedule: object, n_steps: object, eps1: object, who: str
) -> None:
    """Refuse an unknown schedule, no number of steps, and a zero that would be divided by."""
    check_choice(schedule, "lr_schedule", who, (None, *SCHEDULES))
    if n_steps is not None:
        check_count(n_steps, "n_steps", who, also="None")
    check_positive(eps1, "eps1", who)
