"""Distances between rows of one class against those between classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skbci._checks import check_choice, check_flag, check_number
from skbci.losses._reduction import check_class_weight, check_labels, check_reduction, row_weights


class SemiHardTripletLoss(nn.Module):
    r"""Triplet loss with semi-hard negatives, mined inside the batch.

    Parameters
    ----------
    margin : float, default=1.0
        By how much a negative should be farther from the anchor than the positive.
    normalize : bool, default=True
        Whether each embedding is divided by its length first, so that distances lie between 0 and
        2.
    negatives : {"all", "closest"}, default="all"
        Whether a pair of anchor and positive is compared with all its semi-hard negatives, or with
        the closest of them (and where it has none, with the farthest negative).
    squared : bool, default=False
        Whether distances are squared.
    reduction : {"mean", "sum", "none"}, default="mean"
        The mean is over all semi-hard triplets, or with ``negatives="closest"`` over all pairs of
        anchor and positive. The sum is the number of rows times it.
        "none" gives each row, as an anchor, its share of that sum.
    class_weight : sequence of float, shape (n_classes,), optional
        Multiplies the weights of the rows of each class.

    Raises
    ------
    ValueError
        If a setting is out of range; when called, if the labels do not fit the embeddings.
    TypeError
        If the labels are not integers.

    Notes
    -----
    Every row is an anchor a in turn, and every other row of its class a positive p. With d the
    Euclidean distance between embeddings and m the margin, a row n of another class is a
    **semi-hard negative** of the pair if it is farther than the positive, and by less than the
    margin [1]_. The loss is the mean over all triplets with such a negative,

    .. math:: L = \frac{1}{|T|} \sum_{(a, p, n) \in T} (d_{ap} - d_{an} + m), \qquad
              T = \{(a, p, n) : d_{ap} < d_{an} < d_{ap} + m\},

    of embeddings of length one, as in the published implementation of AlphaGrad with MIN2Net
    [2]_. There are at most about n cubed triplets of n rows; they are summed, not listed.

    With ``negatives="closest"`` there is one negative for each pair, the **closest row of another
    class that is farther than the positive**; if none is, it is the farthest row of another class:

    .. math:: n(a, p) = \begin{cases}
              \arg\min \{ d_{an} : y_n \ne y_a,\ d_{an} > d_{ap} \} & \text{if there is one} \\
              \arg\max \{ d_{an} : y_n \ne y_a \} & \text{otherwise,}
              \end{cases}

    .. math:: L = \frac{1}{|P|} \sum_{(a, p) \in P}
              \max\bigl(d_{ap} - d_{a\,n(a,p)} + m,\ 0\bigr).

    A batch of one row, without two rows of one class, of one class only, or (with "all") without a
    semi-hard negative, has no triplet: the loss is zero, and so is its gradient.

    With weights, a triplet weighs :math:`w_a w_p w_n`, a pair with its closest negative
    :math:`w_a w_p`, and rows of weight zero are not there at all.
    Memory and time are of the order of n squared (times log n) for n rows.

    References
    ----------
    .. [1] F. Schroff, D. Kalenichenko, J. Philbin (2015). FaceNet: A Unified Embedding for Face
       Recognition and Clustering. CVPR. doi:10.1109/CVPR.2015.7298682
    .. [2] https://github.com/xydxdy/AlphaGrad

    Examples
    --------
    >>> import torch
    >>> embedding = torch.tensor([[0.0], [1.0], [1.5], [9.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> SemiHardTripletLoss(normalize=False)(embedding, y)  # of 1.0 and 1.5 as seen from 0.0
    tensor(0.5000)
    >>> loss = SemiHardTripletLoss(normalize=False, negatives="closest", reduction="none")
    >>> loss(embedding, y)  # the third row has no negative beyond its positive
    tensor([0.5000, 0.0000, 7.0000, 0.5000])
    """

    class_weight: Tensor | None

    def __init__(
        self,
        margin: float = 1.0,
        *,
        normalize: bool = True,
        negatives: str = "all",
        squared: bool = False,
        reduction: str = "mean",
        class_weight: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__()
        self.margin = check_number(margin, "margin", self, low=0)
        check_choice(negatives, "negatives", self, ("all", "closest"))
        check_flag(normalize, "normalize", self)
        check_flag(squared, "squared", self)
        self.negatives = negatives
        self.normalize = normalize
        self.squared = squared
        self.reduction = check_reduction(reduction)
        self.register_buffer("class_weight", check_class_weight(class_weight))

    def forward(
        self, embedding: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Compare rows with each other.

        Parameters
        ----------
        embedding : Tensor, shape (n_rows, ...)
            Flattened to (n_rows, n_features).
        y : Tensor of int, shape (n_rows,)
            Class indices.
        sample_weight : Tensor of shape (n_rows,), optional

        Returns
        -------
        Tensor
            A scalar, or shape (n_rows,) with ``reduction="none"``.
        """
        embedding = embedding.flatten(1)
        n_known = None if self.class_weight is None else len(self.class_weight)
        y = check_labels(y, len(embedding), n_known, self)
        weights = row_weights(sample_weight, self.class_weight, y, embedding)
        if self.normalize:
            embedding = nn.functional.normalize(embedding)
        # The direct mode: by matrix products the distance of equal rows would not be zero.
        distance = torch.cdist(
            embedding, embedding, compute_mode="donot_use_mm_for_euclid_dist"
        )
        if self.squared:
            distance = distance.square()
        share = self._all if self.negatives == "all" else self._closest
        rows = share(distance, y, weights)
        if self.reduction == "none":
            return rows
        if self.reduction == "sum":
            return rows.sum()
        return rows.sum() / max(1, len(rows))

    def _all(self, distance: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        """Compute each anchor's share of the loss; the mean over rows is the mean over triplets.

        The negatives of an anchor that lie in a pair's window are a stretch of those sorted by
        distance; their number and the sum of their distances are differences of running sums.
        """
        own = torch.ones_like(distance[0]) if weights is None else weights
        same = y[:, None] == y[None, :]
        pairs = (same * torch.outer(own, own)).fill_diagonal_(0)
        other = ~same & (own > 0)[None, :]
        # Windows in the precision of the distances, sums in double.
        seen = distance.detach()
        placed, order = torch.where(other, seen, torch.inf).sort(dim=1)
        first = torch.searchsorted(placed, seen.contiguous(), right=True)
        end = torch.searchsorted(placed, (seen + self.margin).contiguous()).maximum(first)
        counted = torch.where(other, own[None, :], 0).gather(1, order).double()
        far = distance.gather(1, order).double()
        number = _between(counted, first, end)
        reach = _between(counted * far, first, end)
        hinges = number * (distance + self.margin) - reach
        total = (pairs * number).sum()
        total = torch.where(total > 0, total, torch.ones_like(total))
        return ((pairs * hinges).sum(1) * (len(y) / total)).to(distance.dtype)

    def _closest(self, distance: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        """Compute each anchor's share of the loss; the mean over rows is the mean over pairs."""
        n_rows = len(y)
        same = y[:, None] == y[None, :]
        other = ~same
        if weights is None:
            pair_weight = same.to(distance).fill_diagonal_(0)
        else:
            pair_weight = (same * torch.outer(weights, weights)).fill_diagonal_(0)
            other = other & (weights > 0)[None, :]
        negative, exists = _semi_hard_negative(distance.detach(), other)
        pair_weight = pair_weight * exists[:, None]
        hinge = torch.relu(distance - distance.gather(1, negative) + self.margin)
        total = pair_weight.sum()
        total = torch.where(total > 0, total, torch.ones_like(total))
        return (pair_weight * hinge).sum(1) * (n_rows / total)

    def extra_repr(self) -> str:
        """Return the settings for the printed module."""
        return (
            f"margin={self.margin:g}, normalize={self.normalize}, "
            f"negatives={self.negatives!r}, squared={self.squared}, reduction={self.reduction!r}"
        )


def _between(values: Tensor, first: Tensor, end: Tensor) -> Tensor:
    """Sum each row's values from the places ``first`` up to ``end``."""
    sums = nn.functional.pad(values.cumsum(1), (1, 0))
    return sums.gather(1, end) - sums.gather(1, first)


def _semi_hard_negative(distance: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return each (anchor, row) pair's negative, and which anchors have one at all.

    Negatives are sorted once by their distance to the anchor; a binary search then finds the
    first that is farther than the positive.
    """
    count = other.sum(1)
    sorted_distance, order = torch.where(other, distance, torch.inf).sort(dim=1)
    place = torch.searchsorted(sorted_distance, distance.contiguous(), right=True)
    place = torch.minimum(place, (count - 1).clamp_min(0)[:, None])
    return order.gather(1, place), count > 0
