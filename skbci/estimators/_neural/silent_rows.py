"""Rows without usable signal, for which the prior is predicted, and the rows around them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from skbci._training import one_thread
from skbci._typing import Signals
from skbci._usable import (
    amplitudes,
    find_oversized,
    find_unusable,
    report_unusable,
    typical_amplitude,
    typical_size,
)
from skbci._warning import warn

__all__ = ["compute_rows", "find_silent", "is_marked"]

# Values of the rows that are predicted at once.
_ROWS_LIMIT = 1 << 20


def find_silent(
    estimator: BaseEstimator, X: Signals, data: np.ndarray, then: str, learn: bool = False
) -> np.ndarray:
    """Find the rows without usable signal, and report them.

    Epochs are judged by the amplitudes of their channels, rows of features by the size of their
    values alone: features may be constant, but what is a thousand million times larger than usual
    spoils standardization and overflows. With ``learn``, what is usual is learned from the rows.
    """
    epochs = data.ndim > 2
    if learn:
        estimator._typical_ = typical_amplitude(amplitudes(data)) if epochs else typical_size(data)
    if not hasattr(estimator, "_typical_"):
        return np.zeros(len(data), dtype=bool)
    if epochs:
        found = find_unusable(amplitudes(data), estimator._typical_)
    else:
        found = find_oversized(data, estimator._typical_)
    if not found.rows.any():
        return found.rows
    names = getattr(X, "ch_names", None) if epochs else None
    what = "channel" if epochs else "feature"
    report_unusable(found, type(estimator).__name__, names, then, what=what)
    return found.rows


def compute_rows(
    estimator: BaseEstimator, X: Signals, data: np.ndarray, function: Callable[[Tensor], Tensor],
    mark: bool,
) -> Tensor:
    """Compute a function of valid rows as the module takes them, in the precision of X.

    With ``mark``, it is NaN for rows without usable signal; without, what the mean input gives.

    Few rows at a time: overlapping windows, which are a view, are never copied all at once.
    """
    silent = find_silent(estimator, X, data, "The prior is predicted there.")
    n_rows = max(1, _ROWS_LIMIT // max(1, data[0].size))
    with one_thread():
        parts = [
            function(_quiet_tensor(estimator, X, data[a : a + n_rows], silent[a : a + n_rows]))
            for a in range(0, len(data), n_rows)
        ]
    output = parts[0] if len(parts) == 1 else torch.cat(parts)
    if mark and (silent.any() or not torch.isfinite(output).all()):
        return _marked(estimator, output, silent)
    return output


def _quiet_tensor(
    estimator: BaseEstimator, X: Signals, data: np.ndarray, silent: np.ndarray
) -> Tensor:
    """Return validated rows as tensors, with nothing in those that are without signal."""
    if not silent.any():
        return estimator._as_tensor(X, data)
    rows = estimator._as_tensor(X, np.where(silent.reshape(-1, *[1] * (data.ndim - 1)), 0, data))
    rows[torch.as_tensor(silent)] = 0.0
    return rows


def _marked(estimator: BaseEstimator, output: Tensor, silent: np.ndarray) -> Tensor:
    """Return outputs with NaN for rows without signal; warn of those that overflowed."""
    output = output.clone()
    output[torch.as_tensor(silent, device=output.device)] = torch.nan
    finite = torch.isfinite(output).all(dim=1).cpu().numpy()
    if overflowed := np.flatnonzero(~finite & ~silent).tolist():
        warn(
            f"{type(estimator).__name__}: the network's output overflows for {len(overflowed)} of "
            f"{len(output)} rows: {', '.join(map(str, overflowed[:5]))}"
            f"{', ...' if len(overflowed) > 5 else ''}. The prior is predicted there.",
        )
    return output


def is_marked(output: Tensor) -> Tensor:
    """Return which rows of outputs are marked, shape (n_rows,)."""
    return ~torch.isfinite(output).all(dim=1)
