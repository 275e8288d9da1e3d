"""Center loss: the distance of features from the center of their class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skbci._checks import check_count
from skbci.losses._reduction import (
    check_class_weight,
    check_labels,
    check_reduction,
    reduce_rows,
    row_weights,
)


class CenterLoss(nn.Module):
    r"""Half the squared distance between features and the learned center of their class.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    n_features : int
        Size of the features.
    reduction : {"mean", "sum", "none"}, default="mean"
        Over the rows.
    class_weight : sequence of float, shape (n_classes,), optional
        Multiplies the weights of the rows of each class.

    Attributes
    ----------
    centers : Parameter, shape (n_classes, n_features)
        Drawn from the standard normal distribution.

    Raises
    ------
    ValueError
        If a setting is out of range; when called, if labels or features do not fit.
    TypeError
        If a count is not an integer, or labels are not integers.

    Notes
    -----
    For the features :math:`f_i` of a row of class :math:`y_i`,

    .. math:: \ell_i = \tfrac{1}{2} \lVert f_i - c_{y_i} \rVert^2 ,

    equation (2) of [1]_, averaged over the batch. The centers are parameters like any other: give
    them to the optimizer, with a rate of their own if you like (see the example). The article
    moves each center by the mean over the rows of its class instead of by the gradient; with the
    mean over a batch of n rows, of which :math:`n_j` are of class j, the gradient is that mean
    times :math:`n_j / n`.

    References
    ----------
    .. [1] Y. Wen, K. Zhang, Z. Li, Y. Qiao (2016). A Discriminative Feature Learning Approach for
       Deep Face Recognition. ECCV. doi:10.1007/978-3-319-46478-7_31

    Examples
    --------
    >>> import torch
    >>> loss = CenterLoss(2, 3)
    >>> _ = torch.nn.init.zeros_(loss.centers)
    >>> loss(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]))
    tensor(1.5000, grad_fn=<MeanBackward0>)
    >>> net = torch.nn.Linear(8, 3)
    >>> optimizer = torch.optim.Adam(
    ...     [{"params": net.parameters()}, {"params": loss.parameters(), "lr": 0.5}], lr=1e-3
    ... )
    """

    class_weight: Tensor | None

    def __init__(
        self,
        n_classes: int,
        n_features: int,
        reduction: str = "mean",
        class_weight: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__()
        self.n_classes = check_count(n_classes, "n_classes", "CenterLoss")
        self.n_features = check_count(n_features, "n_features", "CenterLoss")
        self.reduction = check_reduction(reduction)
        self.register_buffer("class_weight", check_class_weight(class_weight, self.n_classes))
        self.centers = nn.Parameter(torch.randn(self.n_classes, self.n_features))

    def forward(
        self, features: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Compare rows with the centers.

        Parameters
        ----------
        features : Tensor, shape (n_rows, ...)
            Flattened to (n_rows, n_features).
        y : Tensor of int, shape (n_rows,)
            Class indices.
        sample_weight : Tensor of shape (n_rows,), optional

        Returns
        -------
        Tensor
            A scalar, or shape (n_rows,) with ``reduction="none"``.
        """
        features = features.flatten(1)
        if features.shape[1] != self.n_features:
            raise ValueError(
                f"CenterLoss: a row has {features.shape[1]} features, but the centers have "
                f"n_features={self.n_features}."
            )
        y = check_labels(y, len(features), self.n_classes, self)
        rows = 0.5 * (features - self.centers[y]).square().sum(1)
        weights = row_weights(sample_weight, self.class_weight, y, rows)
        return reduce_rows(rows, self.reduction, weights)

    def extra_repr(self) -> str:
        """Return the settings for the printed module."""
        return f"{self.n_classes}, {self.n_features}, reduction={self.reduction!r}"
