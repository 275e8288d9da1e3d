"""Step sizes of the HJB paper's convergence theorems."""

from __future__ import annotations

import math
from typing import Any

#: Values of ``lr_schedule``.
SCHEDULES = ("theorem-1", "theorem-2")


def theorem_step(
    schedule: str, lr: float, root: Any, k: int, r: float, n_steps: int | None
) -> Any:
    r"""Give the step size :math:`\eta_k`.

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
    schedule: Any, n_steps: Any, eps1: Any, who: str
) -> None:
    """Refuse an unknown schedule, no number of steps, and a zero that would be divided by."""
    if schedule is not None and schedule not in SCHEDULES:
        raise ValueError(
            f"{who}: lr_schedule={schedule!r} is unknown; use None or one of {list(SCHEDULES)}."
        )
    if n_steps is not None and not (isinstance(n_steps, int) and n_steps >= 1):
        raise ValueError(f"{who}: n_steps={n_steps!r} must be None or an integer of at least 1.")
    if not (math.isfinite(eps1) and eps1 > 0):
        raise ValueError(f"{who}: eps1={eps1!r} must be finite and positive.")
