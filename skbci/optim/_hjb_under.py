"""HJB's update in the gradient's place of another optimizer."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from skbci.optim._closure_optimizer import ClosureOptimizer
from skbci.optim._docs import fill_doc
from skbci.optim._hjb_rule import HJBRule

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT

_INNER = "inner__"


@fill_doc
class HJBUnder(HJBRule):
    r"""Momentum, RMSprop, Adam or any other scheme on the updates of HJB.

    Parameters
    ----------
    %(params)s
    lr : float, default=0.01
        Learning rate :math:`\eta`; the inner optimizer's.
    r : float, default=100.0
        Weight of the control effort, :math:`R = r I`. It cancels under schemes that divide by the
        size of past updates.
    eps : float, default=1e-4
        Added to the gradient's norm in HJB's update.
    inner : torch.optim.Optimizer class, default=torch.optim.SGD
        What makes a step of the update; SGD without momentum makes that of `HJB`.
    lr_schedule : {"theorem-1", "theorem-2"} or None, default=None
        Learning rates of the paper's theorems in place of ``lr``, as for `HJB`.
    n_steps : int, optional
        Number K of steps that will be taken, for "theorem-2".
    %(eps1)s
    %(averaging)s
    **settings
        The inner optimizer's own settings, ``inner__momentum=0.9`` and the like.

    Attributes
    ----------
    inside : torch.optim.Optimizer
        The inner optimizer; its state is the own one.

    Raises
    ------
    TypeError
        If ``inner`` is no optimizer class, or one that asks for the loss itself.
    ValueError
        If a setting is not allowed or unknown; at a step, if the loss is negative or not finite.

    See Also
    --------
    HJB : The update.
    HJBAD : AdaGrad on the update, in the paper's two forms.

    Notes
    -----
    Back propagation's variations take the gradient g and step along it; section II-B (p. 4) of
    [1]_ puts the HJB update :math:`u` of equation (22) where :math:`-g` was, so that equation (23)
    with a momentum term, for example, is

    .. math:: m \leftarrow \mu\, m + u, \qquad w \leftarrow w + \eta\, m .

    Here each parameter's ``grad`` is :math:`-u` while the inner optimizer steps, and the gradient
    again afterwards. As :math:`u` does not depend on the gradient's scale (with ``eps=0``),
    neither do the steps. On an accelerator a bad loss makes :math:`u` zero until its error is
    raised; what the inner optimizer remembers still moves the weights once.

    Names of the estimators' ``optimizer`` are ``"hjb-momentum"`` (0.9), ``"hjb-nesterov"`` (0.9),
    ``"hjb-rmsprop"``, ``"hjb-adam"`` and ``"hjb-adamw"``.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> import torch
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> optimizer = HJBUnder([w], lr=0.1, r=1.0, eps=0.0, inner__momentum=0.5)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * (w**2).sum()  # sqrt(2 P) = |w|: the update is -w
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> w.tolist()
    [2.7, 3.6]
    >>> _ = optimizer.step(closure)
    >>> w.tolist()  # - 0.1 (2.7 + 0.5 * 3)
    [2.28, 3.04]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        r: float = 100.0,
        eps: float = 1e-4,
        *,
        inner: type[Optimizer] = torch.optim.SGD,
        lr_schedule: str | None = None,
        n_steps: int | None = None,
        eps1: float = 1e-8,
        averaging: bool = False,
        **settings: Any,
    ) -> None:
        names = inner_settings(inner)
        unknown = [name for name in settings if name not in names]
        if unknown:
            raise ValueError(
                f"{type(self).__name__}: {unknown[0]}={settings[unknown[0]]!r} is not a setting "
                f"of inner={inner.__name__}; its settings are {', '.join(names)}."
            )
        self.inner: Any = inner
        super().__init__(params, {
            "lr": lr, "r": r, "eps": eps, "lr_schedule": lr_schedule, "n_steps": n_steps,
            "eps1": eps1, "averaging": averaging, **names, **settings,
        })
        self._build()

    def __getstate__(self) -> dict[str, Any]:
        """Save the inner optimizer's class; its state is part of this one's."""
        return {**super().__getstate__(), "inner": self.inner}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the inner optimizer anew."""
        super().__setstate__(state)
        self._build()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, also to the inner optimizer."""
        super().add_param_group(param_group)
        if hasattr(self, "inside"):
            self._build()

    def _build(self) -> None:
        self.inside: Optimizer = self.inner(
            [{"params": group["params"], "lr": group["lr"], **_inside(group)}
             for group in self.param_groups],
            lr=self.defaults["lr"], **_inside(self.defaults),
        )
        for p, started in self.inside.state.items():  # by AdaGrad, for one
            self.state[p] = {**started, **self.state[p]}

    def _update(self, loss: Tensor) -> None:
        found = list(self._hjb_factors(loss))
        if not found:
            return
        inner = self.inside
        inner.state = self.state
        for own, theirs in zip(self.param_groups, inner.param_groups):
            theirs.update(_inside(own), lr=own["lr"])
        kept = [(p, p.grad) for group in self.param_groups for p in group["params"]]
        for group, params, grads, factor, lr in found:
            at = next(n for n, own in enumerate(self.param_groups) if own is group)
            inner.param_groups[at]["lr"] = lr
            for p, against in zip(params, torch._foreach_mul(grads, -factor)):
                p.grad = against
        try:
            inner.step()
        finally:
            for p, gradient in kept:
                p.grad = gradient


def inner_settings(inner: Any) -> dict[str, Any]:
    """Return an inner optimizer's settings, named with their prefix, and their defaults.

    Raises
    ------
    TypeError
        If it is no class of optimizers that step by the gradient alone.
    """
    if not (isinstance(inner, type) and issubclass(inner, Optimizer)):
        raise TypeError(f"inner={inner!r} must be a torch.optim.Optimizer class.")
    if issubclass(inner, (ClosureOptimizer, torch.optim.LBFGS)):
        raise TypeError(
            f"inner={inner.__name__} asks for the loss itself; use a class that steps by the "
            "gradient alone, such as torch.optim.Adam."
        )
    return {
        _INNER + name: parameter.default
        for name, parameter in inspect.signature(inner).parameters.items()
        if name not in ("params", "lr")
    }


def _inside(group: dict[str, Any]) -> dict[str, Any]:
    """Return the inner optimizer's settings among a group's, under its own names."""
    return {
        name.removeprefix(_INNER): value
        for name, value in group.items() if name.startswith(_INNER)
    }
