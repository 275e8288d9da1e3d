"""How much each input value of a network adds to a class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skbci._training import first_output

_PIECE = 64  # rows at a time


def gradient_times_input(module: nn.Module, rows: Tensor, wanted: Tensor | None) -> Tensor:
    """Gradient times input of a class's logit minus the mean of the others'.

    Parameters
    ----------
    module : Module
        Its first output are logits, shape (n_rows, n_classes).
    rows : Tensor, shape (n_rows, ...)
    wanted : Tensor of int, shape (n_rows,), or None
        The class for each row; None takes the one with the largest logit.

    Returns
    -------
    Tensor, shape (n_rows, ...)
    """
    module.eval()
    parameter = next(module.parameters())
    parts = []
    for number, piece in enumerate(rows.split(_PIECE)):
        x = piece.to(parameter.device, parameter.dtype).detach().requires_grad_()
        with torch.enable_grad():
            logits = first_output(module(x))
            chosen = logits.argmax(dim=1) if wanted is None else (
                wanted[number * _PIECE : number * _PIECE + len(piece)].to(logits.device))
            n_classes = logits.shape[1]
            own = logits.gather(1, chosen[:, None])[:, 0]
            others = (logits.sum(dim=1) - own) / (n_classes - 1)
            (gradient,) = torch.autograd.grad((own - others).sum(), x)
        parts.append((gradient * x).detach().to(rows.dtype))
    return torch.cat(parts)
