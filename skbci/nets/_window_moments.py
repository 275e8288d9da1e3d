"""Mean and variance of a convolution's output, without the output."""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import Tensor


@torch.no_grad()
def window_moments(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    r"""Compute the first two moments of all windows of some signals.

    Parameters
    ----------
    x : Tensor, shape (n_rows, n_signals, n_times)
    size : int
        Samples k of a window; odd.

    Returns
    -------
    mean : Tensor of float64, shape (n_signals * k,)
    second : Tensor of float64, shape (n_signals * k, n_signals * k)
        Not centered.

    Notes
    -----
    A window around the sample t holds :math:`x_b(t + i - p)`, with :math:`p = (k - 1) / 2` and
    zeros beyond the ends. The output of a convolution of kernel w with "same" padding is the inner
    product of w with these windows; over all rows and samples its mean is :math:`w^T m` and its
    second moment :math:`w^T A w`, with the mean m and second moment A of the windows.

    Over all t, also beyond the ends, the sum of :math:`x_b(t + i - p)\, x_c(t + j - p)` depends on
    the lag :math:`j - i` only: it is the correlation that one FFT gives. Windows around samples
    beyond either end hold few samples each, and are taken off again.
    """
    n_rows, n_signals, n_times = x.shape
    half = (size - 1) // 2
    second = _all_windows(x, size)
    second -= _windows_before(x, size)
    second -= _windows_before(x.flip(-1), size).flip(2, 3)
    total = n_rows * n_times
    width = n_signals * size
    second = second.transpose(1, 2).reshape(width, width) / total
    sums = x.sum(0, dtype=torch.float64).cumsum(-1)
    sums = torch.nn.functional.pad(sums, (1, 0))
    shift = torch.arange(size, device=x.device) - half
    mean = sums[:, (n_times + shift).clamp(0, n_times)] - sums[:, shift.clamp(0, n_times)]
    return mean.reshape(width) / total, second


def _all_windows(x: Tensor, size: int) -> Tensor:
    """Sum over windows around all samples, signal x signal x k x k."""
    n_fft = next_fast_len(x.shape[-1] + size - 1, real=True)
    spectrum = torch.fft.rfft(x, n=n_fft).permute(2, 1, 0)  # frequency x signal x row
    power = torch.bmm(spectrum, spectrum.mH)  # x_b conj(x_c)
    correlation = torch.fft.irfft(power.to(torch.complex128).permute(2, 1, 0), n=n_fft)
    # correlation[c, b](lag) is the sum over u of x_b(u + lag) x_c(u)
    steps = torch.arange(size, device=x.device)
    return correlation[..., (steps[None, :] - steps[:, None]) % n_fft]


def _windows_before(x: Tensor, size: int) -> Tensor:
    """Sum over windows around the samples before the first, signal x signal x k x k."""
    half = (size - 1) // 2
    first = x[..., :half].to(torch.float64)
    first = torch.nn.functional.pad(first, (0, half - first.shape[-1]))
    n_rows, n_signals = first.shape[:2]
    flat = first.reshape(n_rows, -1)
    products = (flat.T @ flat).reshape(n_signals, half, n_signals, half).transpose(1, 2)
    sums = products.new_zeros(n_signals, n_signals, size, size)
    sums[:, :, half + 1 :, half + 1 :] = products
    for i in range(half + 2, size):  # the window around one sample earlier, one step on
        sums[:, :, i, half + 2 :] += sums[:, :, i - 1, half + 1 : -1]
    return sums
