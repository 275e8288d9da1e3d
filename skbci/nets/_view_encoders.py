"""Encoders of one view of a row, features or epochs, into a space of some units."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skbci.nets._depthwise_conv import SameDepthwiseConv1d

_LEAST_POWER = 1e-3  # of what has unit variance before
_WAVEFORM, _POWER, _HOP = 10, 40, 20  # samples


class FeatureEncoder(nn.Sequential):
    """Dropout of features, a dense layer, ELU and dropout of units.

    Parameters
    ----------
    n_features : int
        Values of a row.
    n_units : int
        Size of the layer.
    input_dropout, dropout : float
        Probabilities of dropping a feature and a unit.
    """

    def __init__(
        self, n_features: int, n_units: int, input_dropout: float, dropout: float
    ) -> None:
        super().__init__(
            nn.Dropout(input_dropout), nn.Linear(n_features, n_units), nn.ELU(),
            nn.Dropout(dropout),
        )


class EpochEncoder(nn.Module):
    """Spatial filters, a filter in time for each, its waveform and log power, a dense layer.

    Parameters
    ----------
    n_channels, n_times : int
        Shape of a row.
    n_units : int
        Size of the layer.
    n_filters : int
        Spatial filters.
    kernel_size : int
        Samples of each filter in time.
    input_dropout, dropout : float
        Probabilities of dropping a channel, for the whole row, and a waveform's or power's value.

    Notes
    -----
    As in [1]_, a log power is that of a mean square over a window (of 40 samples, every 20). Means
    of the signal itself (of 10 samples) stand beside it, for potentials that are locked to a cue.
    In an epoch shorter than such a window, the window is the epoch.

    References
    ----------
    .. [1] R. T. Schirrmeister et al., "Deep learning with convolutional neural networks for EEG
       decoding and visualization", Human Brain Mapping 38(11), 2017 (ShallowFBCSPNet).
    """

    def __init__(
        self, n_channels: int, n_times: int, n_units: int, n_filters: int, kernel_size: int,
        input_dropout: float, dropout: float,
    ) -> None:
        super().__init__()
        self.shape = (n_channels, n_times)
        self.input_dropout = nn.Dropout1d(input_dropout)
        self.spatial = nn.Conv1d(n_channels, n_filters, 1, bias=False)
        self.temporal = SameDepthwiseConv1d(n_filters, min(kernel_size, n_times))
        self.norm = nn.BatchNorm1d(n_filters)
        self.dropout = nn.Dropout(dropout)
        self.waveform = min(_WAVEFORM, n_times)
        self.power = min(_POWER, n_times)
        n_powers = (n_times - self.power) // _HOP + 1
        n_values = n_filters * (n_times // self.waveform + n_powers)
        self.dense = nn.Linear(n_values, n_units)

    def forward(self, X: Tensor) -> Tensor:
        """Encode rows.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_channels * n_times)

        Returns
        -------
        Tensor, shape (n_rows, n_units)
        """
        x = self.input_dropout(X.reshape(-1, *self.shape))
        x = self.norm(self.temporal(self.spatial(x)))
        waveform = nn.functional.avg_pool1d(x, self.waveform)
        power = nn.functional.avg_pool1d(x.square(), self.power, _HOP)
        parts = [waveform.flatten(1), torch.log(power + _LEAST_POWER).flatten(1)]
        return self.dense(self.dropout(torch.cat(parts, dim=1)))
