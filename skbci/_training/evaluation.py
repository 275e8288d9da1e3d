"""A module's outputs without training: in which precision, and how many rows at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from skbci._training.double_copy import DoubleCopy
from skbci.nets import MLP

#: Values of the rows that are evaluated at once.
EVALUATION_LIMIT = 1 << 22
#: Up to this many values an MLP predicts in double precision even in single, see `predict_rows`.
EXACT_LIMIT = 1 << 16
# On so many training rows, at least, the outputs of what is kept are known to be finite.
_CHECKED_ROWS = 1024


def predict_rows(
    module: nn.Module, X: Tensor, device: str | torch.device, copy: DoubleCopy
) -> Tensor:
    """Return the first output, without gradients, in the rows' precision.

    A matrix product rounds a row differently by its place among the others. An `MLP` computes a
    few rows in double precision whatever theirs is: rounded from that, a row's output does not
    depend on which rows it came with.
    """
    exact = X.dtype == torch.float64 or X.numel() <= EXACT_LIMIT
    if type(module) is MLP and exact and X.device.type == "cpu":
        module.eval()
        with torch.inference_mode():
            weights = {name: value.double() for name, value in module.state_dict().items()}
            return torch.func.functional_call(module, weights, (X.double(),)).to(X.dtype)
    return in_pieces(module, X, lambda module, part: first_output(module(part)), device, copy)


def in_pieces(
    module: nn.Module,
    X: Tensor,
    apply: Callable[[nn.Module, Tensor], Tensor],
    device: str | torch.device,
    copy: DoubleCopy,
    double: bool = False,
) -> Tensor:
    """Return ``apply(module, rows)`` without gradients, in pieces that bound the memory.

    Rows in double precision, and with ``double`` all, are computed in double precision, by the
    module's ``copy``. A module that insists on single precision gets that. The output has the
    rows' precision.
    """
    module.eval()
    pieces = X.split(max(1, EVALUATION_LIMIT // max(1, X[0].numel())))

    def run(module: nn.Module, precision: torch.dtype) -> list[Tensor]:
        with torch.inference_mode():
            return [apply(module, part.to(device, precision)) for part in pieces]

    precision = _precision_of(module, X.dtype)
    if precision == torch.float32 and (double or X.dtype == torch.float64):
        try:
            parts = run(copy(module), torch.float64)
        except (RuntimeError, TypeError, ValueError):  # it insists on single precision
            parts = run(module, precision)
    else:
        parts = run(module, precision)
    out = parts[0] if len(parts) == 1 else torch.cat(parts)
    return out.to(X.dtype)


def is_finite(module: nn.Module, X: Tensor, device: str | torch.device, copy: DoubleCopy) -> bool:
    """Whether the weights, and their outputs on some of the rows, are finite."""
    values = [v for v in module.state_dict().values() if v.is_floating_point()]
    if not all(bool(value.isfinite().all()) for value in values):
        return False

    def usable(module: nn.Module, part: Tensor) -> Tensor:
        outputs = module(part)
        heads = outputs if isinstance(outputs, (tuple, list)) else [outputs]
        bad = [h.isnan().any() | h.isposinf().any() for h in heads if isinstance(h, Tensor)]
        return ~torch.stack(bad).any()[None]

    some = X[:: max(1, len(X) // _CHECKED_ROWS)].to(torch.float32)
    return bool(in_pieces(module, some, usable, device, copy).all())


def first_output(output: Tensor | tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    """Return the logits of a module that may return more than them."""
    return output[0] if isinstance(output, (tuple, list)) else output


def _precision_of(module: nn.Module, default: torch.dtype) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), default)
