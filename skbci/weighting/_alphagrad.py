"""Normalized gradient descent on the weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_choice, check_count, check_number, check_positive, is_number
from skbci._docs import fill_references
from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence, Floats
from skbci.weighting._simplex import project

CONSTRAINTS = ("rescale", "project", "lead")
# Part of a new gradient norm that enters the running mean: it remembers about ten batches.
_NEW = 0.1
# Part of the leading weight that any other keeps: weights stay positive whatever the norms are.
_LEAST = 1e-9


@fill_references
class AlphaGrad(WeightingPolicy):
    r"""AlphaGrad: less weight to the loss whose gradient is largest, batch by batch.

    Parameters
    ----------
    lr : float, default=0.01
        Learning rate :math:`\alpha`; the length of each step, before the constraint.
    p : float, default=2
        Order of the norms; 1, 2 or ``inf``, say.
    minimum : float, default=1e-4
        Weights are clipped from below here, before the limits that a leading loss sets.
    constraint : {"rescale", "project", "lead"}, default="rescale"
        How the weights are brought back to the sum K: by scaling, the published rule, or by one of
        this package's own remedies, Euclidean projection, or scaling under the lead of one loss.
    lead : int, default=0
        With ``constraint="lead"``: place of the loss that leads, as a rule the classification's.
    pull : float, default=0.1
        With ``constraint="lead"``: how hard any other loss may pull on the shared layer, as a part
        of what the leading one pulls.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Warns
    -----
    LossCollapseWarning
        When one loss, and not the leading one, has more than 95 % of all weight.

    Notes
    -----
    For the losses :math:`L_k` with the weights :math:`w_k`, and :math:`\theta` the weight of the
    last layer that all heads share,

    .. math:: g_k = \lVert \nabla_\theta (w_k L_k) \rVert_p, \qquad
              v = w - \alpha \frac{g}{\lVert g \rVert_p + 10^{-7}}, \qquad
              u = \max(v, m), \qquad w \leftarrow \frac{K u}{\sum_j u_j},

    before the weighted sum of each batch is back-propagated [1]_. As
    :math:`g_k = w_k \lVert \nabla_\theta L_k \rVert_p`, no second-order graph is built.

    **Where it ends.** With norms :math:`n_k = \lVert \nabla_\theta L_k \rVert` that stay as they
    are, the published rule is replicator dynamics: with unequal norms it rests only at the
    corners, and the loss with the *smallest* gradient gets all weight but for the floor m
    (1 : 0.9 : 0.8 ends near (0, 0, 3)). Only the gradients' own growth holds against that. A
    network whose classification loss is not the one with the smallest gradient stops learning to
    classify.

    With ``constraint="project"`` the last two steps are one, the Euclidean projection of v onto
    :math:`\{w : w_k \ge m, \sum_k w_k = K\}`. It takes the same amount from every weight instead
    of the same share, and rests where all :math:`w_k n_k` are equal,

    .. math:: w_k = \frac{K / n_k}{\sum_j 1 / n_j},

    wherever the weights start; losses then pull equally hard on the shared layer. The step of
    fixed length settles there while norms differ by less than a factor of about
    :math:`2\sqrt{K}/\alpha`.

    **Under a lead.** Equal pull still gives two auxiliary losses twice the say of the
    classification, and a loss whose gradient has vanished takes weight that is of no use to it.
    With ``constraint="lead"`` and the running means :math:`\bar n_k` of the norms, the published
    step is followed by

    .. math:: u_k \leftarrow \min\Big(u_k,\; u_l \min\big(1, \rho\, \bar n_l / \bar n_k\big)\Big),
              \qquad k \ne l,

    and then scaled. No loss then has more weight than the leading one l, whose weight is at least
    1, nor pulls harder than :math:`\rho` times as hard: weights cannot collapse. A loss of another
    scale, such as a center loss summed over a thousand features, gets the small weight that it
    needs. :math:`\rho \to 0` is the leading loss alone.

    References
    ----------
    .. [1] %(alphagrad_paper)s

    Examples
    --------
    Any torch loop takes it in five lines:

    >>> import torch
    >>> X = torch.ones(8, 3)
    >>> shared, head_1, head_2 = (torch.nn.Linear(a, b) for a, b in ((3, 2), (2, 2), (2, 3)))
    >>> policy = AlphaGrad(lr=0.01).start(2)
    >>> for _ in range(3):  # the batches
    ...     losses = [head_1(shared(X)).square().mean(), (head_2(shared(X)) - X).square().mean()]
    ...     weights = policy.on_batch(losses, shared.weight)
    ...     torch.dot(weights, torch.stack(losses)).backward()  # then the optimizer's step
    >>> round(float(weights.sum()), 6)
    2.0

    Norms that stay as they are, in the ratio 2 : 1, under each constraint:

    >>> import warnings
    >>> warnings.simplefilter("ignore", category=UserWarning)  # of the collapse
    >>> for constraint in ("rescale", "project", "lead"):
    ...     policy = AlphaGrad(constraint=constraint).start(2)
    ...     for _ in range(1000):
    ...         w = policy.update([1.0, 1.0], gradients=[[2.0], [1.0]])
    ...     print(w.round(2))
    [0.01 1.99]
    [0.67 1.33]
    [1.67 0.33]
    """

    uses_gradients = True
    memory = ("mean_norms_",)

    mean_norms_: Floats | None

    def __init__(
        self,
        lr: float = 0.01,
        p: float = 2,
        minimum: float = 1e-4,
        constraint: str = "rescale",
        lead: int = 0,
        pull: float = 0.1,
    ) -> None:
        check_positive(lr, "lr", self)
        check_number(minimum, "minimum", self, low=0, high=1, closed="neither")
        if not (is_number(p) and p == math.inf):
            check_number(p, "p", self, low=1, also="inf")
        check_choice(constraint, "constraint", self, CONSTRAINTS)
        self.lr = lr
        self.p = p
        self.minimum = minimum
        check_positive(pull, "pull", self)
        check_count(lead, "lead", self, low=0)
        self.constraint = constraint
        self.lead = lead
        self.pull = pull

    def _start(self, n_losses: int) -> None:
        if self.constraint == "lead" and self.lead >= n_losses:
            raise ValueError(
                f"AlphaGrad: lead={self.lead} is the place of no loss; there are {n_losses}."
            )
        self.mean_norms_ = None

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Take one step against the weighted gradients' norms."""
        norms: Floats = (
            self.gradient_norms_ if self.p == 2 else seen.gradients.norms(self.p)  # type: ignore[assignment]
        )
        g = self.weights_ * norms
        stepped = self.weights_ - self.lr * g / (np.linalg.norm(g, ord=self.p) + 1e-7)
        if self.constraint == "project":
            return project(stepped, total=len(stepped), minimum=self.minimum)
        clipped = np.maximum(stepped, self.minimum)
        if self.constraint == "lead":
            clipped = np.minimum(clipped, self._limits(norms, float(clipped[self.lead])))
        return rescale(clipped)

    def _is_meant(self, largest: int) -> bool:
        return self.constraint == "lead" and largest == self.lead

    def _limits(self, norms: Floats, leading: float) -> Floats:
        """The most that each weight may be while the leading one is as given."""
        old = norms if self.mean_norms_ is None else self.mean_norms_
        self.mean_norms_ = mean = (1 - _NEW) * old + _NEW * norms
        allowed = self.pull * mean[self.lead]
        share = np.divide(allowed, mean, out=np.ones_like(mean), where=mean > allowed)
        share[self.lead] = 1.0
        return leading * np.maximum(share, _LEAST)
