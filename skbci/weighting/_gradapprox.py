"""Weights from slopes of training and validation losses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_choice, check_count, check_number, check_positive
from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence
from skbci.weighting._slopes import SLOPE_POLICIES


class GradApprox(WeightingPolicy):
    r"""Approximated gradient blending: weights from how losses generalize, epoch by epoch.

    Parameters
    ----------
    policy : str, default="historical-tangent"
        How a loss is judged: "historical-tangent" (slopes against the best validation slope so
        far), "tangent" (slopes), "secant" (means against the best validation mean so far),
        "threshold" (the losses themselves) or "ratio" (the inverse of the validation loss).
    warmup : int, default=2
        Epochs with equal weights at the start; at least 2, as a slope needs.
    overlap : float, default=1.0
        Over how many epochs' worth of batches the losses are averaged.
    minimum : float, default=1e-5
        Weights are clipped from below here, before they are scaled to sum to K.

    Notes
    -----
    With :math:`b_t` training and :math:`b_v` validation batches an epoch,
    :math:`n_t = \max(1, \lfloor b_t \cdot \text{overlap} \rfloor)` and :math:`n_v` likewise. After
    each epoch, each loss's per-batch values are averaged over the last :math:`n_t` training
    batches, and over the last :math:`n_v` validation batches, which gives one value per epoch for
    each of the two. Straight lines through the last :math:`n_t` (at least two) of the training's
    values, and through the last :math:`n_v` (at least two) of the validation's, have the slopes
    :math:`s_t` and :math:`s_v`. Then

    .. math:: O = (s_v - s_t) - (s_{v0} - s_{t0}), \qquad G = s_v - s_{v0}, \qquad
              u_k = \max\Bigl(\frac{G}{O^2 + 10^{-6}},\ 0\Bigr),

    O for overfitting and G for generalization, and the weights are u scaled to sum to K. If all u
    are zero, the old weights stay. The reference :math:`(s_{t0}, s_{v0})` is first that of the
    epoch before, and moves to :math:`(s_t, s_v)` whenever the validation slope is smaller than
    the reference's. "secant" has means in place of slopes; "tangent" has
    :math:`O = s_v - s_t` and :math:`G = s_v`; "threshold" averages
    :math:`v / ((v - t)^2 + 10^{-6})` over the last :math:`\min(n_t, n_v)` values; "ratio" is one
    over the mean of the last :math:`n_v` validation values. The numbers of batches are those of
    the first epoch.

    The gradient blending that this approximates is in [1]_, the approximation from the losses'
    histories in [2]_.

    References
    ----------
    .. [1] W. Wang, D. Tran, M. Feiszli (2020). What Makes Training Multi-Modal Classification
       Networks Hard? CVPR. doi:10.1109/CVPR42600.2020.01271
    .. [2] H. Phan et al. (2022). XSleepNet: Multi-View Sequential Model for Automatic Sleep
       Staging. IEEE Transactions on Pattern Analysis and Machine Intelligence.
       doi:10.1109/TPAMI.2021.3070057

    Examples
    --------
    >>> policy = GradApprox(minimum=0.2).start(2)
    >>> for epoch in range(4):
    ...     train = [1.0 - 0.1 * epoch, 1.0 - 0.1 * epoch]
    ...     valid = [1.0, 1.0 - 0.1 * epoch + 0.05 * epoch**2]
    ...     weights = policy.on_epoch(train, valid)
    >>> weights.round(3).tolist()
    [0.182, 1.818]
    """

    acts_on = "epoch"
    needs_validation = True
    memory = ("_train", "_valid", "_series", "_spans", "_references", "_epoch")

    def __init__(
        self,
        policy: str = "historical-tangent",
        warmup: int = 2,
        overlap: float = 1.0,
        minimum: float = 1e-5,
    ) -> None:
        check_choice(policy, "policy", self, list(SLOPE_POLICIES))
        check_count(warmup, "warmup", self, low=2)
        check_positive(overlap, "overlap", self)
        check_number(minimum, "minimum", self, low=0, high=1, closed="neither")
        self.policy = policy
        self.warmup = warmup
        self.overlap = overlap
        self.minimum = minimum

    def _start(self, n_losses: int) -> None:
        self._train = np.empty((0, n_losses))
        self._valid = np.empty((0, n_losses))
        self._series: list[tuple[list[float], list[float]]] = []
        self._spans: tuple[int, int] | None = None
        self._references: list[tuple[float, float] | None] = [None] * n_losses
        self._epoch = 0

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Weigh by the slopes so far."""
        assert seen.train_losses is not None
        assert seen.valid_losses is not None
        if self._spans is None:
            self._spans = (
                max(1, int(len(seen.train_losses) * self.overlap)),
                max(1, int(len(seen.valid_losses) * self.overlap)),
            )
        in_train, in_valid = self._spans
        self._train = np.concatenate([self._train, seen.train_losses])[-in_train:]
        self._valid = np.concatenate([self._valid, seen.valid_losses])[-in_valid:]
        self._series.append((self._train.mean(0).tolist(), self._valid.mean(0).tolist()))
        self._series = self._series[-max(2, *self._spans) - 1 :]
        self._epoch += 1
        if self._epoch <= self.warmup:
            return self.weights_
        judge = SLOPE_POLICIES[self.policy]
        series = np.array(self._series)  # epoch x (training, validation) x loss
        shares = []
        for k in range(len(self.weights_)):
            share, self._references[k] = judge(
                series[:, 0, k], series[:, 1, k], self._spans, self._references[k]
            )
            shares.append(share)
        total = sum(shares)
        if total == 0:
            return self.weights_
        scaled = np.array(shares) / total * len(shares)
        return rescale(np.maximum(scaled, self.minimum))
