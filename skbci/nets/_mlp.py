"""The fully connected network of the HJB studies."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "elu": nn.ELU,
    "identity": nn.Identity,
}


class MLP(nn.Sequential):
    """Fully connected layers with dropout; the last layer is linear.

    Parameters
    ----------
    n_features : int
        Size of the input; inputs with more axes are flattened.
    n_outputs : int
        Size of the output (one logit a class).
    hidden_layer_sizes : sequence of int, default=(100,)
        Units of each hidden layer.
    activation : {"relu", "tanh", "logistic", "elu", "identity"}, default="relu"
        Follows each hidden layer.
    dropout : float or sequence of float, default=0.0
        Probability of dropping a unit after each hidden layer: one number for all of them, or
        one for each.

    Raises
    ------
    ValueError
        If a size is not positive, a probability is outside [0, 1), or the activation is unknown.

    Examples
    --------
    >>> import torch
    >>> net = MLP(96, 3, hidden_layer_sizes=(50, 30), dropout=(0.2, 0.0))
    >>> net(torch.zeros(5, 96)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        hidden_layer_sizes: Sequence[int] = (100,),
        activation: str = "relu",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        sizes = check_sizes(hidden_layer_sizes)
        rates = check_dropout(dropout, len(sizes))
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"activation={activation!r} is unknown; use one of {sorted(ACTIVATIONS)}."
            )
        layers: list[nn.Module] = [nn.Flatten()]
        width = n_features
        for size, rate in zip(sizes, rates):
            layers += [nn.Linear(width, size), ACTIVATIONS[activation]()]
            if rate > 0:
                layers.append(nn.Dropout(rate))
            width = size
        layers.append(nn.Linear(width, n_outputs))
        super().__init__(*layers)

    def forward(self, X: Tensor) -> Tensor:
        """Give logits.

        Parameters
        ----------
        X : Tensor, shape (n_rows, ...)
            Flattened to (n_rows, n_features).

        Returns
        -------
        Tensor, shape (n_rows, n_outputs)
        """
        return super().forward(X)


def check_sizes(hidden_layer_sizes: Sequence[int]) -> tuple[int, ...]:
    """Give the hidden sizes as a tuple of positive integers."""
    sizes = (
        (hidden_layer_sizes,)
        if isinstance(hidden_layer_sizes, numbers.Integral)
        else tuple(hidden_layer_sizes)
    )
    if any(int(size) != size or size < 1 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes={hidden_layer_sizes!r} must hold positive integers only."
        )
    return tuple(int(size) for size in sizes)


def check_dropout(dropout: float | Sequence[float], n_layers: int) -> tuple[float, ...]:
    """Give one dropout probability for each hidden layer."""
    if isinstance(dropout, (int, float, numbers.Real)):
        rates: tuple[float, ...] = (float(dropout),) * n_layers
    else:
        rates = tuple(float(rate) for rate in dropout)
    if len(rates) != n_layers:
        raise ValueError(
            f"dropout={dropout!r} has {len(rates)} entries for {n_layers} hidden layers."
        )
    if any(not 0 <= rate < 1 for rate in rates):
        raise ValueError(f"dropout={dropout!r} must lie in [0, 1).")
    return rates
