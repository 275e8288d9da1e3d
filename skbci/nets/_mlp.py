"""The fully connected network of the HJB studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from skbci._checks import check_choice, check_count, check_number, is_list

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
        check_count(n_features, "n_features", "MLP")
        check_count(n_outputs, "n_outputs", "MLP")
        rates = check_dropout(dropout, len(sizes))
        check_choice(activation, "activation", "MLP", sorted(ACTIVATIONS))
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
        """Compute logits.

        Parameters
        ----------
        X : Tensor, shape (n_rows, ...)
            Flattened to (n_rows, n_features).

        Returns
        -------
        Tensor, shape (n_rows, n_outputs)
        """
        return super().forward(X)


def check_sizes(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the hidden sizes as a tuple of positive integers."""
    name = "hidden_layer_sizes"
    if not is_list(hidden_layer_sizes) or isinstance(hidden_layer_sizes, Mapping):
        return (check_count(hidden_layer_sizes, name, "MLP", also="a list of such"),)
    return tuple(check_count(size, name, "MLP") for size in hidden_layer_sizes)


def check_dropout(dropout: object, n_layers: int) -> tuple[float, ...]:
    """Return one dropout probability for each hidden layer."""
    limits: dict[str, Any] = {"low": 0, "high": 1, "closed": "left"}
    if not is_list(dropout) or isinstance(dropout, Mapping):
        rate = check_number(dropout, "dropout", "MLP", also="a list of such", **limits)
        return (rate,) * n_layers
    rates = tuple(check_number(rate, "dropout", "MLP", **limits) for rate in dropout)
    if len(rates) != n_layers:
        raise ValueError(
            f"dropout={dropout!r} has {len(rates)} entries for {n_layers} hidden layers."
        )
    return rates
