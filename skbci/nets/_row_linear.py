"""A dense layer that gives a row what it gives it alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skbci.nets._tracing import being_traced


class RowLinear(nn.Linear):
    r"""`torch.nn.Linear` whose predictions do not depend on how many rows there are.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool, default=True

    Notes
    -----
    A matrix product of few rows sums in another order than one of many. Over hundreds of
    log-variances far from zero that is :math:`10^{-6}` of a probability in single precision. So in
    evaluation the sums are in double precision, and rounded once.

    Examples
    --------
    >>> import torch
    >>> layer = RowLinear(288, 2).eval()
    >>> x = torch.randn(40, 288)
    >>> bool((layer(x)[:3] - layer(x[:3])).abs().max() < 1e-7)
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        """Compute as `torch.nn.Linear`.

        Parameters
        ----------
        input : Tensor, shape (..., in_features)

        Returns
        -------
        Tensor, shape (..., out_features)
        """
        as_ever = self.training or input.dtype != torch.float32 or being_traced()
        if as_ever or input.device.type not in ("cpu", "cuda"):
            return super().forward(input)
        bias = None if self.bias is None else self.bias.double()
        return nn.functional.linear(input.double(), self.weight.double(), bias).to(input.dtype)
