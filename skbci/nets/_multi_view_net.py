"""A network of several views of a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skbci._checks import check_count, check_number, refusal
from skbci.nets._view_encoders import EpochEncoder, FeatureEncoder


class MultiViewNet(nn.Module):
    r"""An encoder for each view of a row, and one layer that decides for each and for all.

    Parameters
    ----------
    views : dict of str to tuple of int
        Shape of each view of a row: ``(n_features,)``, encoded by a dense layer, or ``(n_channels,
        n_times)``, encoded by spatial filters, filters in time, and the waveform and log power of
        each.
    n_classes : int
        Number of classes.
    hidden_units : int, default=64
        Units of the space into which every view is encoded.
    n_filters : int, default=40
        Spatial filters of an encoder of epochs.
    kernel_size : int, default=11
        Samples of its filters in time.
    view_dropout : float or dict of str to float, default=0.0
        Probability of dropping a feature (or, of epochs, a channel): one for all views, or one by
        name, where a view without a name has none.
    dropout : float, default=0.0
        Probability of dropping a value that an encoder gives.

    Attributes
    ----------
    head_names : tuple of str
        ``"logits"``, then the views.
    shared_parameter : Parameter
        Weight of the last layer, which all heads share.

    Raises
    ------
    ValueError, TypeError
        If a size, a shape or a probability is out of its range, or a view is called "logits".

    Notes
    -----
    Encoders map all views into one space, in which one layer decides: with the encodings
    :math:`h_v` the logits of view v are :math:`z_v = W h_v + b`, those of all views together
    :math:`z = \sum_v z_v`. That is a product of experts, each of which a loss of its own keeps
    able to stand alone; and at :math:`W` the gradients of all these losses can be compared.

    Rows are (n_rows, n_values): the views side by side, each flattened.

    Dropping a share p of d standardized features in front of a linear layer penalizes its weights
    as ridge regression does, by :math:`p / (1 - p)` times the number of rows. A view of thousands
    of features therefore wants a dropout near one (.94 for 10,000 features), or it fits the
    training rows by itself and outvotes the others.

    Examples
    --------
    >>> import torch
    >>> net = MultiViewNet({"slow": (12,), "raw": (3, 80)}, n_classes=2)
    >>> [tuple(head.shape) for head in net(torch.zeros(5, 12 + 3 * 80))]
    [(5, 2), (5, 2), (5, 2)]
    >>> net.head_names
    ('logits', 'slow', 'raw')
    """

    def __init__(
        self,
        views: Mapping[str, Sequence[int]],
        n_classes: int,
        *,
        hidden_units: int = 64,
        n_filters: int = 40,
        kernel_size: int = 11,
        view_dropout: float | Mapping[str, float] = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_classes = check_count(n_classes, "n_classes", self)
        check_count(hidden_units, "hidden_units", self)
        check_count(n_filters, "n_filters", self)
        check_count(kernel_size, "kernel_size", self)
        check_number(dropout, "dropout", self, low=0, high=1, closed="left")
        self.views = _check_shapes(views, self)
        rates = check_view_dropout(view_dropout, list(self.views), self)
        self.sizes = [math.prod(shape) for shape in self.views.values()]
        self.head_names = ("logits", *self.views)
        # Not by name: a module's own attributes may not be keys of a ModuleDict.
        self.encoders = nn.ModuleList(
            FeatureEncoder(shape[0], hidden_units, rates[name], dropout)
            if len(shape) == 1
            else EpochEncoder(
                shape[0], shape[1], hidden_units, n_filters, kernel_size, rates[name], dropout)
            for name, shape in self.views.items()
        )
        self.classifier = nn.Linear(hidden_units, n_classes)

    @property
    def shared_parameter(self) -> Tensor:
        """Weight of the layer that all heads share."""
        return self.classifier.weight

    def forward(self, X: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits of all views together, and of each.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_values)
            The views side by side.

        Returns
        -------
        tuple of Tensor, each of shape (n_rows, n_classes)
            In the order of ``head_names``.
        """
        if X.ndim != 2 or X.shape[1] != sum(self.sizes):
            raise ValueError(
                f"MultiViewNet was built for rows of {sum(self.sizes)} values (views "
                f"{dict(zip(self.views, self.sizes))}), got rows of shape {tuple(X.shape[1:])}."
            )
        parts = X.split(self.sizes, dim=1)
        encoded = [encoder(part) for encoder, part in zip(self.encoders, parts)]
        logits = self.classifier(torch.stack(encoded, dim=1))
        return logits.sum(dim=1), *logits.unbind(dim=1)


def check_view_dropout(value: Any, views: Sequence[str], who: object) -> dict[str, float]:
    """Return the probability of each view.

    Raises
    ------
    ValueError, TypeError
        If one is no number of [0, 1), or there is no such view.
    """
    given = value if isinstance(value, Mapping) else dict.fromkeys(views, value)
    if strange := [name for name in given if name not in views]:
        because = f"names {strange[0]!r}, but the views are {list(views)}"
        raise ValueError(refusal(value, "view_dropout", who, because))
    for rate in given.values():
        also = "a dict of such by view"
        check_number(rate, "view_dropout", who, low=0, high=1, closed="left", also=also)
    return {name: float(given.get(name, 0.0)) for name in views}


def _check_shapes(views: object, who: object) -> dict[str, tuple[int, ...]]:
    if not isinstance(views, Mapping) or not views:
        raise ValueError(refusal(views, "views", who, "must be a dict of at least one shape"))
    if "logits" in views:
        because = "must not call a view 'logits', the head of all of them"
        raise ValueError(refusal(list(views), "views", who, because))
    shapes = {}
    for name, shape in views.items():
        sized = isinstance(shape, Sequence) and not isinstance(shape, (str, bytes))
        if not sized or len(shape) not in (1, 2):
            because = f"must have shapes (n_features,) or (n_channels, n_times), not {shape!r}"
            raise ValueError(refusal(views, "views", who, because))
        shapes[name] = tuple(check_count(n, f"views[{name!r}]", who) for n in shape)
    return shapes
