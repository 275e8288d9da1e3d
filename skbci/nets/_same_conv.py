"""Convolution along time that keeps the length, by FFT on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from skbci.nets._tracing import being_traced


class SameConv1d(nn.Conv1d):
    r"""`torch.nn.Conv1d` with ``padding="same"``; on the CPU it multiplies spectra.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
    bias : bool, default=True

    Notes
    -----
    For a kernel of k samples, :math:`l = \lfloor (k-1)/2 \rfloor` zeros are put before the signal
    and :math:`k - 1 - l` after it:

    .. math:: y_o(t) = b_o + \sum_{i} \sum_{j=0}^{k-1} w_{oi}(j)\, x_i(t + j - l) .

    With spectra over at least :math:`T + k - 1 - l` samples this is one complex matrix product for
    each frequency, forward and backward. That is several times faster than the direct sum for the
    long kernels of EEG networks, and it does not touch the CPU convolution of torch 2.13, which
    writes out of bounds in its backward pass if the kernel is much longer than the signal.

    Examples
    --------
    >>> import torch
    >>> conv = SameConv1d(1, 1, 4, bias=False)
    >>> _ = torch.nn.init.ones_(conv.weight)
    >>> conv(torch.tensor([[[1.0, 0.0, 0.0, 0.0, 0.0]]])).round().abs().tolist()
    [[[1.0, 1.0, 0.0, 0.0, 0.0]]]
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Filter rows.

        Parameters
        ----------
        x : Tensor, shape (n_rows, in_channels, n_times)

        Returns
        -------
        Tensor, shape (n_rows, out_channels, n_times)
        """
        return same_conv1d(x, self.weight, self.bias)


def same_conv1d(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve (n_rows, n_in, n_times) with (n_out, n_in, k), keeping the length."""
    by_fft = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    if not by_fft or weight.dtype != x.dtype or being_traced():
        left, right = paddings(weight.shape[-1])
        return nn.functional.conv1d(nn.functional.pad(x, (left, right)), weight, bias)
    n_fft = next_fast_len(x.shape[-1] + max(paddings(weight.shape[-1])), real=True)
    spectrum = _spectra(x.detach(), n_fft)
    y = _Filtered.apply(x, spectrum, _filter_spectra(weight.detach(), n_fft), n_fft)
    if weight.requires_grad and torch.is_grad_enabled():
        y = _Joined.apply(y, _WeightGradient.apply(weight, spectrum, y.shape, n_fft))
    return y if bias is None else y + bias[:, None]


def paddings(kernel_size: int) -> tuple[int, int]:
    """Zeros before and after the signal; an even kernel's odd zero comes after it."""
    left = (kernel_size - 1) // 2
    return left, kernel_size - 1 - left


# The gradients in the signal and in the weight are nodes of their own. A backward pass that goes
# through the layer, to a parameter beneath it, then leaves out the weight's, as with torch's own.


class _Filtered(torch.autograd.Function):
    """The convolution, with its gradient in the signal."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, spectrum: Tensor, filters: Tensor, n_fft: int) -> Tensor:
        ctx.save_for_backward(filters)
        ctx.sizes = n_fft, x.shape[-1]
        return _signals(torch.bmm(spectrum, filters), *ctx.sizes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (filters,) = ctx.saved_tensors
        of_grad = _spectra(grad, ctx.sizes[0])
        return _signals(torch.bmm(of_grad, filters.mH), *ctx.sizes), None, None, None


class _WeightGradient(torch.autograd.Function):
    """Zeros of the output's shape, whose gradient is that of the weight."""

    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, spectrum: Tensor, shape: torch.Size, n_fft: int
    ) -> Tensor:
        ctx.save_for_backward(spectrum)
        ctx.sizes = n_fft, weight.shape[-1]
        return weight.new_zeros(()).expand(shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (spectrum,) = ctx.saved_tensors
        n_fft, size = ctx.sizes
        lags = torch.bmm(_spectra(grad, n_fft).mH, spectrum)  # frequency x out x in
        lags = torch.fft.irfft(lags.permute(1, 2, 0), n=n_fft)
        left, right = paddings(size)
        return torch.cat([lags[..., n_fft - left :], lags[..., : right + 1]], -1), None, None, None


class _Joined(torch.autograd.Function):
    """The first of two tensors, whose gradient goes to both."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, nothing: Tensor) -> Tensor:
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return grad, grad


def _spectra(x: Tensor, n_fft: int) -> Tensor:
    return torch.fft.rfft(x, n=n_fft).permute(2, 0, 1).contiguous()


def _filter_spectra(weight: Tensor, n_fft: int) -> Tensor:
    """Conjugate spectra, frequency x in x out, of the kernels with their middle at time zero."""
    left, right = paddings(weight.shape[-1])
    circular = weight.new_zeros(*weight.shape[:-1], n_fft)
    circular[..., : right + 1] = weight[..., left:]
    if left:
        circular[..., -left:] = weight[..., :left]
    return torch.fft.rfft(circular).permute(2, 1, 0).conj().resolve_conj().contiguous()


def _signals(spectrum: Tensor, n_fft: int, n_times: int) -> Tensor:
    return torch.fft.irfft(spectrum.permute(1, 2, 0), n=n_fft)[..., :n_times]
