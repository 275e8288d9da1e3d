"""Batch normalization, swish and log-variance in segments of time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from skbci.nets._batch_norm import running, update_running
from skbci.nets._tracing import being_traced

_LIMITS = (1e-6, 1e6)
# Values that are worked on at once: a few such pieces stay in a core's cache.
_PIECE = 1 << 17
# A mean of so many standard deviations: beyond it the variance takes a second pass.
_MOST_OFFSET = 3.0


class NormedLogVariance(nn.Module):
    r"""Logarithm of the variance in equal parts of time, after batch normalization and swish.

    Parameters
    ----------
    n_maps : int
    n_segments : int

    Notes
    -----
    For the normalized map z, :math:`h = z / (1 + e^{-z})`, and within each segment
    :math:`\log \min(\max(\operatorname{var} h, 10^{-6}), 10^6)`, the variance being the unbiased
    one. On the CPU all of it is done piece by piece, with the gradient written out by hand, as the
    time goes into moving the maps between memory and core.
    """

    def __init__(self, n_maps: int, n_segments: int) -> None:
        super().__init__()
        self.n_segments = n_segments
        self.norm = nn.BatchNorm1d(n_maps)

    def forward(self, x: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        x : Tensor, shape (n_rows, n_maps, n_times)

        Returns
        -------
        Tensor, shape (n_rows, n_maps * n_segments)
        """
        if x.device.type != "cpu" or being_traced():
            return self.step_by_step(x)
        norm = self.norm
        if self.training:
            mean, variance = _moments(x.detach())
            update_running(norm, mean, variance, len(x) * x.shape[-1])
        else:
            mean, variance = running(norm)
        inverse = torch.rsqrt(variance + norm.eps)
        return _LogVariance.apply(
            x, norm.weight, norm.bias, mean, inverse, self.n_segments, self.training
        )

    def step_by_step(self, x: Tensor) -> Tensor:
        """Compute what `forward` does, by torch's own operations one after the other."""
        x = nn.functional.silu(self.norm(x))
        length = x.shape[-1] // self.n_segments
        variance = x[..., : length * self.n_segments].unflatten(-1, (-1, length)).var(-1)
        return variance.clamp(*_LIMITS).log().flatten(1)


class _LogVariance(torch.autograd.Function):
    """The features, from the input and the moments of each map."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        inverse: Tensor,
        n_segments: int,
        from_batch: bool,
    ) -> Tensor:
        scale, shift = _affine(weight, bias, mean, inverse)
        means, variances = [], []
        for part in x.split(_rows_at_once(x)):
            h = _segments(nn.functional.silu(torch.addcmul(shift, part, scale)), n_segments)
            means.append(h.mean(-1, keepdim=True))
            h = h - means[-1]
            variances.append(torch.linalg.vector_norm(h, dim=-1).square_().div_(h.shape[-1] - 1))
        variance = torch.cat(variances)
        ctx.save_for_backward(x, weight, bias, mean, inverse, torch.cat(means), variance)
        ctx.from_batch = from_batch
        return variance.clamp(*_LIMITS).log_().flatten(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, mean, inverse, means, variance = ctx.saved_tensors
        scale, shift = _affine(weight, bias, mean, inverse)
        n_segments = variance.shape[-1]
        length = x.shape[-1] // n_segments
        inside = (variance >= _LIMITS[0]) & (variance <= _LIMITS[1])
        factor = grad.reshape(variance.shape) / variance * (2 / (length - 1))
        factor = torch.where(inside, factor, 0).unsqueeze(-1)
        to_x = torch.zeros_like(x)
        sums, products = mean.new_zeros(mean.shape), mean.new_zeros(mean.shape)
        rows = _rows_at_once(x)
        for part, out, m, f in zip(*(t.split(rows) for t in (x, to_x, means, factor))):
            z = torch.addcmul(shift, part, scale)
            h = _segments(nn.functional.silu(z), n_segments).sub_(m).mul_(f).flatten(2)
            used = h.shape[-1]
            dz = torch.ops.aten.silu_backward(h, z[..., :used])
            out[..., :used] = dz
            sums += dz.sum(-1).sum(0, dtype=torch.float64)
            products += (dz * part[..., :used]).sum(-1).sum(0, dtype=torch.float64)
        to_weight = inverse * (products - mean * sums)
        if ctx.needs_input_grad[0]:
            _finish(to_x, x, scale, weight, mean, inverse, sums, to_weight, ctx.from_batch)
        gradients = to_weight.to(weight), sums.to(bias)
        return to_x, *gradients, None, None, None, None


def _finish(
    to_x: Tensor,
    x: Tensor,
    scale: Tensor,
    weight: Tensor,
    mean: Tensor,
    inverse: Tensor,
    to_bias: Tensor,
    to_weight: Tensor,
    from_batch: bool,
) -> None:
    """Turn the gradient in z into that in x, in place."""
    if not from_batch:
        to_x.mul_(scale)
        return
    count = len(x) * x.shape[-1]
    slope = -weight * inverse.square() * to_weight / count
    constant = -weight * inverse * to_bias / count - slope * mean
    slope, constant = slope.to(x)[:, None], constant.to(x)[:, None]
    rows = _rows_at_once(x)
    for part, out in zip(x.split(rows), to_x.split(rows)):
        out.mul_(scale).addcmul_(part, slope).add_(constant)


def _affine(
    weight: Tensor, bias: Tensor, mean: Tensor, inverse: Tensor
) -> tuple[Tensor, Tensor]:
    scale = weight.detach() * inverse
    shift = bias.detach() - scale * mean
    return scale.to(weight)[:, None], shift.to(weight)[:, None]


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute mean and variance of each map, in double precision."""
    mean, square = _mean_and_square(x, None)
    variance = (square - mean.square()).clamp_min_(0.0)
    if (mean.square() > _MOST_OFFSET**2 * variance).any():  # the difference has lost its digits
        near = mean.to(x)
        rest, square = _mean_and_square(x, near)
        mean, variance = near + rest, (square - rest.square()).clamp_min_(0.0)
    return mean, variance


def _mean_and_square(x: Tensor, offset: Tensor | None) -> tuple[Tensor, Tensor]:
    """Compute each map's mean and mean square, counted from an offset where one is given."""
    sums = squares = torch.zeros(x.shape[1], dtype=torch.float64)
    for part in x.split(_rows_at_once(x)):
        if offset is not None:
            part = part - offset[:, None]
        sums = sums + part.sum(-1).sum(0, dtype=torch.float64)
        norms = torch.linalg.vector_norm(part, dim=-1)
        squares = squares + norms.double().square_().sum(0)
    count = len(x) * x.shape[-1]
    return sums / count, squares / count


def _segments(x: Tensor, n_segments: int) -> Tensor:
    length = x.shape[-1] // n_segments
    return x[..., : length * n_segments].unflatten(-1, (n_segments, length))


def _rows_at_once(x: Tensor) -> int:
    return max(1, _PIECE // max(1, x[0].numel()))
