"""Rows that a network can say nothing about but the prior."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skbci._usable import (
    amplitudes,
    find_oversized,
    find_unusable,
    report_unusable,
    typical_amplitude,
    typical_size,
)

__all__ = ["SilentRows"]


class SilentRows:
    """What the neural estimators do about rows without usable signal.

    Epochs are judged by the amplitudes of their channels, rows of features by the size of their
    values alone: features may be constant, but what is a thousand million times larger than usual
    spoils standardization and overflows.
    """

    _typical_: np.ndarray

    def _silent_rows(self, X: Any, data: np.ndarray, then: str, learn: bool = False) -> np.ndarray:
        """Find the rows without usable signal, and report them."""
        epochs = data.ndim > 2
        if learn:
            self._typical_ = typical_amplitude(amplitudes(data)) if epochs else typical_size(data)
        if not hasattr(self, "_typical_"):
            return np.zeros(len(data), dtype=bool)
        if epochs:
            found = find_unusable(amplitudes(data), self._typical_)
        else:
            found = find_oversized(data, self._typical_)
        if not found.rows.any():
            return found.rows
        names = getattr(X, "ch_names", None) if epochs else None
        what = "channel" if epochs else "feature"
        report_unusable(found, type(self).__name__, names, then, what=what)
        return found.rows

    def _marked(self, output: Tensor, silent: np.ndarray) -> Tensor:
        """Outputs with NaN where nothing can be said, and the same for whatever overflowed."""
        output = output.clone()
        output[torch.as_tensor(silent, device=output.device)] = torch.nan
        finite = torch.isfinite(output).all(dim=1).cpu().numpy()
        if overflowed := np.flatnonzero(~finite & ~silent).tolist():
            warnings.warn(
                f"{type(self).__name__}: the network's output overflows for {len(overflowed)} of "
                f"{len(output)} rows: {', '.join(map(str, overflowed[:5]))}"
                f"{', ...' if len(overflowed) > 5 else ''}. The prior is predicted there.",
                UserWarning, stacklevel=3,
            )
        return output


def says_nothing_of(output: Tensor) -> Tensor:
    """Rows of outputs that are marked, shape (n_rows,)."""
    return ~torch.isfinite(output).all(dim=1)
