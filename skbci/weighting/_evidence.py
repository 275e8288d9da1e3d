"""Losses and gradients that a policy may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Floats = NDArray[np.float64]


def shared_gradients(losses: Sequence[Tensor] | Tensor, shared_parameter: Tensor) -> list[Tensor]:
    """Return each loss's gradient at one parameter, and leave the graph for the step itself.

    K short backward passes, each from its loss through its head to the parameter and no deeper;
    no graph of the gradients is built, and no ``.grad`` is touched.

    Parameters
    ----------
    losses : sequence of K scalar Tensors, or Tensor of shape (K,)
        With their graph.
    shared_parameter : Tensor
        A leaf that every loss depends on, as a rule the weight of the last layer that all heads
        share.

    Returns
    -------
    list of K Tensors
        Each of the parameter's shape.

    Raises
    ------
    ValueError
        If a loss does not depend on the parameter, or the parameter takes no gradient.

    Examples
    --------
    >>> import torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> shared_gradients([w.sum(), (w**2).sum()], w)
    [tensor([1., 1.]), tensor([2., 4.])]
    """
    if not isinstance(shared_parameter, Tensor) or not shared_parameter.requires_grad:
        raise ValueError(
            "shared_parameter must be a Tensor that requires a gradient, such as the weight of "
            "the last layer that all heads share."
        )
    gradients = []
    for k, loss in enumerate(losses):
        gradient = None
        if loss.requires_grad:
            (gradient,) = torch.autograd.grad(
                loss, shared_parameter, retain_graph=True, create_graph=False, allow_unused=True
            )
        if gradient is None:
            raise ValueError(
                f"Loss {k} (of {len(losses)}) has no gradient at shared_parameter, of shape "
                f"{tuple(shared_parameter.shape)}: it does not depend on it, or was detached."
            )
        gradients.append(gradient)
    return gradients


class Gradients:
    """Gradients of K losses at one parameter, measured when asked.

    Parameters
    ----------
    gradients : sequence of K Tensors, or array-like of shape (K, n)

    Examples
    --------
    >>> from skbci.weighting import Gradients
    >>> gradients = Gradients([[3.0, 4.0], [0.0, 1.0]])
    >>> gradients.norms().tolist(), gradients.gramian().tolist()
    ([5.0, 1.0], [[25.0, 4.0], [4.0, 1.0]])
    """

    def __init__(self, gradients: Sequence[Tensor] | ArrayLike) -> None:
        self._arrays: Floats | None = None
        self._tensors: list[Tensor] = []
        if isinstance(gradients, (list, tuple)) and all(isinstance(g, Tensor) for g in gradients):
            self._tensors = [g.detach().reshape(-1) for g in gradients]
        else:
            array = np.asarray(gradients, dtype=np.float64)
            self._arrays = array.reshape(len(array), -1)

    def __len__(self) -> int:
        return len(self._tensors) if self._arrays is None else len(self._arrays)

    def norms(self, p: float = 2) -> Floats:
        """Compute the p-norm of each gradient."""
        if self._arrays is not None:
            if p == 2:
                return np.sqrt(np.einsum("kn,kn->k", self._arrays, self._arrays))
            return np.linalg.norm(self._arrays, ord=p, axis=1)
        return _read([torch.linalg.vector_norm(g, ord=p) for g in self._tensors])

    def means(self) -> Floats:
        """Compute the mean over the elements of each gradient."""
        if self._arrays is not None:
            return self._arrays.mean(axis=1)
        return _read([g.mean() for g in self._tensors])

    def gramian(self) -> Floats:
        """Compute the K x K matrix of the gradients' inner products."""
        if self._arrays is not None:
            return self._arrays @ self._arrays.T
        rows = torch.stack(self._tensors)
        return (rows @ rows.T).cpu().numpy().astype(np.float64)


@dataclass
class Evidence:
    """What is known when weights are to be computed.

    Attributes
    ----------
    losses : ndarray, shape (K,), or None
        Of this batch; for policies that act on batches.
    gradients : Gradients or None
        Of this batch, of the losses as they are, without weights.
    train_losses, valid_losses : ndarray, shape (n_batches, K), or None
        Of this epoch; for policies that act on epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.weighting import Evidence, Gradients
    >>> seen = Evidence(np.array([0.7, 2.0]), Gradients([[3.0, 4.0], [0.0, 1.0]]))
    >>> (seen.losses / seen.gradients.norms()).round(2).tolist()
    [0.14, 2.0]
    """

    losses: Floats | None = None
    gradients: Any = None
    train_losses: Floats | None = None
    valid_losses: Floats | None = None


def _read(values: list[Tensor]) -> Floats:
    """Bring scalars to the host in one transfer."""
    return np.array(torch.stack(values).tolist(), dtype=np.float64)
