"""A module in double precision beside the one in single precision that is trained."""

from __future__ import annotations

import copy
from itertools import chain

import torch
from torch import Tensor, nn


class DoubleCopy:
    """Keeps a copy of a module, and gives it the module's weights whenever it is asked for.

    In single precision a row's output depends on its neighbours, whose number and place change how
    a product is rounded. Copying the layers takes longer than a small network's forward pass, so
    they are kept; their values are not, since nothing tells when weights have changed.
    """

    _source: nn.Module | None = None

    def __call__(self, module: nn.Module) -> nn.Module:
        """Return the copy, for evaluation.

        Parameters
        ----------
        module : nn.Module

        Returns
        -------
        nn.Module
        """
        with torch.inference_mode(False), torch.no_grad():
            values = _values(module)
            if self._source is not module or not self._fits(values):
                self._source, self._copy = module, copy.deepcopy(module).double().eval()
                self._own = _values(self._copy)
            else:
                for own, value in zip(self._own, values):
                    own.copy_(value)
        return self._copy

    def _fits(self, values: list[Tensor]) -> bool:
        return len(values) == len(self._own) and all(
            own.shape == value.shape for own, value in zip(self._own, values)
        )


def _values(module: nn.Module) -> list[Tensor]:
    return list(chain(module.parameters(), module.buffers()))
