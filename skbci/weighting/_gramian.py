"""TorchJD's weightings."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from skbci.weighting._base import WeightingPolicy, rescale
from skbci.weighting._evidence import Evidence


class GramianWeighting(WeightingPolicy):
    r"""Weights from the inner products of the losses' gradients, by a function of their Gramian.

    Parameters
    ----------
    weighting : callable or str
        Maps the K x K Gramian, a float64 Tensor on the CPU, to K weights: any of TorchJD's
        weightings, or a function of your own. A string is the name of a class of
        ``torchjd.aggregation``, such as "UPGradWeighting", built with its defaults.
    rescaled : bool, default=True
        Whether the weights are scaled to sum to K, like those of all other policies.

    Raises
    ------
    ImportError
        For a name, if TorchJD is not installed.
    ValueError
        If TorchJD has no weighting of that name; in a batch, if the weights are not K finite
        numbers, or cannot be scaled because their sum is not positive.

    Notes
    -----
    The Gramian is that of the losses as they are, :math:`G_{kl} = \nabla_\theta L_k \cdot
    \nabla_\theta L_l`, at the one shared parameter that the other policies look at too. TorchJD
    itself takes it over all shared parameters. A gradient of zero makes it singular, which the
    weighting has to bear.

    Examples
    --------
    >>> def inverse_norms(gramian):
    ...     return gramian.diagonal().rsqrt()
    >>> policy = GramianWeighting(inverse_norms).start(2)
    >>> policy.update([1.0, 1.0], gradients=[[3.0, 0.0], [0.0, 1.0]]).tolist()
    [0.5, 1.5]
    """

    uses_gradients = True

    def __init__(
        self, weighting: Callable[[torch.Tensor], Any] | str, rescaled: bool = True
    ) -> None:
        if not (isinstance(weighting, str) or callable(weighting)):
            raise TypeError(
                f"GramianWeighting: weighting={weighting!r} must be callable or the name of a "
                "weighting of torchjd.aggregation."
            )
        self.weighting = weighting
        self.rescaled = rescaled

    def _start(self, n_losses: int) -> None:
        self._function = (
            _by_name(self.weighting) if isinstance(self.weighting, str) else self.weighting
        )

    def next_weights(self, seen: Evidence) -> ArrayLike:
        """Weigh by the function of the Gramian."""
        if not hasattr(self, "_function"):  # after load_state_dict
            self._start(len(self.weights_))
        given = self._function(torch.from_numpy(seen.gradients.gramian()))
        weights = np.asarray(torch.as_tensor(given).detach().cpu(), dtype=np.float64)
        if weights.shape != self.weights_.shape or not np.isfinite(weights).all():
            raise ValueError(
                f"GramianWeighting: {self.weighting!r} gave {weights.tolist()} for "
                f"{len(self.weights_)} losses; one finite weight for each is needed."
            )
        if not self.rescaled:
            return weights
        if weights.sum() <= 0:
            raise ValueError(
                f"GramianWeighting: {self.weighting!r} gave {weights.tolist()}, which cannot be "
                "scaled to a positive sum; use rescaled=False."
            )
        return rescale(weights)


def _by_name(name: str) -> Callable[[torch.Tensor], Any]:
    try:
        module = importlib.import_module("torchjd.aggregation")
    except ImportError as error:
        raise ImportError(
            f'GramianWeighting({name!r}) needs TorchJD: pip install "skbci[torchjd]", or give it '
            "a function of the Gramian."
        ) from error
    if not hasattr(module, name):
        known = sorted(n for n in dir(module) if n.endswith("Weighting"))
        raise ValueError(
            f"GramianWeighting: torchjd.aggregation has no {name!r}; it has {', '.join(known)}."
        )
    return getattr(module, name)()
