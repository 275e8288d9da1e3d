"""Reconstruction loss: the distance of a reconstruction from the input."""

from __future__ import annotations

from torch import Tensor, nn

from skbci.losses._reduction import check_reduction, reduce_rows, row_weights


class ReconstructionLoss(nn.Module):
    r"""Mean squared error between a reconstruction and the input.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        Over the rows; each row's own value is the mean over all that it holds.

    Raises
    ------
    ValueError
        If the reduction is unknown; when called, if the shapes differ.

    Notes
    -----
    For the row :math:`x_i` of M values (channels times samples) and its reconstruction
    :math:`\hat x_i`,

    .. math:: \ell_i = \frac{1}{M} \lVert x_i - \hat x_i \rVert^2 .

    Examples
    --------
    >>> import torch
    >>> X = torch.zeros(2, 3, 4)
    >>> ReconstructionLoss()(X + 0.5, X)
    tensor(0.2500)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = check_reduction(reduction)

    def forward(
        self, reconstruction: Tensor, X: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Compare rows.

        Parameters
        ----------
        reconstruction, X : Tensor, shape (n_rows, ...)
        sample_weight : Tensor of shape (n_rows,), optional

        Returns
        -------
        Tensor
            A scalar, or shape (n_rows,) with ``reduction="none"``.
        """
        if reconstruction.shape != X.shape:
            raise ValueError(
                f"ReconstructionLoss: the reconstruction has the shape "
                f"{tuple(reconstruction.shape)}, the input {tuple(X.shape)}; they must agree."
            )
        if sample_weight is None and self.reduction == "mean":
            return nn.functional.mse_loss(reconstruction, X)
        rows = (reconstruction - X).square().flatten(1).mean(1)
        return reduce_rows(rows, self.reduction, row_weights(sample_weight, None, None, rows))

    def extra_repr(self) -> str:
        """Return the settings for the printed module."""
        return f"reduction={self.reduction!r}"
