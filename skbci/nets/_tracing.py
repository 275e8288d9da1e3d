"""Whether torch traces a network's operations in place of running them."""

from __future__ import annotations

import torch

__all__ = ["being_traced"]


def being_traced() -> bool:
    """Return whether a graph is being made, for export or compilation.

    Layers that go by spectra, or piece by piece, are then told as torch's own operations, which
    every format has.
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()
