"""Depthwise convolution along time that keeps the length, by FFT on the CPU."""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from skbci.nets._same_conv import paddings
from skbci.nets._tracing import being_traced


class SameDepthwiseConv1d(nn.Conv1d):
    r"""Depthwise `torch.nn.Conv1d` with ``padding="same"``; on the CPU it multiplies spectra.

    Parameters
    ----------
    channels : int
        Number of signals, each with a kernel of its own; there is no bias.
    kernel_size : int

    Notes
    -----
    .. math:: y_c(t) = \sum_{j=0}^{k-1} w_c(j)\, x_c(t + j - \lfloor (k-1)/2 \rfloor)

    The zeros around the signal are as in `SameConv1d`. Torch's own depthwise convolution takes
    four to six times as long on the CPU for kernels of some ten samples.

    Examples
    --------
    >>> import torch
    >>> conv = SameDepthwiseConv1d(2, 3)
    >>> _ = torch.nn.init.ones_(conv.weight)
    >>> conv(torch.eye(2, 4)[None]).round().abs().tolist()
    [[[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]]]
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__(channels, channels, kernel_size, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Filter rows.

        Parameters
        ----------
        x : Tensor, shape (n_rows, channels, n_times)

        Returns
        -------
        Tensor, shape (n_rows, channels, n_times)
        """
        left, right = paddings(self.kernel_size[0])
        by_fft = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
        if not by_fft or self.weight.dtype != x.dtype or being_traced():
            return super().forward(nn.functional.pad(x, (left, right)))
        n_times = x.shape[-1]
        n_fft = next_fast_len(n_times + self.kernel_size[0] - 1, real=True)
        kernels = torch.fft.rfft(self.weight[:, 0].flip(-1), n=n_fft)
        full = torch.fft.irfft(torch.fft.rfft(x, n=n_fft) * kernels, n=n_fft)
        return full[..., right : right + n_times]
