"""A depthwise convolution along time as a product of spectra, some rows at a time."""

from __future__ import annotations

from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["spectral_conv"]

# Numbers of a piece's output: what is computed of it then stays in a core's cache.
_PIECE = 2**18


def spectral_conv(x: Tensor, weight: Tensor, left: int, right: int) -> Tensor:
    r"""Convolve each channel with kernels of its own, along the last axis.

    .. math:: y_{cd}(t) = \sum_{j=0}^{k-1} w_{cd}(j)\, x_c(t + j - l)

    Parameters
    ----------
    x : Tensor, shape (n_rows, n_in, n_heights, n_times)
    weight : Tensor, shape (n_in, n_kernels, k)
        Of the type of ``x``.
    left, right : int
        Zeros before, l, and after the signal.

    Returns
    -------
    Tensor, shape (n_rows, n_in * n_kernels, n_heights, n_times + left + right - k + 1)
    """
    return _SpectralConv.apply(x, weight, left, right).flatten(1, 2)


class _SpectralConv(torch.autograd.Function):
    """With :math:`v(j) = w(k - 1 - j)`, outputs are a stretch of the full convolution of x and v.

    The stretch begins at ``skip``; padding beyond the kernel's length gives ``n_zeros`` outputs of
    0 before it. Spectra over ``n_fft`` samples are long enough for no wrapped sample to be in it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, left: int, right: int) -> Tensor:
        n_rows, n_in, n_heights, n_times = x.shape
        _, n_kernels, size = weight.shape
        n_out = n_times + left + right - size + 1
        skip, n_zeros = max(size - 1 - left, 0), max(left - size + 1, 0)
        stop = skip + n_out - n_zeros
        n_fft = next_fast_len(max(n_times + size - 1 - skip, stop, n_times, size), real=True)
        n_piece = max(1, _PIECE // (n_in * n_kernels * n_heights * n_fft))
        ctx.save_for_backward(x, weight)
        ctx.sizes = n_fft, skip, n_zeros, n_piece
        filters = _filters(weight, n_fft)
        y = x.new_empty(n_rows, n_in, n_kernels, n_heights, n_out)
        y[..., :n_zeros] = 0
        for rows, piece in zip(x.split(n_piece), y.split(n_piece)):
            full = torch.fft.irfft(torch.fft.rfft(rows, n=n_fft)[:, :, None] * filters, n=n_fft)
            piece[..., n_zeros:] = full[..., skip:stop]
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        n_fft, skip, n_zeros, n_piece = ctx.sizes
        filters = _filters(weight, n_fft).conj()
        sums = torch.zeros_like(filters[:, :, 0])
        of_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        at = (torch.arange(x.shape[-1]) - skip) % n_fft
        for start in range(0, len(x), n_piece):
            piece = slice(start, start + n_piece)
            spectra = torch.fft.rfft(grad[piece, ..., n_zeros:], n=n_fft)
            if of_x is not None:
                of_x[piece] = torch.fft.irfft((spectra * filters).sum(2), n=n_fft)[..., at]
            if ctx.needs_input_grad[1]:
                rows = torch.fft.rfft(x[piece], n=n_fft)[:, :, None]
                sums += (spectra * rows.conj()).sum((0, 3))
        if not ctx.needs_input_grad[1]:
            return of_x, None, None, None
        lags = (torch.arange(weight.shape[-1]) - skip) % n_fft
        return of_x, torch.fft.irfft(sums, n=n_fft)[..., lags].flip(-1), None, None


def _filters(weight: Tensor, n_fft: int) -> Tensor:
    """Spectra of the kernels turned round, with an axis for heights."""
    return torch.fft.rfft(weight.flip(-1), n=n_fft)[:, :, None]
