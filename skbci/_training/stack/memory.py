"""How many fits a stack may hold: the memory that they take together."""

from __future__ import annotations

import torch
from torch import Tensor

from skbci._training.mini_batches import Rows
from skbci._training.prepared_fit import PreparedFit

# Rows, activations and weights on the CPU; on an accelerator it is half of what is free.
_DEFAULT_MEMORY = 1 << 30
_MASKS = 4 << 19  # bytes of a pool of dropout masks


class MemoryBudget:
    """Adds up what fits need together: equal rows are held once.

    Parameters
    ----------
    max_memory : float or None
        Bytes; None takes 1 GiB on the CPU, half of the free memory elsewhere.
    """

    def __init__(self, max_memory: float | None) -> None:
        self.max_memory = max_memory
        self.clear()

    def clear(self) -> None:
        """Count from nothing again."""
        self._tensors: list[Tensor] = []
        self._streams: set[bytes] = set()
        self._used = 0.0

    def add(self, member: PreparedFit) -> bool:
        """Add a fit; return False, and leave it out, if the memory does not suffice for it too."""
        train, new = self._share(member.train)
        valid, more = (None, []) if member.valid is None else self._share(member.valid)
        used = float(member.n_bytes())
        # The rows as they came, and once more below one another.
        used += sum(2 * t.numel() * t.element_size() for t in new + more)
        state = member.rng_state.numpy().tobytes()
        if state not in self._streams:
            used += member.n_rates * _MASKS
        if self._used and self._used + used > self._limit(member):
            return False
        member.train, member.valid = train, valid
        self._tensors += new + more
        self._streams.add(state)
        self._used += used
        return True

    def _share(self, rows: Rows) -> tuple[Rows, list[Tensor]]:
        """Return the rows with known tensors in place of equal ones, and the unknown ones."""
        new: list[Tensor] = []

        def held(tensor: Tensor) -> Tensor:
            known = next((t for t in self._tensors if same_values(t, tensor)), None)
            if known is None:
                new.append(tensor)
            return tensor if known is None else known

        X, y, weight = rows
        return (held(X), held(y), None if weight is None else held(weight)), new

    def _limit(self, member: PreparedFit) -> float:
        if self.max_memory is not None:
            return float(self.max_memory)
        device = member.train[0].device
        if device.type == "cuda":
            # What the members that wait hold already is not free any more.
            return self._used + torch.cuda.mem_get_info(device)[0] / 2
        return float(_DEFAULT_MEMORY)


def same_values(a: Tensor, b: Tensor) -> bool:
    """Compare tensors; the first rows tell different ones apart without reading them whole."""
    if a is b:
        return True
    if a.shape != b.shape or a.dtype != b.dtype or a.device != b.device:
        return False
    return torch.equal(a[:1], b[:1]) and torch.equal(a, b)
